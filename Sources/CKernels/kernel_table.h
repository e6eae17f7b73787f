// The functions that are compiled once per kind of CPU, and the table that picks among them at run time.
#ifndef FOVEA_KERNEL_TABLE_H
#define FOVEA_KERNEL_TABLE_H
#include <stdint.h>

#include "expanded_depthwise_form.h"
#include "fovea_combine.h"
#include "fovea_elementwise.h"
#include "fovea_max_pool.h"
#include "fovea_panel_product.h"
#include "fovea_row_product.h"
#include "fovea_softmax.h"
#include "narrow_convolution_form.h"
#include "normalization.h"
#include "panel_product.h"
#include "winograd.h"

enum {
    fovea_opcode_count = FOVEA_OP_RANDOM_NORMAL + 1,
    fovea_dtype_count = FOVEA_BOOL + 1,
    fovea_lane_group = 16,     // lanes per vector; buffers of lanes are padded to a multiple of it
    fovea_strip_columns = 64,  // columns that a column reduction handles together
};

// 32-bit lanes that an instruction reads. The step is fovea_lane_group, or 0 when one group repeats.
typedef struct {
    const void *lanes;
    int64_t step;
} fovea_source;

// What RANDOM_* reads as b.
typedef struct {
    uint32_t seed[2], step[2], stream;
} fovea_random_key;

// Computes whole groups: lanes 0..<count rounded up. d may be the same memory as a source, but not overlap it
// otherwise.
typedef void (*fovea_lane_function)(int64_t count, void *d, fovea_source a, fovea_source b, fovea_source c);
// Elements in memory: `rows` rows, `row_stride` apart, of `count` elements, `stride` apart. Their lanes have no gaps.
typedef struct {
    int64_t rows, row_stride, count, stride;
} fovea_block;

// Converts memory to lanes; may write up to the next whole group.
typedef void (*fovea_load_function)(int32_t *lanes, const void *source, fovea_block block);
typedef void (*fovea_store_function)(void *destination, const int32_t *lanes, fovea_block block);

typedef union {
    double real;
    int64_t integer;
} fovea_accumulator;

// Folds `count` elements, `stride` apart, into one accumulator.
typedef void (*fovea_fold_function)(fovea_accumulator *accumulator, const void *source, int64_t stride,
                                    int64_t count);
// Folds `count` rows, `stride` apart, into `width` accumulators, one per column.
typedef void (*fovea_fold_rows_function)(fovea_accumulator *accumulators, const void *source, int64_t stride,
                                         int64_t count, int64_t width);

enum { FOVEA_FOLD_SUM, FOVEA_FOLD_SUM_I, FOVEA_FOLD_MAX, FOVEA_FOLD_MAX_I, fovea_fold_count };

// Parts first..<last of fovea_run_softmax.
typedef void (*fovea_softmax_function)(const fovea_softmax *softmax, const float *source, float *destination,
                                       int64_t first, int64_t last);

