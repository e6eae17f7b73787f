#include "devices.h"

#include <stddef.h>

// Weak: whoever does not link the backend need not link what it computes with.
extern void *fovea_make_cpu_backend(int32_t precision) __attribute__((weak));

void *fovea_linked_cpu_backend(int32_t precision) {
    return fovea_make_cpu_backend ? fovea_make_cpu_backend(precision) : NULL;
}
