// Rounding and splitting of float32 numbers into bfloat16 tiles. Included by the files whose functions are compiled for
// CPUs with AVX-512 and its bfloat16 conversions.
#ifndef FOVEA_BFLOAT16_PACKING_H
#define FOVEA_BFLOAT16_PACKING_H
#include <immintrin.h>
#include <stdint.h>

#include "bfloat16_tiles.h"

#define PACKING __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16"), min_vector_width(512)))
#define INLINE_PACKING PACKING static inline __attribute__((always_inline))

// 32 numbers: rounded, then what rounding left over, rounded as well, and so on.
typedef struct {
    __m512i terms[most_terms];
} split_numbers;

// Numbers of `a` and `b` in turn: a0 b0 a1 b1 …
INLINE_PACKING split_numbers split_pairs(__m512 a, __m512 b, int32_t terms) {
    const __m512i in_turn = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                             21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    split_numbers result = {};
#pragma clang loop unroll(full)
    for (int32_t term = 0; term < most_terms; term++) {
        if (term == terms) break;
        __m512i rounded = _mm512_permutexvar_epi16(in_turn, (__m512i)_mm512_cvtne2ps_pbh(b, a));
        result.terms[term] = rounded;
        __m512i of_b = _mm512_and_si512(rounded, _mm512_set1_epi32((int32_t)0xffff0000));
        a = _mm512_sub_ps(a, _mm512_castsi512_ps(_mm512_slli_epi32(rounded, 16)));
        b = _mm512_sub_ps(b, _mm512_castsi512_ps(of_b));
    }
    return result;
}

// Transposes a square of 16 by 16 words of 32 bits.
INLINE_PACKING void transpose(__m512i rows[16]) {
    __m512i step[16];
    for (int i = 0; i < 16; i += 2) {
        step[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
        step[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        rows[i] = _mm512_unpacklo_epi64(step[i], step[i + 2]);
        rows[i + 1] = _mm512_unpackhi_epi64(step[i], step[i + 2]);
        rows[i + 2] = _mm512_unpacklo_epi64(step[i + 1], step[i + 3]);
        rows[i + 3] = _mm512_unpackhi_epi64(step[i + 1], step[i + 3]);
    }
    // Now lane group g of rows[4q + c] has column 4g + c of rows 4q..<4q+4.
    for (int c = 0; c < 4; c++) {
        __m512i low = _mm512_shuffle_i32x4(rows[c], rows[4 + c], 0x44);
        __m512i high = _mm512_shuffle_i32x4(rows[c], rows[4 + c], 0xee);
        __m512i low_below = _mm512_shuffle_i32x4(rows[8 + c], rows[12 + c], 0x44);
        __m512i high_below = _mm512_shuffle_i32x4(rows[8 + c], rows[12 + c], 0xee);
        step[c] = _mm512_shuffle_i32x4(low, low_below, 0x88);
        step[4 + c] = _mm512_shuffle_i32x4(low, low_below, 0xdd);
        step[8 + c] = _mm512_shuffle_i32x4(high, high_below, 0x88);
        step[12 + c] = _mm512_shuffle_i32x4(high, high_below, 0xdd);
    }
    for (int i = 0; i < 16; i++) rows[i] = step[i];
}

// The first `count` of 16 numbers, then zeros; nothing beyond them is read.
INLINE_PACKING __m512 load_some(const float *numbers, int64_t count) {
    if (count >= 16) return _mm512_loadu_ps(numbers);
    return count <= 0 ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), numbers);
}

// Successive terms lie `term_bytes` apart.
INLINE_PACKING void store_split(uint8_t *to, int64_t term_bytes, split_numbers numbers, int32_t terms) {
#pragma clang loop unroll(full)
    for (int32_t term = 0; term < most_terms; term++) {
        if (term < terms) _mm512_storeu_si512(to + term * term_bytes, numbers.terms[term]);
    }
}

// Contiguous lines of numbers, of which `lines` lines with `count` numbers exist; zeros are packed for what is missing.
// The inner axis has the order 0 16 1 17 … 15 31 in both operands.
typedef struct {
    const float *start;
    int64_t line;  // floats from line to line
    int64_t lines, count;
} number_lines;

// Line `number`, with the numbers 16 further on.
INLINE_PACKING split_numbers split_line(number_lines from, int64_t number, int32_t terms) {
    int64_t count = number < from.lines ? from.count : 0;
    const float *line = from.start + number * from.line;
    return split_pairs(load_some(line, count), load_some(line + 16, count - 16), terms);
}

// Line `number`, with the line 16 further on.
INLINE_PACKING split_numbers split_lines(number_lines from, int64_t number, int32_t terms) {
    const float *line = from.start + number * from.line;
    __m512 a = load_some(line, number < from.lines ? from.count : 0);
    __m512 b = load_some(line + 16 * from.line, number + 16 < from.lines ? from.count : 0);
    return split_pairs(a, b, terms);
}

// Rows of a tile become its columns, by words of 32 bits.
INLINE_PACKING void store_transposed(uint8_t *to, int64_t term_bytes, split_numbers rows[16], int32_t terms) {
    for (int32_t term = 0; term < terms; term++, to += term_bytes) {
        __m512i words[16];
        for (int i = 0; i < 16; i++) words[i] = rows[i].terms[term];
        transpose(words);
        for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * tile_row_bytes, words[i]);
    }
}

// 16 lines of 32 numbers become rows of a left tile.
INLINE_PACKING void pack_left(number_lines from, uint8_t *to, int64_t term_bytes, int32_t terms) {
    for (int64_t i = 0; i < 16; i++) store_split(to + i * tile_row_bytes, term_bytes, split_line(from, i, terms), terms);
}

// 16 lines of 32 numbers become columns of a right tile.
INLINE_PACKING void pack_right_transposed(number_lines from, uint8_t *to, int64_t term_bytes, int32_t terms) {
    split_numbers rows[16];
    for (int64_t i = 0; i < 16; i++) rows[i] = split_line(from, i, terms);
    store_transposed(to, term_bytes, rows, terms);
}

// 32 lines of 16 numbers along the inner axis: a right tile as it is.
INLINE_PACKING void pack_right(number_lines from, uint8_t *to, int64_t term_bytes, int32_t terms) {
    for (int64_t i = 0; i < 16; i++) store_split(to + i * tile_row_bytes, term_bytes, split_lines(from, i, terms), terms);
}

// 32 lines of 16 numbers along the inner axis become columns of a left tile.
INLINE_PACKING void pack_left_transposed(number_lines from, uint8_t *to, int64_t term_bytes, int32_t terms) {
    split_numbers rows[16];
    for (int64_t i = 0; i < 16; i++) rows[i] = split_lines(from, i, terms);
    store_transposed(to, term_bytes, rows, terms);
}

#endif
