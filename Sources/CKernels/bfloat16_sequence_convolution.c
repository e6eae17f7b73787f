// Convolutions and their input gradients with strides of 1: pixels as one sequence.
//
// Both are sums over the window: output(y, x) += images(y + row, x + column) × kernel(row, column), a product of matrices
// for each place of the window. Packed as one sequence of pixels, 16 successive outputs are the rows of a left tile wherever
// in memory it starts. Sums that begin in the padding between rows are computed with the others and dropped.
#include "fovea_bfloat16.h"

#if defined(__x86_64__)
#include "bfloat16_convolution.h"
#include "bfloat16_packing.h"
#include "bfloat16_sequence.h"
#include "bfloat16_tiles.h"
#include "threads.h"

// Packed pixels of a piece, which should stay in the second-level cache beside the kernel.
enum { piece_bytes = 256 << 10 };

// A form with how its pixels are divided.
typedef struct {
    const convolution_form *form;
    pixel_sequence sequence;
    int64_t plane_bytes, term_bytes;
} layer;

static layer planned(const convolution_form *f) {
    const fovea_bfloat16_convolution *c = f->spec;
    pixel_sequence forward = {
        .batch = c->batch, .height = c->height, .width = c->width, .window = {c->window[0], c->window[1]},
        .padding = {c->padding[0], c->padding[1]}, .output_height = c->output_height, .output_width = c->output_width,
    };
    pixel_sequence gradient = {
        .batch = c->batch, .height = c->output_height, .width = c->output_width,
        .window = {c->window[0], c->window[1]},
        .padding = {c->window[0] - 1 - c->padding[0], c->window[1] - 1 - c->padding[1]},
        .output_height = c->height, .output_width = c->width,
    };
    layer l = {.form = f};
    int64_t pixel_bytes = f->channel_steps * tile_row_bytes * f->terms;
    l.sequence = planned_sequence(f->is_gradient ? gradient : forward, pixel_bytes, piece_bytes, c->workers);
    l.plane_bytes = l.sequence.pixels * tile_row_bytes;
    l.term_bytes = l.plane_bytes * f->channel_steps;
    return l;
}

static int64_t images_bytes(const layer *l) { return l->term_bytes * l->form->terms; }

// Scratch memory: each worker's packed images, the tiles' starts, and the offsets of steps.
size_t fovea_sequence_scratch(const convolution_form *f) {
    layer l = planned(f);
    int64_t lists = l.sequence.most_tiles * (int64_t)sizeof(tile_start) + 2 * f->steps * (int64_t)sizeof(int64_t);
    return (size_t)(f->spec->workers * images_bytes(&l) + lists);
}

typedef struct {
    const layer *layer;
    const tile_unit *unit;
    const convolution_operands *operands;
    uint8_t *packed_images;
    tile_start *starts;
    int64_t tiles;
    int64_t *image_steps, *kernel_steps;
} convolution_work;

static void pack_kernel(void *context, int64_t first, int64_t last) {
    const convolution_work *work = context;
    const convolution_form *f = work->layer->form;
    const convolution_operands *operands = work->operands;
    fovea_pack_kernel_tiles(f, operands->kernel, first, last, operands->packed_kernel + first * tile_bytes * f->terms);
}

// Packs a piece as rows of left tiles, in order [channels / 32][pixel].
PACKING static void pack_piece(const convolution_work *work, sequence_piece piece, uint8_t *packed) {
    const layer *l = work->layer;
    const convolution_form *f = l->form;
    int64_t plane = l->sequence.height * l->sequence.width * lanes, blocks = f->channels / lanes;
    const float *images = work->operands->images + piece.image * blocks * plane;
    if (f->pairs_columns) {
        sequence_source source = {images, blocks * plane, piece};
        pack_neighbours(&l->sequence, &source, piece.packed_rows, packed, l->term_bytes, f->terms);
        return;
    }
    for (int64_t step = 0; step < f->channel_steps; step++) {
        sequence_source low = {images + step * 2 * plane, blocks * plane, piece}, high = low;
        high.block = step * 2 + 1 < blocks ? low.block + plane : 0;
        pack_sequence(&l->sequence, &low, &high, piece.packed_rows, packed + step * l->plane_bytes, l->term_bytes,
                      f->terms);
    }
}

