// Products of rows with panels. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_PANEL_PRODUCT_KERNELS_H
#define FOVEA_PANEL_PRODUCT_KERNELS_H
#include "fovea_panel_product.h"
#include "kernel_table.h"
#include "panel_product.h"
#include "square_kernels.h"

// Rows of b are read in short runs that lie far apart, which hardware does not foresee.
enum { panel_rows_ahead = 12 };

// Brings `depth` rows of b together, from `inner` on.
INLINE void fill_panel(const fovea_panel_product *p, const panel_range *range, const float *b, int64_t inner, int64_t depth,
                       float *panel) {
    if (p->b_strides[1] == 1) {
        const float *row = b + inner * p->b_strides[0] + range->column;
        int64_t ahead = panel_rows_ahead * p->b_strides[0];
        for (int64_t k = 0; k < depth; k++, row += p->b_strides[0]) {
            for (int64_t j = 0; j < range->columns; j += fovea_lane_group) {
                __builtin_prefetch(row + ahead + j);
                store_floats(panel + k * range->columns + j, load_floats(row + j));
            }
        }
        return;
    }
    for (int64_t j = 0; j < range->columns; j += fovea_lane_group) {
        const float *column = b + (range->column + j) * p->b_strides[1] + inner;
        for (int64_t k = 0; k < depth; k += fovea_lane_group) {
            floats square[fovea_lane_group];
            UNROLLED for (int i = 0; i < fovea_lane_group; i++) square[i] = load_floats(column + i * p->b_strides[1] + k);
            transpose(square);
            UNROLLED for (int i = 0; i < fovea_lane_group; i++) store_floats(panel + (k + i) * range->columns + j, square[i]);
        }
    }
}

// What happens to sums of a piece: those of pieces before are there already, and the last ones are finished.
typedef struct {
    int64_t depth;
    int is_first, is_last, relu;
    const float *bias;  // of the panel's columns, or NULL
} panel_piece;

INLINE floats finish_product(panel_piece piece, floats sum, int64_t column) {
    if (piece.bias) sum += load_floats(piece.bias + column);
    return piece.relu ? choose(sum < 0.0f, splat(0.0f), sum) : sum;
}

// Sums of `rows` rows and `vectors` vectors of columns, which are kept in registers.
INLINE void add_products_of_rows(const fovea_panel_product *p, panel_piece piece, const float *a, const float *panel,
                                 int64_t panel_stride, float *c, int64_t column, const int rows, const int vectors) {
    floats sums[panel_rows][4];
    UNROLLED for (int i = 0; i < rows; i++) {
        UNROLLED for (int v = 0; v < vectors; v++) {
            sums[i][v] = piece.is_first ? splat(0.0f) : load_floats(c + i * p->columns + v * fovea_lane_group);
        }
    }
    const float *column_of_a = a;
    _Pragma("clang loop unroll_count(4)") for (int64_t k = 0; k < piece.depth; k++) {
        floats weights[4];
        UNROLLED for (int v = 0; v < vectors; v++) weights[v] = load_floats(panel + v * fovea_lane_group);
        panel += panel_stride;
        UNROLLED for (int i = 0; i < rows; i++) {
            floats x = splat(column_of_a[i * p->a_strides[0]]);
            UNROLLED for (int v = 0; v < vectors; v++) sums[i][v] += x * weights[v];
        }
        column_of_a += p->a_strides[1];
    }
    UNROLLED for (int i = 0; i < rows; i++) {
        UNROLLED for (int v = 0; v < vectors; v++) {
            floats sum = piece.is_last ? finish_product(piece, sums[i][v], column + v * fovea_lane_group) : sums[i][v];
            store_floats(c + i * p->columns + v * fovea_lane_group, sum);
        }
    }
}

// The same for all rows of a range, `at_once` together.
INLINE void add_products_of_range(const fovea_panel_product *p, panel_piece piece, const panel_range *range, const float *a,
                                  const float *panel, float *c, int64_t column, const int at_once, const int vectors) {
    int64_t row = range->first_row;
#define ROWS(number)                                                                                                       \
    add_products_of_rows(p, piece, a + row * p->a_strides[0], panel + column, range->columns,                              \
                         c + row * p->columns + range->column + column, column, number, vectors)
    for (; row + at_once <= range->last_row; row += at_once) ROWS(at_once);
    for (; row + 4 <= range->last_row; row += 4) ROWS(4);
    switch (range->last_row - row) {
    case 1: ROWS(1); break;
    case 2: ROWS(2); break;
    case 3: ROWS(3); break;
    default: break;
    }
#undef ROWS
}

static void multiply_panel(const fovea_panel_product *p, const panel_range *range, const float *a, const float *b,
                           const float *bias, float *c, float *panel) {
    for (int64_t inner = 0; inner < p->inner; inner += panel_depth) {
        int64_t rest = p->inner - inner;
        panel_piece piece = {rest < panel_depth ? rest : panel_depth, inner == 0, rest <= panel_depth, p->relu,
                             bias ? bias + range->column : 0};
        fill_panel(p, range, b, inner, piece.depth, panel);
        const float *factors = a + inner * p->a_strides[1];
        int64_t column = 0;
#if defined(FOVEA_WIDE_REGISTERS)
        for (; column + 64 <= range->columns; column += 64)
            add_products_of_range(p, piece, range, factors, panel, c, column, 6, 4);
        for (; column + 32 <= range->columns; column += 32)
            add_products_of_range(p, piece, range, factors, panel, c, column, 12, 2);
        for (; column < range->columns; column += 16)
            add_products_of_range(p, piece, range, factors, panel, c, column, 12, 1);
#else
        for (; column < range->columns; column += 16)
            add_products_of_range(p, piece, range, factors, panel, c, column, 6, 1);
#endif
    }
}

#endif
