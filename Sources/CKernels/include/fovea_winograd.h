// Convolutions by Winograd's algorithm: with windows of 3 by 3 as F(4x4, 3x3), 36 products instead of 144 for 16 results, with windows
// of 5 by 5 as F(2x2, 5x5), 36 instead of 100 for 4.
//
// Lavin and Gray 2016, arXiv:1509.09308. Both evaluate polynomials at 0, +-5/8, +-3/2 and infinity, which rounds less than
// 0, +-1, +-2: the error is two to three times that of summing products one by one.
#ifndef FOVEA_WINOGRAD_H
#define FOVEA_WINOGRAD_H
#include <stddef.h>
#include <stdint.h>

// A convolution with strides and dilations of 1. Images and output are [batch, channels / 16, height, width, 16] with channels and
// filters multiples of 16; kernels are [window, window, channels, filters].
typedef struct {
    int32_t parts;   // that may run in parallel; kernel gradients depend on how many
    int32_t slots;   // at most how many do run in parallel, each with memory to work in
    int32_t window;  // 3 or 5, in rows and columns
    int64_t batch, height, width, channels, filters;
    int64_t padding[2];  // rows above the images and columns to their left, less than the window's
    int64_t output_height, output_width;  // of the convolution, before pooling
    int32_t relu;       // negative outputs become zero
    float ceiling;      // with `relu`: larger outputs become this; 0 for none
    int32_t pools;      // the largest of 2x2 outputs each is kept; an odd last row or column is left out
    int32_t rectifies;  // with `pools`: results below zero become zero, and nobody wins them
} fovea_winograd;

// Memory for a transformed kernel, the same for forward and input gradient, and for scratch; both start on 64 bytes.
size_t fovea_winograd_kernel_bytes(const fovea_winograd *convolution);
size_t fovea_winograd_forward_scratch(const fovea_winograd *convolution);
size_t fovea_winograd_input_gradient_scratch(const fovea_winograd *convolution);
size_t fovea_winograd_kernel_gradient_scratch(const fovea_winograd *convolution);

// Transforms a kernel, for the convolution or for input gradients.
void fovea_winograd_transform(const fovea_winograd *convolution, int32_t is_gradient, const float *kernel, void *transformed);

// `bias` [filters] may be NULL, and so may `winners`, a byte for each pooled result as max-pooling remembers them.
void fovea_winograd_forward(const fovea_winograd *convolution, const float *images, const void *transformed, const float *bias,
                            float *output, uint8_t *winners, void *scratch);
// Where outputs are pooled, `upstream` is the gradient of what was stored, and `winners` say to which outputs it belongs.
void fovea_winograd_input_gradient(const fovea_winograd *convolution, const float *upstream, const uint8_t *winners,
                                   const void *transformed, float *gradient, void *scratch);
// Also the bias's gradient, the sum of the outputs' over batch and places, unless `bias_gradient` is NULL.
void fovea_winograd_kernel_gradient(const fovea_winograd *convolution, const float *images, const float *upstream,
                                    const uint8_t *winners, float *gradient, float *bias_gradient, void *scratch);

// Forward and input gradient from the kernel itself, which is transformed piece by piece: for kernels that would leave the caches
// when transformed.
size_t fovea_winograd_large_kernel_scratch(const fovea_winograd *convolution, int32_t is_gradient);
void fovea_winograd_forward_large_kernel(const fovea_winograd *convolution, const float *images, const float *kernel,
                                         const float *bias, float *output, uint8_t *winners, void *scratch);
void fovea_winograd_input_gradient_large_kernel(const fovea_winograd *convolution, const float *upstream, const uint8_t *winners,
                                                const float *kernel, float *gradient, void *scratch);

#endif
