// Backends that a program may have been linked with or not.
#ifndef FOVEA_DEVICES_H
#define FOVEA_DEVICES_H

#include <stdint.h>

// What is returned is a retained object that holds a backend or why there is none; null in a program without the target that makes it.
// `precision` counts the cases of `Precision`.

/// The CPU's backend, made by the target `FoveaOneDNN`.
void *_Nullable fovea_linked_cpu_backend(int32_t precision);

/// The backend of a plugin, made by the target `FoveaXLA`: that of a file, or where `plugin` is null, the first one found for the CPU or
/// for a GPU.
void *_Nullable fovea_linked_xla_backend(const char *_Nullable plugin, int32_t is_for_cpu, int32_t precision);

#endif
