// The pool. Parts of a loop belong to the threads from the start, as equal shares, because memory that a thread has worked on
// stays in its cache from loop to loop. A thread that has finished its share takes parts from the ends of the others', so a
// thread that does not run, because another program has its CPU, keeps none but the part that it is at.
#define _GNU_SOURCE
#include "threads.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fovea_elementwise.h"

// Starting a loop costs half a microsecond while the threads spin and some after a pause; below this the second thread saves
// less than it costs.
static const double minimum_parallel_nanoseconds = 6000;

// Loops over ranges are cut into parts of about this length, but not into more for each thread.
static const double part_nanoseconds = 3000;
enum { parts_per_thread = 8, most_parts = 0xffff };

// How long threads spin before they sleep, in nanoseconds: for the last parts of a loop, and for the next loop. Waking a thread
// takes some microseconds. But while other programs take CPUs away, threads had better spend their time slices on work, and when
// one sleeps, the kernel at once gives its CPU to another that waits for one.
typedef struct {
    int64_t end, start;
} spin_limits;
static const spin_limits quiet_spin = {30000, 1000000}, contended_spin = {3000, 2000};
enum { pauses_between_looks = 32 };

// A thread was interrupted if it has been kept from running for this share of the time between two looks. The system does so at
// times, and so do two of these threads that meet on one CPU, until the kernel moves one. So only a second interruption soon after
// tells that another program takes CPUs away, and that it goes on if there is one now and then.
static const double least_interrupted_share = 0.3;
static const int64_t look_interval = 10000000, soon = 50000000, contention_lasts = 300000000;

// For so long after an interruption nobody is moved to another CPU: that one may be another program's.
static const int64_t suspicion_lasts = 1000000000;

#define OWN_CACHE_LINES __attribute__((aligned(128)))

// What the pool knows of a thread.
typedef struct {
    // What is left of its share: the loop's generation in the upper half, then the first part and the one after the last.
    OWN_CACHE_LINES _Atomic uint64_t share;
    OWN_CACHE_LINES _Atomic uint32_t sleeps;
    // Where it was when it last looked.
    _Atomic int32_t cpu;
    // Of a worker that may run on several CPUs its number, these, and whether it is kept from one.
    _Atomic pid_t thread;
    cpu_set_t cpus;
    _Atomic int32_t is_placed;
} member;

static struct {
    // Goes up with every loop.
    OWN_CACHE_LINES _Atomic uint32_t generation;
    // The loop of this generation. Only who has taken a part of it reads the body.
    _Atomic int32_t participants;
    fovea_part_body body;
    void *context;
    // Parts that are not finished; the thread that has started the loop sleeps on it.
    OWN_CACHE_LINES _Atomic uint32_t unfinished;
    _Atomic uint32_t starter_sleeps;
    OWN_CACHE_LINES _Atomic int64_t contended_until, interrupted;
    // Whether a thread's loop has the pool. Another thread's runs on that thread alone, and so does a loop inside of a part.
    OWN_CACHE_LINES atomic_flag is_taken;
    // The thread that has started the loop, which is the first, and the workers.
    _Atomic int32_t member_count;
    member members[fovea_most_threads];
} pool = {.is_taken = ATOMIC_FLAG_INIT, .member_count = 1};

static int64_t nanoseconds_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * (int64_t)1000000000 + time.tv_nsec;
}

static int64_t nanoseconds_now(void) { return nanoseconds_of(CLOCK_MONOTONIC); }

// What a thread knows of its time since it looked last.
typedef struct {
    int64_t looked, computed;  // when, and for how long until then
    long sleeps;               // voluntary ones until then
    int64_t slept, own_sleeps; // in this file, since then
} thread_watch;

static _Thread_local thread_watch watch;

static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
    int64_t began = nanoseconds_now();
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
    watch.slept += nanoseconds_now() - began;
    watch.own_sleeps++;
}

static void wake(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }

// Finds out now and then whether the calling thread could run when it wanted to.
static void watch_contention(void) {
    int64_t now = nanoseconds_now(), elapsed = now - watch.looked;
    if (elapsed < look_interval) return;
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0) return;
    int64_t computed = nanoseconds_of(CLOCK_THREAD_CPUTIME_ID);
    int64_t missing = elapsed - (computed - watch.computed) - watch.slept;
    // If it has slept elsewhere, nothing is known.
    int is_known = watch.looked != 0 && usage.ru_nvcsw - watch.sleeps <= watch.own_sleeps;
    if (is_known && (double)missing > least_interrupted_share * (double)elapsed) {
        int64_t before = atomic_exchange_explicit(&pool.interrupted, now, memory_order_relaxed);
        if (now - before < soon || now < atomic_load_explicit(&pool.contended_until, memory_order_relaxed))
            atomic_store_explicit(&pool.contended_until, now + contention_lasts, memory_order_relaxed);
    }
    watch = (thread_watch){now, computed, usage.ru_nvcsw, 0, 0};
}

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static spin_limits limits_at(int64_t now) {
    return now < atomic_load_explicit(&pool.contended_until, memory_order_relaxed) ? contended_spin : quiet_spin;
}

