// One function per instruction, load and store. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_LANE_KERNELS_H
#define FOVEA_LANE_KERNELS_H
#include <string.h>

#include "kernel_table.h"
#include "philox.h"
#include "vector_math.h"
#include "vector_power.h"

// Loops over groups of lanes, where x, y and z are the groups of a, b and c.
#define LANE_FUNCTION(name) \
    static void lanes_##name(int64_t count, void *d, fovea_source a, fovea_source b, fovea_source c)
#define STORE_GROUP(result) store_ints((int32_t *)d + i, (ints)(result))
#define UNARY_OVER(type, name, result)                                        \
    LANE_FUNCTION(name) {                                                     \
        const int32_t *pa = a.lanes;                                          \
        for (int64_t i = 0; i < count; i += fovea_lane_group, pa += a.step) { \
            type x = load_##type(pa);                                         \
            STORE_GROUP(result);                                              \
        }                                                                     \
    }
#define BINARY_OVER(type, name, result)                                                     \
    LANE_FUNCTION(name) {                                                                   \
        const int32_t *pa = a.lanes, *pb = b.lanes;                                         \
        for (int64_t i = 0; i < count; i += fovea_lane_group, pa += a.step, pb += b.step) { \
            type x = load_##type(pa), y = load_##type(pb);                                  \
            STORE_GROUP(result);                                                            \
        }                                                                                   \
    }
#define UNARY(name, result) UNARY_OVER(floats, name, result)
#define UNARY_I(name, result) UNARY_OVER(ints, name, result)
#define BINARY(name, result) BINARY_OVER(floats, name, result)
#define BINARY_I(name, result) BINARY_OVER(ints, name, result)

INLINE ints truncated(floats x) {
    ints large = x >= 2147483648.0f, fits = (x > -2147483648.0f) & (x < 2147483648.0f);
    ints whole = __builtin_convertvector(choose(fits, x, splat(0.0f)), ints);
    whole = choose_int(large, splat_int(INT32_MAX), whole);
    return choose_int(x <= -2147483648.0f, splat_int(INT32_MIN), whole);
}

// The bits of the nearest bfloat16, in the upper half.
INLINE uints rounded_bfloat16(floats x) {
    uints bits = (uints)x;
    uints rounded = bits + 0x7fff + ((bits >> 16) & 1);
    return (uints)choose_int(x != x, (ints)(bits | 0x400000), (ints)rounded) & 0xffff0000;
}

INLINE int32_t quotient(int32_t x, int32_t y) {
    if (y == 0) return 0;
    return y == -1 ? (int32_t)(0u - (uint32_t)x) : x / y;
}
INLINE ints quotients(ints x, ints y) {
    ints q = {0};
    for (int i = 0; i < fovea_lane_group; i++) q[i] = quotient(x[i], y[i]);
    return q;
}

UNARY_I(FLOAT_FROM_INT, __builtin_convertvector(x, floats))
UNARY(INT_FROM_FLOAT, truncated(x))
UNARY(ROUND_BFLOAT16, rounded_bfloat16(x))

UNARY(NEGATE, (ints)x ^ INT32_MIN)
UNARY(ABS, absolute(x))
UNARY(SIGN, choose((x == 0.0f) | (x != x), x, with_sign_of(splat(1.0f), x)))
UNARY(EXP, vector_exp(x))
UNARY(EXPM1, vector_expm1(x))
UNARY(LOG, vector_log(x))
UNARY(LOG1P, vector_log1p(x))
UNARY(SQRT, square_root(x))
UNARY(RSQRT, 1.0f / square_root(x))
UNARY(RECIPROCAL, 1.0f / x)
UNARY(TANH, vector_tanh(x))
UNARY(SIGMOID, vector_sigmoid(x))
UNARY(ERF, vector_erf(x))
UNARY(SIN, vector_sin(x))
UNARY(COS, vector_cos(x))
UNARY(FLOOR, __builtin_elementwise_floor(x))
UNARY(RELU, choose(x < 0.0f, splat(0.0f), x))

UNARY_I(NEGATE_I, 0u - (uints)x)
UNARY_I(ABS_I, choose_int(x < 0, (ints)(0u - (uints)x), x))
UNARY_I(SIGN_I, (x < 0) - (x > 0))
UNARY_I(RELU_I, choose_int(x < 0, splat_int(0), x))

BINARY(ADD, x + y)
BINARY(SUBTRACT, x - y)
BINARY(MULTIPLY, x *y)
BINARY(DIVIDE, x / y)
BINARY(MAXIMUM, choose((x > y) | (x != x), x, y))
BINARY(MINIMUM, choose((x < y) | (x != x), x, y))
BINARY(POWER, vector_power(x, y))

