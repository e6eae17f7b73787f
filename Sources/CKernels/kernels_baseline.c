#include "fold_kernels.h"
#include "lane_kernels.h"
#include "max_pool_kernels.h"

const fovea_kernel_table fovea_kernels_baseline = {
    .name = "baseline",
    .lanes = LANE_KERNELS,
    .loads = LOADS,
    .stores = STORES,
    .iota = iota,
    .folds = FOLDS,
    .row_folds = ROW_FOLDS,
    .max_pool_rows = max_pool_rows,
    .max_unpool_rows = max_unpool_rows,
    .max_unpool_planes = max_unpool_planes,
};
