// Strips of results of convolutions of images with few channels. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_NARROW_CONVOLUTION_KERNELS_H
#define FOVEA_NARROW_CONVOLUTION_KERNELS_H
#include "kernel_table.h"
#include "max_pool_kernels.h"
#include "output_finish.h"
#include "vector_math.h"

enum { narrow_lanes = 16 };

// Outputs in `rows` rows and `columns` columns, of `vectors` vectors of filters, which are kept in registers.
INLINE void sum_outputs(const fovea_narrow_convolution *c, narrow_source source, const float *kernel, const float *bias,
                        floats sums[2][12][2], int64_t line, const int rows, const int columns, const int vectors) {
    UNROLLED for (int v = 0; v < vectors; v++) {
        floats start = bias ? load_floats(bias + v * narrow_lanes) : splat(0.0f);
        UNROLLED for (int i = 0; i < rows; i++) {
            UNROLLED for (int j = 0; j < columns; j++) sums[i][j][v] = start;
        }
    }
    int64_t down = c->strides[0] * source.row, right = c->strides[1] * c->channels;
    for (int64_t row = 0; row < c->window[0]; row++) {
        const float *pixels = source.pixels + row * source.row;
        for (int64_t k = 0; k < line; k++) {
            floats weights[2];
            UNROLLED for (int v = 0; v < vectors; v++) weights[v] = load_floats(kernel + v * narrow_lanes);
            kernel += c->filters;
            UNROLLED for (int i = 0; i < rows; i++) {
                UNROLLED for (int j = 0; j < columns; j++) {
                    floats x = splat(pixels[i * down + j * right + k]);
                    UNROLLED for (int v = 0; v < vectors; v++) sums[i][j][v] += x * weights[v];
                }
            }
        }
    }
}

// Where a strip's results for a vector of filters go: a block of so many floats further for the next vector.
typedef struct {
    float *results;
    uint8_t *winners;  // NULL: nobody asks
    int64_t block;
    int32_t rectifies;
} narrow_target;

INLINE void store_outputs(const fovea_narrow_convolution *c, narrow_source source, const float *kernel, const float *bias,
                          narrow_target target, output_finish finish, int64_t line, const int columns, const int vectors) {
    floats sums[2][12][2];
    sum_outputs(c, source, kernel, bias, sums, line, 1, columns, vectors);
    UNROLLED for (int v = 0; v < vectors; v++) {
        UNROLLED for (int j = 0; j < columns; j++) {
            store_floats(target.results + v * target.block + j * narrow_lanes, finish_output(finish, sums[0][j][v]));
        }
    }
}

INLINE void store_pooled(const fovea_narrow_convolution *c, narrow_source source, const float *kernel, const float *bias,
                         narrow_target target, output_finish finish, int64_t line, const int columns, const int vectors) {
    floats sums[2][12][2];
    sum_outputs(c, source, kernel, bias, sums, line, 2, 2 * columns, vectors);
    UNROLLED for (int v = 0; v < vectors; v++) {
        UNROLLED for (int j = 0; j < columns; j++) {
            floats outputs[4], best;
            UNROLLED for (int i = 0; i < 4; i++) outputs[i] = sums[i / 2][2 * j + i % 2][v];
            if (finish.is_bounded) {
                UNROLLED for (int i = 0; i < 4; i++) outputs[i] = finish_output(finish, outputs[i]);
            }
            ints place = pool_four(outputs, target.rectifies, &best);
            int64_t at = v * target.block + j * narrow_lanes;
            store_floats(target.results + at, best);
            if (target.winners) store_some_bytes(target.winners + at, place, narrow_lanes);
        }
    }
}

// A row of results for `vectors` vectors of filters. A window's line has so many weights for each of them.
INLINE void convolve_columns(const narrow_form *f, narrow_source source, const float *kernel, const float *bias,
                             narrow_target target, output_finish finish, int64_t line, const int vectors) {
    const fovea_narrow_convolution *c = f->spec;
    int64_t right = f->step * c->strides[1] * c->channels, column = 0;
#define COLUMNS(store, count)                                                            \
    for (; column + (count) <= f->result_columns; column += (count)) {                   \
        store(c, source, kernel, bias, target, finish, line, count, vectors);            \
        source.pixels += (count) * right;                                                \
        target.results += (count) * narrow_lanes;                                        \
        if (target.winners) target.winners += (count) * narrow_lanes;                    \
    }
#if defined(FOVEA_WIDE_REGISTERS)
    if (c->pools) {
        COLUMNS(store_pooled, 3)
        COLUMNS(store_pooled, 1)
    } else {
        COLUMNS(store_outputs, 12)
        COLUMNS(store_outputs, 4)
        COLUMNS(store_outputs, 1)
    }
#else
    if (c->pools) {
        COLUMNS(store_pooled, 1)
    } else {
        COLUMNS(store_outputs, 6)
        COLUMNS(store_outputs, 2)
        COLUMNS(store_outputs, 1)
    }
#endif
#undef COLUMNS
}