// Writes a block of result tiles, the first at one of the starts and a tile of filters.
PACKING static void put_block(const convolution_work *work, const tile_block *block, const tile_start *starts,
                              int64_t filter, int64_t end, float *output) {
    const convolution_form *f = work->layer->form;
    const pixel_sequence *s = &work->layer->sequence;
    const float *biases = work->operands->bias;
    int64_t plane = s->output_height * s->output_width;
    int rectifies = f->spec->relu && !f->is_gradient;
    const __m512 ceiling = _mm512_set1_ps(ceiling_of(f->spec));
    for (int64_t column = 0; column < block->columns; column++, filter++) {
        __m512 bias = biases ? _mm512_loadu_ps(biases + filter * lanes) : _mm512_setzero_ps();
        for (int64_t row = 0; row < block->rows; row++) {
            const float *result = block->result + row * tile_rows * block->result_row + column * tile_columns;
            for (output_run run = first_run(s, starts[row], end); run.lane < run.end; next_run(s, &run)) {
                const float *from = result + run.lane * block->result_row;
                int64_t place = run.at.row * s->output_width + run.at.column;
                float *to = output + ((run.at.image * f->filter_tiles + filter) * plane + place) * lanes;
                for (int64_t i = 0; i < run.run; i++, from += block->result_row, to += lanes) {
                    __m512 sum = _mm512_add_ps(_mm512_load_ps(from), bias);
                    // In this order NaN stays.
                    if (rectifies) sum = _mm512_min_ps(ceiling, _mm512_max_ps(_mm512_setzero_ps(), sum));
                    _mm512_storeu_ps(to, sum);
                }
            }
        }
    }
}

static void convolve_piece(const convolution_work *work, sequence_piece piece, uint8_t *packed) {
    const layer *l = work->layer;
    const convolution_form *f = l->form;
    const pixel_sequence *s = &l->sequence;
    int64_t first_place = piece.image * f->filter_tiles * s->output_height + piece.first_row;
    float *output = work->operands->output + first_place * s->output_width * lanes;
    pack_piece(work, piece, packed);

    int64_t down = tiles_before(work->starts, work->tiles, piece.end);
    float result[4 * tile_rows * tile_columns] __attribute__((aligned(64)));
    tile_block block = {
        .left_steps = work->image_steps, .right_steps = work->kernel_steps, .left_term = l->term_bytes,
        .right_term = tile_bytes, .steps = f->steps, .terms = f->terms, .result = result,
    };
    for (int64_t filter = 0; filter < f->filter_tiles; filter += block.columns) {
        block.columns = smaller(block_columns(down), f->filter_tiles - filter);
        block.result_row = block.columns * tile_columns;
        for (int64_t i = 0; i < block.columns; i++) {
            block.right[i] = work->operands->packed_kernel + (filter + i) * f->steps * tile_bytes * f->terms;
        }
        for (int64_t tile = 0; tile < down; tile += block.rows) {
            block.rows = smaller(block_rows(block.columns), down - tile);
            for (int64_t i = 0; i < block.rows; i++) {
                block.left[i] = packed + work->starts[tile + i].pixel * tile_row_bytes;
            }
            work->unit->multiply(&block);
            put_block(work, &block, work->starts + tile, filter, piece.end, output);
        }
    }
}

static void convolve_pieces(void *context, int64_t first, int64_t last) {
    const convolution_work *work = context;
    const layer *l = work->layer;
    int64_t pieces = l->sequence.pieces, workers = l->form->spec->workers;
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        uint8_t *packed = work->packed_images + worker * images_bytes(l);
        int64_t end = pieces * (worker + 1) / workers;
        for (int64_t index = pieces * worker / workers; index < end; index++) {
            convolve_piece(work, piece_at(&l->sequence, index), packed);
        }
    }
    work->unit->end();
}

void fovea_convolve_sequence(const convolution_form *f, const convolution_operands *operands) {
    layer l = planned(f);
    const pixel_sequence *s = &l.sequence;
    int64_t workers = f->spec->workers;
    convolution_work work = {
        .layer = &l, .unit = fovea_tile_unit(), .operands = operands, .packed_images = operands->scratch,
    };
    if (operands->packing != FOVEA_PACKED) {
        int64_t tiles = f->filter_tiles * f->steps;
        fovea_parallel_for(tiles, 50.0 * (double)tiles, pack_kernel, &work);
    }
    work.starts = (tile_start *)(work.packed_images + workers * images_bytes(&l));
    work.image_steps = (int64_t *)(work.starts + s->most_tiles);
    work.kernel_steps = work.image_steps + f->steps;
    work.tiles = cover_outputs(s, work.starts);
    for (int64_t step = 0; step < f->steps; step++) {
        int64_t place = step / f->channel_steps, row = place / f->window_columns, column = place % f->window_columns;
        if (f->pairs_columns) column = columns_of_step(f, step).pixel;
        work.image_steps[step] = (row * s->row_pixels + column) * tile_row_bytes
                               + step % f->channel_steps * l.plane_bytes;
        work.kernel_steps[step] = step * tile_bytes * f->terms;
    }
    double nanoseconds = 2.0 * (double)(s->batch * s->output_height * s->output_width * f->filter_tiles * f->steps);
    fovea_parallel_for(workers, nanoseconds, convolve_pieces, &work);
}
#endif
