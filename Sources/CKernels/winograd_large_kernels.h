// Convolutions whose transformed kernel would leave the caches, and their input gradients, by Winograd's algorithm: all tiles of a
// strip are transformed first, and the kernel then piece by piece, each of which stays in the second-level cache until its
// products are summed. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_WINOGRAD_LARGE_KERNELS_H
#define FOVEA_WINOGRAD_LARGE_KERNELS_H
#include "winograd_gradient_kernels.h"

// A piece of the kernel: `channels` channels and a group of filters, to [places, channels, group].
INLINE void transform_piece(const winograd_form *f, const int is_transposed, const float *kernel, int64_t channel, int64_t channels,
                            int64_t filter, float *piece, const int window) {
    for (int64_t c = 0; c < channels; c += winograd_lanes) {
        for (int64_t k = 0; k < f->group; k += winograd_lanes) {
            transform_square(f, is_transposed, kernel, channel + c, filter + k, piece + c * f->group + k, f->piece_stride, window);
        }
    }
}

// The products of `count` transformed tiles and a group of filters.
INLINE float *multiply_group(const winograd_form *f, const int is_transposed, const float *source, int64_t count,
                             const float *kernel, int64_t filter, float *scratch) {
    float *products = scratch + winograd_places * f->piece_stride;
    for (int64_t channel = 0; channel < f->channels; channel += f->piece) {
        summation over = {smaller_of(f->piece, f->channels - channel), channel > 0, f->source_stride};
        if (f->window == 3) {
            transform_piece(f, is_transposed, kernel, channel, over.channels, filter, scratch, 3);
        } else {
            transform_piece(f, is_transposed, kernel, channel, over.channels, filter, scratch, 5);
        }
        for (int64_t place = 0; place < winograd_places; place++) {
            multiply_some(f, over, source + place * f->source_stride + channel * f->strip, scratch + place * f->piece_stride,
                          products + place * f->product_stride, count);
        }
    }
    return products;
}

// `count` tiles from `first` on, of blocks of channels.
static void winograd_transform_images(const winograd_form *f, const float *images, int64_t first, int64_t count,
                                      int64_t first_block, int64_t last_block, float *source) {
    transform_blocks(f, images, first, count, first_block, last_block, source);
}

// For a group of filters, from `filter` on.
static void winograd_convolve_group(const winograd_form *f, const float *source, int64_t first, int64_t count,
                                    const float *kernel, const float *bias, float *output, uint8_t *winners, float *scratch,
                                    int64_t filter) {
    const float *products = multiply_group(f, 0, source, count, kernel, filter, scratch);
    winograd_target target = {output, winners};
    if (f->results == 4) {
        finish_strip(f, products, first, count, filter, bias, target, 4);
    } else {
        finish_strip(f, products, first, count, filter, bias, target, 2);
    }
}

// The gradient of outputs, of blocks of filters, which the form calls channels.
static void winograd_transform_upstream(const winograd_form *f, const float *upstream, const uint8_t *winners, int64_t first,
                                        int64_t count, int64_t first_block, int64_t last_block, float *source) {
    block_range blocks = {f->channels / winograd_lanes, first_block, last_block};
    transform_gradients(f, (winograd_upstream){upstream, winners}, blocks, first, count, source, f->source_stride, 0);
}

// For a group of channels, which the form calls filters. What the tiles owe is added, to zeros before the first of all tiles.
static void winograd_spread_group(const winograd_form *f, const float *source, int64_t first, int64_t count, const float *kernel,
                                  float *gradient, float *scratch, int64_t filter) {
    int64_t plane = f->height * f->width * winograd_lanes, images = f->tiles / (f->tile_rows * f->tile_columns);
    for (int64_t image = 0; first == 0 && image < images; image++) {
        float *planes = gradient + (image * f->filters + filter) / winograd_lanes * plane;
        memset(planes, 0, (size_t)(f->group / winograd_lanes * plane) * sizeof(float));
    }
    add_strip(f, multiply_group(f, 1, source, count, kernel, filter, scratch), first, count, filter, gradient);
}

#endif