// Says where a worker is, and takes back that it was kept from a CPU, now that it runs on another.
static void settle(member *self) {
    atomic_store_explicit(&self->cpu, sched_getcpu(), memory_order_relaxed);
    if (atomic_load_explicit(&self->is_placed, memory_order_relaxed) && atomic_exchange(&self->is_placed, 0))
        sched_setaffinity(0, sizeof self->cpus, &self->cpus);
}

// Spins until a word changes or it is time to sleep; tells which. A worker waits for a loop's start, who has started it for its end.
static int spin_while(_Atomic uint32_t *word, uint32_t value, member *worker) {
    int64_t began = 0, now;
    do {
        if (worker) settle(worker);
        for (int32_t i = 0; i < pauses_between_looks; i++) {
            if (atomic_load_explicit(word, memory_order_acquire) != value) return 1;
            relax();
        }
        now = nanoseconds_now();
        if (began == 0) began = now;
    } while (now - began < (worker ? limits_at(now).start : limits_at(now).end));
    return 0;
}

// Takes a part of a thread's share: the first for itself, the last for another.
static int take(member *member, uint32_t generation, int for_itself, int64_t *part) {
    uint64_t parts = atomic_load_explicit(&member->share, memory_order_acquire);
    for (;;) {
        if ((uint32_t)(parts >> 32) != generation) return 0;
        uint32_t first = parts >> 16 & most_parts, end = parts & most_parts;
        if (first >= end) return 0;
        uint64_t rest = for_itself ? parts + (most_parts + 1) : parts - 1;
        if (!atomic_compare_exchange_weak_explicit(&member->share, &parts, rest, memory_order_acq_rel, memory_order_acquire))
            continue;
        *part = for_itself ? first : end - 1;
        return 1;
    }
}

// Computes what it can get of a loop as thread `slot`; returns how many parts these were.
static uint32_t take_parts(int32_t slot, uint32_t generation, int32_t participants) {
    uint32_t finished = 0;
    int64_t part;
    for (int32_t step = 0; step < participants; step++) {
        member *member = &pool.members[(slot + step) % participants];
        while (take(member, generation, step == 0, &part)) {
            pool.body(pool.context, part, slot);
            finished++;
        }
    }
    return finished;
}

// Has a worker run elsewhere than on the calling thread's CPU. Virtual machines show their idle CPUs as taken, so the kernel wakes
// threads on the CPU of who wakes them, where two would take turns of some milliseconds.
static void place_elsewhere(member *worker, int cpu) {
    pid_t thread = atomic_load_explicit(&worker->thread, memory_order_acquire);
    int64_t interrupted = atomic_load_explicit(&pool.interrupted, memory_order_relaxed);
    if (thread == 0 || cpu < 0 || cpu >= CPU_SETSIZE || nanoseconds_now() - interrupted < suspicion_lasts) return;
    cpu_set_t others = worker->cpus;
    CPU_CLR(cpu, &others);
    if (sched_setaffinity(thread, sizeof others, &others) == 0) atomic_store(&worker->is_placed, 1);
}

static void await_loop(member *self, uint32_t seen) {
    while (atomic_load_explicit(&pool.generation, memory_order_acquire) == seen) {
        if (spin_while(&pool.generation, seen, self)) continue;
        atomic_store(&self->sleeps, 1);
        if (atomic_load(&pool.generation) == seen) sleep_while(&self->sleeps, 1);
        atomic_store(&self->sleeps, 0);
    }
    settle(self);
}

static void *run_worker(void *number) {
    int32_t slot = (int32_t)(intptr_t)number;
    fovea_keep_single_threaded();
    member *self = &pool.members[slot];
    if (sched_getaffinity(0, sizeof self->cpus, &self->cpus) == 0 && CPU_COUNT(&self->cpus) > 1)
        atomic_store_explicit(&self->thread, gettid(), memory_order_release);
    for (uint32_t seen = 0;;) {
        await_loop(self, seen);
        seen = atomic_load_explicit(&pool.generation, memory_order_acquire);
        int32_t participants = atomic_load_explicit(&pool.participants, memory_order_relaxed);
        if (slot >= participants) continue;
        uint32_t finished = take_parts(slot, seen, participants);
        if (finished > 0 && atomic_fetch_sub(&pool.unfinished, finished) == finished && atomic_load(&pool.starter_sleeps))
            wake(&pool.unfinished);
        watch_contention();
    }
    return NULL;
}

