#include "devices.h"

#include <stddef.h>

// Weak: whoever does not link a backend need not link what it computes with.
extern void *fovea_make_cpu_backend(int32_t precision) __attribute__((weak));
extern void *fovea_make_xla_backend(const char *plugin, int32_t is_for_cpu, int32_t precision) __attribute__((weak));

void *fovea_linked_cpu_backend(int32_t precision) {
    return fovea_make_cpu_backend ? fovea_make_cpu_backend(precision) : NULL;
}

void *fovea_linked_xla_backend(const char *plugin, int32_t is_for_cpu, int32_t precision) {
    return fovea_make_xla_backend ? fovea_make_xla_backend(plugin, is_for_cpu, precision) : NULL;
}
