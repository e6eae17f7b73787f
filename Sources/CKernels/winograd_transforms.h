// The transforms of Winograd's algorithm, F(4, 3) or F(2, 5) along each axis, for 16 channels at a time. Included by the files that compile the
// kernels for one kind of CPU.
//
// A convolution is a product of polynomials. Both are evaluated at six points, the values are multiplied, and the product is found
// again from these. Of two opposite points the even and the odd part of a polynomial are shared. What the algorithm divides by goes
// into the kernel, or into a kernel's gradient, so that the transforms of images have no factors.
#ifndef FOVEA_WINOGRAD_TRANSFORMS_H
#define FOVEA_WINOGRAD_TRANSFORMS_H
#include "max_pool_kernels.h"
#include "vector_math.h"
#include "winograd.h"

#define POINT_A 0.625f
#define POINT_B 1.5f
#define SQUARE_A (POINT_A * POINT_A)
#define SQUARE_B (POINT_B * POINT_B)

// For each point the product of its distances from the others, inverted.
static const float winograd_factors[winograd_pixels] = {
    1 / (SQUARE_A * SQUARE_B),
    1 / (2 * SQUARE_A * (SQUARE_A - SQUARE_B)),
    1 / (2 * SQUARE_A * (SQUARE_A - SQUARE_B)),
    1 / (2 * SQUARE_B * (SQUARE_B - SQUARE_A)),
    1 / (2 * SQUARE_B * (SQUARE_B - SQUARE_A)),
    1,
};

// Six pixels.
INLINE void transform_pixels(const floats *x, floats *y) {
    y[0] = SQUARE_A * SQUARE_B * x[0] - (SQUARE_A + SQUARE_B) * x[2] + x[4];
    floats even = x[4] - SQUARE_B * x[2], odd = POINT_A * (x[3] - SQUARE_B * x[1]);
    y[1] = even + odd;
    y[2] = even - odd;
    even = x[4] - SQUARE_A * x[2];
    odd = POINT_B * (x[3] - SQUARE_A * x[1]);
    y[3] = even + odd;
    y[4] = even - odd;
    y[5] = SQUARE_A * SQUARE_B * x[1] - (SQUARE_A + SQUARE_B) * x[3] + x[5];
}

// Transposed: what six places owe to six pixels.
INLINE void restore_pixels(const floats *y, floats *x) {
    floats even_a = y[1] + y[2], odd_a = POINT_A * (y[1] - y[2]), even_b = y[3] + y[4], odd_b = POINT_B * (y[3] - y[4]);
    x[0] = SQUARE_A * SQUARE_B * y[0];
    x[1] = SQUARE_A * SQUARE_B * y[5] - SQUARE_B * odd_a - SQUARE_A * odd_b;
    x[2] = -(SQUARE_A + SQUARE_B) * y[0] - SQUARE_B * even_a - SQUARE_A * even_b;
    x[3] = odd_a + odd_b - (SQUARE_A + SQUARE_B) * y[5];
    x[4] = y[0] + even_a + even_b;
    x[5] = y[5];
}

// The values of a polynomial with two to five coefficients: of a kernel, or of the gradient of a tile's results.
INLINE void evaluate(const floats *x, floats *y, const int count) {
    y[0] = x[0];
    y[5] = x[count - 1];
    UNROLLED for (int pair = 0; pair < 2; pair++) {
        float point = pair ? POINT_B : POINT_A, square = point * point;
        floats even = x[0], odd = x[1];
        if (count > 2) even += square * x[2];
        if (count > 3) odd += square * x[3];
        if (count > 4) even += square * square * x[4];
        y[1 + 2 * pair] = even + point * odd;
        y[2 + 2 * pair] = even - point * odd;
    }
}

