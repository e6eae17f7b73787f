// Pixels of images as one sequence, in which each place of a window is an offset.
//
// Rows of pixels follow each other, with zeros between them where there is padding; what pads the end of a row also pads the
// start of the next one, and so do rows of zeros between images. A piece of the work is a group of small images or a strip
// of a large one.
#ifndef FOVEA_BFLOAT16_SEQUENCE_H
#define FOVEA_BFLOAT16_SEQUENCE_H
#include "bfloat16_packing.h"

typedef struct {
    int64_t batch, height, width;  // of images
    int64_t window[2], padding[2];
    int64_t output_height, output_width;
    // Set by `planned_sequence`. Rows and columns inside are those that some window reads.
    int64_t inside_rows, inside_columns, image_rows, row_pixels;
    int64_t strips, strip_rows;  // of an image's outputs
    int64_t group, pieces;       // images in a piece; pieces in all
    int64_t pixels, most_tiles;  // of a piece
} pixel_sequence;

// The places of a window that starts `from` pixels before an extent and takes `outputs` steps.
static inline void plan_extent(int64_t extent, int64_t window, int64_t before, int64_t outputs, int64_t *inside,
                               int64_t *pitch) {
    int64_t after = outputs + window - 1 - before - extent;
    *inside = extent + smaller(after, 0);
    *pitch = *inside + (before > after ? before : after);
}

// Pieces of up to `limit` bytes, one or more for each of `parts` parts of the work where there are enough rows.
static inline pixel_sequence planned_sequence(pixel_sequence s, int64_t pixel_bytes, int64_t limit, int64_t parts) {
    plan_extent(s.height, s.window[0], s.padding[0], s.output_height, &s.inside_rows, &s.image_rows);
    plan_extent(s.width, s.window[1], s.padding[1], s.output_width, &s.inside_columns, &s.row_pixels);
    int64_t rows = limit / (pixel_bytes * s.row_pixels), more_rows = s.window[0] - 1;
    if (s.batch >= parts && rows >= s.image_rows + more_rows) {
        int64_t pieces = rounded_up(divided_up(s.batch, (rows - more_rows) / s.image_rows), parts);
        s.group = divided_up(s.batch, smaller(pieces, s.batch));
        s.strip_rows = s.output_height;
    } else {
        s.group = 1;
        int64_t strips = rows > more_rows + 1 ? divided_up(s.output_height, rows - more_rows) : s.output_height;
        if (s.batch < parts) strips = rounded_up(strips, parts);
        s.strip_rows = divided_up(s.output_height, smaller(strips, divided_up(s.output_height, 2)));
    }
    s.strips = divided_up(s.output_height, s.strip_rows);
    s.pieces = divided_up(s.batch, s.group) * s.strips;
    int64_t piece_rows = (s.group - 1) * s.image_rows + s.strip_rows + more_rows;
    // The last tile reads beyond the last row.
    s.pixels = piece_rows * s.row_pixels + s.padding[1] + tile_rows;
    s.most_tiles = s.group * s.strip_rows * divided_up(s.output_width, tile_rows);
    return s;
}

typedef struct {
    int64_t image, images;     // the first of them; none in a piece after the last
    int64_t first_row, rows;   // of outputs
    int64_t packed_rows, end;  // end of the outputs in the sequence
} sequence_piece;

static inline sequence_piece piece_at(const pixel_sequence *s, int64_t index) {
    sequence_piece p = {.image = index / s->strips * s->group, .first_row = index % s->strips * s->strip_rows};
    if (index >= s->pieces) return p;
    p.images = smaller(s->group, s->batch - p.image);
    p.rows = smaller(s->strip_rows, s->output_height - p.first_row);
    int64_t last_row = (p.images - 1) * s->image_rows + p.rows - 1;
    p.packed_rows = last_row + s->window[0];
    p.end = last_row * s->row_pixels + s->output_width;
    return p;
}

// 16 successive pixels of the sequence, of which the first is an output at a place of an image of the piece.
typedef struct {
    int64_t pixel, image, row, column;
} tile_start;

// Covers the outputs of a whole piece, leaving out what is between them where possible. A smaller piece takes the tiles up
// to its end. Returns how many there are.
static inline int64_t cover_outputs(const pixel_sequence *s, tile_start *starts) {
    int64_t count = 0, covered = 0;
    for (int64_t image = 0; image < s->group; image++) {
        for (int64_t row = 0; row < s->strip_rows; row++) {
            int64_t start = (image * s->image_rows + row) * s->row_pixels;
            int64_t column = covered > start ? covered - start : 0;
            for (; column < s->output_width; column += tile_rows) {
                starts[count++] = (tile_start){start + column, image, row, column};
                covered = start + column + tile_rows;
            }
        }
    }
    return count;
}

