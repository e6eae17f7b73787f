// Images side by side: a tile's rows are the same pixel of up to 16 images.
//
// Each place of a window is then a tile of its own, and what lies in the padding is left out: strides, dilations, padding and
// small images cost nothing beyond the products that there are.
#ifndef FOVEA_BFLOAT16_SIDE_BY_SIDE_H
#define FOVEA_BFLOAT16_SIDE_BY_SIDE_H
#include "bfloat16_packing.h"
#include "fovea_bfloat16.h"

// One axis of a convolution, or of its input gradient, whose sources are the upstream gradient.
typedef struct {
    int64_t results, sources, window, stride, dilation, padding;
    int32_t is_gradient;
} window_axis;

static inline window_axis axis_of(const fovea_bfloat16_convolution *c, int axis, int32_t is_gradient) {
    int64_t images = axis == 0 ? c->height : c->width, outputs = axis == 0 ? c->output_height : c->output_width;
    return (window_axis){
        .results = is_gradient ? images : outputs, .sources = is_gradient ? outputs : images, .window = c->window[axis],
        .stride = c->strides[axis], .dilation = c->dilations[axis], .padding = c->padding[axis],
        .is_gradient = is_gradient,
    };
}

// The source that a result reads at a place of the window; -1 for none.
static inline int64_t source_at(const window_axis *a, int64_t result, int64_t place) {
    int64_t at = a->is_gradient ? result + a->padding - place * a->dilation
                                : result * a->stride + place * a->dilation - a->padding;
    if (at < 0) return -1;
    if (a->is_gradient) {
        if (at % a->stride != 0) return -1;
        at /= a->stride;
    }
    return at < a->sources ? at : -1;
}

// Sources from the first to the last that a window covers.
static inline int64_t window_span(const window_axis *a) { return (a->window - 1) * a->dilation + 1; }

// Whether a forward convolution can read a source: with large strides there are gaps between windows.
static inline int may_be_read(const window_axis *a, int64_t source) {
    return a->is_gradient || (source + a->padding) % a->stride < window_span(a);
}

// Results and sources from one result that has the same places in the axis to the next one.
static inline int64_t result_step(const window_axis *a) { return a->is_gradient ? a->stride : 1; }
static inline int64_t source_step(const window_axis *a) { return a->is_gradient ? 1 : a->stride; }

// Whether two results read the same places of the window.
static inline int has_same_places(const window_axis *a, int64_t result, int64_t other) {
    for (int64_t place = 0; place < a->window; place++) {
        if ((source_at(a, result, place) < 0) != (source_at(a, other, place) < 0)) return 0;
    }
    return 1;
}

// The sources that a result reads: first..<last, empty where it reads none.
typedef struct {
    int64_t first, last;
} source_range;

static inline source_range sources_of(const window_axis *a, int64_t result) {
    source_range range = {INT64_MAX, 0};
    for (int64_t place = 0; place < a->window; place++) {
        int64_t source = source_at(a, result, place);
        if (source < 0) continue;
        if (source < range.first) range.first = source;
        if (source >= range.last) range.last = source + 1;
    }
    return range;
}

// The sources from the first that this result or a later one reads to the last that it or an earlier one reads.
static inline source_range needed_sources(const window_axis *a, int64_t result) {
    source_range needed = {INT64_MAX, 0};
    for (int64_t other = 0; other < a->results; other++) {
        source_range range = sources_of(a, other);
        if (other >= result && range.first < needed.first) needed.first = range.first;
        if (other <= result && range.last > needed.last) needed.last = range.last;
    }
    return needed;
}

// The most of them for any result.
static inline int64_t most_needed_sources(const window_axis *a) {
    int64_t most = 1;
    for (int64_t result = 0; result < a->results; result++) {
        source_range needed = needed_sources(a, result);
        if (needed.last - needed.first > most) most = needed.last - needed.first;
    }
    return most;
}

#endif
