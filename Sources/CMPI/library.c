#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static fovea_mpi_library library;

static int find(void *handle, const char *name, void *place, char *message, int size) {
    void *address = dlsym(handle, name);
    if (!address) {
        snprintf(message, size, "libmpi.so.40 has no %s", name);
        return 0;
    }
    memcpy(place, &address, sizeof address);
    return 1;
}

const fovea_mpi_library *fovea_mpi_library_open(char *message, int size) {
    // Global, because the library opens parts of itself that look for its functions there. It stays open.
    void *handle = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
    if (!handle) {
        const char *error = dlerror();
        snprintf(message, size, "%s", error ? error : "libmpi.so.40 cannot be opened");
        return NULL;
    }
#define FOVEA_FIND(name, parameters) && find(handle, #name, &library.name, message, size)
    int is_open = 1 FOVEA_MPI_FUNCTIONS(FOVEA_FIND);
#undef FOVEA_FIND
    is_open = is_open && find(handle, "ompi_mpi_comm_world", &library.world, message, size) &&
              find(handle, "ompi_mpi_byte", &library.byte, message, size) &&
              find(handle, "ompi_mpi_errors_return", &library.errors_return, message, size) &&
              find(handle, "ompi_request_null", &library.no_request, message, size);
    return is_open ? &library : NULL;
}
