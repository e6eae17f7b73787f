// Strided iteration: axes of one operand, merged where its memory allows, and a cursor that yields runs of lanes.
#ifndef FOVEA_WALK_H
#define FOVEA_WALK_H
#include <stdint.h>

#include "fovea_elementwise.h"

typedef struct {
    int32_t rank;  // 1 or more; the last axis is the fastest
    int64_t extents[FOVEA_MAX_RANK], strides[FOVEA_MAX_RANK];  // strides in elements
} fovea_walk;

// Drops axes of extent 1 and merges neighbours that one stride can walk.
static inline void fovea_walk_init(fovea_walk *walk, int32_t rank, const int64_t *extents,
                                   const int64_t *strides) {
    int32_t last = -1;
    for (int32_t i = 0; i < rank; i++) {
        if (extents[i] == 1) continue;
        if (last >= 0 && walk->strides[last] == strides[i] * extents[i]) {
            walk->extents[last] *= extents[i];
            walk->strides[last] = strides[i];
        } else {
            last++;
            walk->extents[last] = extents[i];
            walk->strides[last] = strides[i];
        }
    }
    if (last < 0) {
        last = 0;
        walk->extents[0] = 1;
        walk->strides[0] = 0;
    }
    walk->rank = last + 1;
}

static inline int64_t fovea_magnitude(int64_t x) { return x < 0 ? -x : x; }

static inline int64_t fovea_walk_count(const fovea_walk *walk) {
    int64_t count = 1;
    for (int32_t i = 0; i < walk->rank; i++) count *= walk->extents[i];
    return count;
}

// The element offset of a linear index.
static inline int64_t fovea_walk_offset(const fovea_walk *walk, int64_t index) {
    int64_t offset = 0;
    for (int32_t i = walk->rank - 1; i > 0; i--) {
        offset += index % walk->extents[i] * walk->strides[i];
        index /= walk->extents[i];
    }
    return offset + index * walk->strides[0];
}

// Walks lanes first..<first + count in runs along the last axis.
typedef struct {
    const fovea_walk *walk;
    int64_t remaining;
    int64_t offset;  // of the current lane
    int64_t index[FOVEA_MAX_RANK];
} fovea_cursor;

static inline void fovea_cursor_init(fovea_cursor *cursor, const fovea_walk *walk, int64_t first, int64_t count) {
    cursor->walk = walk;
    cursor->remaining = count;
    cursor->offset = 0;
    if (count <= 0) return;  // an extent may be 0
    for (int32_t i = walk->rank - 1; i >= 0; i--) {
        cursor->index[i] = i > 0 ? first % walk->extents[i] : first;
        if (i > 0) first /= walk->extents[i];
        cursor->offset += cursor->index[i] * walk->strides[i];
    }
}

// The lanes from the current one to the end of its last-axis run, at most `remaining`.
static inline int64_t fovea_cursor_run(const fovea_cursor *cursor) {
    int32_t inner = cursor->walk->rank - 1;
    int64_t run = cursor->walk->extents[inner] - cursor->index[inner];
    return run < cursor->remaining ? run : cursor->remaining;
}

// The whole runs from the current lane on that lie one stride apart; 0 in the middle of a run.
static inline int64_t fovea_cursor_rows(const fovea_cursor *cursor) {
    const fovea_walk *walk = cursor->walk;
    int32_t inner = walk->rank - 1;
    if (inner == 0 || cursor->index[inner] > 0) return 0;
    int64_t rows = walk->extents[inner - 1] - cursor->index[inner - 1];
    int64_t most = cursor->remaining / walk->extents[inner];
    return rows < most ? rows : most;
}

// Moves past `count` lanes.
static inline void fovea_cursor_advance(fovea_cursor *cursor, int64_t count) {
    const fovea_walk *walk = cursor->walk;
    int32_t i = walk->rank - 1;
    cursor->remaining -= count;
    cursor->index[i] += count;
    cursor->offset += count * walk->strides[i];
    while (i > 0 && cursor->index[i] >= walk->extents[i]) {
        int64_t carry = cursor->index[i] / walk->extents[i];
        cursor->index[i] -= carry * walk->extents[i];
        cursor->offset -= carry * walk->extents[i] * walk->strides[i];
        i--;
        cursor->index[i] += carry;
        cursor->offset += carry * walk->strides[i];
    }
}

#endif
