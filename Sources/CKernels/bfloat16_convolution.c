// Convolutions and their input gradients on the bfloat16 units.
//
// Both are sums over the window: output(y, x) += images(y + row, x + column) × kernel(row, column), a product of matrices
// for each place of the window. Packed with their padding, the pixels of several rows form one sequence in which each place
// of the window is an offset, so 16 successive outputs are the rows of a left tile wherever in memory it starts. Sums that
// begin in the padding at the end of a row are computed with the others and dropped.
#include "fovea_bfloat16.h"

#if defined(__x86_64__)
#include <string.h>

#include "bfloat16_packing.h"
#include "bfloat16_tiles.h"
#include "threads.h"

enum {
    lanes = 16,  // channels in a block of images
    // Packed pixels of one strip of rows, which should stay in the second-level cache beside the kernel.
    strip_bytes = 256 << 10,
    // The last tile reads up to this many pixels more than there are.
    spare_pixels = tile_rows,
};

// What is computed: a forward convolution, or an input gradient as one, over the upstream gradient and with the kernel
// turned around.
typedef struct {
    int32_t terms, workers, relu, is_gradient;
    int64_t batch, height, width, channels;  // of what is read
    int64_t filters, output_height, output_width;
    int64_t window[2], padding[2];
    // How it is cut and packed.
    int64_t channel_steps, row_pixels, strip_rows, strips, packed_pixels, plane_bytes, term_bytes, steps, filter_tiles;
} layer;

static layer planned(layer l) {
    l.channel_steps = divided_up(l.channels, tile_inner);
    l.row_pixels = l.output_width + l.window[1] - 1;
    l.steps = l.window[0] * l.window[1] * l.channel_steps;
    l.filter_tiles = divided_up(l.filters, tile_columns);
    int64_t row_bytes = l.row_pixels * l.channel_steps * tile_row_bytes * l.terms;
    l.strip_rows = strip_bytes / row_bytes - (l.window[0] - 1);
    if (l.strip_rows < 2) l.strip_rows = 2;
    // A strip for each worker at least, and strips of like height.
    int64_t strips = divided_up(l.output_height, l.strip_rows), wanted = divided_up(l.workers, l.batch);
    if (strips < wanted) strips = wanted;
    l.strip_rows = divided_up(l.output_height, strips);
    l.strips = divided_up(l.output_height, l.strip_rows);
    l.packed_pixels = (l.strip_rows + l.window[0] - 1) * l.row_pixels + spare_pixels;
    l.plane_bytes = l.packed_pixels * tile_row_bytes;
    l.term_bytes = l.plane_bytes * l.channel_steps;
    return l;
}

static layer forward_layer(const fovea_bfloat16_convolution *c) {
    return planned((layer){
        .terms = c->terms, .workers = c->workers, .relu = c->relu, .batch = c->batch, .height = c->height,
        .width = c->width, .channels = c->channels, .filters = c->filters, .output_height = c->output_height,
        .output_width = c->output_width, .window = {c->window[0], c->window[1]},
        .padding = {c->padding[0], c->padding[1]},
    });
}

static layer gradient_layer(const fovea_bfloat16_convolution *c) {
    return planned((layer){
        .terms = c->terms, .workers = c->workers, .is_gradient = 1, .batch = c->batch, .height = c->output_height,
        .width = c->output_width, .channels = c->filters, .filters = c->channels, .output_height = c->height,
        .output_width = c->width, .window = {c->window[0], c->window[1]},
        .padding = {c->window[0] - 1 - c->padding[0], c->window[1] - 1 - c->padding[1]},
    });
}

static size_t kernel_bytes(const layer *l) { return (size_t)(l->filter_tiles * l->steps * tile_bytes * l->terms); }

static size_t offsets_bytes(const layer *l) { return (size_t)rounded_up(l->steps * (int64_t)sizeof(int64_t), 64); }

static size_t scratch_bytes(const layer *l) {
    return offsets_bytes(l) + (size_t)(l->workers * l->term_bytes * l->terms);
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
    return kernel_bytes(&l);
}

size_t fovea_bfloat16_input_gradient_kernel_bytes(const fovea_bfloat16_convolution *c) {
    layer l = gradient_layer(c);
    return kernel_bytes(&l);
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
    int64_t *offsets;
} convolution_work;

