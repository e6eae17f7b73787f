// Convolutions and their input gradients on the bfloat16 units.
//
// Both are sums over the window: output(y, x) += images(y + row, x + column) × kernel(row, column), a product of matrices
// for each place of the window. Packed as one sequence of pixels, 16 successive outputs are the rows of a left tile wherever
// in memory it starts. Sums that begin in the padding between rows are computed with the others and dropped.
#include "fovea_bfloat16.h"

#if defined(__x86_64__)
#include "bfloat16_packing.h"
#include "bfloat16_sequence.h"
#include "bfloat16_tiles.h"
#include "threads.h"

// Packed pixels of a piece, which should stay in the second-level cache beside the kernel.
enum { piece_bytes = 256 << 10 };

// What is computed: a forward convolution, or an input gradient as one, over the upstream gradient and with the kernel
// turned around.
typedef struct {
    int32_t terms, workers, relu, is_gradient;
    int64_t channels, filters;
    pixel_sequence sequence;
    int64_t channel_steps, plane_bytes, term_bytes, steps, filter_tiles;
} layer;

static layer planned(layer l) {
    l.channel_steps = divided_up(l.channels, tile_inner);
    l.steps = l.sequence.window[0] * l.sequence.window[1] * l.channel_steps;
    l.filter_tiles = l.filters / tile_columns;
    l.sequence =
        planned_sequence(l.sequence, l.channel_steps * tile_row_bytes * l.terms, piece_bytes, l.workers);
    l.plane_bytes = l.sequence.pixels * tile_row_bytes;
    l.term_bytes = l.plane_bytes * l.channel_steps;
    return l;
}

static layer forward_layer(const fovea_bfloat16_convolution *c) {
    return planned((layer){
        .terms = c->terms, .workers = c->workers, .relu = c->relu, .channels = c->channels, .filters = c->filters,
        .sequence = {
            .batch = c->batch, .height = c->height, .width = c->width, .window = {c->window[0], c->window[1]},
            .padding = {c->padding[0], c->padding[1]}, .output_height = c->output_height,
            .output_width = c->output_width,
        },
    });
}

static layer gradient_layer(const fovea_bfloat16_convolution *c) {
    return planned((layer){
        .terms = c->terms, .workers = c->workers, .is_gradient = 1, .channels = c->filters, .filters = c->channels,
        .sequence = {
            .batch = c->batch, .height = c->output_height, .width = c->output_width,
            .window = {c->window[0], c->window[1]},
            .padding = {c->window[0] - 1 - c->padding[0], c->window[1] - 1 - c->padding[1]},
            .output_height = c->height, .output_width = c->width,
        },
    });
}

static int64_t kernel_bytes(const layer *l) { return l->filter_tiles * l->steps * tile_bytes * l->terms; }

static int64_t images_bytes(const layer *l) { return l->term_bytes * l->terms; }

// Scratch memory: each worker's packed images, the tiles' starts, and the offsets of steps.
static size_t scratch_bytes(const layer *l) {
    int64_t lists = l->sequence.most_tiles * (int64_t)sizeof(tile_start) + 2 * l->steps * (int64_t)sizeof(int64_t);
    return (size_t)(l->workers * images_bytes(l) + lists);
}

size_t fovea_bfloat16_forward_scratch(const fovea_bfloat16_convolution *c) {
    layer l = forward_layer(c);
    return scratch_bytes(&l);
}

size_t fovea_bfloat16_input_gradient_scratch(const fovea_bfloat16_convolution *c) {
    layer l = gradient_layer(c);
    return scratch_bytes(&l);
}

size_t fovea_bfloat16_forward_kernel_bytes(const fovea_bfloat16_convolution *c) {
    layer l = forward_layer(c);
    return (size_t)kernel_bytes(&l);
}

size_t fovea_bfloat16_input_gradient_kernel_bytes(const fovea_bfloat16_convolution *c) {
    layer l = gradient_layer(c);
    return (size_t)kernel_bytes(&l);
}

