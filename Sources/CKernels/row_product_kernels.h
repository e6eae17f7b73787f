// Sums of matrix rows. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_ROW_PRODUCT_KERNELS_H
#define FOVEA_ROW_PRODUCT_KERNELS_H
#include "fovea_row_product.h"
#include "kernel_table.h"
#include "vector_math.h"

// Matrix rows that are read together: enough for the sums to be loaded and stored rarely.
enum { rows_together = 8 };

// Adds `count` rows of b times as many columns of a to the sums. What they come to is added as one number: so many fewer are added
// to a sum that is large beside them.
INLINE void add_rows(const fovea_row_product *p, const float *a, const float *b, float *sums, const int64_t count) {
    int64_t whole = p->columns / fovea_lane_group * fovea_lane_group;
    for (int64_t j = 0; j < whole; j += fovea_lane_group) {
        floats matrix[rows_together];
        for (int64_t k = 0; k < count; k++) {
            matrix[k] = load_floats(b + k * p->columns + j);
            // The rows that come next: hardware stops prefetching at the end of each page.
            __builtin_prefetch(b + (k + count) * p->columns + j);
        }
        for (int64_t i = 0; i < p->rows; i++) {
            const float *factors = a + i * p->a_strides[0];
            floats sum = matrix[0] * splat(factors[0]);
            for (int64_t k = 1; k < count; k++) sum = sum + matrix[k] * splat(factors[k * p->a_strides[1]]);
            store_floats(sums + i * p->columns + j, load_floats(sums + i * p->columns + j) + sum);
        }
    }
    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t j = whole; j < p->columns; j++) {
            float sum = 0;
            for (int64_t k = 0; k < count; k++) {
                sum += b[k * p->columns + j] * a[i * p->a_strides[0] + k * p->a_strides[1]];
            }
            sums[i * p->columns + j] += sum;
        }
    }
}

// Adds the products of inner places first..<last to the sums.
static void add_row_products(const fovea_row_product *p, const float *a, const float *b, float *sums, int64_t first,
                             int64_t last) {
    int64_t k = first;
    for (; k + rows_together <= last; k += rows_together) {
        add_rows(p, a + k * p->a_strides[1], b + k * p->columns, sums, rows_together);
    }
    for (; k < last; k++) add_rows(p, a + k * p->a_strides[1], b + k * p->columns, sums, 1);
}

#endif
