// Rows of a depthwise convolution of expanded images. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_EXPANDED_DEPTHWISE_KERNELS_H
#define FOVEA_EXPANDED_DEPTHWISE_KERNELS_H
#include "kernel_table.h"
#include "output_finish.h"
#include "vector_math.h"

enum { expanded_most_columns = 28 };

// A convolution's kernel and bias for a group of blocks, and what becomes of its results.
typedef struct {
    const float *kernel, *bias;  // bias may be NULL
    output_finish finish;
} expanded_weights;

INLINE floats expanded_start(const float *bias, int64_t lane) { return bias ? load_floats(bias + lane) : splat(0.0f); }

// Expands so many pixels in a row for `vectors` blocks of filters, whose rings are `ring` floats long.
INLINE void expand_pixels(const fovea_expanded_depthwise *c, expanded_weights w, const float *pixels, float *expanded, int64_t ring,
                          const int columns, const int vectors) {
    floats sums[expanded_most_columns];
    UNROLLED for (int v = 0; v < vectors; v++) {
        floats start = expanded_start(w.bias, v * expanded_lanes);
        UNROLLED for (int j = 0; j < columns; j++) sums[j * vectors + v] = start;
    }
    const float *kernel = w.kernel;
    for (int64_t rest = c->channels; rest > 0; rest -= expanded_lanes) {
        int64_t count = rest < expanded_lanes ? rest : expanded_lanes;
        _Pragma("clang loop unroll_count(2)") for (int64_t k = 0; k < count; k++, kernel += expanded_lanes) {
            floats weights[expanded_group];
            UNROLLED for (int v = 0; v < vectors; v++) weights[v] = load_floats(kernel + v * c->channels * expanded_lanes);
            UNROLLED for (int j = 0; j < columns; j++) {
                floats x = splat(pixels[j * expanded_lanes + k]);
                UNROLLED for (int v = 0; v < vectors; v++) sums[j * vectors + v] += x * weights[v];
            }
        }
        pixels += c->height * c->width * expanded_lanes;
    }
    UNROLLED for (int v = 0; v < vectors; v++) {
        UNROLLED for (int j = 0; j < columns; j++) {
            store_floats(expanded + v * ring + j * expanded_lanes, finish_output(w.finish, sums[j * vectors + v]));
        }
    }
}

INLINE void expand_row(const expanded_form *f, expanded_weights w, const float *pixels, float *expanded, const int vectors) {
    int64_t rest = f->inside, ring = expanded_ring(f);
#define EXPAND(count)                                                               \
    for (; rest >= (count); rest -= (count)) {                                      \
        expand_pixels(f->spec, w, pixels, expanded, ring, (count), vectors);        \
        pixels += (count) * expanded_lanes;                                         \
        expanded += (count) * expanded_lanes;                                       \
    }
#if defined(FOVEA_WIDE_REGISTERS)
    if (vectors == 1) EXPAND(28)
    EXPAND(14)
    EXPAND(7)
    EXPAND(4)
    EXPAND(2)
#else
    // Sums of a single pixel wait for each other: a row of seven is better cut into four and three.
    if (rest != 7) EXPAND(6)
    EXPAND(4)
    EXPAND(3)
    EXPAND(2)
#endif
    EXPAND(1)
#undef EXPAND
}

// Adds what a row of windows sees to as many sums. Each pixel is loaded once, for all windows that see it.
INLINE void add_window_row(const float *pixels, const float *kernel, floats *sums, const int columns, const int window,
                           const int stride) {
    floats weights[8];
    UNROLLED for (int tap = 0; tap < window; tap++) weights[tap] = load_floats(kernel + tap * expanded_lanes);
    UNROLLED for (int i = 0; i < (columns - 1) * stride + window; i++) {
        floats x = load_floats(pixels + i * expanded_lanes);
        UNROLLED for (int tap = 0; tap < window; tap++) {
            int j = (i - tap) / stride;
            if (i >= tap && (i - tap) % stride == 0 && j < columns) sums[j] += x * weights[tap];
        }
    }
}

INLINE void add_any_window_row(const float *pixels, const float *kernel, floats *sums, const int columns, int64_t window,
                               int64_t stride) {
    for (int64_t tap = 0; tap < window; tap++, pixels += expanded_lanes) {
        floats weight = load_floats(kernel + tap * expanded_lanes);
        UNROLLED for (int j = 0; j < columns; j++) sums[j] += load_floats(pixels + j * stride * expanded_lanes) * weight;
    }
}

// The rows first..<last of a window that lie inside of the image. The first one is in place `place` of the ring.
typedef struct {
    int64_t first, last, place;
} expanded_window;

