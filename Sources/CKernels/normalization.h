// What the parts of a batch normalisation share.
#ifndef FOVEA_NORMALIZATION_CHUNK_H
#define FOVEA_NORMALIZATION_CHUNK_H
#include <stdint.h>

// Neighbouring pixels of one block of channels, in one or several images, which are `image_stride` apart: rows of `lanes` numbers,
// whole vectors, which may be several pixels, and at the end of each image `tail` numbers that fill no row.
typedef struct {
    int64_t images, image_stride, rows, lanes, tail;
    int32_t relu;
} normalization_chunk;

// Numbers for each lane. The gradient with respect to x is gain (g - (bias + slope (x - mean))).
typedef struct {
    const float *mean, *factor, *offset;
    const double *gain, *bias, *slope;
} normalization_terms;

#endif