typedef struct {
    const layer *layer;
    const float *kernel;
    uint8_t *packed;
} packing_work;

typedef struct {
    const layer *layer;
    const tile_unit *unit;
    const float *images, *bias;
    const uint8_t *packed_kernel;
    float *output;
    uint8_t *packed_images;
    tile_start *starts;
    int64_t tiles;
    int64_t *image_steps, *kernel_steps;
} convolution_work;

// Right tiles first..<last, in order [filters / 16][step], steps being [window row][column][channels / 32].
PACKING static void pack_kernel_tiles(void *context, int64_t first, int64_t last) {
    const packing_work *work = context;
    const layer *l = work->layer;
    int64_t places = l->sequence.window[0] * l->sequence.window[1];
    for (int64_t index = first; index < last; index++) {
        int64_t filter = index / l->steps * tile_columns, step = index % l->steps;
        int64_t place = step / l->channel_steps, channel = step % l->channel_steps * tile_inner;
        int64_t filters = l->filters - filter, channels = l->channels - channel;
        uint8_t *to = work->packed + index * tile_bytes * l->terms;
        if (l->is_gradient) {
            const float *from = work->kernel + ((places - 1 - place) * l->filters + filter) * l->channels + channel;
            pack_right_transposed((number_lines){from, l->channels, filters, channels}, to, tile_bytes, l->terms);
        } else {
            const float *from = work->kernel + (place * l->channels + channel) * l->filters + filter;
            pack_right((number_lines){from, l->filters, channels, filters}, to, tile_bytes, l->terms);
        }
    }
}

static void pack_kernel(const layer *l, const float *kernel, void *packed) {
    packing_work work = {l, kernel, packed};
    int64_t tiles = l->filter_tiles * l->steps;
    fovea_parallel_for(tiles, 50.0 * (double)tiles, pack_kernel_tiles, &work);
}

void fovea_bfloat16_pack_forward_kernel(const fovea_bfloat16_convolution *c, const float *kernel, void *packed) {
    layer l = forward_layer(c);
    pack_kernel(&l, kernel, packed);
}

void fovea_bfloat16_pack_input_gradient_kernel(const fovea_bfloat16_convolution *c, const float *kernel, void *packed) {
    layer l = gradient_layer(c);
    pack_kernel(&l, kernel, packed);
}

// Packs a piece as rows of left tiles, in order [channels / 32][pixel].
PACKING static void pack_piece(const convolution_work *work, sequence_piece piece, uint8_t *packed) {
    const layer *l = work->layer;
    int64_t plane = l->sequence.height * l->sequence.width * lanes, blocks = l->channels / lanes;
    const float *images = work->images + piece.image * blocks * plane;
    for (int64_t step = 0; step < l->channel_steps; step++) {
        sequence_source low = {images + step * 2 * plane, blocks * plane, piece}, high = low;
        high.block = step * 2 + 1 < blocks ? low.block + plane : 0;
        pack_sequence(&l->sequence, &low, &high, piece.packed_rows, packed + step * l->plane_bytes, l->term_bytes,
                      l->terms);
    }
}

// Writes a block of result tiles, the first at one of the starts and a tile of filters.
PACKING static void put_block(const convolution_work *work, const tile_block *block, const tile_start *starts,
                              int64_t filter, int64_t end, float *output) {
    const layer *l = work->layer;
    const pixel_sequence *s = &l->sequence;
    int64_t plane = s->output_height * s->output_width;
    for (int64_t column = 0; column < block->columns; column++, filter++) {
        __m512 bias = work->bias ? _mm512_loadu_ps(work->bias + filter * lanes) : _mm512_setzero_ps();
        for (int64_t row = 0; row < block->rows; row++) {
            const float *result = block->result + row * tile_rows * block->result_row + column * tile_columns;
            for (output_run run = first_run(s, starts[row], end); run.lane < run.end; next_run(s, &run)) {
                const float *from = result + run.lane * block->result_row;
                int64_t place = run.at.row * s->output_width + run.at.column;
                float *to = output + ((run.at.image * l->filter_tiles + filter) * plane + place) * lanes;
                for (int64_t i = 0; i < run.run; i++, from += block->result_row, to += lanes) {
                    __m512 sum = _mm512_add_ps(_mm512_load_ps(from), bias);
                    // In this order NaN stays.
                    if (l->relu) sum = _mm512_max_ps(_mm512_setzero_ps(), sum);
                    _mm512_storeu_ps(to, sum);
                }
            }
        }
    }
}

