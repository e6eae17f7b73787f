// How convolutions of images with few channels go through them: what the parts share.
#ifndef FOVEA_NARROW_CONVOLUTION_FORM_H
#define FOVEA_NARROW_CONVOLUTION_FORM_H
#include "fovea_narrow_convolution.h"

typedef struct {
    const fovea_narrow_convolution *spec;
    int64_t step;                         // outputs in a result, along an axis: 2 where these are pooled
    int64_t result_rows, result_columns;  // that are stored
    int64_t strip_height, strip_width;    // pixels that a strip of results sees
    int32_t is_padded;
} narrow_form;

// The first pixel that a strip sees, and the floats from a row of pixels to the next.
typedef struct {
    const float *pixels;
    int64_t row;
} narrow_source;

#endif