int32_t fovea_start_workers(int32_t count) {
    static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    pthread_mutex_lock(&turn);
    int32_t present = atomic_load(&pool.member_count);
    if (count > fovea_most_threads) count = fovea_most_threads;
    if (present < count && fovea_describe_workers(&attributes)) {
        pthread_t thread;
        for (; present < count; present++) {
            if (pthread_create(&thread, &attributes, run_worker, (void *)(intptr_t)present) != 0) break;
            pthread_detach(thread);
        }
        atomic_store(&pool.member_count, present);
        pthread_attr_destroy(&attributes);
    }
    pthread_mutex_unlock(&turn);
    return present < count ? present : count;
}

// The starting thread's wait for parts that others are at.
static void await_end(void) {
    uint32_t unfinished;
    while ((unfinished = atomic_load_explicit(&pool.unfinished, memory_order_acquire)) != 0) {
        if (spin_while(&pool.unfinished, unfinished, NULL)) continue;
        atomic_store(&pool.starter_sleeps, 1);
        unfinished = atomic_load(&pool.unfinished);
        if (unfinished != 0) sleep_while(&pool.unfinished, unfinished);
        atomic_store(&pool.starter_sleeps, 0);
    }
    watch_contention();
}

static void run_loop(int64_t count, int32_t participants, fovea_part_body body, void *context) {
    pool.body = body;
    pool.context = context;
    atomic_store_explicit(&pool.participants, participants, memory_order_relaxed);
    atomic_store_explicit(&pool.unfinished, (uint32_t)count, memory_order_relaxed);
    uint32_t generation = atomic_load_explicit(&pool.generation, memory_order_relaxed) + 1;
    for (int32_t slot = 0; slot < participants; slot++) {
        uint64_t first = (uint64_t)(count * slot / participants), end = (uint64_t)(count * (slot + 1) / participants);
        atomic_store_explicit(&pool.members[slot].share, (uint64_t)generation << 32 | first << 16 | end, memory_order_release);
    }
    // Who falls asleep looks at the generation after it has said so, and here is it the other way round: one of the two sees it.
    atomic_store(&pool.generation, generation);
    int cpu = sched_getcpu();
    for (int32_t slot = 1; slot < participants; slot++) {
        member *worker = &pool.members[slot];
        int sleeps = atomic_load(&worker->sleeps) && atomic_exchange(&worker->sleeps, 0);
        if (sleeps || atomic_load_explicit(&worker->cpu, memory_order_relaxed) == cpu) place_elsewhere(worker, cpu);
        if (sleeps) wake(&worker->sleeps);
    }
    uint32_t finished = take_parts(0, generation, participants);
    if (finished > 0) atomic_fetch_sub(&pool.unfinished, finished);
    await_end();
}

static int32_t participants_for(int64_t count, double nanoseconds) {
    if (count < 2 || nanoseconds < minimum_parallel_nanoseconds) return 1;
    int32_t threads = fovea_thread_count();
    return threads < count ? threads : (int32_t)count;
}

void fovea_parallel_parts(int64_t count, int32_t slots, double nanoseconds, fovea_part_body body, void *context) {
    int32_t participants = participants_for(count, nanoseconds);
    if (participants > slots) participants = slots;
    if (participants > 1 && count <= most_parts && !atomic_flag_test_and_set_explicit(&pool.is_taken, memory_order_acquire)) {
        run_loop(count, participants, body, context);
        atomic_flag_clear_explicit(&pool.is_taken, memory_order_release);
        return;
    }
    for (int64_t part = 0; part < count; part++) body(context, part, 0);
}

typedef struct {
    int64_t count, parts;
    fovea_range_body body;
    void *context;
} range_loop;

static void run_range(void *context, int64_t part, int32_t slot) {
    (void)slot;
    const range_loop *loop = context;
    // Without products of two large numbers.
    int64_t length = loop->count / loop->parts, longer = loop->count % loop->parts;
    int64_t first = part * length + (part < longer ? part : longer);
    loop->body(loop->context, first, first + length + (part < longer));
}

void fovea_parallel_for(int64_t count, double nanoseconds, fovea_range_body body, void *context) {
    if (count <= 0) return;
    int32_t participants = participants_for(count, nanoseconds);
    if (participants < 2) {
        body(context, 0, count);
        return;
    }
    double useful = nanoseconds / part_nanoseconds;
    int64_t most = (int64_t)participants * parts_per_thread;
    range_loop loop = {count, useful < most ? (int64_t)useful : most, body, context};
    if (loop.parts < participants) loop.parts = participants;
    if (loop.parts > count) loop.parts = count;
    fovea_parallel_parts(loop.parts, participants, nanoseconds, run_range, &loop);
}
