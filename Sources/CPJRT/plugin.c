// For vasprintf.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api.h"
#include "pjrt.h"

void fovea_pjrt_free(void *memory) { free(memory); }

static char *text_of(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int count = vasprintf(&text, format, arguments);
    va_end(arguments);
    return count < 0 ? NULL : text;
}

char *pjrt_copied_text(const char *text, size_t size) {
    char *copy = malloc(size + 1);
    if (!copy) return NULL;
    if (size) memcpy(copy, text, size);
    copy[size] = 0;
    return copy;
}

char *pjrt_text_of_error(const pjrt_api *api, pjrt_error *error) {
    if (!error) return NULL;
    PJRT_ARGUMENTS(pjrt_error_message, message);
    message.error = error;
    api->error_message(&message);
    char *text = pjrt_copied_text(message.message, message.message ? message.message_size : 0);
    PJRT_ARGUMENTS(pjrt_error_destroy, destroy);
    destroy.error = error;
    api->error_destroy(&destroy);
    // An error without a text must not pass for none.
    return text ? text : strdup("no memory");
}

char *pjrt_await(const pjrt_api *api, pjrt_event *event) {
    if (!event) return NULL;
    PJRT_ARGUMENTS(pjrt_event_call, call);
    call.event = event;
    char *text = pjrt_text_of_error(api, api->event_await(&call));
    free(pjrt_text_of_error(api, api->event_destroy(&call)));
    return text;
}

// Null where the table is one that can be used.
static char *refusal(const pjrt_api *api) {
    // The version lies in what every table has.
    if (!api || api->struct_size < offsetof(pjrt_api, error_destroy)) return strdup("it has no table of functions");
    if (api->version.major_version != pjrt_major_version || api->version.minor_version < pjrt_least_minor_version)
        return text_of("its interface has version %d.%d, and %d.%d or later is needed; get a newer plugin",
                       api->version.major_version, api->version.minor_version, pjrt_major_version,
                       pjrt_least_minor_version);
    if (api->struct_size < sizeof(pjrt_api)) return strdup("its table of functions is too short");
    return NULL;
}

// Whether the end of a library is missing, as after a download that was cut off: the loader would end the process.
static bool is_cut_off(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    struct stat status;
    ElfW(Ehdr) header;
    bool is_cut = false;
    // What is no library at all, the loader refuses.
    if (fstat(fileno(file), &status) == 0 && fread(&header, sizeof header, 1, file) == 1 &&
        memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_phentsize == sizeof(ElfW(Phdr)) &&
        fseek(file, (long)header.e_phoff, SEEK_SET) == 0) {
        uint64_t size = (uint64_t)status.st_size;
        for (int i = 0; i < header.e_phnum && !is_cut; i++) {
            ElfW(Phdr) segment;
            is_cut = fread(&segment, sizeof segment, 1, file) != 1 || segment.p_offset > size ||
                     segment.p_filesz > size - segment.p_offset;
        }
    }
    fclose(file);
    return is_cut;
}

char *fovea_pjrt_open(const char *path, const fovea_pjrt_plugin **plugin) {
    // Plugins write to the terminal what only their makers understand, unless somebody asks.
    setenv("TF_CPP_MIN_LOG_LEVEL", "3", 0);
    if (is_cut_off(path)) return strdup("it is a library whose end is missing; get it again");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *error = dlerror();
        return text_of("it cannot be opened as a library: %s", error ? error : "no reason given");
    }
    void *address = dlsym(library, "GetPjrtApi");
    if (!address) {
        dlclose(library);
        return strdup("it is a library, but no PJRT plugin: it has no function GetPjrtApi");
    }
    const pjrt_api *(*get_api)(void);
    memcpy(&get_api, &address, sizeof address);
    const pjrt_api *api = get_api();
    char *error = refusal(api);
    if (error) return error;
    PJRT_ARGUMENTS(pjrt_plugin_initialize, call);
    error = pjrt_text_of_error(api, api->plugin_initialize(&call));
    if (!error) *plugin = (const fovea_pjrt_plugin *)api;
    return error;
}

int32_t fovea_pjrt_minor_version(const fovea_pjrt_plugin *plugin) {
    return ((const pjrt_api *)plugin)->version.minor_version;
}

static void print_value(FILE *file, const pjrt_named_value *value) {
    switch (value->type) {
    case pjrt_value_string: fprintf(file, "%.*s", (int)value->size, value->string); break;
    case pjrt_value_int64: fprintf(file, "%lld", (long long)value->int64); break;
    case pjrt_value_int64_list:
        for (size_t i = 0; i < value->size; i++) fprintf(file, "%s%lld", i ? "." : "", (long long)value->int64s[i]);
        break;
    case pjrt_value_float: fprintf(file, "%g", value->number); break;
    case pjrt_value_bool: fprintf(file, "%d", value->truth); break;
    }
}

char *fovea_pjrt_attributes(const fovea_pjrt_plugin *plugin) {
    const pjrt_api *api = (const pjrt_api *)plugin;
    PJRT_ARGUMENTS(pjrt_plugin_attributes, call);
    char *error = pjrt_text_of_error(api, api->plugin_attributes(&call));
    if (error) {
        free(error);
        call.num_attributes = 0;
    }
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file) return NULL;
    for (size_t i = 0; i < call.num_attributes; i++) {
        const pjrt_named_value *value = &call.attributes[i];
        fprintf(file, "%.*s ", (int)value->name_size, value->name);
        print_value(file, value);
        fputc('\n', file);
    }
    fclose(file);
    return text;
}
