// Rows of max-pooling. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_MAX_POOL_KERNELS_H
#define FOVEA_MAX_POOL_KERNELS_H
#include <string.h>

#include "fovea_max_pool.h"
#include "kernel_table.h"
#include "vector_math.h"

typedef uint8_t bytes __attribute__((vector_size(16)));
typedef bytes unaligned_bytes __attribute__((aligned(1)));

// The part of a window that lies inside the images, along one axis.
typedef struct {
    int64_t start;        // place in the image of the window's first element, perhaps negative
    int64_t first, last;  // elements of the window: first..<last
} pool_span;

INLINE pool_span span_of(const fovea_max_pool *pool, int axis, int64_t place) {
    int64_t extent = axis ? pool->width : pool->height;
    pool_span span = {place * pool->strides[axis] - pool->padding[axis], 0, pool->window[axis]};
    if (span.start < 0) span.first = -span.start;
    if (span.start + span.last > extent) span.last = extent - span.start;
    return span;
}

// Lanes at the end of a row that do not fill a group are moved through buffers of a whole group.
INLINE ints load_some_bytes(const uint8_t *p, int64_t count) {
    bytes lanes = {0};
    if (count >= fovea_lane_group) {
        lanes = *(const unaligned_bytes *)p;
    } else {
        memcpy(&lanes, p, (size_t)count);
    }
    return __builtin_convertvector(lanes, ints);
}
INLINE void store_some_bytes(uint8_t *p, ints x, int64_t count) {
    bytes lanes = __builtin_convertvector(x, bytes);
    if (count >= fovea_lane_group) {
        *(unaligned_bytes *)p = lanes;
    } else {
        memcpy(p, &lanes, (size_t)count);
    }
}

INLINE ints load_some_ints(const int32_t *p, int64_t count) { return (ints)load_some_floats((const float *)p, count); }
INLINE void store_some_ints(int32_t *p, ints x, int64_t count) { store_some_floats((float *)p, (floats)x, count); }

// Winners from place `at`, of as many bytes each as fovea_max_pool_winner_bytes says.
INLINE ints load_winners(const void *winners, int64_t at, int64_t count, int32_t bytes) {
    return bytes == 1 ? load_some_bytes((const uint8_t *)winners + at, count)
                      : load_some_ints((const int32_t *)winners + at, count);
}
INLINE void store_winners(void *winners, int64_t at, ints places, int64_t count, int32_t bytes) {
    if (bytes == 1) {
        store_some_bytes((uint8_t *)winners + at, places, count);
    } else {
        store_some_ints((int32_t *)winners + at, places, count);
    }
}

// The winners among the elements under a window, for up to a group of lanes, and what they are.
INLINE ints winners_of(const fovea_max_pool *pool, const float *plane, pool_span rows, pool_span columns, int64_t lane,
                       int64_t count, const int sees_nan, floats *largest, ints *is_nan) {
    floats best = {0};
    ints place = {0}, found_nan = {0};
    int is_first = 1;
    for (int64_t row = rows.first; row < rows.last; row++) {
        const float *p = plane + ((rows.start + row) * pool->width + columns.start + columns.first) * pool->lanes + lane;
        int32_t number = (int32_t)(row * pool->window[1] + columns.first);
        for (int64_t column = columns.first; column < columns.last; column++, p += pool->lanes, number++) {
            floats x = load_some_floats(p, count);
            found_nan |= x != x;
            if (is_first) {
                best = x;
                place = splat_int(number);
                is_first = 0;
            } else {
                ints wins = x > best;
                // The first NaN counts as largest.
                if (sees_nan) wins |= (x != x) & (best == best);
                best = choose(wins, x, best);
                place = choose_int(wins, splat_int(number), place);
            }
        }
    }
    *largest = best;
    *is_nan = found_nan;
    return place;
}

