// Strips of tiles through Winograd's algorithm. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_WINOGRAD_KERNELS_H
#define FOVEA_WINOGRAD_KERNELS_H
#include "kernel_table.h"
#include "winograd_squares.h"

// Where a tile is.
typedef struct {
    int64_t image, row, column;  // of results
} tile_place;

INLINE tile_place place_of(const winograd_form *f, int64_t tile) {
    int64_t of_image = f->tile_rows * f->tile_columns, rest = tile % of_image;
    return (tile_place){tile / of_image, rest / f->tile_columns * f->results, rest % f->tile_columns * f->results};
}

INLINE int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }

// A part of a plane, `count` by `count` pixels from (row, column) on, with zeros for what lies outside.
INLINE void copy_part(const float *plane, int64_t height, int64_t width, int64_t row, int64_t column, const int64_t count,
                      float *part) {
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < count; j++) {
            int64_t y = row + i, x = column + j;
            int inside = y >= 0 && y < height && x >= 0 && x < width;
            store_floats(part + (i * count + j) * winograd_lanes,
                         inside ? load_floats(plane + (y * width + x) * winograd_lanes) : splat(0.0f));
        }
    }
}

// Transforms `count` tiles of blocks of channels, from `first` on.
static void transform_blocks(const winograd_form *f, const float *images, int64_t first, int64_t count, int64_t first_block,
                             int64_t last_block, float *source) {
    int64_t blocks = f->channels / winograd_lanes, plane_size = f->height * f->width * winograd_lanes;
    for (int64_t block = first_block; block < last_block; block++) {
        for (int64_t t = 0; t < count; t++) {
            tile_place at = place_of(f, first + t);
            int64_t row = at.row - f->padding[0], column = at.column - f->padding[1];
            const float *plane = images + (at.image * blocks + block) * plane_size;
            float *to = source + (block * f->strip + t) * winograd_lanes;
            if (row >= 0 && column >= 0 && row + winograd_pixels <= f->height && column + winograd_pixels <= f->width) {
                transform_tile(plane + (row * f->width + column) * winograd_lanes, f->width * winograd_lanes, to, f->source_stride);
            } else {
                float part[winograd_places * winograd_lanes];
                copy_part(plane, f->height, f->width, row, column, winograd_pixels, part);
                transform_tile(part, winograd_pixels * winograd_lanes, to, f->source_stride);
            }
        }
    }
}

static void transform_strip(const winograd_form *f, const float *images, int64_t first, int64_t count, float *source) {
    transform_blocks(f, images, first, count, 0, f->channels / winograd_lanes, source);
}

// Channels whose products are summed: all, or some of them, whose sums may be added to those of others.
typedef struct {
    int64_t channels;
    int adds;
    int64_t fetch;  // how far away the tiles lie that will be read next; 0 where they are in the cache
} summation;

// Sums over channels for `tiles` tiles and `vectors` vectors of filters, which are kept in registers.
INLINE void sum_products(const winograd_form *f, summation over, const float *source, const float *kernel, float *products,
                         const int tiles, const int vectors) {
    floats sums[12][4];
    UNROLLED for (int t = 0; t < tiles; t++) {
        UNROLLED for (int v = 0; v < vectors; v++) {
            sums[t][v] = over.adds ? load_floats(products + (v * f->strip + t) * winograd_lanes) : splat(0.0f);
        }
    }
    for (int64_t block = 0; block < over.channels; block += winograd_lanes) {
        if (over.fetch) {
            UNROLLED for (int t = 0; t < tiles; t++) __builtin_prefetch(source + over.fetch + t * winograd_lanes);
        }
        _Pragma("clang loop unroll_count(2)") for (int c = 0; c < winograd_lanes; c++) {
            floats weights[4];
            UNROLLED for (int v = 0; v < vectors; v++) weights[v] = load_floats(kernel + v * winograd_lanes);
            kernel += f->group;
            UNROLLED for (int t = 0; t < tiles; t++) {
                floats x = splat(source[t * winograd_lanes + c]);
                UNROLLED for (int v = 0; v < vectors; v++) sums[t][v] += x * weights[v];
            }
        }
        source += f->strip * winograd_lanes;
    }
    UNROLLED for (int t = 0; t < tiles; t++) {
        UNROLLED for (int v = 0; v < vectors; v++) {
            store_floats(products + (v * f->strip + t) * winograd_lanes, sums[t][v]);
        }
    }
}

// The same for any number of tiles, `at_once` together.
INLINE void multiply_strip(const winograd_form *f, summation over, const float *source, const float *kernel, float *products,
                           int64_t count, const int at_once, const int vectors) {
    int64_t t = 0;
#define TILES(number) \
    sum_products(f, over, source + t * winograd_lanes, kernel, products + t * winograd_lanes, number, vectors)
    for (; t + at_once <= count; t += at_once) TILES(at_once);
    for (; t + 4 <= count; t += 4) TILES(4);
    switch (count - t) {
    case 1: TILES(1); break;
    case 2: TILES(2); break;
    case 3: TILES(3); break;
    default: break;
    }
#undef TILES
}

