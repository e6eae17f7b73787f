// The form of a convolution on the bfloat16 units, or of an input gradient, which is one over the upstream gradient; and two
// ways to compute it.
#ifndef FOVEA_BFLOAT16_CONVOLUTION_H
#define FOVEA_BFLOAT16_CONVOLUTION_H
#include <math.h>
#include "bfloat16_tiles.h"
#include "fovea_bfloat16.h"

typedef struct {
    const fovea_bfloat16_convolution *spec;
    int32_t is_gradient, terms, is_side_by_side;
    // A step along the inner axis takes a place of the window and 32 channels, or two neighbouring places and 16 channels.
    int32_t pairs_columns;
    int64_t channels, filters;  // read, and computed
    int64_t channel_steps, window_columns, steps, filter_tiles;
} convolution_form;

// What rectified results do not pass.
static inline float ceiling_of(const fovea_bfloat16_convolution *spec) {
    return spec->ceiling > 0 ? spec->ceiling : INFINITY;
}

// Columns of the window that a step pairs: 0 and 1, 2 and 3 …; before an odd last one there is none (-1).
typedef struct {
    int64_t low, high, pixel;  // the first one's pixel
} column_pair;

static inline column_pair columns_of_step(const convolution_form *f, int64_t step) {
    int64_t column = step % f->window_columns * 2;
    return column + 1 < f->spec->window[1] ? (column_pair){column, column + 1, column}
                                           : (column_pair){-1, column, column - 1};
}

// Packs a kernel as right tiles in order [filters / 16][step], with steps in order [window row][column][channels / 32].
void fovea_pack_kernel_tiles(const convolution_form *f, const float *kernel, int64_t first, int64_t last, uint8_t *to);

static inline int64_t kernel_tile_bytes(const convolution_form *f) { return f->steps * tile_bytes * f->terms; }

typedef struct {
    const float *images, *kernel, *bias;
    uint8_t *packed_kernel;
    fovea_packing packing;
    float *output;
    uint8_t *scratch;
} convolution_operands;

// One sequence of pixels, for strides and dilations of 1.
size_t fovea_sequence_scratch(const convolution_form *f);
void fovea_convolve_sequence(const convolution_form *f, const convolution_operands *operands);
size_t fovea_sequence_gradient_scratch(const fovea_bfloat16_convolution *c);
void fovea_sequence_kernel_gradient(const fovea_bfloat16_convolution *c, const float *images, const float *upstream,
                                    float *gradient, float *bias_gradient, void *scratch);

// Images side by side.
size_t fovea_side_by_side_scratch(const convolution_form *f);
void fovea_convolve_side_by_side(const convolution_form *f, const convolution_operands *operands);
size_t fovea_side_by_side_gradient_scratch(const fovea_bfloat16_convolution *c);
void fovea_side_by_side_kernel_gradient(const fovea_bfloat16_convolution *c, const float *images, const float *upstream,
                                        float *gradient, float *bias_gradient, void *scratch);

#endif
