// Products of few rows with a large matrix: as long as reading the matrix takes, because each number is used only once for
// each row.
#ifndef FOVEA_ROW_PRODUCT_H
#define FOVEA_ROW_PRODUCT_H
#include <stddef.h>
#include <stdint.h>

// c = a b (+ bias) (rectified) in float32: a [rows, inner], b [inner, columns] row-major, c [rows, columns] row-major.
typedef struct {
    int32_t parts;  // of the inner axis, which are summed in parallel, then added up
    int64_t rows, inner, columns;
    int64_t a_strides[2];  // elements from row to row and from column to column
    int32_t relu;
} fovea_row_product;

size_t fovea_row_product_scratch(const fovea_row_product *product);
// `bias` [columns] may be NULL.
void fovea_multiply_rows(const fovea_row_product *product, const float *a, const float *b, const float *bias, float *c,
                         void *scratch);

#endif
