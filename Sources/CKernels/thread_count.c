// How many threads computation has: as many as were asked for, if there can be so many.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fovea_elementwise.h"
#include "threads.h"

// The part of the GNU OpenMP runtime that is used here. oneDNN runs on it, and clang is not given -fopenmp. The runtime knows
// what OMP_NUM_THREADS means and which CPUs this process may use.
extern int omp_get_max_threads(void);
extern int omp_get_thread_limit(void);
extern void omp_set_num_threads(int count);

// Some more than there are CPUs are allowed, so that results of several threads can be tried anywhere.
enum { always_allowed_threads = 256 };

// What the kernels are given on the stacks of workers, with room to spare.
enum { least_stack_bytes = 1 << 20 };

// Left to the thread that computes, and to Swift and Dispatch, which wait for ever for a thread that they do not get.
enum { spare_threads = 4 };

static pthread_once_t asked_once = PTHREAD_ONCE_INIT, prepared_once = PTHREAD_ONCE_INIT;
static int32_t asked;
static _Atomic int32_t thread_count;
static char shortage[256];

static int32_t smaller(int64_t a, int64_t b) { return (int32_t)(a < b ? a : b); }

static int32_t limited(int32_t count) {
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t allowed = cpus > always_allowed_threads ? smaller(cpus, fovea_most_threads) : always_allowed_threads;
    return count < 1 ? 1 : smaller(count, allowed);
}

static void ask(void) { asked = omp_get_max_threads(); }

void fovea_keep_single_threaded(void) {
    pthread_once(&asked_once, ask);
    if (omp_get_max_threads() != 1) omp_set_num_threads(1);
}

// The stack that the environment wants for the runtime's threads, by the runtime's own rules; 0 for the system's.
static size_t wanted_stack_bytes(void) {
    const char *text = getenv("OMP_STACKSIZE");
    if (!text) text = getenv("GOMP_STACKSIZE");
    if (!text) return 0;
    char *unit;
    unsigned long long size = strtoull(text, &unit, 10);
    unit += strspn(unit, " \t\n");
    int shift = *unit == 'B' || *unit == 'b' ? 0 : *unit == 'M' || *unit == 'm' ? 20
              : *unit == 'G' || *unit == 'g' ? 30 : 10;
    return size > SIZE_MAX >> shift ? SIZE_MAX : (size_t)size << shift;
}

int fovea_describe_workers(pthread_attr_t *attributes) {
    if (pthread_attr_init(attributes) != 0) return 0;
    size_t stack = wanted_stack_bytes();
    if (stack == 0) pthread_attr_getstacksize(attributes, &stack);
    // As in the runtime, an impossible size counts for nothing.
    pthread_attr_setstacksize(attributes, stack < least_stack_bytes ? least_stack_bytes : stack);
    return 1;
}

static void *pass(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return 0;
}

// How many of `count` more threads the system lets this process start, found by starting them.
static int32_t startable_threads(int32_t count) {
    static const pthread_mutex_t open_gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t gate = open_gate;
    pthread_t threads[fovea_most_threads];
    pthread_attr_t attributes;
    if (!fovea_describe_workers(&attributes)) return 0;

    int32_t started = 0;
    count = smaller(count, fovea_most_threads);
    pthread_mutex_lock(&gate);
    while (started < count && pthread_create(&threads[started], &attributes, pass, &gate) == 0) started++;
    pthread_mutex_unlock(&gate);
    for (int32_t i = 0; i < started; i++) pthread_join(threads[i], 0);
    pthread_attr_destroy(&attributes);
    return started;
}

// Starts as many threads as there can be, and says so where these are fewer than was asked for.
static void prepare(void) {
    pthread_once(&asked_once, ask);
    int32_t count = limited(asked), limit = omp_get_thread_limit();
    if (count < asked)
        snprintf(shortage, sizeof shortage, "OMP_NUM_THREADS asks for %d threads; there can be at most %d", asked,
                 count);
    if (limit < count) {
        snprintf(shortage, sizeof shortage, "OMP_THREAD_LIMIT allows %d of %d threads", limit, count);
        count = limited(limit);
    }
    int32_t startable = count > 1 ? startable_threads(count - 1 + spare_threads) - spare_threads : 0;
    int32_t present = count > 1 ? fovea_start_workers(1 + (startable < 0 ? 0 : smaller(startable, count - 1))) : 1;
    if (present < count)
        snprintf(shortage, sizeof shortage,
                 "the system gives %d of %d threads; limits on processes (ulimit -u), address space (ulimit -v) or the "
                 "container are too low", present, count);
    atomic_store(&thread_count, present);
}

int32_t fovea_thread_count(void) {
    int32_t count = atomic_load_explicit(&thread_count, memory_order_relaxed);
    if (count > 0) return count;
    pthread_once(&prepared_once, prepare);
    return atomic_load(&thread_count);
}

void fovea_set_thread_count(int32_t count) {
    fovea_thread_count();
    atomic_store(&thread_count, fovea_start_workers(limited(count)));
}

const char *fovea_thread_shortage(void) {
    fovea_thread_count();
    return shortage;
}
