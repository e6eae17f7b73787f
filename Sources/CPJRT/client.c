#include "client.h"

#include <stdlib.h>
#include <string.h>

void pjrt_destroy(const pjrt_api *api, pjrt_error *(*destroy)(pjrt_object_call *), void *object) {
    if (!object) return;
    PJRT_ARGUMENTS(pjrt_object_call, call);
    call.object = object;
    free(pjrt_text_of_error(api, destroy(&call)));
}

static char *find_device(fovea_pjrt_client *client) {
    PJRT_ARGUMENTS(pjrt_client_devices, call);
    call.client = client->client;
    char *error = pjrt_text_of_error(client->api, client->api->client_addressable_devices(&call));
    if (error) return error;
    if (call.num_devices == 0) return strdup("it finds no device on this machine");
    client->device = call.devices[0];
    return NULL;
}

char *fovea_pjrt_create_client(
    const fovea_pjrt_plugin *plugin, const fovea_pjrt_option *options, int64_t count,
    const fovea_pjrt_client **client) {
    const pjrt_api *api = (const pjrt_api *)plugin;
    fovea_pjrt_client *made = calloc(1, sizeof *made);
    pjrt_named_value *values = calloc((size_t)count + 1, sizeof *values);
    if (!made || !values) {
        free(made);
        free(values);
        return strdup("no memory");
    }
    for (int64_t i = 0; i < count; i++) {
        pjrt_named_value *value = &values[i];
        value->struct_size = sizeof *value;
        value->name = options[i].name;
        value->name_size = strlen(options[i].name);
        value->size = 1;
        switch (options[i].kind) {
        case fovea_pjrt_integer:
            value->type = pjrt_value_int64;
            value->int64 = options[i].integer;
            break;
        case fovea_pjrt_list:
            value->type = pjrt_value_int64_list;
            value->int64s = &options[i].integer;
            break;
        case fovea_pjrt_truth:
            value->type = pjrt_value_bool;
            value->truth = options[i].integer != 0;
            break;
        }
    }
    PJRT_ARGUMENTS(pjrt_client_create, call);
    call.options = values;
    call.num_options = (size_t)count;
    made->api = api;
    char *error = pjrt_text_of_error(api, api->client_create(&call));
    free(values);
    if (!error) {
        made->client = call.client;
        error = find_device(made);
    }
    if (error) {
        pjrt_destroy(api, api->client_destroy, made->client);
        free(made);
        return error;
    }
    *client = made;
    return NULL;
}

char *fovea_pjrt_text(const fovea_pjrt_client *client, fovea_pjrt_property property) {
    const pjrt_api *api = client->api;
    PJRT_ARGUMENTS(pjrt_text_call, call);
    char *error = NULL;
    switch (property) {
    case fovea_pjrt_platform_name:
        call.object = client->client;
        error = pjrt_text_of_error(api, api->client_platform_name(&call));
        break;
    case fovea_pjrt_platform_version:
        call.object = client->client;
        error = pjrt_text_of_error(api, api->client_platform_version(&call));
        break;
    case fovea_pjrt_device_kind: {
        PJRT_ARGUMENTS(pjrt_device_description, description);
        description.device = client->device;
        error = pjrt_text_of_error(api, api->device_get_description(&description));
        if (error) break;
        call.object = description.description;
        error = pjrt_text_of_error(api, api->device_description_kind(&call));
        break;
    }
    }
    if (!error && call.text) return pjrt_copied_text(call.text, call.text_size);
    free(error);
    return NULL;
}

int64_t fovea_pjrt_memory(const fovea_pjrt_client *client) {
    PJRT_ARGUMENTS(pjrt_memory_statistics, call);
    call.device = client->device;
    char *error = pjrt_text_of_error(client->api, client->api->device_memory_stats(&call));
    int64_t memory = !error && call.bytes_limit_is_set ? call.bytes_limit : -1;
    free(error);
    return memory;
}