static void convolve_piece(const convolution_work *work, sequence_piece piece, uint8_t *packed) {
    const layer *l = work->layer;
    const pixel_sequence *s = &l->sequence;
    int64_t first_place = piece.image * l->filter_tiles * s->output_height + piece.first_row;
    float *output = work->output + first_place * s->output_width * lanes;
    pack_piece(work, piece, packed);

    int64_t down = tiles_before(work->starts, work->tiles, piece.end);
    float result[4 * tile_rows * tile_columns] __attribute__((aligned(64)));
    tile_block block = {
        .left_steps = work->image_steps, .right_steps = work->kernel_steps, .left_term = l->term_bytes,
        .right_term = tile_bytes, .steps = l->steps, .terms = l->terms, .result = result,
    };
    for (int64_t filter = 0; filter < l->filter_tiles; filter += block.columns) {
        block.columns = smaller(block_columns(down), l->filter_tiles - filter);
        block.result_row = block.columns * tile_columns;
        for (int64_t i = 0; i < block.columns; i++) {
            block.right[i] = work->packed_kernel + (filter + i) * l->steps * tile_bytes * l->terms;
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
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        uint8_t *packed = work->packed_images + worker * images_bytes(l);
        int64_t pieces = l->sequence.pieces, end = pieces * (worker + 1) / l->workers;
        for (int64_t index = pieces * worker / l->workers; index < end; index++) {
            convolve_piece(work, piece_at(&l->sequence, index), packed);
        }
    }
    work->unit->end();
}

static void convolve(const layer *l, const float *images, const void *packed_kernel, const float *bias, float *output,
                     uint8_t *scratch) {
    const pixel_sequence *s = &l->sequence;
    convolution_work work = {
        .layer = l, .unit = fovea_tile_unit(), .images = images, .bias = bias, .packed_kernel = packed_kernel,
        .output = output, .packed_images = scratch,
    };
    work.starts = (tile_start *)(work.packed_images + l->workers * images_bytes(l));
    work.image_steps = (int64_t *)(work.starts + s->most_tiles);
    work.kernel_steps = work.image_steps + l->steps;
    work.tiles = cover_outputs(s, work.starts);
    for (int64_t step = 0; step < l->steps; step++) {
        int64_t place = step / l->channel_steps, row = place / s->window[1], column = place % s->window[1];
        work.image_steps[step] = (row * s->row_pixels + column) * tile_row_bytes
                               + step % l->channel_steps * l->plane_bytes;
        work.kernel_steps[step] = step * tile_bytes * l->terms;
    }
    double nanoseconds = 2.0 * (double)(s->batch * s->output_height * s->output_width * l->filter_tiles * l->steps);
    fovea_parallel_for(l->workers, nanoseconds, convolve_pieces, &work);
}

void fovea_bfloat16_forward(const fovea_bfloat16_convolution *c, const float *images, const void *packed_kernel,
                            const float *bias, float *output, void *scratch) {
    layer l = forward_layer(c);
    convolve(&l, images, packed_kernel, bias, output, scratch);
}

void fovea_bfloat16_input_gradient(const fovea_bfloat16_convolution *c, const float *upstream,
                                   const void *packed_kernel, float *gradient, void *scratch) {
    layer l = gradient_layer(c);
    convolve(&l, upstream, packed_kernel, 0, gradient, scratch);
}
#endif
