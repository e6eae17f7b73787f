#ifndef FOVEA_PJRT_API_H
#define FOVEA_PJRT_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What is used of the PJRT C API, as a plugin fills it in. Structures begin with their size, and later versions only add to their ends:
// plugins of version 0.81 and later agree with what is declared here.

enum {
    pjrt_major_version = 0,
    pjrt_least_minor_version = 81,
    pjrt_value_string = 0,
    pjrt_value_int64 = 1,
    pjrt_value_int64_list = 2,
    pjrt_value_float = 3,
    pjrt_value_bool = 4,
    pjrt_copied_during_call = 0,
    pjrt_layout_tiled = 0,
};

typedef struct pjrt_error pjrt_error;
typedef struct pjrt_event pjrt_event;

// Every structure begins with these; extensions are not used.
#define PJRT_HEAD                                                                                                      \
    size_t struct_size;                                                                                                \
    void *extensions

typedef struct {
    PJRT_HEAD;
    const char *name;
    size_t name_size;
    int type;
    union {
        const char *string;
        int64_t int64;
        const int64_t *int64s;
        float number;
        bool truth;
    };
    size_t size;
} pjrt_named_value;

typedef struct {
    PJRT_HEAD;
    const char *code;
    size_t code_size;
    const char *format;
    size_t format_size;
} pjrt_program;

typedef struct {
    PJRT_HEAD;
    const int64_t *minor_to_major;
    size_t minor_to_major_size;
    const int64_t *tile_dims;
    const size_t *tile_dim_sizes;
    size_t num_tiles;
} pjrt_tiled_layout;

typedef struct {
    PJRT_HEAD;
    pjrt_tiled_layout tiled;
    int type;
} pjrt_layout;

typedef struct {
    PJRT_HEAD;
    void *send_callbacks;
    void *receive_callbacks;
    size_t num_sends;
    size_t num_receives;
    int launch_id;
    const int64_t *non_donatable_indices;
    size_t num_non_donatable_indices;
    void *context;
    const char *call_location;
    size_t num_tasks;
    int *task_ids;
    int64_t *incarnation_ids;
} pjrt_execute_options;

// Arguments of calls: what goes in, then what comes out.

typedef struct {
    PJRT_HEAD;
    pjrt_error *error;
} pjrt_error_destroy;

typedef struct {
    PJRT_HEAD;
    const pjrt_error *error;
    const char *message;
    size_t message_size;
} pjrt_error_message;

typedef struct {
    PJRT_HEAD;
} pjrt_plugin_initialize;

typedef struct {
    PJRT_HEAD;
    const pjrt_named_value *attributes;
    size_t num_attributes;
} pjrt_plugin_attributes;

typedef struct {
    PJRT_HEAD;
    pjrt_event *event;
} pjrt_event_call;

typedef struct {
    PJRT_HEAD;
    const pjrt_named_value *options;
    size_t num_options;
    void *get_callback;
    void *get_argument;
    void *put_callback;
    void *put_argument;
    void *client;
    void *try_get_callback;
    void *try_get_argument;
} pjrt_client_create;

typedef struct {
    PJRT_HEAD;
    void *object;
} pjrt_object_call;

// Of a client's platform name and version and a description's kind.
typedef struct {
    PJRT_HEAD;
    void *object;
    const char *text;
    size_t text_size;
} pjrt_text_call;

typedef struct {
    PJRT_HEAD;
    void *client;
    void *const *devices;
    size_t num_devices;
} pjrt_client_devices;

typedef struct {
    PJRT_HEAD;
    void *client;
    const pjrt_program *program;
    const char *options;
    size_t options_size;
    void *executable;
} pjrt_client_compile;

typedef struct {
    PJRT_HEAD;
    void *client;
    const void *data;
    int type;
    const int64_t *dims;
    size_t num_dims;
    const int64_t *byte_strides;
    size_t num_byte_strides;
    int semantics;
    void *device;
    void *memory;
    pjrt_layout *device_layout;
    pjrt_event *done_with_host_memory;
    void *buffer;
} pjrt_buffer_from_host;

typedef struct {
    PJRT_HEAD;
    void *device;
    void *description;
} pjrt_device_description;

typedef struct {
    PJRT_HEAD;
    void *device;
    int64_t bytes_in_use;
    int64_t peak_bytes_in_use;
    bool peak_bytes_in_use_is_set;
    int64_t num_allocations;
    bool num_allocations_is_set;
    int64_t largest_allocation;
    bool largest_allocation_is_set;
    int64_t bytes_limit;
    bool bytes_limit_is_set;
    int64_t bytes_reserved;
    bool bytes_reserved_is_set;
    int64_t peak_bytes_reserved;
    bool peak_bytes_reserved_is_set;
    int64_t bytes_reservable_limit;
    bool bytes_reservable_limit_is_set;
    int64_t largest_free_block;
    bool largest_free_block_is_set;
    int64_t pool_bytes;
    bool pool_bytes_is_set;
    int64_t peak_pool_bytes;
    bool peak_pool_bytes_is_set;
} pjrt_memory_statistics;

typedef struct {
    PJRT_HEAD;
    void *loaded;
    void *executable;
} pjrt_get_executable;

typedef struct {
    PJRT_HEAD;
    void *executable;
    size_t num_outputs;
} pjrt_num_outputs;

typedef struct {
    PJRT_HEAD;
    void *executable;
    pjrt_execute_options *options;
    void *const *const *argument_lists;
    size_t num_devices;
    size_t num_arguments;
    void **const *output_lists;
    pjrt_event **complete_events;
    void *device;
} pjrt_execute;

