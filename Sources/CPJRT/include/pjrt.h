// Plugins that compile and run programs on accelerators (PJRT), behind functions of our own.
#ifndef FOVEA_PJRT_H
#define FOVEA_PJRT_H

#include <stdint.h>

// Every function that can fail returns the reason, to be freed with `fovea_pjrt_free`, or null. Handles belong to who got them, and calls
// with them may come from any thread.

typedef struct fovea_pjrt_plugin fovea_pjrt_plugin;
typedef struct fovea_pjrt_client fovea_pjrt_client;
typedef struct fovea_pjrt_buffer fovea_pjrt_buffer;
typedef struct fovea_pjrt_executable fovea_pjrt_executable;

typedef enum { fovea_pjrt_integer, fovea_pjrt_list, fovea_pjrt_truth } fovea_pjrt_kind;

/// An option of a client, whose value is `integer`, a list of this one number, or a truth.
typedef struct {
    const char *_Nonnull name;
    fovea_pjrt_kind kind;
    int64_t integer;
} fovea_pjrt_option;

void fovea_pjrt_free(void *_Nullable memory);

/// Opens a plugin, which stays open until the process ends.
char *_Nullable fovea_pjrt_open(const char *_Nonnull path, const fovea_pjrt_plugin *_Nullable *_Nonnull plugin);

/// The minor version of the interface that a plugin has; the major one is 0.
int32_t fovea_pjrt_minor_version(const fovea_pjrt_plugin *_Nonnull plugin);

/// What a plugin says of itself: lines of a name, a space and a value, to be freed; null where there is no memory.
char *_Nullable fovea_pjrt_attributes(const fovea_pjrt_plugin *_Nonnull plugin);

/// Starts what a plugin computes with, on the first of its devices. A client stays until the process ends.
char *_Nullable fovea_pjrt_create_client(
    const fovea_pjrt_plugin *_Nonnull plugin, const fovea_pjrt_option *_Nullable options, int64_t count,
    const fovea_pjrt_client *_Nullable *_Nonnull client);

typedef enum {
    fovea_pjrt_platform_name,
    fovea_pjrt_platform_version,
    fovea_pjrt_device_kind,
} fovea_pjrt_property;

/// A text about a client's device, to be freed; null where the plugin has none.
char *_Nullable fovea_pjrt_text(const fovea_pjrt_client *_Nonnull client, fovea_pjrt_property property);

/// The bytes of memory that a client's device may use; -1 where the plugin does not say.
int64_t fovea_pjrt_memory(const fovea_pjrt_client *_Nonnull client);

/// Compiles a program in StableHLO's text form.
///
/// `options` is a serialized message CompileOptionsProto. It must not be empty: plugins end the process then.
char *_Nullable fovea_pjrt_compile(
    const fovea_pjrt_client *_Nonnull client, const char *_Nonnull text, int64_t size, const uint8_t *_Nonnull options,
    int64_t options_size, fovea_pjrt_executable *_Nullable *_Nonnull executable);

void fovea_pjrt_destroy_executable(fovea_pjrt_executable *_Nonnull executable);

/// Runs a program on all of `arguments` and gives as many `results` as it was compiled for, then waits for the end.
///
/// Arguments that the program gives away lose their memory to results, but for those whose indices are in `kept`.
char *_Nullable fovea_pjrt_run(
    const fovea_pjrt_executable *_Nonnull executable, fovea_pjrt_buffer *_Nonnull const *_Nullable arguments,
    int64_t argument_count, const int64_t *_Nullable kept, int64_t kept_count,
    fovea_pjrt_buffer *_Nullable *_Nullable results, int64_t result_count);

/// Copies numbers in row-major order to a device. `type` counts the cases of the plugins' enumeration of element types.
char *_Nullable fovea_pjrt_send(
    const fovea_pjrt_client *_Nonnull client, const void *_Nonnull data, int32_t type, const int64_t *_Nonnull extents,
    int64_t rank, fovea_pjrt_buffer *_Nullable *_Nonnull buffer);

/// Copies numbers from a device, in row-major order.
char *_Nullable fovea_pjrt_fetch(
    const fovea_pjrt_buffer *_Nonnull buffer, int64_t rank, void *_Nonnull data, int64_t byte_count);

void fovea_pjrt_destroy_buffer(fovea_pjrt_buffer *_Nonnull buffer);

#endif
