#include "fovea_max_pool.h"

#include "kernel_table.h"
#include "threads.h"

typedef struct {
    const fovea_max_pool *pool;
    const fovea_kernel_table *kernels;
    const float *from;
    float *to;
    const void *winners;
    void *new_winners;
} pooling_work;

static void forward_rows(void *context, int64_t first, int64_t last) {
    const pooling_work *work = context;
    work->kernels->max_pool_rows(work->pool, work->from, work->to, work->new_winners, first, last);
}

static void backward_rows(void *context, int64_t first, int64_t last) {
    const pooling_work *work = context;
    work->kernels->max_unpool_rows(work->pool, work->from, work->winners, work->to, first, last);
}

static void backward_planes(void *context, int64_t first, int64_t last) {
    const pooling_work *work = context;
    work->kernels->max_unpool_planes(work->pool, work->from, work->winners, work->to, first, last);
}

// Time is that of moving the images through memory.
static double nanoseconds(const fovea_max_pool *pool) {
    return 0.1 * (double)pool->planes * (double)pool->height * (double)pool->width * (double)pool->lanes;
}

int32_t fovea_max_pool_winner_bytes(const fovea_max_pool *pool) {
    return pool->window[0] * pool->window[1] < FOVEA_NO_WINNER ? 1 : sizeof(int32_t);
}

void fovea_max_pool_forward(const fovea_max_pool *pool, const float *images, float *pooled, void *winners) {
    pooling_work work = {.pool = pool, .kernels = fovea_kernels(), .from = images, .to = pooled, .new_winners = winners};
    fovea_parallel_for(pool->planes * pool->pooled_height, nanoseconds(pool), forward_rows, &work);
}

void fovea_max_pool_backward(const fovea_max_pool *pool, const float *upstream, const void *winners, float *gradient) {
    pooling_work work = {.pool = pool, .kernels = fovea_kernels(), .from = upstream, .to = gradient, .winners = winners};
    int overlaps = pool->window[0] > pool->strides[0] || pool->window[1] > pool->strides[1];
    if (overlaps) {
        fovea_parallel_for(pool->planes, nanoseconds(pool), backward_planes, &work);
    } else {
        fovea_parallel_for(pool->planes * pool->pooled_height, nanoseconds(pool), backward_rows, &work);
    }
}
