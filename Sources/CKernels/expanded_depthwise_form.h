// How an expanding convolution and the depthwise one behind it go through images: what the parts share.
#ifndef FOVEA_EXPANDED_DEPTHWISE_FORM_H
#define FOVEA_EXPANDED_DEPTHWISE_FORM_H
#include "fovea_expanded_depthwise.h"

enum {
    expanded_lanes = 16,  // filters in a block
    expanded_group = 2,   // blocks that are computed together
};

typedef struct {
    const fovea_expanded_depthwise *spec;
    int64_t columns, inside;  // of a row of expanded pixels: with padding, and those that are computed
    const float *images, *first_kernel, *first_bias, *second_kernel, *second_bias;
    float *output;
} expanded_form;

// Rows first..<last of an image's output, of one or two blocks of filters.
typedef struct {
    int64_t image, block, blocks, first, last;
} expanded_rows;

// Floats of the expanded rows that a window sees of a block.
static inline int64_t expanded_ring(const expanded_form *f) { return f->spec->window[0] * f->columns * expanded_lanes; }

#endif