// Two to five numbers: results of a tile, or a kernel's gradient.
INLINE void interpolate(const floats *x, floats *y, const int count) {
    floats even_a = x[1] + x[2], odd_a = x[1] - x[2], even_b = x[3] + x[4], odd_b = x[3] - x[4];
    y[0] = x[0] + even_a + even_b;
    y[1] = POINT_A * odd_a + POINT_B * odd_b;
    if (count > 2) y[2] = SQUARE_A * even_a + SQUARE_B * even_b;
    if (count > 3) y[3] = SQUARE_A * POINT_A * odd_a + SQUARE_B * POINT_B * odd_b;
    if (count > 4) y[4] = SQUARE_A * SQUARE_A * even_a + SQUARE_B * SQUARE_B * even_b;
    y[count - 1] += x[5];
}

// Pixels of a tile, rows `row` apart and columns 16, to places a `stride` apart.
INLINE void transform_tile(const float *pixels, int64_t row, float *places, int64_t stride) {
    floats half[winograd_pixels][winograd_pixels], in[winograd_pixels], out[winograd_pixels];
    UNROLLED for (int j = 0; j < winograd_pixels; j++) {
        UNROLLED for (int i = 0; i < winograd_pixels; i++) in[i] = load_floats(pixels + i * row + j * winograd_lanes);
        transform_pixels(in, out);
        UNROLLED for (int i = 0; i < winograd_pixels; i++) half[i][j] = out[i];
    }
    UNROLLED for (int i = 0; i < winograd_pixels; i++) {
        transform_pixels(half[i], out);
        UNROLLED for (int j = 0; j < winograd_pixels; j++) store_floats(places + (i * winograd_pixels + j) * stride, out[j]);
    }
}

// The gradient of a tile's results, likewise.
INLINE void transform_gradient(const float *gradient, int64_t row, float *places, int64_t stride, const int results) {
    floats half[winograd_pixels][winograd_most_results], in[winograd_most_results], out[winograd_pixels];
    UNROLLED for (int j = 0; j < results; j++) {
        UNROLLED for (int i = 0; i < results; i++) in[i] = load_floats(gradient + i * row + j * winograd_lanes);
        evaluate(in, out, results);
        UNROLLED for (int i = 0; i < winograd_pixels; i++) half[i][j] = out[i];
    }
    UNROLLED for (int i = 0; i < winograd_pixels; i++) {
        evaluate(half[i], out, results);
        UNROLLED for (int j = 0; j < winograd_pixels; j++) store_floats(places + (i * winograd_pixels + j) * stride, out[j]);
    }
}

// What becomes of a tile's results before they are stored.
typedef struct {
    floats bias, ceiling;
    int relu, has_ceiling;
} tile_finish;

INLINE floats finish_result(tile_finish finish, floats x) {
    x += finish.bias;
    if (finish.relu) x = choose(x < 0.0f, splat(0.0f), x);
    if (finish.has_ceiling) x = choose(x > finish.ceiling, finish.ceiling, x);
    return x;
}

// The columns of a tile's places, turned into rows of results.
INLINE void finish_columns(const float *places, int64_t stride, floats half[winograd_most_results][winograd_pixels],
                           const int results) {
    floats in[winograd_pixels], out[winograd_most_results];
    UNROLLED for (int j = 0; j < winograd_pixels; j++) {
        UNROLLED for (int i = 0; i < winograd_pixels; i++) in[i] = load_floats(places + (i * winograd_pixels + j) * stride);
        interpolate(in, out, results);
        UNROLLED for (int i = 0; i < results; i++) half[i][j] = out[i];
    }
}

// The results of a tile from its places: the first `rows` and `columns` of them.
INLINE void finish_tile(const float *places, int64_t stride, tile_finish finish, float *output, int64_t row, const int64_t rows,
                        const int64_t columns, const int results) {
    floats half[winograd_most_results][winograd_pixels], out[winograd_most_results];
    finish_columns(places, stride, half, results);
    UNROLLED for (int i = 0; i < results; i++) {
        if (i >= rows) break;
        interpolate(half[i], out, results);
        UNROLLED for (int j = 0; j < results; j++) {
            if (j < columns) store_floats(output + i * row + j * winograd_lanes, finish_result(finish, out[j]));
        }
    }
}

