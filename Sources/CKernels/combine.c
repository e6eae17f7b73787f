#include "fovea_combine.h"

#include <stdatomic.h>
#include <string.h>

#include "kernel_table.h"
#include "threads.h"

typedef struct {
    const fovea_kernel_table *kernels;
    fovea_opcode kind;
    int32_t relu;
    int64_t count;
    const float *a, *b;
    float *c;
    float ceiling;
    _Atomic(int32_t) is_unbounded;
} combine_work;

// Work is divided by groups of lanes. The last group may not be whole; it goes through a buffer.
typedef struct {
    int64_t start, whole, rest;
} part;

static part part_of(const combine_work *work, int64_t first, int64_t last) {
    int64_t start = first * fovea_lane_group, end = last * fovea_lane_group;
    if (end <= work->count) return (part){start, end - start, 0};
    int64_t rest = work->count % fovea_lane_group;
    return (part){start, work->count - rest - start, rest};
}

static void combine_groups(void *context, int64_t first, int64_t last) {
    const combine_work *work = context;
    part part = part_of(work, first, last);
    const float *a = work->a + part.start, *b = work->b + part.start;
    float *c = work->c + part.start;
    work->kernels->combine(work->kind, work->relu, part.whole, a, b, c);
    if (part.rest == 0) return;
    float x[fovea_lane_group] = {0}, y[fovea_lane_group] = {0};
    memcpy(x, a + part.whole, (size_t)part.rest * sizeof(float));
    memcpy(y, b + part.whole, (size_t)part.rest * sizeof(float));
    work->kernels->combine(work->kind, work->relu, fovea_lane_group, x, y, x);
    memcpy(c + part.whole, x, (size_t)part.rest * sizeof(float));
}

static void rectify_groups(void *context, int64_t first, int64_t last) {
    const combine_work *work = context;
    part part = part_of(work, first, last);
    float *c = work->c + part.start;
    work->kernels->rectify(part.whole, work->ceiling, c);
    if (part.rest == 0) return;
    float x[fovea_lane_group] = {0};
    memcpy(x, c + part.whole, (size_t)part.rest * sizeof(float));
    work->kernels->rectify(fovea_lane_group, work->ceiling, x);
    memcpy(c + part.whole, x, (size_t)part.rest * sizeof(float));
}

static void check_groups(void *context, int64_t first, int64_t last) {
    combine_work *work = context;
    part part = part_of(work, first, last);
    const float *a = work->a + part.start;
    float x[fovea_lane_group] = {0};
    memcpy(x, a + part.whole, (size_t)part.rest * sizeof(float));
    if (!work->kernels->is_bounded(part.whole, a) || !work->kernels->is_bounded(fovea_lane_group, x)) {
        atomic_store_explicit(&work->is_unbounded, 1, memory_order_relaxed);
    }
}

static int64_t groups(int64_t count) { return (count + fovea_lane_group - 1) / fovea_lane_group; }

void fovea_combine(fovea_opcode kind, int32_t relu, int64_t count, const float *a, const float *b, float *c) {
    combine_work work = {.kernels = fovea_kernels(), kind, relu, count, a, b, c};
    fovea_parallel_for(groups(count), 0.3 * (double)count, combine_groups, &work);
}

void fovea_rectify(int64_t count, float ceiling, float *x) {
    combine_work work = {.kernels = fovea_kernels(), .count = count, .c = x, .ceiling = ceiling};
    fovea_parallel_for(groups(count), 0.2 * (double)count, rectify_groups, &work);
}

int32_t fovea_is_bounded(int64_t count, const float *x) {
    combine_work work = {.kernels = fovea_kernels(), .count = count, .a = x};
    fovea_parallel_for(groups(count), 0.1 * (double)count, check_groups, &work);
    return !atomic_load_explicit(&work.is_unbounded, memory_order_relaxed);
}