// So many outputs. A window of 0 columns stands for any.
INLINE void convolve_outputs(const expanded_form *f, expanded_weights w, expanded_window seen, const float *ring, int64_t column,
                             float *output, const int columns, const int window, const int stride) {
    const fovea_expanded_depthwise *c = f->spec;
    floats sums[expanded_most_columns], start = expanded_start(w.bias, 0);
    UNROLLED for (int j = 0; j < columns; j++) sums[j] = start;
    for (int64_t row = seen.first; row < seen.last; row++) {
        const float *pixels = ring + (seen.place * f->columns + column * c->strides[1]) * expanded_lanes;
        const float *kernel = w.kernel + row * c->window[1] * expanded_lanes;
        if (window > 0) add_window_row(pixels, kernel, sums, columns, window, stride);
        if (window == 0) add_any_window_row(pixels, kernel, sums, columns, c->window[1], c->strides[1]);
        seen.place = seen.place + 1 == c->window[0] ? 0 : seen.place + 1;
    }
    UNROLLED for (int j = 0; j < columns; j++) {
        store_floats(output + (column + j) * expanded_lanes, finish_output(w.finish, sums[j]));
    }
}

INLINE void convolve_output_row(const expanded_form *f, expanded_weights w, expanded_window seen, const float *ring, float *output,
                                const int window, const int stride) {
    int64_t column = 0, columns = f->spec->output_width;
#define CONVOLVE(count)                                                                                     \
    for (; column + (count) <= columns; column += (count)) {                                                \
        convolve_outputs(f, w, seen, ring, column, output, count, window, stride);                          \
    }
#if defined(FOVEA_WIDE_REGISTERS)
    CONVOLVE(14)
    CONVOLVE(7)
#endif
    CONVOLVE(4)
    CONVOLVE(1)
#undef CONVOLVE
}

// The same, with the lines of the usual windows unrolled.
INLINE void convolve_usual_row(const expanded_form *f, expanded_weights w, expanded_window seen, const float *ring, float *output) {
    const fovea_expanded_depthwise *c = f->spec;
    if (c->window[1] == 3 && c->strides[1] == 1) {
        convolve_output_row(f, w, seen, ring, output, 3, 1);
    } else if (c->window[1] == 3 && c->strides[1] == 2) {
        convolve_output_row(f, w, seen, ring, output, 3, 2);
    } else if (c->window[1] == 5 && c->strides[1] == 1) {
        convolve_output_row(f, w, seen, ring, output, 5, 1);
    } else if (c->window[1] == 5 && c->strides[1] == 2) {
        convolve_output_row(f, w, seen, ring, output, 5, 2);
    } else {
        convolve_output_row(f, w, seen, ring, output, 0, 0);
    }
}

// Rows of outputs, behind the rows of expanded pixels that the last of them needs. An image's row has its place in the ring, and
// stays there until the windows have gone by.
INLINE void convolve_expanded_blocks(const expanded_form *f, expanded_rows rows, float *ring, const int vectors) {
    const fovea_expanded_depthwise *c = f->spec;
    int64_t blocks = (c->channels + expanded_lanes - 1) / expanded_lanes, image_row = c->width * expanded_lanes;
    int64_t ring_row = f->columns * expanded_lanes, before = c->padding[1] * expanded_lanes, taps = c->window[0] * c->window[1];
    int64_t filter = rows.block * expanded_lanes, output_row = c->output_width * expanded_lanes;
    const float *image = f->images + rows.image * blocks * c->height * image_row;
    float *output = f->output + (rows.image * (c->filters / expanded_lanes) + rows.block) * c->output_height * output_row;
    expanded_weights first = {f->first_kernel + filter * c->channels, f->first_bias ? f->first_bias + filter : 0,
                              finish_with(c->relu[0], c->ceilings[0])};
    for (int64_t row = rows.first, next = 0; row < rows.last; row++) {
        int64_t top = row * c->strides[0] - c->padding[0], end = top + c->window[0], start = top < 0 ? 0 : top;
        if (end > c->height) end = c->height;
        for (next = next < start ? start : next; next < end; next++) {
            expand_row(f, first, image + next * image_row, ring + next % c->window[0] * ring_row + before, vectors);
        }
        expanded_window seen = {start - top, end - top, start % c->window[0]};
        for (int v = 0; v < vectors; v++) {
            expanded_weights second = {f->second_kernel + (filter + v * expanded_lanes) * taps,
                                       f->second_bias ? f->second_bias + filter + v * expanded_lanes : 0,
                                       finish_with(c->relu[1], c->ceilings[1])};
            convolve_usual_row(f, second, seen, ring + v * expanded_ring(f), output + (v * c->output_height + row) * output_row);
        }
    }
}

static void convolve_expanded(const expanded_form *f, expanded_rows rows, float *ring) {
#if defined(FOVEA_WIDE_REGISTERS)
    if (rows.blocks == 2) {
        convolve_expanded_blocks(f, rows, ring, 2);
        return;
    }
#endif
    for (int64_t block = 0; block < rows.blocks; block++, rows.block++) convolve_expanded_blocks(f, rows, ring, 1);
}

#endif