typedef struct {
    const char *name;
    fovea_lane_function lanes[fovea_opcode_count];
    fovea_load_function loads[fovea_dtype_count];
    fovea_store_function stores[fovea_dtype_count];
    // The places of a block's elements, the first at `start`.
    void (*iota)(int32_t *lanes, int64_t start, fovea_block block);
    fovea_fold_function folds[fovea_fold_count];
    fovea_fold_rows_function row_folds[fovea_fold_count];
    // Adds groups of lanes to 16 sums, one for each lane of a group.
    void (*sum_groups)(fovea_accumulator *totals, const float *lanes, int64_t groups);
    // Parts first..<last of fovea_max_pool_forward and, without and with overlapping windows, of
    // fovea_max_pool_backward.
    void (*max_pool_rows)(const fovea_max_pool *pool, const float *images, float *pooled, void *winners,
                          int64_t first, int64_t last);
    void (*max_unpool_rows)(const fovea_max_pool *pool, const float *upstream, const void *winners,
                            float *gradient, int64_t first, int64_t last);
    void (*max_unpool_planes)(const fovea_max_pool *pool, const float *upstream, const void *winners,
                              float *gradient, int64_t first, int64_t last);
    void (*add_row_products)(const fovea_row_product *product, const float *a, const float *b, float *sums,
                             int64_t first, int64_t last);
    // `panel` is memory to work in.
    void (*multiply_panel)(const fovea_panel_product *product, const panel_range *range, const float *a, const float *b,
                           const float *bias, float *c, float *panel);
    // Parts are lines for `along`, groups of lines for the others.
    fovea_softmax_function softmax_across, softmax_short, softmax_along;
    // fovea_combine, fovea_rectify and fovea_is_bounded of whole groups of lanes.
    void (*combine)(fovea_opcode kind, int32_t relu, int64_t count, const float *a, const float *b, float *c);
    void (*rectify)(int64_t count, float ceiling, float *x);
    int32_t (*is_bounded)(int64_t count, const float *x);
    // Parts of the functions of fovea_narrow_convolution.h: rows of an image's results.
    void (*narrow_convolve)(const narrow_form *form, narrow_source source, const float *kernel, const float *bias, float *results,
                            uint8_t *winners, int64_t image, int64_t first, int64_t last);
    void (*narrow_add_gradients)(const narrow_form *form, narrow_source source, const float *upstream, const uint8_t *winners,
                                 float *sums, float *bias_sums, int64_t image, int64_t first, int64_t last);
    // Rows of fovea_expanded_depthwise_forward. `ring` is memory to work in.
    void (*convolve_expanded)(const expanded_form *form, expanded_rows rows, float *ring);
    // Chunks of the functions of fovea_normalization.h. Sums are [2 or 3, lanes of a row].
    void (*normalization_moments)(const normalization_chunk *chunk, const float *x, normalization_terms terms, double *sums);
    void (*normalize_chunk)(const normalization_chunk *chunk, const float *x, normalization_terms terms, float *y);
    void (*normalization_gradient_sums)(const normalization_chunk *chunk, const float *x, const float *upstream,
                                        normalization_terms terms, double *sums);
    void (*normalization_spread_gradient)(const normalization_chunk *chunk, const float *x, const float *upstream,
                                          normalization_terms terms, float *x_gradient);
    // Parts of the functions of fovea_winograd.h: channels; tiles; images and groups of filters; tiles; channels; and of large
    // kernels blocks of channels, a group of filters, blocks of filters, a group of channels.
    void (*winograd_transform_kernel)(const winograd_form *form, int32_t is_transposed, const float *kernel, float *transformed,
                                      int64_t first, int64_t last);
    void (*winograd_convolve)(const winograd_form *form, const float *images, const float *kernel, const float *bias,
                              float *output, uint8_t *winners, float *scratch, int64_t first, int64_t last);
    void (*winograd_spread)(const winograd_form *form, const float *upstream, const uint8_t *winners, const float *kernel,
                            float *gradient, float *scratch, int64_t first, int64_t last, int64_t first_group, int64_t last_group);
    void (*winograd_add_gradients)(const winograd_form *form, const float *images, const float *upstream,
                                   const uint8_t *winners, float *sums, float *bias_sums, float *scratch, int64_t first, int64_t last);
    void (*winograd_finish_gradient)(const winograd_form *form, const float *sums, int64_t parts, int64_t stride,
                                     float *gradient, int64_t first, int64_t last);
    void (*winograd_transform_images)(const winograd_form *form, const float *images, int64_t first, int64_t count,
                                      int64_t first_block, int64_t last_block, float *source);
    void (*winograd_convolve_group)(const winograd_form *form, const float *source, int64_t first, int64_t count,
                                    const float *kernel, const float *bias, float *output, uint8_t *winners, float *scratch,
                                    int64_t filter);
    void (*winograd_transform_upstream)(const winograd_form *form, const float *upstream, const uint8_t *winners, int64_t first,
                                        int64_t count, int64_t first_block, int64_t last_block, float *source);
    void (*winograd_spread_group)(const winograd_form *form, const float *source, int64_t first, int64_t count,
                                  const float *kernel, float *gradient, float *scratch, int64_t filter);
} fovea_kernel_table;

extern const fovea_kernel_table fovea_kernels_baseline;
#if defined(__x86_64__)
extern const fovea_kernel_table fovea_kernels_avx2, fovea_kernels_avx512;
#endif

// The table in use.
const fovea_kernel_table *fovea_kernels(void);

#endif