// Right tiles first..<last, in order [filters / 16][step], steps being [window row][column][channels / 32].
PACKING static void pack_kernel_tiles(void *context, int64_t first, int64_t last) {
    const packing_work *work = context;
    const layer *l = work->layer;
    int64_t places = l->window[0] * l->window[1];
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

// Packs the rows that a strip reads, zeros where there is padding, as rows of left tiles: [channels / 32][pixel].
PACKING static void pack_strip(const layer *l, const float *image, int64_t first_row, int64_t rows, uint8_t *packed) {
    int64_t plane = l->height * l->width * lanes;
    for (int64_t step = 0; step < l->channel_steps; step++) {
        const float *low = image + step * 2 * plane;
        int has_high = (step * 2 + 1) * lanes < l->channels;
        uint8_t *to = packed + step * l->plane_bytes;
        for (int64_t row = 0; row < rows; row++) {
            int64_t y = first_row - l->padding[0] + row;
            int64_t before = l->padding[1], inside = smaller(l->width, l->row_pixels - before);
            if (y < 0 || y >= l->height) before = l->row_pixels, inside = 0;
            split_numbers zeros = {};
            for (int64_t x = 0; x < before; x++, to += tile_row_bytes) store_split(to, l->term_bytes, zeros, l->terms);
            const float *from = low + y * l->width * lanes;
            for (int64_t x = 0; x < inside; x++, to += tile_row_bytes, from += lanes) {
                __m512 high = has_high ? _mm512_loadu_ps(from + plane) : _mm512_setzero_ps();
                store_split(to, l->term_bytes, split_row(_mm512_loadu_ps(from), high, l->terms), l->terms);
            }
            for (int64_t x = before + inside; x < l->row_pixels; x++, to += tile_row_bytes) {
                store_split(to, l->term_bytes, zeros, l->terms);
            }
        }
    }
}

// Writes a column of result tiles, `pixels` of the packed sequence from `start` on, into one block of 16 filters.
PACKING static void put_pixels(const layer *l, const float *result, int64_t result_row, int64_t start, int64_t pixels,
                               __m512 bias, float *output) {
    int64_t row = start / l->row_pixels, column = start % l->row_pixels;
    float *to = output + (row * l->output_width + smaller(column, l->output_width)) * lanes;
    for (int64_t i = 0; i < pixels; i++, result += result_row) {
        if (column < l->output_width) {
            __m512 sum = _mm512_add_ps(_mm512_load_ps(result), bias);
            // In this order NaN stays.
            if (l->relu) sum = _mm512_max_ps(_mm512_setzero_ps(), sum);
            _mm512_storeu_ps(to, sum);
            to += lanes;
        }
        if (++column == l->row_pixels) column = 0;
    }
}

PACKING static void convolve_strip(const convolution_work *work, int64_t index, uint8_t *packed) {
    const layer *l = work->layer;
    int64_t first_row = index % l->strips * l->strip_rows, rows = smaller(l->strip_rows, l->output_height - first_row);
    int64_t image_floats = divided_up(l->channels, lanes) * lanes * l->height * l->width;
    int64_t output_plane = l->output_height * l->output_width * lanes;
    const float *image = work->images + index / l->strips * image_floats;
    float *output = work->output + index / l->strips * l->filter_tiles * output_plane
                  + first_row * l->output_width * lanes;
    pack_strip(l, image, first_row, rows + l->window[0] - 1, packed);

    int64_t pixels = (rows - 1) * l->row_pixels + l->output_width, down = divided_up(pixels, tile_rows);
    float result[4 * tile_rows * tile_columns] __attribute__((aligned(64)));
    tile_block block = {
        .left_offsets = work->offsets, .left_term = l->term_bytes, .left_row = tile_row_bytes, .left_tile = tile_bytes,
        .right_tile = l->steps * tile_bytes * l->terms, .steps = l->steps, .terms = l->terms, .result = result,
    };
    for (int64_t tile = 0; tile < l->filter_tiles; tile += block_columns(down)) {
        block.columns = smaller(block_columns(down), l->filter_tiles - tile);
        block.right = work->packed_kernel + tile * block.right_tile;
        block.result_row = block.columns * tile_columns;
        for (int64_t row = 0; row < down; row += block_rows(l->filter_tiles)) {
            block.rows = smaller(block_rows(l->filter_tiles), down - row);
            block.left = packed + row * tile_bytes;
            work->unit->multiply(&block);
            int64_t start = row * tile_rows, count = smaller(block.rows * tile_rows, pixels - start);
            for (int64_t column = 0; column < block.columns; column++) {
                __m512 bias = work->bias ? _mm512_loadu_ps(work->bias + (tile + column) * lanes) : _mm512_setzero_ps();
                put_pixels(l, result + column * tile_columns, block.result_row, start, count, bias,
                           output + (tile + column) * output_plane);
            }
        }
    }
}

static void convolve_strips(void *context, int64_t first, int64_t last) {
    const convolution_work *work = context;
    const layer *l = work->layer;
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        uint8_t *packed = work->packed_images + worker * l->term_bytes * l->terms;
        int64_t count = l->batch * l->strips;
        int64_t end = count * (worker + 1) / l->workers;
        for (int64_t index = count * worker / l->workers; index < end; index++) convolve_strip(work, index, packed);
    }
    work->unit->end();
}

static void convolve(const layer *l, const float *images, const void *packed_kernel, const float *bias, float *output,
                     uint8_t *scratch) {
    convolution_work work = {
        .layer = l, .unit = fovea_tile_unit(), .images = images, .bias = bias, .packed_kernel = packed_kernel,
        .output = output, .packed_images = scratch + offsets_bytes(l), .offsets = (int64_t *)scratch,
    };
    for (int64_t step = 0; step < l->steps; step++) {
        int64_t place = step / l->channel_steps, row = place / l->window[1], column = place % l->window[1];
        work.offsets[step] = (row * l->row_pixels + column) * tile_row_bytes + step % l->channel_steps * l->plane_bytes;
    }
    double nanoseconds = 2.0 * (double)(l->batch * l->output_height * l->output_width * l->filter_tiles * l->steps);
    fovea_parallel_for(l->workers, nanoseconds, convolve_strips, &work);
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