typedef struct {
    PJRT_HEAD;
    void *buffer;
    pjrt_layout *host_layout;
    void *destination;
    size_t destination_size;
    pjrt_event *event;
} pjrt_buffer_to_host;

#define PJRT_FUNCTION(name, arguments) pjrt_error *(*name)(arguments *)
#define PJRT_UNUSED(name) void (*name)(void)

// The table of functions, up to the last that is used.
typedef struct {
    PJRT_HEAD;
    struct {
        PJRT_HEAD;
        int major_version;
        int minor_version;
    } version;
    void (*error_destroy)(pjrt_error_destroy *);
    void (*error_message)(pjrt_error_message *);
    PJRT_UNUSED(error_get_code);
    PJRT_FUNCTION(plugin_initialize, pjrt_plugin_initialize);
    PJRT_FUNCTION(plugin_attributes, pjrt_plugin_attributes);
    PJRT_FUNCTION(event_destroy, pjrt_event_call);
    PJRT_UNUSED(event_is_ready);
    PJRT_UNUSED(event_error);
    PJRT_FUNCTION(event_await, pjrt_event_call);
    PJRT_UNUSED(event_on_ready);
    PJRT_FUNCTION(client_create, pjrt_client_create);
    PJRT_FUNCTION(client_destroy, pjrt_object_call);
    PJRT_FUNCTION(client_platform_name, pjrt_text_call);
    PJRT_UNUSED(client_process_index);
    PJRT_FUNCTION(client_platform_version, pjrt_text_call);
    PJRT_UNUSED(client_devices);
    PJRT_FUNCTION(client_addressable_devices, pjrt_client_devices);
    PJRT_UNUSED(client_lookup_device);
    PJRT_UNUSED(client_lookup_addressable_device);
    PJRT_UNUSED(client_addressable_memories);
    PJRT_FUNCTION(client_compile, pjrt_client_compile);
    PJRT_UNUSED(client_default_device_assignment);
    PJRT_FUNCTION(client_buffer_from_host_buffer, pjrt_buffer_from_host);
    PJRT_UNUSED(device_description_id);
    PJRT_UNUSED(device_description_process_index);
    PJRT_UNUSED(device_description_attributes);
    PJRT_FUNCTION(device_description_kind, pjrt_text_call);
    PJRT_UNUSED(device_description_debug_string);
    PJRT_UNUSED(device_description_to_string);
    PJRT_FUNCTION(device_get_description, pjrt_device_description);
    PJRT_UNUSED(device_is_addressable);
    PJRT_UNUSED(device_local_hardware_id);
    PJRT_UNUSED(device_addressable_memories);
    PJRT_UNUSED(device_default_memory);
    PJRT_FUNCTION(device_memory_stats, pjrt_memory_statistics);
    PJRT_UNUSED(memory_id);
    PJRT_UNUSED(memory_kind);
    PJRT_UNUSED(memory_debug_string);
    PJRT_UNUSED(memory_to_string);
    PJRT_UNUSED(memory_addressable_by_devices);
    PJRT_FUNCTION(executable_destroy, pjrt_object_call);
    PJRT_UNUSED(executable_name);
    PJRT_UNUSED(executable_num_replicas);
    PJRT_UNUSED(executable_num_partitions);
    PJRT_FUNCTION(executable_num_outputs, pjrt_num_outputs);
    PJRT_UNUSED(executable_size_of_generated_code);
    PJRT_UNUSED(executable_get_cost_analysis);
    PJRT_UNUSED(executable_output_memory_kinds);
    PJRT_UNUSED(executable_optimized_program);
    PJRT_UNUSED(executable_serialize);
    PJRT_FUNCTION(loaded_executable_destroy, pjrt_object_call);
    PJRT_FUNCTION(loaded_executable_get_executable, pjrt_get_executable);
    PJRT_UNUSED(loaded_executable_addressable_devices);
    PJRT_UNUSED(loaded_executable_delete);
    PJRT_UNUSED(loaded_executable_is_deleted);
    PJRT_FUNCTION(loaded_executable_execute, pjrt_execute);
    PJRT_UNUSED(executable_deserialize_and_load);
    PJRT_UNUSED(loaded_executable_fingerprint);
    PJRT_FUNCTION(buffer_destroy, pjrt_object_call);
    PJRT_UNUSED(buffer_element_type);
    PJRT_UNUSED(buffer_dimensions);
    PJRT_UNUSED(buffer_unpadded_dimensions);
    PJRT_UNUSED(buffer_dynamic_dimension_indices);
    PJRT_UNUSED(buffer_get_memory_layout);
    PJRT_UNUSED(buffer_on_device_size);
    PJRT_UNUSED(buffer_device);
    PJRT_UNUSED(buffer_memory);
    PJRT_UNUSED(buffer_delete);
    PJRT_UNUSED(buffer_is_deleted);
    PJRT_UNUSED(buffer_copy_to_device);
    PJRT_FUNCTION(buffer_to_host_buffer, pjrt_buffer_to_host);
} pjrt_api;

// The arguments of a call, zero but for their size.
#define PJRT_ARGUMENTS(type, name) type name = {.struct_size = sizeof(type)}

// Takes an error apart: its text, to be freed, or null where there was none. Frees the error.
char *pjrt_text_of_error(const pjrt_api *api, pjrt_error *error);

// Waits for an event, which may be null, and frees it. What came of it as `pjrt_text_of_error`.
char *pjrt_await(const pjrt_api *api, pjrt_event *event);

// A copy of a text that is not terminated; null where there is no memory.
char *pjrt_copied_text(const char *text, size_t size);

#endif
