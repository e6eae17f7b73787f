// Counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"),
// 16 blocks at a time.
#ifndef FOVEA_PHILOX_H
#define FOVEA_PHILOX_H
#include "kernel_table.h"
#include "vector_math.h"

typedef struct {
    uints word[4];
} philox_blocks;

// The 64-bit products of 32-bit lanes and a constant, as high and low halves.
INLINE uints multiply_wide(uints x, uint64_t factor, uints *high) {
    longs even = ((longs)x & 0xffffffff) * factor, odd = ((longs)x >> 32) * factor;
    *high = (uints)((even >> 32) | (odd & 0xffffffff00000000));
    return x * (uint32_t)factor;
}

INLINE philox_blocks philox(uints index, const fovea_random_key *key) {
    uints zero = {0};
    uints c0 = index, c1 = zero + key->stream, c2 = zero + key->step[0], c3 = zero + key->step[1];
    uint32_t k0 = key->seed[0], k1 = key->seed[1];
    for (int round = 0; round < 10; round++) {
        uints high0, high1;
        uints low0 = multiply_wide(c0, 0xd2511f53, &high0), low1 = multiply_wide(c2, 0xcd9e8d57, &high1);
        c0 = high1 ^ c1 ^ k0;
        c2 = high0 ^ c3 ^ k1;
        c1 = low1;
        c3 = low0;
        k0 += 0x9e3779b9;
        k1 += 0xbb67ae85;
    }
    return (philox_blocks){{c0, c1, c2, c3}};
}

// (word >> 8) 2^-24
INLINE floats unit_interval(uints word) {
    return __builtin_convertvector((ints)(word >> 8), floats) * 5.9604645e-8f;
}

// The pair of normal numbers that Box and Muller's transform makes of two words.
INLINE void normal_pair(uints w0, uints w1, floats *even, floats *odd) {
    floats u = __builtin_convertvector((ints)(w0 >> 8) + 1, floats) * 5.9604645e-8f;
    floats radius = square_root(vector_log(u) * -2.0f);
    ints quadrant;
    floats turns = unit_interval(w1) * 4.0f;
    floats r = (turns - nearest(turns, &quadrant)) * 1.57079633f;
    floats sine = sine_series(r), cosine = cosine_series(r);
    *even = radius * rotated_sine(quadrant + 1, sine, cosine);
    *odd = radius * rotated_sine(quadrant, sine, cosine);
}

INLINE void random_numbers(philox_blocks blocks, int normal, floats out[4]) {
    if (normal) {
        normal_pair(blocks.word[0], blocks.word[1], &out[0], &out[1]);
        normal_pair(blocks.word[2], blocks.word[3], &out[2], &out[3]);
    } else {
        for (int j = 0; j < 4; j++) out[j] = unit_interval(blocks.word[j]);
    }
}

// Stores lanes 16 Q ..< 16 Q + 16 of 16 blocks laid out one after the other.
#define STORE_QUARTER(d, v, Q)                                                                                         \
    do {                                                                                                               \
        half_lanes a = __builtin_shufflevector(v[0], v[1], 4 * Q, 16 + 4 * Q, 4 * Q + 1, 17 + 4 * Q, 4 * Q + 2,        \
                                               18 + 4 * Q, 4 * Q + 3, 19 + 4 * Q);                                     \
        half_lanes b = __builtin_shufflevector(v[2], v[3], 4 * Q, 16 + 4 * Q, 4 * Q + 1, 17 + 4 * Q, 4 * Q + 2,        \
                                               18 + 4 * Q, 4 * Q + 3, 19 + 4 * Q);                                     \
        store_floats(d + 16 * Q, __builtin_shufflevector(a, b, 0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15)); \
    } while (0)

// Indices that fill whole blocks, which is what a dense tensor gives, cost one block per four lanes; others cost one
// block per lane.
INLINE void random_lanes(int64_t count, float *d, fovea_source a, const fovea_random_key *key, int normal) {
    typedef float half_lanes __attribute__((vector_size(32)));
    const ints phase = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
    const int32_t *indices = a.lanes;
    int64_t i = 0;
    if (a.step) {
        for (; i + 64 <= count; i += 64) {
            ints x[4], whole = splat_int(-1);
            for (int q = 0; q < 4; q++) {
                x[q] = load_ints(indices + i + 16 * q);
                ints first = __builtin_shufflevector(x[q], x[q], 0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
                whole &= (x[q] == (first | phase)) & ((first & 3) == 0);
            }
            if (any(~whole)) break;
            ints left = __builtin_shufflevector(x[0], x[1], 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
            ints right = __builtin_shufflevector(x[2], x[3], 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
            ints index = __builtin_shufflevector(left, right, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
            floats v[4];
            random_numbers(philox((uints)index >> 2, key), normal, v);
            STORE_QUARTER((d + i), v, 0);
            STORE_QUARTER((d + i), v, 1);
            STORE_QUARTER((d + i), v, 2);
            STORE_QUARTER((d + i), v, 3);
        }
    }
    for (; i < count; i += 16) {
        ints x = load_ints(indices + (a.step ? i : 0));
        floats v[4];
        random_numbers(philox((uints)x >> 2, key), normal, v);
        floats low = choose((x & 1) != 0, v[1], v[0]), high = choose((x & 1) != 0, v[3], v[2]);
        store_floats(d + i, choose((x & 2) != 0, high, low));
    }
}

#endif