static inline int64_t tiles_before(const tile_start *starts, int64_t count, int64_t end) {
    while (count > 0 && starts[count - 1].pixel >= end) count--;
    return count;
}

// Steps through the outputs of a tile by runs of successive ones.
typedef struct {
    tile_start at;
    int64_t lane, run, end;  // of the tile
} output_run;

static inline output_run first_run(const pixel_sequence *s, tile_start at, int64_t end) {
    int64_t lanes_left = smaller(tile_rows, end - at.pixel);
    return (output_run){at, 0, smaller(s->output_width - at.column, lanes_left), lanes_left};
}

static inline void next_run(const pixel_sequence *s, output_run *r) {
    r->lane += s->row_pixels - r->at.column;
    r->at.column = 0;
    if (++r->at.row == s->strip_rows) {
        r->lane += (s->image_rows - s->strip_rows) * s->row_pixels;
        r->at.row = 0;
        r->at.image++;
    }
    r->run = smaller(s->output_width, r->end - r->lane);
}

// Rows of the padded images in a block of 16 channels.
typedef struct {
    const float *block;    // of the piece's first image; NULL for zeros alone
    int64_t image_floats;  // to the next image
    sequence_piece piece;
} sequence_source;

static inline const float *inside_row(const pixel_sequence *s, const sequence_source *from, int64_t row) {
    row += from->piece.first_row;
    int64_t image = row / s->image_rows, y = row % s->image_rows - s->padding[0];
    if (!from->block || image >= from->piece.images || y < 0 || y >= s->inside_rows) return 0;
    return from->block + image * from->image_floats + y * s->width * lanes;
}

// Packs a piece as rows of tiles, each with the numbers of a pixel of `low` and of `high` in turn.
INLINE_PACKING void pack_sequence(const pixel_sequence *s, const sequence_source *low, const sequence_source *high,
                                  int64_t rows, uint8_t *to, int64_t term_bytes, int32_t terms) {
    static const float zeros[lanes];
    const split_numbers none = {};
    for (int64_t row = 0; row < rows; row++) {
        const float *a = inside_row(s, low, row), *b = inside_row(s, high, row);
        int64_t a_step = a ? lanes : 0, b_step = b ? lanes : 0;
        int64_t before = s->padding[1], inside = a || b ? s->inside_columns : 0;
        if (!a) a = zeros;
        if (!b) b = zeros;
        for (int64_t x = 0; x < before; x++, to += tile_row_bytes) store_split(to, term_bytes, none, terms);
        for (int64_t x = 0; x < inside; x++, to += tile_row_bytes, a += a_step, b += b_step) {
            store_split(to, term_bytes, split_pairs(_mm512_loadu_ps(a), _mm512_loadu_ps(b), terms), terms);
        }
        for (int64_t x = before + inside; x < s->row_pixels; x++, to += tile_row_bytes) {
            store_split(to, term_bytes, none, terms);
        }
    }
    for (int64_t x = 0; x < s->padding[1] + tile_rows; x++, to += tile_row_bytes) store_split(to, term_bytes, none, terms);
}

// Packs a piece with 16 channels as rows of tiles, each with the numbers of a pixel and of the next one in its row in turn.
INLINE_PACKING void pack_neighbours(const pixel_sequence *s, const sequence_source *from, int64_t rows, uint8_t *to,
                                    int64_t term_bytes, int32_t terms) {
    const split_numbers none = {};
    uint8_t *end = to + s->pixels * tile_row_bytes;
    for (int64_t row = 0; row < rows; row++) {
        const float *next = inside_row(s, from, row);
        int64_t first = s->padding[1], last = next ? first + s->inside_columns : 0;
        __m512 pixel = first == 0 && last > 0 ? _mm512_loadu_ps(next) : _mm512_setzero_ps();
        if (next && first == 0) next += lanes;
        for (int64_t x = 1; x <= s->row_pixels; x++, to += tile_row_bytes) {
            __m512 neighbour = _mm512_setzero_ps();
            if (x >= first && x < last) {
                neighbour = _mm512_loadu_ps(next);
                next += lanes;
            }
            store_split(to, term_bytes, split_pairs(pixel, neighbour, terms), terms);
            pixel = neighbour;
        }
    }
    for (; to < end; to += tile_row_bytes) store_split(to, term_bytes, none, terms);
}

#endif
