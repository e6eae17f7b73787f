// The kernels for CPUs with AVX2. System headers come first, so that only the kernels get the attributes.
#if defined(__x86_64__)
#include <math.h>
#include <stdint.h>
#include <string.h>

#define FEATURES "avx2,fma,bmi2"
#pragma clang attribute push(__attribute__((target(FEATURES))), apply_to = function)
#pragma clang attribute push(__attribute__((min_vector_width(256))), apply_to = function)
#include "kernels.h"
#pragma clang attribute pop
#pragma clang attribute pop

const fovea_kernel_table fovea_kernels_avx2 = KERNEL_TABLE("avx2");
#endif
