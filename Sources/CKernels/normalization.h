// What the parts of a batch normalisation share.
#ifndef FOVEA_NORMALIZATION_CHUNK_H
#define FOVEA_NORMALIZATION_CHUNK_H
#include <stdint.h>

// Neighbouring pixels of one block of channels, in one or several images, which are `image_stride` apart.
typedef struct {
    int64_t images, image_stride, pixels, lanes;
    int32_t relu;
} normalization_chunk;

// Numbers for each of a block's channels. `slope` and `bias`: what of the gradient's mean and of its product with x belongs to
// each element.
typedef struct {
    const float *mean, *factor, *offset, *bias, *slope;
} normalization_terms;

#endif
