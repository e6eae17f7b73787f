#ifndef FOVEA_MPI_LIBRARY_H
#define FOVEA_MPI_LIBRARY_H

// What is used of Open MPI 4 and 5, whose libraries have one name and one binary interface. It is declared here and found when a
// process joins others, so that programs build without MPI and those that mpirun has not started never open it. Communicators
// and the like are addresses of objects in the library.

enum {
    mpi_success = 0,
    mpi_thread_serialized = 2,
};

#define FOVEA_MPI_FUNCTIONS(FUNCTION)                                                                                  \
    FUNCTION(MPI_Init_thread, (int *count, char ***arguments, int wanted, int *provided))                              \
    FUNCTION(MPI_Finalize, (void))                                                                                     \
    FUNCTION(MPI_Abort, (void *communicator, int code))                                                                \
    FUNCTION(MPI_Comm_rank, (void *communicator, int *rank))                                                           \
    FUNCTION(MPI_Comm_size, (void *communicator, int *size))                                                           \
    FUNCTION(MPI_Comm_set_errhandler, (void *communicator, void *handler))                                             \
    FUNCTION(MPI_Error_string, (int code, char *text, int *length))                                                    \
    FUNCTION(MPI_Get_library_version, (char *text, int *length))                                                       \
    FUNCTION(MPI_Isend, (const void *, int count, void *type, int rank, int tag, void *communicator, void **request))  \
    FUNCTION(MPI_Irecv, (void *, int count, void *type, int rank, int tag, void *communicator, void **request))        \
    FUNCTION(MPI_Testall, (int count, void **requests, int *done, void *statuses))

// The texts that the library writes have at most so many characters.
enum { mpi_error_size = 256, mpi_version_size = 256 };

typedef struct {
#define FOVEA_MEMBER(name, parameters) int(*name) parameters;
    FOVEA_MPI_FUNCTIONS(FOVEA_MEMBER)
#undef FOVEA_MEMBER
    void *world, *byte, *errors_return, *no_request;
} fovea_mpi_library;

// The functions; null where the library is missing or another one, with what the system says of it.
const fovea_mpi_library *fovea_mpi_library_open(char *message, int size);

#endif
