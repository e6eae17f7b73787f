#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static fovea_drawing_library library;
static int is_open;
static char reason[160];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int find(void *handle, const char *name, void *function) {
    void *address = dlsym(handle, name);
    if (!address) {
        snprintf(reason, sizeof reason, "it has no function %s", name);
        return 0;
    }
    memcpy(function, &address, sizeof address);
    return 1;
}

static void open_library(void) {
    // The other libraries come along with it. It stays open.
    void *handle = dlopen("libpangocairo-1.0.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *error = dlerror();
        snprintf(reason, sizeof reason, "%s", error ? error : "libpangocairo-1.0.so.0 cannot be opened");
        return;
    }
#define FOVEA_FIND(result, name, parameters) && find(handle, #name, &library.name)
    is_open = 1 FOVEA_DRAWING_FUNCTIONS(FOVEA_FIND);
#undef FOVEA_FIND
}

const fovea_drawing_library *fovea_drawing_library_open(char message[160]) {
    pthread_once(&once, open_library);
    if (is_open) return &library;
    snprintf(message, 160, "%s", reason);
    return NULL;
}
