#include "fovea_row_product.h"

#include <string.h>

#include "kernel_table.h"
#include "threads.h"

typedef struct {
    const fovea_row_product *product;
    const fovea_kernel_table *kernels;
    const float *a, *b;
    float *sums;  // [parts, rows, columns]
} product_work;

static void sum_part(void *context, int64_t part, int32_t slot) {
    (void)slot;
    const product_work *work = context;
    const fovea_row_product *p = work->product;
    float *sums = work->sums + part * p->rows * p->columns;
    memset(sums, 0, (size_t)(p->rows * p->columns) * sizeof(float));
    work->kernels->add_row_products(p, work->a, work->b, sums, p->inner * part / p->parts, p->inner * (part + 1) / p->parts);
}

size_t fovea_row_product_scratch(const fovea_row_product *p) {
    return (size_t)p->parts * (size_t)(p->rows * p->columns) * sizeof(float);
}

void fovea_multiply_rows(const fovea_row_product *p, const float *a, const float *b, const float *bias, float *c,
                         void *scratch) {
    product_work work = {p, fovea_kernels(), a, b, scratch};
    // A matrix row's floats arrive a few at a time.
    double nanoseconds = 0.05 * (double)p->inner * (double)p->columns * (double)p->rows;
    fovea_parallel_parts(p->parts, p->parts, nanoseconds, sum_part, &work);
    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t j = 0; j < p->columns; j++) {
            float sum = bias ? bias[j] : 0;
            for (int64_t part = 0; part < p->parts; part++) sum += work.sums[(part * p->rows + i) * p->columns + j];
            c[i * p->columns + j] = p->relu && sum < 0 ? 0 : sum;
        }
    }
}
