// How products of matrices go through panels: what its parts share.
#ifndef FOVEA_PANEL_PRODUCT_FORM_H
#define FOVEA_PANEL_PRODUCT_FORM_H
#include <stdint.h>

enum {
    panel_columns = 64,
    panel_depth = 256,  // rows of b that a panel has at most
    panel_floats = panel_columns * panel_depth,
    panel_rows = 12,  // kernels have whole numbers of them in registers
};

// Rows first_row..<last_row and some columns of a product.
typedef struct {
    int64_t first_row, last_row, column, columns;
} panel_range;

#endif
