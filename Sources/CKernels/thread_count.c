// How many threads computation has: never more than the OpenMP runtime really gives. By itself the runtime ends the
// process when it cannot start a thread, and kernels of oneDNN wait for ever for threads that it left out.
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

extern void GOMP_parallel(void (*body)(void *), void *data, unsigned thread_count, unsigned flags);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int omp_get_max_threads(void);
extern int omp_in_parallel(void);
extern void omp_set_num_threads(int count);
extern void omp_set_dynamic(int is_dynamic);

// More threads than CPUs only wait for each other. Some are allowed, because results depend on their number a little.
enum { always_allowed_threads = 256, greatest_thread_count = 4096 };

// What the kernels are given on the stacks of the runtime's threads, with room to spare.
enum { least_stack_bytes = 256 << 10 };

// Left to Swift and Dispatch, which wait for ever for a thread that they do not get.
enum { spare_threads = 2 };

static _Thread_local int32_t is_prepared;
static _Thread_local char shortage[256];

static int32_t smaller(int64_t a, int64_t b) { return (int32_t)(a < b ? a : b); }

static int32_t allowed_threads(void) {
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    return cpus > always_allowed_threads ? smaller(cpus, greatest_thread_count) : always_allowed_threads;
}

static int32_t limited(int32_t count) { return count < 1 ? 1 : smaller(count, allowed_threads()); }

// The stack that the environment wants for the runtime's threads, by the runtime's own rules; 0 for the system's.
static size_t runtime_stack_bytes(void) {
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

static void *pass(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return 0;
}

int32_t fovea_startable_threads(int32_t count) {
    static const pthread_mutex_t open_gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t gate = open_gate;
    pthread_t threads[greatest_thread_count];
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return 0;
    size_t stack = runtime_stack_bytes();
    // As in the runtime, an impossible size counts for nothing.
    if (stack > 0) pthread_attr_setstacksize(&attributes, stack);

    int32_t started = 0;
    count = smaller(count, greatest_thread_count);
    pthread_mutex_lock(&gate);
    while (started < count && pthread_create(&threads[started], &attributes, pass, &gate) == 0) started++;
    pthread_mutex_unlock(&gate);
    for (int32_t i = 0; i < started; i++) pthread_join(threads[i], 0);
    pthread_attr_destroy(&attributes);
    return started;
}

typedef struct {
    int32_t thread_count;
    _Atomic size_t least_stack;
} team;

static void describe_team(void *data) {
    team *team = data;
    if (omp_get_thread_num() == 0) {
        team->thread_count = omp_get_num_threads();
        return;
    }
    pthread_attr_t attributes;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
    size_t least = atomic_load(&team->least_stack);
    while (size < least && !atomic_compare_exchange_weak(&team->least_stack, &least, size)) {}
}

// Finds out how many threads there can be, and says so where these are fewer than was asked for.
static void prepare(void) {
    is_prepared = 1;
    // Otherwise each loop gets as many as the load of the machine suggests.
    omp_set_dynamic(0);
    int32_t asked = omp_get_max_threads(), count = limited(asked);
    if (count < asked)
        snprintf(shortage, sizeof shortage, "OMP_NUM_THREADS asks for %d threads; there can be at most %d", asked,
                 count);

    int32_t startable = fovea_startable_threads(count - 1 + spare_threads) - spare_threads;
    startable = 1 + (startable < 0 ? 0 : startable);
    if (startable < count)
        snprintf(shortage, sizeof shortage,
                 "the system gives %d of %d threads; limits on processes (ulimit -u), address space (ulimit -v) or the "
                 "container are too low", startable, count);
    count = startable;

    team team = {1, SIZE_MAX};
    if (count > 1) GOMP_parallel(describe_team, &team, (unsigned)count, 0);
    if (team.thread_count < count)
        snprintf(shortage, sizeof shortage, "OpenMP gives %d of %d threads; see OMP_THREAD_LIMIT and "
                 "OMP_MAX_ACTIVE_LEVELS", team.thread_count, count);
    count = team.thread_count;

    if (team.least_stack < least_stack_bytes) {
        snprintf(shortage, sizeof shortage,
                 "further threads would have only %zu KiB for their stacks, and %d are needed; see OMP_STACKSIZE and "
                 "ulimit -s", team.least_stack >> 10, least_stack_bytes >> 10);
        count = 1;
    }
    omp_set_num_threads(count);
}

int32_t fovea_thread_count(void) {
    if (!is_prepared && !omp_in_parallel()) prepare();
    return omp_get_max_threads();
}

void fovea_set_thread_count(int32_t count) {
    fovea_thread_count();
    omp_set_num_threads(limited(count));
}

const char *fovea_thread_shortage(void) {
    fovea_thread_count();
    return shortage;
}
