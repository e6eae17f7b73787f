#include "threads.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

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

static void do_nothing(void *unused) { (void)unused; }

static void *hold_idle_pool(void *unused) {
    (void)unused;
    if (fovea_startable_threads(1) < 1) return 0;
    GOMP_parallel(do_nothing, 0, 2, 0);
    for (;;) pause();
    return 0;
}

static void start_idle_pool(void) {
    pthread_t thread;
    // Without it everything works, only worse beside other programs.
    if (pthread_create(&thread, 0, hold_idle_pool, 0) == 0) pthread_detach(thread);
}

// Runs that are looked at together, and how often another program may take a CPU in that time.
enum { watched_runs = 8, tolerated_switches = 16 };

void fovea_watch_contention(void) {
    static long switches_before;
    static int32_t runs, is_started;
    if (is_started || omp_get_max_threads() < 2 || runs++ % watched_runs != 0) return;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return;
    long switches = usage.ru_nivcsw - switches_before;
    switches_before = usage.ru_nivcsw;
    // The first look only learns where counting starts.
    if (runs == 1 || switches <= tolerated_switches) return;
    is_started = 1;
    start_idle_pool();
}
