// Products of matrices by panels: columns of the second one are brought together, a piece that stays in the second-level cache, and
// all rows of the first are multiplied with it.
#ifndef FOVEA_PANEL_PRODUCT_H
#define FOVEA_PANEL_PRODUCT_H
#include <stddef.h>
#include <stdint.h>

// c = a b (+ bias) (rectified) in float32: a [rows, inner] and b [inner, columns] by their strides, of which one of b's is 1, and
// c [rows, columns] row-major. Columns are a multiple of 16, and where b's columns are not contiguous, so is inner.
typedef struct {
    int32_t slots;  // at most how many parts run in parallel, each with memory to work in
    int64_t rows, inner, columns;
    int64_t a_strides[2], b_strides[2];  // elements from row to row and from column to column
    int32_t relu;
} fovea_panel_product;

size_t fovea_panel_product_scratch(const fovea_panel_product *product);
// `bias` [columns] may be NULL.
void fovea_multiply_panels(const fovea_panel_product *product, const float *a, const float *b, const float *bias, float *c,
                           void *scratch);

#endif
