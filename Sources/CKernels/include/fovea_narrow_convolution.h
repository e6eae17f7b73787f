// Convolutions of images with few channels, as a network's first is: products are summed one by one, for as many pixels and filters at
// once as there are registers. The output may be pooled before it is stored, so that the large array never exists.
#ifndef FOVEA_NARROW_CONVOLUTION_H
#define FOVEA_NARROW_CONVOLUTION_H
#include <stddef.h>
#include <stdint.h>

// Images are [batch, height, width, channels], kernels [window rows, window columns, channels, filters], filters a multiple of 16;
// output is [batch, filters / 16, rows, columns, 16].
typedef struct {
    int32_t parts;  // that may run in parallel; kernel gradients depend on how many
    int64_t batch, height, width, channels, filters;
    int64_t window[2], strides[2], padding[2];  // rows, columns; padding before the first
    int64_t output_height, output_width;        // of the convolution, before pooling
    int32_t relu;                               // negative outputs become zero
    float ceiling;                              // with `relu`: larger outputs become this; 0 for none
    int32_t pools;                              // the largest of 2x2 outputs each is kept; an odd last row or column is left out
    int32_t rectifies;                          // with `pools`: results below zero become zero, and nobody wins them
} fovea_narrow_convolution;

// Scratch memory; it starts on 64 bytes.
size_t fovea_narrow_forward_scratch(const fovea_narrow_convolution *convolution);
size_t fovea_narrow_kernel_gradient_scratch(const fovea_narrow_convolution *convolution);

// `bias` [filters] may be NULL. `winners`, a byte for each pooled result as max-pooling remembers them, may be NULL.
void fovea_narrow_forward(const fovea_narrow_convolution *convolution, const float *images, const float *kernel,
                          const float *bias, float *output, uint8_t *winners, void *scratch);
// Also the bias's gradient unless `bias_gradient` is NULL. Where outputs are pooled, `upstream` is the gradient of what was stored,
// and `winners` say to which outputs it belongs.
void fovea_narrow_kernel_gradient(const fovea_narrow_convolution *convolution, const float *images, const float *upstream,
                                  const uint8_t *winners, float *gradient, float *bias_gradient, void *scratch);

#endif
