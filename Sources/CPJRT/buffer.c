#include <stdlib.h>
#include <string.h>

#include "client.h"

fovea_pjrt_buffer *pjrt_new_buffer(const fovea_pjrt_client *client, void *buffer) {
    fovea_pjrt_buffer *made = malloc(sizeof *made);
    if (made) {
        made->client = client;
        made->buffer = buffer;
    } else {
        pjrt_destroy(client->api, client->api->buffer_destroy, buffer);
    }
    return made;
}

void fovea_pjrt_destroy_buffer(fovea_pjrt_buffer *buffer) {
    pjrt_destroy(buffer->client->api, buffer->client->api->buffer_destroy, buffer->buffer);
    free(buffer);
}

char *fovea_pjrt_send(
    const fovea_pjrt_client *client, const void *data, int32_t type, const int64_t *extents, int64_t rank,
    fovea_pjrt_buffer **buffer) {
    PJRT_ARGUMENTS(pjrt_buffer_from_host, call);
    call.client = client->client;
    call.data = data;
    call.type = type;
    call.dims = extents;
    call.num_dims = (size_t)rank;
    call.semantics = pjrt_copied_during_call;
    call.device = client->device;
    char *error = pjrt_text_of_error(client->api, client->api->client_buffer_from_host_buffer(&call));
    if (error) return error;
    error = pjrt_await(client->api, call.done_with_host_memory);
    if (error) {
        pjrt_destroy(client->api, client->api->buffer_destroy, call.buffer);
        return error;
    }
    *buffer = pjrt_new_buffer(client, call.buffer);
    return *buffer ? NULL : strdup("no memory");
}

char *fovea_pjrt_fetch(const fovea_pjrt_buffer *buffer, int64_t rank, void *data, int64_t byte_count) {
    int64_t *order = malloc(((size_t)rank + 1) * sizeof *order);
    if (!order) return strdup("no memory");
    for (int64_t i = 0; i < rank; i++) order[i] = rank - 1 - i;
    // A device may keep axes in another order; what arrives is row-major.
    PJRT_ARGUMENTS(pjrt_layout, layout);
    layout.type = pjrt_layout_tiled;
    layout.tiled.struct_size = sizeof layout.tiled;
    layout.tiled.minor_to_major = order;
    layout.tiled.minor_to_major_size = (size_t)rank;
    PJRT_ARGUMENTS(pjrt_buffer_to_host, call);
    call.buffer = buffer->buffer;
    call.host_layout = &layout;
    call.destination = data;
    call.destination_size = (size_t)byte_count;
    char *error = pjrt_text_of_error(buffer->client->api, buffer->client->api->buffer_to_host_buffer(&call));
    if (!error) error = pjrt_await(buffer->client->api, call.event);
    free(order);
    return error;
}
