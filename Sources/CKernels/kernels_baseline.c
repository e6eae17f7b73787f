#include "kernels.h"

const fovea_kernel_table fovea_kernels_baseline = KERNEL_TABLE("baseline");