// The same, pooled: the first `rows` and `columns` of what is left. Winners are as far apart as results are.
INLINE void finish_pooled_tile(const float *places, int64_t stride, tile_finish finish, int32_t rectifies, float *pooled,
                               uint8_t *winners, int64_t row, const int64_t rows, const int64_t columns, const int results) {
    floats half[winograd_most_results][winograd_pixels], out[2][winograd_most_results];
    finish_columns(places, stride, half, results);
    UNROLLED for (int i = 0; i < results / 2; i++) {
        if (i >= rows) break;
        interpolate(half[2 * i], out[0], results);
        interpolate(half[2 * i + 1], out[1], results);
        UNROLLED for (int j = 0; j < results / 2; j++) {
            floats window[4], best;
            UNROLLED for (int k = 0; k < 4; k++) window[k] = finish_result(finish, out[k / 2][2 * j + k % 2]);
            ints place = pool_four(window, rectifies, &best);
            int64_t at = i * row + j * winograd_lanes;
            if (j < columns) store_floats(pooled + at, best);
            if (j < columns && winners) store_some_bytes(winners + at, place, winograd_lanes);
        }
    }
}

// Adds what a tile owes to its pixels: those in rows top..<bottom and columns left..<right of it, which are inside the images.
INLINE void add_tile(const float *places, int64_t stride, float *pixels, int64_t row, const int64_t top, const int64_t bottom,
                     const int64_t left, const int64_t right) {
    floats half[winograd_pixels][winograd_pixels], in[winograd_pixels], out[winograd_pixels];
    UNROLLED for (int j = 0; j < winograd_pixels; j++) {
        UNROLLED for (int i = 0; i < winograd_pixels; i++) in[i] = load_floats(places + (i * winograd_pixels + j) * stride);
        restore_pixels(in, out);
        UNROLLED for (int i = 0; i < winograd_pixels; i++) half[i][j] = out[i];
    }
    UNROLLED for (int i = 0; i < winograd_pixels; i++) {
        if (i < top || i >= bottom) continue;
        restore_pixels(half[i], out);
        UNROLLED for (int j = 0; j < winograd_pixels; j++) {
            float *pixel = pixels + i * row + j * winograd_lanes;
            if (j >= left && j < right) store_floats(pixel, load_floats(pixel) + out[j]);
        }
    }
}

// The transform of a kernel's numbers for each lane.
INLINE void transform_kernel(const floats numbers[winograd_largest_window][winograd_largest_window], float *places, int64_t stride,
                             const int window) {
    floats half[winograd_pixels][winograd_largest_window], in[winograd_largest_window], out[winograd_pixels];
    UNROLLED for (int j = 0; j < window; j++) {
        UNROLLED for (int i = 0; i < window; i++) in[i] = numbers[i][j];
        evaluate(in, out, window);
        UNROLLED for (int i = 0; i < winograd_pixels; i++) half[i][j] = out[i] * winograd_factors[i];
    }
    UNROLLED for (int i = 0; i < winograd_pixels; i++) {
        evaluate(half[i], out, window);
        UNROLLED for (int j = 0; j < winograd_pixels; j++) {
            store_floats(places + (i * winograd_pixels + j) * stride, out[j] * winograd_factors[j]);
        }
    }
}

// Numbers of a kernel's gradient for each lane, a `row` apart, from the sums over all tiles.
INLINE void finish_kernel(const floats places[winograd_places], float *gradient, int64_t row, const int window) {
    floats half[winograd_largest_window][winograd_pixels], in[winograd_pixels], out[winograd_largest_window];
    UNROLLED for (int j = 0; j < winograd_pixels; j++) {
        UNROLLED for (int i = 0; i < winograd_pixels; i++) in[i] = places[i * winograd_pixels + j] * winograd_factors[i];
        interpolate(in, out, window);
        UNROLLED for (int i = 0; i < window; i++) half[i][j] = out[i] * winograd_factors[j];
    }
    UNROLLED for (int i = 0; i < window; i++) {
        interpolate(half[i], out, window);
        UNROLLED for (int j = 0; j < window; j++) store_floats(gradient + (i * window + j) * row, out[j]);
    }
}

#endif
