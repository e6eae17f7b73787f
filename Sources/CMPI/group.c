// on_exit is the GNU library's.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "CMPI.h"
#include "library.h"

// MPI counts bytes by an int.
enum { largest_message = 1 << 30, tag = 1 };

static const fovea_mpi_library *mpi;
static fovea_mpi_place joined;
static fovea_mpi_status status = fovea_mpi_unusable;
static char reason[fovea_mpi_message_size];
static pid_t starter;
static _Atomic int is_bound = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// Runs when the process ends by `exit`. mpirun takes notice of every other end.
static void leave(int code, void *unused) {
    (void)unused;
    if (atomic_load(&is_bound)) {
        mpi->MPI_Abort(mpi->world, code ? code : 1);
    } else {
        mpi->MPI_Finalize();
    }
}

static void join(void) {
    mpi = fovea_mpi_library_open(reason, sizeof reason);
    if (!mpi) return;
    starter = getppid();
    int provided = 0;
    if (mpi->MPI_Init_thread(NULL, NULL, mpi_thread_serialized, &provided) != mpi_success) {
        snprintf(reason, sizeof reason, "MPI_Init_thread failed");
        return;
    }
    on_exit(leave, NULL);
    int rank = 0, size = 0, length = 0;
    char text[8192] = "";
    if (provided < mpi_thread_serialized ||
        mpi->MPI_Comm_set_errhandler(mpi->world, mpi->errors_return) != mpi_success ||
        mpi->MPI_Comm_rank(mpi->world, &rank) != mpi_success ||
        mpi->MPI_Comm_size(mpi->world, &size) != mpi_success ||
        mpi->MPI_Get_library_version(text, &length) != mpi_success) {
        snprintf(reason, sizeof reason, "it cannot be called from several threads, or says nothing of its processes");
        return;
    }
    joined.rank = rank;
    joined.size = size;
    // Such as "Open MPI v4.1.4, package: …".
    text[strcspn(text, ",\n")] = 0;
    snprintf(joined.library, sizeof joined.library, "%.200s", text);
    status = fovea_mpi_success;
}

fovea_mpi_status fovea_mpi_join(fovea_mpi_place *place, char message[fovea_mpi_message_size]) {
    pthread_once(&once, join);
    *place = joined;
    memcpy(message, reason, sizeof reason);
    return status;
}

void fovea_mpi_set_bound(int32_t value) { atomic_store(&is_bound, value); }

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static fovea_mpi_status fail(fovea_mpi_status kind, int code) {
    status = kind;
    if (kind == fovea_mpi_lost) {
        char text[8192] = "";
        int length = 0;
        mpi->MPI_Error_string(code, text, &length);
        snprintf(reason, sizeof reason, "%.200s", text);
    }
    return kind;
}

// Waits for what was begun, so that neither a process that hangs nor the end of mpirun is waited for without end. The first tests follow
// each other at once; later ones leave the CPU to others.
static fovea_mpi_status wait_for(void *requests[2], double seconds) {
    double begin = 0;
    for (long tests = 0;; tests++) {
        int done = 0, code = mpi->MPI_Testall(2, requests, &done, NULL);
        if (code != mpi_success) return fail(fovea_mpi_lost, code);
        if (done) return fovea_mpi_success;
        if (tests < 2000) continue;
        if (!begin) begin = now();
        if (getppid() != starter) return fail(fovea_mpi_orphaned, 0);
        if (now() - begin > seconds) return fail(fovea_mpi_silent, 0);
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
}

static int piece(size_t count) { return (int)(count < largest_message ? count : largest_message); }

fovea_mpi_status fovea_mpi_exchange(const void *sent, size_t sent_count, void *received, size_t received_count,
                                    int32_t rank, double seconds, char message[fovea_mpi_message_size]) {
    const char *from = sent;
    char *to = received;
    while (status == fovea_mpi_success && (sent_count || received_count)) {
        void *requests[2] = {mpi->no_request, mpi->no_request};
        int sends = piece(sent_count), receives = piece(received_count), code = mpi_success;
        if (receives) code = mpi->MPI_Irecv(to, receives, mpi->byte, rank, tag, mpi->world, &requests[0]);
        if (code == mpi_success && sends) {
            code = mpi->MPI_Isend(from, sends, mpi->byte, rank, tag, mpi->world, &requests[1]);
        }
        if (code != mpi_success) {
            fail(fovea_mpi_lost, code);
            break;
        }
        if (wait_for(requests, seconds) != fovea_mpi_success) break;
        if (sends) from += sends;
        if (receives) to += receives;
        sent_count -= (size_t)sends;
        received_count -= (size_t)receives;
    }
    memcpy(message, reason, sizeof reason);
    return status;
}
