// Counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"),
// many blocks at a time.
#ifndef FOVEA_PHILOX_H
#define FOVEA_PHILOX_H
#include "kernel_table.h"
#include "vector_math.h"

enum {
    philox_rounds = 10,
    philox_sets = 4,  // of eight blocks; computed side by side, because each waits for its own products
    philox_lanes = 32 * philox_sets,
};

// What all blocks have in common, each word in both halves of 64 bits.
typedef struct {
    uint64_t keys[philox_rounds][2], stream, step[2];
} philox_schedule;

INLINE uint64_t twice(uint32_t word) { return (uint64_t)word << 32 | word; }

INLINE philox_schedule philox_prepared(const fovea_random_key *key) {
    philox_schedule schedule = {
        .stream = twice(key->stream), .step = {twice(key->step[0]), twice(key->step[1])}};
    uint32_t k0 = key->seed[0], k1 = key->seed[1];
    for (int round = 0; round < philox_rounds; round++) {
        schedule.keys[round][0] = twice(k0);
        schedule.keys[round][1] = twice(k1);
        k0 += 0x9e3779b9;
        k1 += 0xbb67ae85;
    }
    return schedule;
}

// The words of eight blocks, in the lower halves of 64 bits.
typedef struct {
    uints word[4];
} philox_blocks;

// Words are in the lower halves of 64 bits. What the upper halves hold does not matter, so products stay whole.
INLINE void philox(const longs index[philox_sets], const philox_schedule *schedule, philox_blocks out[philox_sets]) {
    const longs low = (longs){0} + 0xffffffff;
    longs c0[philox_sets], c1[philox_sets], c2[philox_sets], c3[philox_sets];
    for (int i = 0; i < philox_sets; i++) {
        c0[i] = index[i];
        c1[i] = (longs){0} + schedule->stream;
        c2[i] = (longs){0} + schedule->step[0];
        c3[i] = (longs){0} + schedule->step[1];
    }
#pragma clang loop unroll(full)
    for (int round = 0; round < philox_rounds; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < philox_sets; i++) {
            longs product0 = (c0[i] & low) * 0xd2511f53, product1 = (c2[i] & low) * 0xcd9e8d57;
            c0[i] = (product1 >> 32) ^ c1[i] ^ schedule->keys[round][0];
            c2[i] = (product0 >> 32) ^ c3[i] ^ schedule->keys[round][1];
            c1[i] = product1;
            c3[i] = product0;
        }
    }
    for (int i = 0; i < philox_sets; i++) {
        out[i] = (philox_blocks){{(uints)c0[i], (uints)c1[i], (uints)c2[i], (uints)c3[i]}};
    }
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

#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define PAIRED_LANES 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31

// The numbers that the words of eight blocks give, in the blocks' order.
INLINE void random_numbers(philox_blocks blocks, int normal, floats out[2]) {
    if (normal) {
        floats even, odd;
        normal_pair(__builtin_shufflevector(blocks.word[0], blocks.word[2], PAIRED_LANES),
                    __builtin_shufflevector(blocks.word[1], blocks.word[3], PAIRED_LANES), &even, &odd);
        out[0] = __builtin_shufflevector(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        out[1] = __builtin_shufflevector(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    } else {
        longs first = (longs)__builtin_shufflevector(blocks.word[0], blocks.word[1], PAIRED_LANES);
        longs second = (longs)__builtin_shufflevector(blocks.word[2], blocks.word[3], PAIRED_LANES);
        out[0] = unit_interval((uints)__builtin_shufflevector(first, second, 0, 8, 1, 9, 2, 10, 3, 11));
        out[1] = unit_interval((uints)__builtin_shufflevector(first, second, 4, 12, 5, 13, 6, 14, 7, 15));
    }
}

// The numbers at 16 indices, a block for each.
INLINE floats scattered_random_numbers(uints index, int normal, const philox_schedule *schedule) {
    uints block = index >> 2, none = {0};
    longs halves[philox_sets] = {
        (longs)__builtin_shufflevector(block, none, 0, 16, 1, 16, 2, 16, 3, 16, 4, 16, 5, 16, 6, 16, 7, 16),
        (longs)__builtin_shufflevector(block, none, 8, 16, 9, 16, 10, 16, 11, 16, 12, 16, 13, 16, 14, 16, 15, 16)};
    philox_blocks b[philox_sets];
    philox(halves, schedule, b);
    ints is_odd = (ints)(index & 1) != 0, is_second = (ints)(index & 2) != 0;
    ints words[4];
    for (int j = 0; j < 4; j++) {
        words[j] = (ints)__builtin_shufflevector(b[0].word[j], b[1].word[j], EVEN_LANES);
    }
    ints even = choose_int(is_second, words[2], words[0]), odd = choose_int(is_second, words[3], words[1]);
    if (!normal) return unit_interval((uints)choose_int(is_odd, odd, even));
    floats cosines, sines;
    normal_pair((uints)even, (uints)odd, &cosines, &sines);
    return choose(is_odd, sines, cosines);
}

// Indices that fill whole blocks, which is what a dense tensor gives, cost one block per four lanes; others cost one
// block per lane.
INLINE void random_lanes(int64_t count, float *d, fovea_source a, const fovea_random_key *key, int normal) {
    const ints phase = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
    const philox_schedule schedule = philox_prepared(key);
    const int32_t *indices = a.lanes;
    int64_t i = 0;
    for (; a.step && i + philox_lanes <= count; i += philox_lanes) {
        ints first[2 * philox_sets], unequal = {0};
        longs blocks[philox_sets];
        for (int q = 0; q < 2 * philox_sets; q++) {
            first[q] = load_ints(indices + i + 16 * q) - phase;
            ints same = __builtin_shufflevector(first[q], first[q], 0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
            unequal |= (first[q] ^ same) | (first[q] & 3);
        }
        if (any(unequal)) break;
        for (int q = 0; q < philox_sets; q++) {
            longs low = (longs)first[2 * q], high = (longs)first[2 * q + 1];
            blocks[q] = (__builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14) & 0xffffffff) >> 2;
        }
        philox_blocks words[philox_sets];
        philox(blocks, &schedule, words);
#pragma clang loop unroll(full)
        for (int q = 0; q < philox_sets; q++) {
            floats numbers[2];
            random_numbers(words[q], normal, numbers);
            store_floats(d + i + 32 * q, numbers[0]);
            store_floats(d + i + 32 * q + 16, numbers[1]);
        }
    }
    for (; i < count; i += 16) {
        uints index = (uints)load_ints(indices + (a.step ? i : 0));
        store_floats(d + i, scattered_random_numbers(index, normal, &schedule));
    }
}

#undef EVEN_LANES
#undef ODD_LANES
#undef PAIRED_LANES
#endif
