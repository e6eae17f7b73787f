#include "fovea_panel_product.h"

#include "kernel_table.h"
#include "panel_product.h"
#include "threads.h"

// Rows of a part: enough to pay for bringing a panel together.
enum { longest_rows = 96 };

typedef struct {
    const fovea_panel_product *product;
    const fovea_kernel_table *kernels;
    const float *a, *b, *bias;
    float *c, *scratch;
    int64_t row_parts;
} panel_work;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static void multiply_part(void *context, int64_t part, int32_t slot) {
    const panel_work *w = context;
    const fovea_panel_product *p = w->product;
    int64_t column = part / w->row_parts * panel_columns, row_part = part % w->row_parts;
    // Whole steps of what registers hold.
    int64_t steps = (p->rows + panel_rows - 1) / panel_rows;
    panel_range range = {
        .first_row = smaller(steps * row_part / w->row_parts * panel_rows, p->rows),
        .last_row = smaller(steps * (row_part + 1) / w->row_parts * panel_rows, p->rows),
        .column = column,
        .columns = smaller(panel_columns, p->columns - column),
    };
    w->kernels->multiply_panel(p, &range, w->a, w->b, w->bias, w->c, w->scratch + slot * panel_floats);
}

size_t fovea_panel_product_scratch(const fovea_panel_product *p) { return (size_t)p->slots * panel_floats * sizeof(float); }

void fovea_multiply_panels(const fovea_panel_product *p, const float *a, const float *b, const float *bias, float *c,
                           void *scratch) {
    panel_work work = {p, fovea_kernels(), a, b, bias, c, scratch, (p->rows + longest_rows - 1) / longest_rows};
    int64_t panels = (p->columns + panel_columns - 1) / panel_columns;
    double nanoseconds = 0.008 * (double)p->rows * (double)p->inner * (double)p->columns;
    fovea_parallel_parts(panels * work.row_parts, p->slots, nanoseconds, multiply_part, &work);
}
