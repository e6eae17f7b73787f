// Two arrays made one, and one rectified or looked through. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_COMBINE_KERNELS_H
#define FOVEA_COMBINE_KERNELS_H
#include "kernel_table.h"
#include "vector_math.h"

INLINE floats rectified(floats x) { return choose(x < 0.0f, splat(0.0f), x); }

#define COMBINE_LOOPS(result)                                                                  \
    if (relu) {                                                                                \
        for (int64_t i = 0; i < count; i += fovea_lane_group) {                                \
            floats x = load_floats(a + i), y = load_floats(b + i);                             \
            store_floats(c + i, rectified(result));                                            \
        }                                                                                      \
    } else {                                                                                   \
        for (int64_t i = 0; i < count; i += fovea_lane_group) {                                \
            floats x = load_floats(a + i), y = load_floats(b + i);                             \
            store_floats(c + i, result);                                                       \
        }                                                                                      \
    }

// Whole groups of lanes.
static void combine(fovea_opcode kind, int32_t relu, int64_t count, const float *a, const float *b, float *c) {
    switch (kind) {
    case FOVEA_OP_ADD: COMBINE_LOOPS(x + y) break;
    case FOVEA_OP_MULTIPLY: COMBINE_LOOPS(x * y) break;
    case FOVEA_OP_MAXIMUM: COMBINE_LOOPS(choose((x > y) | (x != x), x, y)) break;
    default: break;
    }
}

// Whole groups of lanes.
static void rectify(int64_t count, float ceiling, float *x) {
    const floats highest = splat(ceiling);
    for (int64_t i = 0; i < count; i += fovea_lane_group) {
        const floats y = rectified(load_floats(x + i));
        store_floats(x + i, choose(y > highest, highest, y));
    }
}

// Whole groups of lanes.
static int32_t is_bounded(int64_t count, const float *x) {
    const floats largest = splat(0x1p48f);
    ints within = splat_int(-1);
    for (int64_t i = 0; i < count; i += fovea_lane_group) within &= absolute(load_floats(x + i)) <= largest;
    return !any(~within);
}

#endif
