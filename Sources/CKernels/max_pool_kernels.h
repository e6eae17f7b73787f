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

// One result for up to a group of lanes.
INLINE void pool_one(const fovea_max_pool *pool, const float *plane, pool_span rows, pool_span columns, int64_t lane,
                     int64_t count, float *pooled, uint8_t *winners) {
    floats best = {0};
    ints place = {0};
    int is_first = 1;
    for (int64_t row = rows.first; row < rows.last; row++) {
        const float *p = plane + ((rows.start + row) * pool->width + columns.start + columns.first) * pool->lanes + lane;
        int32_t number = (int32_t)(row * pool->window[1] + columns.first);
        for (int64_t column = columns.first; column < columns.last; column++, p += pool->lanes, number++) {
            floats x = load_some_floats(p, count);
            if (is_first) {
                best = x;
                place = splat_int(number);
                is_first = 0;
            } else {
                ints larger = x > best;
                best = choose(larger, x, best);
                place = choose_int(larger, splat_int(number), place);
            }
        }
    }
    if (pool->is_rectified) {
        place = choose_int(best > 0.0f, place, splat_int(FOVEA_NO_WINNER));
        best = choose(best < 0.0f, splat(0.0f), best);
    }
    store_some_floats(pooled, best, count);
    if (winners) store_some_bytes(winners, place, count);
}

// The common window, unrolled: 2 by 2 inside the images.
INLINE void pool_one_2x2(const fovea_max_pool *pool, const float *p, int64_t next_row, float *pooled,
                         uint8_t *winners) {
    floats a = load_floats(p), b = load_floats(p + pool->lanes);
    floats c = load_floats(p + next_row), d = load_floats(p + next_row + pool->lanes);
    ints b_wins = b > a, d_wins = d > c;
    floats top = choose(b_wins, b, a), bottom = choose(d_wins, d, c);
    ints bottom_wins = bottom > top;
    floats best = choose(bottom_wins, bottom, top);
    // A false comparison is 0, a true one -1.
    ints place = choose_int(bottom_wins, 2 - d_wins, -b_wins);
    if (pool->is_rectified) {
        place = choose_int(best > 0.0f, place, splat_int(FOVEA_NO_WINNER));
        best = choose(best < 0.0f, splat(0.0f), best);
    }
    store_floats(pooled, best);
    if (winners) store_some_bytes(winners, place, fovea_lane_group);
}

// Rows first..<last of all planes' results.
static void max_pool_rows(const fovea_max_pool *pool, const float *images, float *pooled, uint8_t *winners,
                          int64_t first, int64_t last) {
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
                uint8_t *won = winners ? winners + to + lane : 0;
                if (is_whole && count >= fovea_lane_group) {
                    pool_one_2x2(pool, plane + (rows.start * pool->width + columns.start) * pool->lanes + lane,
                                 pool->width * pool->lanes, pooled + to + lane, won);
                } else {
                    pool_one(pool, plane, rows, columns, lane, count, pooled + to + lane, won);
                }
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

INLINE void unpool_row(const fovea_max_pool *pool, const float *upstream, const uint8_t *winners, float *plane,
                       pool_span rows, const int adds) {
    for (int64_t j = 0; j < pool->pooled_width; j++) {
        pool_span columns = span_of(pool, 1, j);
        for (int64_t lane = 0; lane < pool->lanes; lane += fovea_lane_group) {
            int64_t count = pool->lanes - lane, from = j * pool->lanes + lane;
            unpool_one(pool, plane, rows, columns, lane, count, load_some_floats(upstream + from, count),
                       load_some_bytes(winners + from, count), adds);
        }
    }
}

// Rows first..<last of all planes' results, where windows do not overlap: each row of results has image rows of its own,
// from its window's first to the next window's.
static void max_unpool_rows(const fovea_max_pool *pool, const float *upstream, const uint8_t *winners, float *gradient,
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
        unpool_row(pool, upstream + index * row_lanes, winners + index * row_lanes, plane, rows, 0);
    }
}

// Planes first..<last, where windows overlap.
static void max_unpool_planes(const fovea_max_pool *pool, const float *upstream, const uint8_t *winners,
                              float *gradient, int64_t first, int64_t last) {
    int64_t row_lanes = pool->pooled_width * pool->lanes;
    int64_t plane_size = pool->height * pool->width * pool->lanes;
    for (int64_t number = first; number < last; number++) {
        float *plane = gradient + number * plane_size;
        memset(plane, 0, (size_t)plane_size * sizeof(float));
        for (int64_t i = 0; i < pool->pooled_height; i++) {
            int64_t from = (number * pool->pooled_height + i) * row_lanes;
            unpool_row(pool, upstream + from, winners + from, plane, span_of(pool, 0, i), 1);
        }
    }
}

#endif