// One result for up to a group of lanes. Returns the winners.
INLINE ints pool_one(const fovea_max_pool *pool, const float *plane, pool_span rows, pool_span columns, int64_t lane,
                     int64_t count, float *pooled) {
    floats best;
    ints is_nan;
    ints place = winners_of(pool, plane, rows, columns, lane, count, 0, &best, &is_nan);
    if (any(is_nan)) place = winners_of(pool, plane, rows, columns, lane, count, 1, &best, &is_nan);
    if (pool->is_rectified) {
        place = choose_int(best > 0.0f, place, splat_int(-1));
        best = choose(best < 0.0f, splat(0.0f), best);
    }
    store_some_floats(pooled, best, count);
    return place;
}

// The common window, unrolled: 2 by 2 inside the images. Returns 0, and does nothing, where it finds NaN.
INLINE int pool_one_2x2(const fovea_max_pool *pool, const float *p, int64_t next_row, float *pooled, ints *winners) {
    floats a = load_floats(p), b = load_floats(p + pool->lanes);
    floats c = load_floats(p + next_row), d = load_floats(p + next_row + pool->lanes);
    if (any((a != a) | (b != b) | (c != c) | (d != d))) return 0;
    ints b_wins = b > a, d_wins = d > c;
    floats top = choose(b_wins, b, a), bottom = choose(d_wins, d, c);
    ints bottom_wins = bottom > top;
    floats best = choose(bottom_wins, bottom, top);
    // A false comparison is 0, a true one -1.
    ints place = choose_int(bottom_wins, 2 - d_wins, -b_wins);
    if (pool->is_rectified) {
        place = choose_int(best > 0.0f, place, splat_int(-1));
        best = choose(best < 0.0f, splat(0.0f), best);
    }
    store_floats(pooled, best);
    *winners = place;
    return 1;
}

// The larger of two and its place. The first of equals wins, and the first NaN.
INLINE void take_larger(floats *best, ints *place, floats x, int32_t place_of_x) {
    ints wins = ~(x <= *best) & (*best == *best);
    *best = choose(wins, x, *best);
    *place = choose_int(wins, splat_int(place_of_x), *place);
}

// Results of 2 by 2 windows whose elements, row by row, are in registers. Returns the winners.
INLINE ints pool_four(const floats x[4], int32_t is_rectified, floats *pooled) {
    floats best = x[0];
    ints place = splat_int(0);
    UNROLLED for (int i = 1; i < 4; i++) take_larger(&best, &place, x[i], i);
    if (is_rectified) {
        place = choose_int(best > 0.0f, place, splat_int(-1));
        best = choose(best < 0.0f, splat(0.0f), best);
    }
    *pooled = best;
    return place;
}

// Rows first..<last of all planes' results.
static void max_pool_rows(const fovea_max_pool *pool, const float *images, float *pooled, void *winners,
                          int64_t first, int64_t last) {
    int32_t bytes = fovea_max_pool_winner_bytes(pool);
    int64_t row_lanes = pool->pooled_width * pool->lanes;
    int is_2x2 = pool->window[0] == 2 && pool->window[1] == 2;
    for (int64_t index = first; index < last; index++) {
        const float *plane = images + index / pool->pooled_height * pool->height * pool->width * pool->lanes;
        pool_span rows = span_of(pool, 0, index % pool->pooled_height);
        for (int64_t j = 0; j < pool->pooled_width; j++) {
            pool_span columns = span_of(pool, 1, j);
            int is_whole = is_2x2 && rows.first == 0 && rows.last == 2 && columns.first == 0 && columns.last == 2;
            int64_t to = index * row_lanes + j * pool->lanes;
            for (int64_t lane = 0; lane < pool->lanes; lane += fovea_lane_group) {
                int64_t count = pool->lanes - lane;
                ints won;
                const float *p = plane + (rows.start * pool->width + columns.start) * pool->lanes + lane;
                if (!is_whole || count < fovea_lane_group ||
                    !pool_one_2x2(pool, p, pool->width * pool->lanes, pooled + to + lane, &won)) {
                    won = pool_one(pool, plane, rows, columns, lane, count, pooled + to + lane);
                }
                if (winners) store_winners(winners, to + lane, won, count, bytes);
            }
        }
    }
}