BINARY_I(ADD_I, (uints)x + (uints)y)
BINARY_I(SUBTRACT_I, (uints)x - (uints)y)
BINARY_I(MULTIPLY_I, (uints)x *(uints)y)
BINARY_I(DIVIDE_I, quotients(x, y))
BINARY_I(MAXIMUM_I, choose_int(x > y, x, y))
BINARY_I(MINIMUM_I, choose_int(x < y, x, y))

BINARY(EQUAL, (x == y) & 1)
BINARY(NOT_EQUAL, (x != y) & 1)
BINARY(LESS, (x < y) & 1)
BINARY(LESS_EQUAL, (x <= y) & 1)
BINARY(GREATER, (x > y) & 1)
BINARY(GREATER_EQUAL, (x >= y) & 1)
BINARY_I(EQUAL_I, (x == y) & 1)
BINARY_I(NOT_EQUAL_I, (x != y) & 1)
BINARY_I(LESS_I, (x < y) & 1)
BINARY_I(LESS_EQUAL_I, (x <= y) & 1)
BINARY_I(GREATER_I, (x > y) & 1)
BINARY_I(GREATER_EQUAL_I, (x >= y) & 1)

LANE_FUNCTION(SELECT) {
    const int32_t *pa = a.lanes, *pb = b.lanes, *pc = c.lanes;
    for (int64_t i = 0; i < count; i += fovea_lane_group, pa += a.step, pb += b.step, pc += c.step) {
        STORE_GROUP(choose_int(load_ints(pa) != 0, load_ints(pb), load_ints(pc)));
    }
}

LANE_FUNCTION(RANDOM_UNIFORM) { random_lanes(count, d, a, b.lanes, 0); }
LANE_FUNCTION(RANDOM_NORMAL) { random_lanes(count, d, a, b.lanes, 1); }

static void iota(int32_t *lanes, int64_t start, fovea_block block) {
    const uints order = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uints steps = order * (uint32_t)block.stride;
    if (block.count == fovea_lane_group) {
        uints value = steps + (uint32_t)start;
        for (int64_t row = 0; row < block.rows; row++) {
            store_ints(lanes + row * fovea_lane_group, (ints)value);
            value += (uint32_t)block.row_stride;
        }
        return;
    }
    for (int64_t row = 0; row < block.rows; row++, start += block.row_stride, lanes += block.count) {
        uints value = steps + (uint32_t)start;
        for (int64_t i = 0; i < block.count; i += fovea_lane_group) {
            store_ints(lanes + i, (ints)value);
            value += (uint32_t)block.stride * fovea_lane_group;
        }
    }
}

typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint16_t shorts __attribute__((vector_size(32)));
typedef bytes unaligned_bytes __attribute__((aligned(1)));
typedef shorts unaligned_shorts __attribute__((aligned(2)));

INLINE void fill_groups(int32_t *lanes, int32_t value, int64_t count) {
    for (int64_t i = 0; i < count; i += fovea_lane_group) store_ints(lanes + i, splat_int(value));
}

// Every third of the 48 elements of three vectors: one channel of colour images.
#define EVERY_THIRD(x, y, z)                                                                                     \
    __builtin_shufflevector(__builtin_shufflevector(x, y, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0), \
                            z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29)

// Loads. VECTOR converts the 16 elements x, SCALAR the element at p.
#define LOAD(name, element, raw_vector, vector, scalar)                                                           \
    INLINE ints widened_##name(raw_vector x) { return vector; }                                                   \
    INLINE void load_row_##name(int32_t *lanes, const element *p, int64_t stride, int64_t count) {                \
        if (stride == 0) {                                                                                        \
            fill_groups(lanes, scalar, count);                                                                    \
            return;                                                                                               \
        }                                                                                                         \
        int64_t i = 0;                                                                                            \
        if (stride == 1) {                                                                                        \
            for (; i + fovea_lane_group <= count; i += fovea_lane_group, p += fovea_lane_group) {                 \
                store_ints(lanes + i, widened_##name(*(const raw_vector *)p));                                    \
            }                                                                                                     \
        } else if (stride == 3) {                                                                                 \
            /* One element more than is loaded, so that the third vector does not end behind the last. */         \
            for (; i + fovea_lane_group < count; i += fovea_lane_group, p += 3 * fovea_lane_group) {              \
                const raw_vector *q = (const raw_vector *)p;                                                      \
                store_ints(lanes + i, widened_##name(EVERY_THIRD(q[0], q[1], q[2])));                             \
            }                                                                                                     \
        }                                                                                                         \
        for (; i < count; i++, p += stride) lanes[i] = scalar;                                                    \
    }                                                                                                             \
    static void load_##name(int32_t *lanes, const void *source, fovea_block block) {                              \
        for (int64_t row = 0; row < block.rows; row++) {                                                          \
            const element *p = (const element *)source + row * block.row_stride;                                  \
            load_row_##name(lanes + row * block.count, p, block.stride, block.count);                             \
        }                                                                                                         \
    }
