// Kernel gradients by Winograd's algorithm. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_WINOGRAD_GRADIENT_KERNELS_H
#define FOVEA_WINOGRAD_GRADIENT_KERNELS_H
#include "winograd_kernels.h"

// The gradient of outputs, or of pooled ones with their winners.
typedef struct {
    const float *gradient;
    const uint8_t *winners;
} winograd_upstream;

// The gradient of a tile's results from that of pooled ones: of those that won. `plane` is where the pooled block of the image begins.
INLINE void unpool_tile(const winograd_form *f, winograd_upstream upstream, int64_t plane, tile_place at, float *part,
                        const int results) {
    int64_t height = f->output_height / 2, width = f->output_width / 2;
    UNROLLED for (int i = 0; i < results / 2; i++) {
        UNROLLED for (int j = 0; j < results / 2; j++) {
            int64_t y = at.row / 2 + i, x = at.column / 2 + j, from = plane + (y * width + x) * winograd_lanes;
            int inside = y < height && x < width;
            floats share = inside ? load_floats(upstream.gradient + from) : splat(0.0f);
            ints winner = inside ? load_some_bytes(upstream.winners + from, winograd_lanes) : splat_int(0);
            UNROLLED for (int k = 0; k < 4; k++) {
                float *to = part + ((2 * i + k / 2) * results + 2 * j + k % 2) * winograd_lanes;
                store_floats(to, choose(winner == k, share, splat(0.0f)));
            }
        }
    }
}

// Some of the blocks of filters.
typedef struct {
    int64_t all, first, last;
} block_range;

INLINE block_range all_blocks(int64_t filters) {
    return (block_range){filters / winograd_lanes, 0, filters / winograd_lanes};
}

// Transforms the gradients of `count` tiles to [places, blocks, strip, 16], places a `stride` apart, and adds them to the bias's
// unless that is NULL.
INLINE void transform_gradient_strip(const winograd_form *f, winograd_upstream upstream, block_range blocks, int64_t first,
                                     int64_t count, float *gradients, int64_t stride, float *bias_sums, const int results) {
    int64_t step = f->pools ? 2 : 1, plane_size = (f->output_height / step) * (f->output_width / step) * winograd_lanes;
    for (int64_t block = blocks.first; block < blocks.last; block++) {
        floats sum = splat(0.0f);
        for (int64_t t = 0; t < count; t++) {
            tile_place at = place_of(f, first + t);
            int64_t plane = (at.image * blocks.all + block) * plane_size, row = f->output_width * winograd_lanes;
            float part[winograd_most_results * winograd_most_results * winograd_lanes];
            const float *from = part;
            if (f->pools) {
                unpool_tile(f, upstream, plane, at, part, results);
                row = results * winograd_lanes;
            } else if (at.row + results > f->output_height || at.column + results > f->output_width) {
                copy_part(upstream.gradient + plane, f->output_height, f->output_width, at.row, at.column, results, part);
                row = results * winograd_lanes;
            } else {
                from = upstream.gradient + plane + at.row * row + at.column * winograd_lanes;
            }
            transform_gradient(from, row, gradients + (block * f->strip + t) * winograd_lanes, stride, results);
            if (!bias_sums) continue;
            for (int i = 0; i < results; i++) {
                UNROLLED for (int j = 0; j < results; j++) sum += load_floats(from + i * row + j * winograd_lanes);
            }
        }
        if (bias_sums) {
            float *total = bias_sums + block * winograd_lanes;
            store_floats(total, load_floats(total) + sum);
        }
    }
}

static void transform_gradients(const winograd_form *f, winograd_upstream upstream, block_range blocks, int64_t first,
                                int64_t count, float *gradients, int64_t stride, float *bias_sums) {
    if (f->results == 4) {
        transform_gradient_strip(f, upstream, blocks, first, count, gradients, stride, bias_sums, 4);
    } else {
        transform_gradient_strip(f, upstream, blocks, first, count, gradients, stride, bias_sums, 2);
    }
}

// Adds what `count` tiles owe to the pixels of a group's channels, which the form calls filters.
static void add_strip(const winograd_form *f, const float *products, int64_t first, int64_t count, int64_t filter, float *gradient) {
    int64_t blocks = f->filters / winograd_lanes, row = f->width * winograd_lanes;
    for (int64_t block = 0; block < f->group / winograd_lanes; block++) {
        for (int64_t t = 0; t < count; t++) {
            tile_place at = place_of(f, first + t);
            int64_t y = at.row - f->padding[0], x = at.column - f->padding[1];
            const float *from = products + (block * f->strip + t) * winograd_lanes;
            float *to = gradient + ((at.image * blocks + filter / winograd_lanes + block) * f->height + y) * row + x * winograd_lanes;
            if (y >= 0 && x >= 0 && y + winograd_pixels <= f->height && x + winograd_pixels <= f->width) {
                add_tile(from, f->product_stride, to, row, 0, winograd_pixels, 0, winograd_pixels);
            } else {
                add_tile(from, f->product_stride, to, row, -y, f->height - y, -x, f->width - x);
            }
        }
    }
}