// For the filters of a group.
static void multiply_some(const winograd_form *f, summation over, const float *source, const float *kernel, float *products,
                          int64_t count) {
#if defined(FOVEA_WIDE_REGISTERS)
    switch (f->group) {
    case 64: multiply_strip(f, over, source, kernel, products, count, 6, 4); break;
    case 32: multiply_strip(f, over, source, kernel, products, count, 12, 2); break;
    default: multiply_strip(f, over, source, kernel, products, count, 12, 1); break;
    }
#else
    for (int64_t filter = 0; filter < f->group; filter += winograd_lanes) {
        multiply_strip(f, over, source, kernel + filter, products + filter * f->strip, count, 6, 1);
    }
#endif
}

static void multiply(const winograd_form *f, const float *source, const float *kernel, float *products, int64_t count) {
    multiply_some(f, (summation){f->channels, 0, 0}, source, kernel, products, count);
}

// Where results go: those of a convolution, or pooled ones with their winners, unless nobody asks for these.
typedef struct {
    float *results;
    uint8_t *winners;
} winograd_target;

// The results of `count` tiles for the filters of a group.
INLINE void finish_strip(const winograd_form *f, const float *products, int64_t first, int64_t count, int64_t filter,
                         const float *bias, winograd_target target, const int results) {
    int64_t blocks = f->filters / winograd_lanes, step = f->pools ? 2 : 1;
    int64_t height = f->output_height / step, width = f->output_width / step, row = width * winograd_lanes;
    tile_finish finish = {splat(0.0f), splat(f->ceiling), f->relu, f->relu && f->ceiling > 0};
    for (int64_t block = 0; block < f->group / winograd_lanes; block++) {
        if (bias) finish.bias = load_floats(bias + filter + block * winograd_lanes);
        for (int64_t t = 0; t < count; t++) {
            tile_place at = place_of(f, first + t);
            const float *from = products + (block * f->strip + t) * winograd_lanes;
            int64_t y = at.row / step, x = at.column / step, rows = height - y, columns = width - x;
            int64_t to = ((at.image * blocks + filter / winograd_lanes + block) * height + y) * row + x * winograd_lanes;
            if (f->pools) {
                uint8_t *winners = target.winners ? target.winners + to : 0;
                finish_pooled_tile(from, f->product_stride, finish, f->rectifies, target.results + to, winners, row, rows, columns,
                                   results);
            } else if (rows >= results && columns >= results) {
                finish_tile(from, f->product_stride, finish, target.results + to, row, results, results, results);
            } else {
                finish_tile(from, f->product_stride, finish, target.results + to, row, rows, columns, results);
            }
        }
    }
}

INLINE void convolve_tiles(const winograd_form *f, const float *images, const float *kernel, const float *bias,
                           winograd_target target, float *scratch, int64_t first, int64_t last, const int results) {
    float *products = scratch + winograd_places * f->source_stride;
    for (int64_t start = first; start < last; start += f->strip) {
        int64_t count = smaller_of(f->strip, last - start);
        transform_strip(f, images, start, count, scratch);
        for (int64_t filter = 0; filter < f->filters; filter += f->group) {
            const float *group = kernel + filter * winograd_places * f->channels;
            for (int64_t place = 0; place < winograd_places; place++) {
                multiply(f, scratch + place * f->source_stride, group + place * f->channels * f->group,
                         products + place * f->product_stride, count);
            }
            finish_strip(f, products, start, count, filter, bias, target, results);
        }
    }
}

// Tiles first..<last of a convolution.
static void winograd_convolve(const winograd_form *f, const float *images, const float *kernel, const float *bias, float *output,
                              uint8_t *winners, float *scratch, int64_t first, int64_t last) {
    winograd_target target = {output, winners};
    if (f->results == 4) {
        convolve_tiles(f, images, kernel, bias, target, scratch, first, last, 4);
    } else {
        convolve_tiles(f, images, kernel, bias, target, scratch, first, last, 2);
    }
}

// Channels first..<last of a kernel, whole blocks, to [filters / group, places, channels, group].
INLINE void transform_channels(const winograd_form *f, const int is_transposed, const float *kernel, float *transformed,
                               int64_t first, int64_t last, const int window) {
    for (int64_t channel = first; channel < last; channel += winograd_lanes) {
        for (int64_t filter = 0; filter < f->filters; filter += winograd_lanes) {
            int64_t group = filter / f->group;
            float *to = transformed + (group * winograd_places * f->channels + channel) * f->group + filter % f->group;
            transform_square(f, is_transposed, kernel, channel, filter, to, f->channels * f->group, window);
        }
    }
}

static void winograd_transform_kernel(const winograd_form *f, int32_t is_transposed, const float *kernel, float *transformed,
                                      int64_t first, int64_t last) {
    if (f->window == 3) {
        if (is_transposed) transform_channels(f, 1, kernel, transformed, first, last, 3);
        else transform_channels(f, 0, kernel, transformed, first, last, 3);
    } else {
        if (is_transposed) transform_channels(f, 1, kernel, transformed, first, last, 5);
        else transform_channels(f, 0, kernel, transformed, first, last, 5);
    }
}

#endif