LOAD(words, int32_t, unaligned_ints, x, *p)
LOAD(bfloat16, uint16_t, unaligned_shorts, (ints)(__builtin_convertvector(x, uints) << 16),
     (int32_t)((uint32_t)*p << 16))
LOAD(uint8, uint8_t, unaligned_bytes, __builtin_convertvector(x, ints), *p)
LOAD(bool, uint8_t, unaligned_bytes, (__builtin_convertvector(x, ints) != 0) & 1, *p != 0)

// Stores. VECTOR converts 16 lanes x; a shorter run goes through a group of elements.
#define STORE(name, element, vector_type, converted)                                                     \
    INLINE vector_type converted_##name(ints x) { return converted; }                                    \
    INLINE void store_row_##name(element *p, const int32_t *lanes, int64_t stride, int64_t count) {      \
        int64_t i = 0;                                                                                   \
        if (stride == 1) {                                                                               \
            for (; i + fovea_lane_group <= count; i += fovea_lane_group, p += fovea_lane_group) {        \
                vector_type y = converted_##name(load_ints(lanes + i));                                  \
                memcpy(p, &y, sizeof y);                                                                 \
            }                                                                                            \
        }                                                                                                \
        while (i < count) {                                                                              \
            vector_type y = converted_##name(load_ints(lanes + i));                                      \
            int64_t rest = count - i < fovea_lane_group ? count - i : fovea_lane_group;                  \
            for (int64_t j = 0; j < rest; j++, p += stride) *p = ((const element *)&y)[j];               \
            i += rest;                                                                                   \
        }                                                                                                \
    }                                                                                                    \
    static void store_##name(void *destination, const int32_t *lanes, fovea_block block) {               \
        for (int64_t row = 0; row < block.rows; row++) {                                                 \
            element *p = (element *)destination + row * block.row_stride;                                \
            store_row_##name(p, lanes + row * block.count, block.stride, block.count);                   \
        }                                                                                                \
    }
STORE(words, int32_t, ints, x)
STORE(bfloat16, uint16_t, shorts, __builtin_convertvector(rounded_bfloat16((floats)x) >> 16, shorts))
STORE(uint8, uint8_t, bytes, __builtin_convertvector((uints)x & 0xff, bytes))
STORE(bool, uint8_t, bytes, __builtin_convertvector((uints)(x != 0) & 1, bytes))

#define ENTRY(name) [FOVEA_OP_##name] = lanes_##name
#define LANE_KERNELS                                                                                              \
    {ENTRY(FLOAT_FROM_INT), ENTRY(INT_FROM_FLOAT), ENTRY(ROUND_BFLOAT16), ENTRY(NEGATE), ENTRY(ABS), ENTRY(SIGN), \
     ENTRY(EXP), ENTRY(EXPM1), ENTRY(LOG), ENTRY(LOG1P), ENTRY(SQRT), ENTRY(RSQRT), ENTRY(RECIPROCAL),            \
     ENTRY(TANH), ENTRY(SIGMOID), ENTRY(ERF), ENTRY(SIN), ENTRY(COS), ENTRY(FLOOR), ENTRY(RELU), ENTRY(NEGATE_I), \
     ENTRY(ABS_I), ENTRY(SIGN_I), ENTRY(RELU_I), ENTRY(ADD), ENTRY(SUBTRACT), ENTRY(MULTIPLY), ENTRY(DIVIDE),     \
     ENTRY(MAXIMUM), ENTRY(MINIMUM), ENTRY(POWER), ENTRY(ADD_I), ENTRY(SUBTRACT_I), ENTRY(MULTIPLY_I),            \
     ENTRY(DIVIDE_I), ENTRY(MAXIMUM_I), ENTRY(MINIMUM_I), ENTRY(EQUAL), ENTRY(NOT_EQUAL), ENTRY(LESS),            \
     ENTRY(LESS_EQUAL), ENTRY(GREATER), ENTRY(GREATER_EQUAL), ENTRY(EQUAL_I), ENTRY(NOT_EQUAL_I), ENTRY(LESS_I),  \
     ENTRY(LESS_EQUAL_I), ENTRY(GREATER_I), ENTRY(GREATER_EQUAL_I), ENTRY(SELECT), ENTRY(RANDOM_UNIFORM),         \
     ENTRY(RANDOM_NORMAL)}
#define LOADS                                                                                    \
    {[FOVEA_FLOAT32] = load_words, [FOVEA_BFLOAT16] = load_bfloat16, [FOVEA_INT32] = load_words, \
     [FOVEA_UINT8] = load_uint8, [FOVEA_BOOL] = load_bool}
#define STORES                                                                                      \
    {[FOVEA_FLOAT32] = store_words, [FOVEA_BFLOAT16] = store_bfloat16, [FOVEA_INT32] = store_words, \
     [FOVEA_UINT8] = store_uint8, [FOVEA_BOOL] = store_bool}

#endif