// The same, with the lines of the usual windows, 3x3 over one or three channels, unrolled.
INLINE void convolve_row(const narrow_form *f, narrow_source source, const float *kernel, const float *bias,
                         narrow_target target, output_finish finish, const int vectors) {
    int64_t line = f->spec->window[1] * f->spec->channels;
    switch (line) {
    case 3: convolve_columns(f, source, kernel, bias, target, finish, 3, vectors); break;
    case 9: convolve_columns(f, source, kernel, bias, target, finish, 9, vectors); break;
    default: convolve_columns(f, source, kernel, bias, target, finish, line, vectors); break;
    }
}

// Rows first..<last of an image's results. The source is what the first of them sees.
static void narrow_convolve(const narrow_form *f, narrow_source source, const float *kernel, const float *bias, float *results,
                            uint8_t *winners, int64_t image, int64_t first, int64_t last) {
    const fovea_narrow_convolution *c = f->spec;
    int64_t blocks = c->filters / narrow_lanes, row_floats = f->result_columns * narrow_lanes, block_floats = f->result_rows * row_floats;
    output_finish finish = finish_with(c->relu, c->ceiling);
    for (int64_t row = first; row < last; row++) {
        for (int64_t block = 0; block < blocks;) {
            int64_t at = (image * blocks + block) * block_floats + row * row_floats;
            narrow_target target = {results + at, winners ? winners + at : 0, block_floats, c->rectifies};
            const float *weights = kernel + block * narrow_lanes, *offsets = bias ? bias + block * narrow_lanes : 0;
#if defined(FOVEA_WIDE_REGISTERS)
            if (block + 2 <= blocks) {
                convolve_row(f, source, weights, offsets, target, finish, 2);
                block += 2;
                continue;
            }
#endif
            convolve_row(f, source, weights, offsets, target, finish, 1);
            block++;
        }
        source.pixels += f->step * c->strides[0] * source.row;
    }
}

// The gradients of outputs, as they are or behind pooling.
typedef struct {
    const float *upstream;
    const uint8_t *winners;
    int64_t block;
} narrow_upstream;

// Adds what a row of results owes to the sums of `lines` lines of a window, of each `count` weights in a line, for `vectors` vectors
// of filters. Lines of sums are a `line` apart.
INLINE void add_row(const narrow_form *f, narrow_source source, narrow_upstream g, float *sums, float *bias_sums, int64_t line,
                    const int lines, const int count, const int vectors, const int pools) {
    const fovea_narrow_convolution *c = f->spec;
    floats totals[3][12][2], bias[2];
    UNROLLED for (int v = 0; v < vectors; v++) {
        bias[v] = splat(0.0f);
        UNROLLED for (int i = 0; i < lines; i++) {
            UNROLLED for (int k = 0; k < count; k++) totals[i][k][v] = load_floats(sums + i * line + k * c->filters + v * narrow_lanes);
        }
    }
    int64_t down = c->strides[0] * source.row, right = c->strides[1] * c->channels;
    for (int64_t column = 0; column < f->result_columns; column++) {
        floats all[2];
        ints place[2];
        UNROLLED for (int v = 0; v < vectors; v++) {
            int64_t at = v * g.block + column * narrow_lanes;
            all[v] = load_floats(g.upstream + at);
            if (pools) place[v] = load_some_bytes(g.winners + at, narrow_lanes);
            if (!pools) bias[v] += all[v];
            if (pools) bias[v] += choose(place[v] == FOVEA_NO_WINNER, splat(0.0f), all[v]);
        }
        UNROLLED for (int output = 0; output < (pools ? 4 : 1); output++) {
            const float *pixels = source.pixels + output / 2 * down + output % 2 * right;
            floats own[2];
            UNROLLED for (int v = 0; v < vectors; v++) own[v] = pools ? choose(place[v] == output, all[v], splat(0.0f)) : all[v];
            UNROLLED for (int i = 0; i < lines; i++) {
                UNROLLED for (int k = 0; k < count; k++) {
                    floats x = splat(pixels[i * source.row + k]);
                    UNROLLED for (int v = 0; v < vectors; v++) totals[i][k][v] += x * own[v];
                }
            }
        }
        source.pixels += f->step * right;
    }
    UNROLLED for (int v = 0; v < vectors; v++) {
        if (bias_sums) store_floats(bias_sums + v * narrow_lanes, load_floats(bias_sums + v * narrow_lanes) + bias[v]);
        UNROLLED for (int i = 0; i < lines; i++) {
            UNROLLED for (int k = 0; k < count; k++) store_floats(sums + i * line + k * c->filters + v * narrow_lanes, totals[i][k][v]);
        }
    }
}

