// Batch normalisation with the batch's own moments, and its gradients.
//
// Ioffe and Szegedy 2015, arXiv:1502.03167.
#ifndef FOVEA_NORMALIZATION_H
#define FOVEA_NORMALIZATION_H
#include <stddef.h>
#include <stdint.h>

// Images are [batch, blocks, pixels, lanes]: channels in so many blocks of `lanes` as they need, whose last is completed with zeros.
typedef struct {
    int64_t batch, channels, pixels, lanes;
    float epsilon;
    int32_t relu;  // negative results become zero, and have no gradient
} fovea_normalization;

// Memory to work in, for either function; starts on 64 bytes.
size_t fovea_normalization_scratch(const fovea_normalization *normalization);

// y = (x - mean) scale / sqrt(variance + epsilon) + offset, with the mean and the variance (of the whole population) of each
// channel. Moments are put together from those of fixed ranges, so no result depends on the number of threads. NaN and infinite
// elements make NaN of their channel.
void fovea_normalize(const fovea_normalization *normalization, const float *x, const float *scale, const float *offset, float *y,
                     float *mean, float *variance, void *scratch);

// The gradients with respect to x, scale and offset, from that with respect to y.
void fovea_normalize_gradient(const fovea_normalization *normalization, const float *x, const float *upstream, const float *mean,
                              const float *variance, const float *scale, const float *offset, float *x_gradient,
                              float *scale_gradient, float *offset_gradient, void *scratch);

#endif