// Images first..<last of a gradient with respect to images, and of these the channels of groups first_group..<last_group. The form
// calls the filters channels, and the channels filters.
static void winograd_spread(const winograd_form *f, const float *upstream, const uint8_t *winners, const float *kernel,
                            float *gradient, float *scratch, int64_t first, int64_t last, int64_t first_group,
                            int64_t last_group) {
    float *products = scratch + winograd_places * f->source_stride;
    int64_t of_image = f->tile_rows * f->tile_columns, plane = f->height * f->width * winograd_lanes;
    int64_t blocks = f->filters / winograd_lanes, of_group = f->group / winograd_lanes;
    for (int64_t image = first; image < last; image++) {
        float *from = gradient + (image * blocks + first_group * of_group) * plane;
        memset(from, 0, (size_t)((last_group - first_group) * of_group * plane) * sizeof(float));
    }
    for (int64_t start = first * of_image; start < last * of_image; start += f->strip) {
        int64_t count = smaller_of(f->strip, last * of_image - start);
        transform_gradients(f, (winograd_upstream){upstream, winners}, all_blocks(f->channels), start, count, scratch,
                            f->source_stride, 0);
        for (int64_t group = first_group; group < last_group; group++) {
            const float *weights = kernel + group * f->group * winograd_places * f->channels;
            for (int64_t place = 0; place < winograd_places; place++) {
                multiply(f, scratch + place * f->source_stride, weights + place * f->channels * f->group,
                         products + place * f->product_stride, count);
            }
            add_strip(f, products, start, count, group * f->group, gradient);
        }
    }
}

// Adds the products of `count` tiles for `channels` channels and `vectors` vectors of filters.
INLINE void add_products(const float *source, const float *gradients, int64_t strip, int64_t count, float *sums, int64_t filters,
                         const int channels, const int vectors) {
    floats totals[12][4];
    UNROLLED for (int c = 0; c < channels; c++) {
        UNROLLED for (int v = 0; v < vectors; v++) totals[c][v] = load_floats(sums + c * filters + v * winograd_lanes);
    }
    for (int64_t t = 0; t < count; t++) {
        floats upstream[4];
        UNROLLED for (int v = 0; v < vectors; v++) upstream[v] = load_floats(gradients + (v * strip + t) * winograd_lanes);
        UNROLLED for (int c = 0; c < channels; c++) {
            floats x = splat(source[t * winograd_lanes + c]);
            UNROLLED for (int v = 0; v < vectors; v++) totals[c][v] += x * upstream[v];
        }
    }
    UNROLLED for (int c = 0; c < channels; c++) {
        UNROLLED for (int v = 0; v < vectors; v++) store_floats(sums + c * filters + v * winograd_lanes, totals[c][v]);
    }
}

INLINE void add_place(const winograd_form *f, const float *source, const float *gradients, int64_t count, float *sums,
                      const int channels, const int vectors) {
    for (int64_t filter = 0; filter < f->filters; filter += vectors * winograd_lanes) {
        const float *from = gradients + filter * f->strip;
        for (int64_t channel = 0; channel < f->channels; channel += channels) {
            int64_t block = channel / winograd_lanes, lane = channel % winograd_lanes;
            add_products(source + block * f->strip * winograd_lanes + lane, from, f->strip, count,
                         sums + channel * f->filters + filter, f->filters, channels, vectors);
        }
    }
}

// Adds what tiles first..<last give to sums [places, channels, filters], and to the bias's [filters].
static void winograd_add_gradients(const winograd_form *f, const float *images, const float *upstream,
                                   const uint8_t *winners, float *sums, float *bias_sums, float *scratch, int64_t first, int64_t last) {
    float *gradients = scratch + winograd_places * f->source_stride;
    for (int64_t start = first; start < last; start += f->strip) {
        int64_t count = smaller_of(f->strip, last - start);
        transform_strip(f, images, start, count, scratch);
        transform_gradients(f, (winograd_upstream){upstream, winners}, all_blocks(f->filters), start, count, gradients,
                            f->product_stride, bias_sums);
        for (int64_t place = 0; place < winograd_places; place++) {
            const float *source = scratch + place * f->source_stride, *from = gradients + place * f->product_stride;
            float *to = sums + place * f->channels * f->filters;
#if defined(FOVEA_WIDE_REGISTERS)
            switch (f->group) {
            case 64: add_place(f, source, from, count, to, 4, 4); break;
            case 32: add_place(f, source, from, count, to, 8, 2); break;
            default: add_place(f, source, from, count, to, 8, 1); break;
            }
#else
            add_place(f, source, from, count, to, 4, 1);
#endif
        }
    }
}

INLINE void finish_channels(const winograd_form *f, const float *sums, int64_t parts, int64_t stride, float *gradient,
                            int64_t first, int64_t last, const int window) {
    for (int64_t channel = first; channel < last; channel++) {
        for (int64_t filter = 0; filter < f->filters; filter += winograd_lanes) {
            floats totals[winograd_places];
            for (int place = 0; place < winograd_places; place++) {
                const float *from = sums + (place * f->channels + channel) * f->filters + filter;
                totals[place] = load_floats(from);
                for (int64_t part = 1; part < parts; part++) totals[place] += load_floats(from + part * stride);
            }
            finish_kernel(totals, gradient + channel * f->filters + filter, f->channels * f->filters, window);
        }
    }
}

// The gradient of channels first..<last from the sums of all parts, a `stride` apart.
static void winograd_finish_gradient(const winograd_form *f, const float *sums, int64_t parts, int64_t stride, float *gradient,
                                     int64_t first, int64_t last) {
    if (f->window == 3) {
        finish_channels(f, sums, parts, stride, gradient, first, last, 3);
    } else {
        finish_channels(f, sums, parts, stride, gradient, first, last, 5);
    }
}

#endif
