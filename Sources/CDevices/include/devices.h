// Backends that a program may have been linked with or not.
#ifndef FOVEA_DEVICES_H
#define FOVEA_DEVICES_H

#include <stdint.h>

/// A retained object that holds the CPU's backend, made by the target `FoveaOneDNN`; null in a program without that.
///
/// `precision` counts the cases of `Precision`.
void *_Nullable fovea_linked_cpu_backend(int32_t precision);

#endif
