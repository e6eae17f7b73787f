// A 1x1 convolution that expands channels and the depthwise convolution behind it, as blocks of MobileNetV2 begin: rows of the
// expanded images are computed as the second convolution needs them and stay in the cache, so that the large array never exists.
//
// Sandler et al. 2018, arXiv:1801.04381.
#ifndef FOVEA_EXPANDED_DEPTHWISE_H
#define FOVEA_EXPANDED_DEPTHWISE_H
#include <stddef.h>
#include <stdint.h>

// Images are [batch, blocks, height, width, 16], channels in as many blocks of 16 as they need, the last one completed with zeros.
// Filters are a multiple of 16: the first kernel is [filters / 16, channels, 16], the second one [filters / 16, window rows, window
// columns, 16], and the output [batch, filters / 16, rows, columns, 16].
typedef struct {
    int32_t threads;  // that share the work; no result depends on how many
    int64_t batch, height, width, channels, filters;
    int64_t window[2], strides[2], padding[2];  // of the second convolution: rows, columns; padding before the first
    int64_t output_height, output_width;
    int32_t relu[2];    // of each convolution: negative results become zero
    float ceilings[2];  // with `relu`: larger results become this; 0 for none
} fovea_expanded_depthwise;

// Scratch memory; it starts on 64 bytes.
size_t fovea_expanded_depthwise_scratch(const fovea_expanded_depthwise *convolution);

// Biases [filters] may be NULL.
void fovea_expanded_depthwise_forward(const fovea_expanded_depthwise *convolution, const float *images, const float *first_kernel,
                                      const float *first_bias, const float *second_kernel, const float *second_bias, float *output,
                                      void *scratch);

#endif
