#include "threads.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <time.h>

#include "fovea_elementwise.h"

// The part of the GNU OpenMP runtime that is used here. oneDNN runs on the same runtime, and clang is not given
// -fopenmp, so the entry points that a compiler would call are called directly.
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned thread_count, unsigned flags);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int omp_get_max_threads(void);

// Starting a region costs under a microsecond while the pool spins and a few after a pause; below this the
// second thread saves less than it costs.
static const double minimum_parallel_nanoseconds = 6000;

typedef struct {
    int64_t count;
    fovea_range_body body;
    void *context;
} parallel_loop;

static void run_share(void *data) {
    const parallel_loop *loop = data;
    int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
    int64_t share = loop->count / threads, rest = loop->count % threads;
    int64_t first = thread * share + (thread < rest ? thread : rest);
    int64_t last = first + share + (thread < rest ? 1 : 0);
    if (first < last) loop->body(loop->context, first, last);
}

void fovea_parallel_for(int64_t count, double nanoseconds, fovea_range_body body, void *context) {
    if (count <= 0) return;
    int64_t threads = fovea_thread_count();
    if (threads > count) threads = count;
    if (threads < 2 || nanoseconds < minimum_parallel_nanoseconds) {
        body(context, 0, count);
        return;
    }
    parallel_loop loop = {count, body, context};
    GOMP_parallel(run_share, &loop, (unsigned)threads, 0);
}

// A pool of a thread of its own, for as long as other programs want the CPUs. It ends with its thread.
static sem_t idle_pool_end;
static int32_t idle_pool_runs;

static void do_nothing(void *unused) { (void)unused; }

static void *hold_idle_pool(void *unused) {
    if (fovea_startable_threads(1) > 0) GOMP_parallel(do_nothing, 0, 2, 0);
    while (sem_wait(&idle_pool_end) != 0) {
    }
    return unused;
}

static void start_idle_pool(void) {
    static int32_t has_end;
    pthread_t thread;
    // Without it everything works, only worse beside other programs.
    if (!has_end && sem_init(&idle_pool_end, 0, 0) != 0) return;
    has_end = 1;
    if (pthread_create(&thread, 0, hold_idle_pool, 0) != 0) return;
    pthread_detach(thread);
    idle_pool_runs = 1;
}

static void end_idle_pool(void) {
    sem_post(&idle_pool_end);
    idle_pool_runs = 0;
}

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

// For how long other programs are looked at, how often they take a CPU away in that time when they are in the way, and how
// many looks in a row must tell the same. A program that computes beside two threads takes a CPU 150 to 6,000 times in a
// second, depending on the kernel's version; on a quiet machine it was 30 to 60 times.
enum { look_milliseconds = 100, many_switches = 15, looks_to_start = 2, looks_to_end = 20 };

void fovea_watch_contention(void) {
    static int64_t look_began;
    static long switches_before;
    static int32_t looks_alike;
    if (omp_get_max_threads() < 2) return;
    int64_t now = milliseconds_now(), elapsed = now - look_began;
    if (elapsed < look_milliseconds) return;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return;
    long switches = usage.ru_nivcsw - switches_before;
    int is_first = look_began == 0;
    look_began = now;
    switches_before = usage.ru_nivcsw;
    if (is_first) return;
    int is_contended = switches * look_milliseconds >= many_switches * elapsed;
    // What speaks for the state that there is begins the count anew.
    looks_alike = is_contended == idle_pool_runs ? 0 : looks_alike + 1;
    if (is_contended && looks_alike == looks_to_start) start_idle_pool();
    if (!is_contended && looks_alike == looks_to_end) end_idle_pool();
    if (is_contended == idle_pool_runs) looks_alike = 0;
}
