#ifndef FOVEA_CMPI_H
#define FOVEA_CMPI_H

#include <stddef.h>
#include <stdint.h>

// Processes that mpirun has started, by Open MPI, which is opened when a process joins the others.

enum { fovea_mpi_message_size = 256 };

typedef enum {
    fovea_mpi_success = 0,
    // The library cannot be opened or used.
    fovea_mpi_unusable = 1,
    // Something was sent or received in vain.
    fovea_mpi_lost = 2,
    // The other process did not answer in time.
    fovea_mpi_silent = 3,
    // What started the processes is gone.
    fovea_mpi_orphaned = 4,
} fovea_mpi_status;

typedef struct {
    int32_t rank, size;
    // The library's name and version.
    char library[fovea_mpi_message_size];
} fovea_mpi_place;

// Joins the processes that were started together, once, and says which one this is. From then on the end of this process ends the
// others. A failure comes with a message.
fovea_mpi_status fovea_mpi_join(fovea_mpi_place *place, char message[fovea_mpi_message_size]);

// Sends to another process what it receives by the same call, and the other way round. Either may be nothing. After a failure every
// call fails at once with the same status.
fovea_mpi_status fovea_mpi_exchange(const void *sent, size_t sent_count, void *received, size_t received_count,
                                    int32_t rank, double seconds, char message[fovea_mpi_message_size]);

// Whether the end of this process ends the others; if not, it waits for theirs.
void fovea_mpi_set_bound(int32_t is_bound);

#endif
