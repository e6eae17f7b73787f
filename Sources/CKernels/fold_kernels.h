// Sums and maxima in 64-bit accumulators. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_FOLD_KERNELS_H
#define FOVEA_FOLD_KERNELS_H
#include <string.h>

#include "kernel_table.h"
#include "vector_math.h"
#include "vector_power.h"

typedef half_floats unaligned_half_floats __attribute__((aligned(4)));
typedef half_ints unaligned_half_ints __attribute__((aligned(4)));

INLINE doubles sum_doubles(doubles a, doubles x) { return a + x; }
INLINE double sum_double(double a, double x) { return a + x; }
INLINE long_ints sum_longs(long_ints a, long_ints x) { return a + x; }
INLINE int64_t sum_long(int64_t a, int64_t x) { return a + x; }
INLINE doubles max_doubles(doubles a, doubles x) {
    long_ints take = (x > a) | (x != x);
    return (doubles)((take & (long_ints)x) | (~take & (long_ints)a));
}
INLINE double max_double(double a, double x) { return x > a || x != x ? x : a; }
INLINE long_ints max_longs(long_ints a, long_ints x) {
    long_ints take = x > a;
    return (take & x) | (~take & a);
}
INLINE int64_t max_long(int64_t a, int64_t x) { return x > a ? x : a; }

// WIDE is a vector of 8 accumulators of type ACCUMULATOR, HALF the vector of the 8 elements that go into it.
#define FOLD(name, element, member, accumulator_type, wide, half, combine_wide, combine, identity)                   \
    INLINE wide name##_widened(const element *p) {                                                                   \
        return __builtin_convertvector(*(const unaligned_##half *)p, wide);                                          \
    }                                                                                                                \
    static void fold_##name(fovea_accumulator *accumulator, const void *source, int64_t stride, int64_t count) {     \
        const element *p = source;                                                                                   \
        accumulator_type total = accumulator->member;                                                                \
        int64_t i = 0;                                                                                               \
        if (stride == 1 && count >= 8) {                                                                             \
            wide sums[4];                                                                                            \
            for (int j = 0; j < 4; j++) sums[j] = (identity) - (wide){0};                                            \
            for (; i + 32 <= count; i += 32) {                                                                       \
                for (int j = 0; j < 4; j++) sums[j] = combine_wide(sums[j], name##_widened(p + i + 8 * j));          \
            }                                                                                                        \
            for (; i + 8 <= count; i += 8) sums[0] = combine_wide(sums[0], name##_widened(p + i));                   \
            wide sum = combine_wide(combine_wide(sums[0], sums[1]), combine_wide(sums[2], sums[3]));                 \
            for (int j = 0; j < 8; j++) total = combine(total, sum[j]);                                              \
        }                                                                                                            \
        for (; i < count; i++) total = combine(total, p[i * stride]);                                                \
        accumulator->member = total;                                                                                 \
    }                                                                                                                \
    INLINE void name##_rows(fovea_accumulator *accumulators, const element *p, int64_t stride, int64_t count,        \
                            const int vectors) {                                                                     \
        wide sums[fovea_strip_columns / 8];                                                                          \
        memcpy(sums, accumulators, sizeof(wide) * vectors);                                                          \
        for (int64_t i = 0; i < count; i++, p += stride) {                                                           \
            for (int j = 0; j < vectors; j++) sums[j] = combine_wide(sums[j], name##_widened(p + 8 * j));            \
        }                                                                                                            \
        memcpy(accumulators, sums, sizeof(wide) * vectors);                                                          \
    }                                                                                                                \
    static void fold_rows_##name(fovea_accumulator *accumulators, const void *source, int64_t stride,                \
                                 int64_t count, int64_t width) {                                                     \
        const element *p = source;                                                                                   \
        int64_t column = 0;                                                                                          \
        for (; column + 64 <= width; column += 64) name##_rows(accumulators + column, p + column, stride, count, 8); \
        for (; column + 16 <= width; column += 16) name##_rows(accumulators + column, p + column, stride, count, 2); \
        for (; column + 8 <= width; column += 8) name##_rows(accumulators + column, p + column, stride, count, 1);   \
        if (column == width) return;                                                                                 \
        for (int64_t i = 0; i < count; i++, p += stride) {                                                           \
            _Pragma("clang loop vectorize(disable)")                                                                 \
            for (int64_t j = column; j < width; j++) {                                                               \
                accumulators[j].member = combine(accumulators[j].member, p[j]);                                      \
            }                                                                                                        \
        }                                                                                                            \
    }

FOLD(sum, float, real, double, doubles, half_floats, sum_doubles, sum_double, 0.0)
FOLD(sum_i, int32_t, integer, int64_t, long_ints, half_ints, sum_longs, sum_long, (int64_t)0)
FOLD(max, float, real, double, doubles, half_floats, max_doubles, max_double, (double)-INFINITY)
FOLD(max_i, int32_t, integer, int64_t, long_ints, half_ints, max_longs, max_long, (int64_t)INT32_MIN)

// Four groups at a time are added in 32 bits, which rounds twice, and then in 64 bits.
static void sum_groups(fovea_accumulator *totals, const float *lanes, int64_t groups) {
    doubles lower, upper;
    memcpy(&lower, totals, sizeof lower);
    memcpy(&upper, totals + 8, sizeof upper);
    int64_t i = 0;
    for (; i + 4 <= groups; i += 4, lanes += 4 * fovea_lane_group) {
        floats a = load_floats(lanes), b = load_floats(lanes + fovea_lane_group);
        floats c = load_floats(lanes + 2 * fovea_lane_group), d = load_floats(lanes + 3 * fovea_lane_group);
        floats sum = (a + b) + (c + d);
        lower += lower_half(sum);
        upper += upper_half(sum);
    }
    for (; i < groups; i++, lanes += fovea_lane_group) {
        floats x = load_floats(lanes);
        lower += lower_half(x);
        upper += upper_half(x);
    }
    memcpy(totals, &lower, sizeof lower);
    memcpy(totals + 8, &upper, sizeof upper);
}

#define FOLDS                                                                                   \
    {[FOVEA_FOLD_SUM] = fold_sum, [FOVEA_FOLD_SUM_I] = fold_sum_i, [FOVEA_FOLD_MAX] = fold_max, \
     [FOVEA_FOLD_MAX_I] = fold_max_i}
#define ROW_FOLDS                                                            \
    {[FOVEA_FOLD_SUM] = fold_rows_sum, [FOVEA_FOLD_SUM_I] = fold_rows_sum_i, \
     [FOVEA_FOLD_MAX] = fold_rows_max, [FOVEA_FOLD_MAX_I] = fold_rows_max_i}

#endif
