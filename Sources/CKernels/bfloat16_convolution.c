// Convolutions and their gradients on the bfloat16 units: the choice between two ways.
#include "fovea_bfloat16.h"

#if defined(__x86_64__)
#include "bfloat16_convolution.h"
#include "bfloat16_side_by_side.h"

static int is_dense(const fovea_bfloat16_convolution *c) {
    return c->strides[0] == 1 && c->strides[1] == 1 && c->dilations[0] == 1 && c->dilations[1] == 1;
}

int32_t fovea_bfloat16_suits(const fovea_bfloat16_convolution *c, int32_t is_forward) {
    if (is_dense(c)) return 1;
    int half_filled = c->channels == lanes && (is_forward || c->window[0] * c->window[1] == 1);
    return 2 * c->batch >= rounded_up(c->batch, tile_rows) && !half_filled;
}

// Pixels that results read along an axis, over all places of the window.
static int64_t reads(window_axis axis) {
    int64_t count = 0;
    for (int64_t result = 0; result < axis.results; result++) {
        for (int64_t place = 0; place < axis.window; place++) count += source_at(&axis, result, place) >= 0;
    }
    return count;
}

// The same for one sequence, with the padding between results.
static int64_t sequence_reads(window_axis a) {
    int64_t before = a.is_gradient ? a.window - 1 - a.padding : a.padding;
    int64_t after = a.results + a.window - 1 - before - a.sources;
    return (a.sources + smaller(after, 0) + (before > after ? before : after)) * a.window;
}

// Where images are small, or have much padding, less is computed side by side. Otherwise pixels of a sequence share more of
// what the first-level cache holds.
static int is_side_by_side(const fovea_bfloat16_convolution *c, int32_t is_gradient) {
    if (!is_dense(c)) return 1;
    int64_t products = rounded_up(c->batch, tile_rows), sequence_products = c->batch;
    for (int axis = 0; axis < 2; axis++) {
        products *= reads(axis_of(c, axis, is_gradient));
        sequence_products *= sequence_reads(axis_of(c, axis, is_gradient));
    }
    return 4 * products < 3 * sequence_products;
}

static convolution_form form_of(const fovea_bfloat16_convolution *c, int32_t is_gradient) {
    convolution_form f = {.spec = c, .is_gradient = is_gradient, .terms = c->terms};
    f.channels = is_gradient ? c->filters : c->channels;
    f.filters = is_gradient ? c->channels : c->filters;
    f.is_side_by_side = is_side_by_side(c, is_gradient);
    f.pairs_columns = !f.is_side_by_side && f.channels == lanes && c->window[1] > 1;
    f.channel_steps = divided_up(f.channels, tile_inner);
    f.window_columns = f.pairs_columns ? divided_up(c->window[1], 2) : c->window[1];
    f.steps = c->window[0] * f.window_columns * f.channel_steps;
    f.filter_tiles = f.filters / tile_columns;
    return f;
}

static size_t kernel_bytes(convolution_form f) { return (size_t)(f.filter_tiles * kernel_tile_bytes(&f)); }

static size_t scratch_bytes(convolution_form f) {
    return f.is_side_by_side ? fovea_side_by_side_scratch(&f) : fovea_sequence_scratch(&f);
}

size_t fovea_bfloat16_forward_kernel_bytes(const fovea_bfloat16_convolution *c) { return kernel_bytes(form_of(c, 0)); }

size_t fovea_bfloat16_input_gradient_kernel_bytes(const fovea_bfloat16_convolution *c) {
    return kernel_bytes(form_of(c, 1));
}

size_t fovea_bfloat16_forward_scratch(const fovea_bfloat16_convolution *c) { return scratch_bytes(form_of(c, 0)); }

size_t fovea_bfloat16_input_gradient_scratch(const fovea_bfloat16_convolution *c) {
    return scratch_bytes(form_of(c, 1));
}

static void convolve(convolution_form f, convolution_operands operands) {
    if (f.is_side_by_side) {
        fovea_convolve_side_by_side(&f, &operands);
    } else {
        fovea_convolve_sequence(&f, &operands);
    }
}

void fovea_bfloat16_forward(const fovea_bfloat16_convolution *c, const float *images, const float *kernel,
                            void *packed_kernel, fovea_packing packing, const float *bias, float *output,
                            void *scratch) {
    convolve(form_of(c, 0), (convolution_operands){images, kernel, bias, packed_kernel, packing, output, scratch});
}

void fovea_bfloat16_input_gradient(const fovea_bfloat16_convolution *c, const float *upstream, const float *kernel,
                                   void *packed_kernel, fovea_packing packing, float *gradient, void *scratch) {
    convolve(form_of(c, 1), (convolution_operands){upstream, kernel, 0, packed_kernel, packing, gradient, scratch});
}

size_t fovea_bfloat16_kernel_gradient_scratch(const fovea_bfloat16_convolution *c) {
    return is_side_by_side(c, 0) ? fovea_side_by_side_gradient_scratch(c) : fovea_sequence_gradient_scratch(c);
}

void fovea_bfloat16_kernel_gradient(const fovea_bfloat16_convolution *c, const float *images, const float *upstream,
                                    float *gradient, float *bias_gradient, void *scratch) {
    if (is_side_by_side(c, 0)) {
        fovea_side_by_side_kernel_gradient(c, images, upstream, gradient, bias_gradient, scratch);
    } else {
        fovea_sequence_kernel_gradient(c, images, upstream, gradient, bias_gradient, scratch);
    }
}
#endif
