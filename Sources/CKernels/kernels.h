// All kernels that are compiled once per kind of CPU, and the table of them. Included by the files that do so.
#ifndef FOVEA_KERNELS_H
#define FOVEA_KERNELS_H
#include "combine_kernels.h"
#include "expanded_depthwise_kernels.h"
#include "fold_kernels.h"
#include "lane_kernels.h"
#include "max_pool_kernels.h"
#include "narrow_convolution_kernels.h"
#include "normalization_kernels.h"
#include "panel_product_kernels.h"
#include "row_product_kernels.h"
#include "softmax_kernels.h"
#include "winograd_gradient_kernels.h"
#include "winograd_large_kernels.h"

#define KERNEL_TABLE(kind)                                              \
    {                                                                   \
        .name = kind,                                                   \
        .lanes = LANE_KERNELS,                                          \
        .loads = LOADS,                                                 \
        .stores = STORES,                                               \
        .iota = iota,                                                   \
        .folds = FOLDS,                                                 \
        .row_folds = ROW_FOLDS,                                         \
        .sum_groups = sum_groups,                                       \
        .max_pool_rows = max_pool_rows,                                 \
        .max_unpool_rows = max_unpool_rows,                             \
        .max_unpool_planes = max_unpool_planes,                         \
        .narrow_convolve = narrow_convolve,                             \
        .narrow_add_gradients = narrow_add_gradients,                   \
        .convolve_expanded = convolve_expanded,                         \
        .add_row_products = add_row_products,                           \
        .multiply_panel = multiply_panel,                               \
        .softmax_across = softmax_across,                               \
        .softmax_short = softmax_short,                                 \
        .softmax_along = softmax_along,                                 \
        .combine = combine,                                             \
        .rectify = rectify,                                             \
        .is_bounded = is_bounded,                                       \
        .normalization_moments = normalization_moments,                 \
        .normalize_chunk = normalize_chunk,                             \
        .normalization_gradient_sums = normalization_gradient_sums,     \
        .normalization_spread_gradient = normalization_spread_gradient, \
        .winograd_transform_kernel = winograd_transform_kernel,         \
        .winograd_convolve = winograd_convolve,                         \
        .winograd_spread = winograd_spread,                             \
        .winograd_add_gradients = winograd_add_gradients,               \
        .winograd_finish_gradient = winograd_finish_gradient,           \
        .winograd_transform_images = winograd_transform_images,         \
        .winograd_convolve_group = winograd_convolve_group,             \
        .winograd_transform_upstream = winograd_transform_upstream,     \
        .winograd_spread_group = winograd_spread_group,                 \
    }

#endif
