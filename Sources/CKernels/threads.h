// Parallel loops over a pool of threads. What a loop computes must not depend on which thread computes which part of it.
#ifndef FOVEA_THREADS_H
#define FOVEA_THREADS_H
#include <pthread.h>
#include <stdint.h>

typedef void (*fovea_range_body)(void *context, int64_t first, int64_t last);

// Calls body on contiguous ranges that cover 0..<count, on several threads when the estimated time of the whole
// loop in nanoseconds is long enough to pay for waking them.
void fovea_parallel_for(int64_t count, double nanoseconds, fovea_range_body body, void *context);

// Calls body once for each part of 0..<count. Calls at the same time have different slots, which are less than `slots`, so that
// each can have memory of its own to work in. At most 65,535 parts are shared out.
typedef void (*fovea_part_body)(void *context, int64_t part, int32_t slot);
void fovea_parallel_parts(int64_t count, int32_t slots, double nanoseconds, fovea_part_body body, void *context);

// More threads than CPUs only wait for each other; some are allowed.
enum { fovea_most_threads = 4096 };

// Starts workers of the pool until `count` threads can take part in loops, and returns how many of these can.
int32_t fovea_start_workers(int32_t count);

// What workers are started with; returns 0 when memory is out. To be destroyed.
int fovea_describe_workers(pthread_attr_t *attributes);

// Lets the OpenMP runtime, on which oneDNN runs, have no threads beside the calling one: what it runs in parallel is cut into
// parts by ourselves.
void fovea_keep_single_threaded(void);

#endif