#if defined(FOVEA_WIDE_REGISTERS)
enum { narrow_most_weights = 12, narrow_most_lines = 3 };
#else
enum { narrow_most_weights = 6, narrow_most_lines = 2 };
#endif

// The same for a whole window, some lines of three weights together, or a line in parts that are about as long as each other.
INLINE void add_window(const narrow_form *f, narrow_source source, narrow_upstream g, float *sums, float *bias_sums,
                       const int vectors, const int pools) {
    const fovea_narrow_convolution *c = f->spec;
    int64_t weights = c->window[1] * c->channels, line = weights * c->filters, row = 0;
    if (weights == 3) {
        for (; row + narrow_most_lines <= c->window[0]; row += narrow_most_lines, source.pixels += narrow_most_lines * source.row) {
            add_row(f, source, g, sums + row * line, bias_sums, line, narrow_most_lines, 3, vectors, pools);
            bias_sums = 0;
        }
    }
    int64_t parts = (weights + narrow_most_weights - 1) / narrow_most_weights;
    for (; row < c->window[0]; row++, source.pixels += source.row) {
        for (int64_t part = 0; part < parts; part++) {
            int64_t first = weights * part / parts;
            narrow_source from = {source.pixels + first, source.row};
            float *to = sums + row * line + first * c->filters;
#define WEIGHTS(number) \
    case number: add_row(f, from, g, to, bias_sums, line, 1, number, vectors, pools); break
            switch (weights * (part + 1) / parts - first) {
                WEIGHTS(1);
                WEIGHTS(2);
                WEIGHTS(3);
                WEIGHTS(4);
                WEIGHTS(5);
                WEIGHTS(6);
#if defined(FOVEA_WIDE_REGISTERS)
                WEIGHTS(7);
                WEIGHTS(8);
                WEIGHTS(9);
                WEIGHTS(10);
                WEIGHTS(11);
                WEIGHTS(12);
#endif
            default: break;
            }
#undef WEIGHTS
            bias_sums = 0;
        }
    }
}

// Adds what rows first..<last of an image's results give to the sums [window, channels, filters] and to the bias's.
static void narrow_add_gradients(const narrow_form *f, narrow_source source, const float *upstream, const uint8_t *winners,
                                 float *sums, float *bias_sums, int64_t image, int64_t first, int64_t last) {
    const fovea_narrow_convolution *c = f->spec;
    int64_t blocks = c->filters / narrow_lanes, row_floats = f->result_columns * narrow_lanes, block_floats = f->result_rows * row_floats;
    for (int64_t row = first; row < last; row++) {
        for (int64_t block = 0; block < blocks;) {
            int64_t at = (image * blocks + block) * block_floats + row * row_floats, vectors = 1, lane = block * narrow_lanes;
            narrow_upstream g = {upstream + at, winners ? winners + at : 0, block_floats};
#if defined(FOVEA_WIDE_REGISTERS)
            if (block + 2 <= blocks) vectors = 2;
            if (vectors == 2 && c->pools) add_window(f, source, g, sums + lane, bias_sums + lane, 2, 1);
            if (vectors == 2 && !c->pools) add_window(f, source, g, sums + lane, bias_sums + lane, 2, 0);
#endif
            if (vectors == 1 && c->pools) add_window(f, source, g, sums + lane, bias_sums + lane, 1, 1);
            if (vectors == 1 && !c->pools) add_window(f, source, g, sums + lane, bias_sums + lane, 1, 0);
            block += vectors;
        }
        source.pixels += f->step * c->strides[0] * source.row;
    }
}

#endif
