// Parallel loops over the thread pool that oneDNN also uses.
#ifndef FOVEA_THREADS_H
#define FOVEA_THREADS_H
#include <stdint.h>

typedef void (*fovea_range_body)(void *context, int64_t first, int64_t last);

// Calls body on contiguous ranges that cover 0..<count, on several threads when the estimated time of the whole
// loop in nanoseconds is long enough to pay for waking them.
void fovea_parallel_for(int64_t count, double nanoseconds, fovea_range_body body, void *context);

// How many of `count` more threads the system lets this process start, with the stacks that the OpenMP runtime would give
// them: found by starting them. Before the runtime starts threads itself, because it ends the process when it cannot.
int32_t fovea_startable_threads(int32_t count);

#endif
