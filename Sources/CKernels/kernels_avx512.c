// The kernels for CPUs with AVX-512. System headers come first, so that only the kernels get the attributes.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define FOVEA_HAS_RSQRT14
#define FOVEA_WIDE_REGISTERS  // 32 of 16 lanes
#define FEATURES "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,bmi2"
#pragma clang attribute push(__attribute__((target(FEATURES))), apply_to = function)
#pragma clang attribute push(__attribute__((min_vector_width(512))), apply_to = function)
#include "kernels.h"
#pragma clang attribute pop
#pragma clang attribute pop

const fovea_kernel_table fovea_kernels_avx512 = KERNEL_TABLE("avx512");
#endif