// Gives one window's upstream elements to their winners: stores where windows do not overlap, adds where they do.
INLINE void unpool_one(const fovea_max_pool *pool, float *plane, pool_span rows, pool_span columns, int64_t lane,
                       int64_t count, floats upstream, ints winner, const int adds) {
    for (int64_t row = rows.first; row < rows.last; row++) {
        float *p = plane + ((rows.start + row) * pool->width + columns.start + columns.first) * pool->lanes + lane;
        int32_t number = (int32_t)(row * pool->window[1] + columns.first);
        for (int64_t column = columns.first; column < columns.last; column++, p += pool->lanes, number++) {
            floats share = choose(winner == number, upstream, splat(0.0f));
            if (adds) share = share + load_some_floats(p, count);
            store_some_floats(p, share, count);
        }
    }
}

// The row of results that starts at place `first`.
INLINE void unpool_row(const fovea_max_pool *pool, const float *upstream, const void *winners, int64_t first,
                       float *plane, pool_span rows, const int adds) {
    int32_t bytes = fovea_max_pool_winner_bytes(pool);
    for (int64_t j = 0; j < pool->pooled_width; j++) {
        pool_span columns = span_of(pool, 1, j);
        for (int64_t lane = 0; lane < pool->lanes; lane += fovea_lane_group) {
            int64_t count = pool->lanes - lane, from = first + j * pool->lanes + lane;
            unpool_one(pool, plane, rows, columns, lane, count, load_some_floats(upstream + from, count),
                       load_winners(winners, from, count, bytes), adds);
        }
    }
}

// Rows first..<last of all planes' results, where windows do not overlap: each row of results has image rows of its own,
// from its window's first to the next window's.
static void max_unpool_rows(const fovea_max_pool *pool, const float *upstream, const void *winners, float *gradient,
                            int64_t first, int64_t last) {
    int64_t row_lanes = pool->pooled_width * pool->lanes, image_row = pool->width * pool->lanes;
    int64_t covered = pool->pooled_width * pool->strides[1] - pool->padding[1];
    int covers_columns = pool->window[1] == pool->strides[1] && covered >= pool->width;
    for (int64_t index = first; index < last; index++) {
        int64_t i = index % pool->pooled_height;
        float *plane = gradient + index / pool->pooled_height * pool->height * image_row;
        pool_span rows = span_of(pool, 0, i);
        int64_t start = i ? rows.start : 0;
        int64_t end = i + 1 < pool->pooled_height ? rows.start + pool->strides[0] : pool->height;
        int64_t window_end = rows.start + rows.last;
        // Whatever no window covers is zero.
        if (!covers_columns) window_end = start;
        if (end > window_end) {
            memset(plane + window_end * image_row, 0, (size_t)((end - window_end) * image_row) * sizeof(float));
        }
        unpool_row(pool, upstream, winners, index * row_lanes, plane, rows, 0);
    }
}

// Planes first..<last, where windows overlap.
static void max_unpool_planes(const fovea_max_pool *pool, const float *upstream, const void *winners,
                              float *gradient, int64_t first, int64_t last) {
    int64_t row_lanes = pool->pooled_width * pool->lanes;
    int64_t plane_size = pool->height * pool->width * pool->lanes;
    for (int64_t number = first; number < last; number++) {
        float *plane = gradient + number * plane_size;
        memset(plane, 0, (size_t)plane_size * sizeof(float));
        for (int64_t i = 0; i < pool->pooled_height; i++) {
            int64_t from = (number * pool->pooled_height + i) * row_lanes;
            unpool_row(pool, upstream, winners, from, plane, span_of(pool, 0, i), 1);
        }
    }
}

#endif
