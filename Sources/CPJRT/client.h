#ifndef FOVEA_PJRT_CLIENT_H
#define FOVEA_PJRT_CLIENT_H

#include "api.h"
#include "pjrt.h"

struct fovea_pjrt_client {
    const pjrt_api *api;
    void *client;
    /// The first of those that this process may use.
    void *device;
};

struct fovea_pjrt_buffer {
    const fovea_pjrt_client *client;
    void *buffer;
};

// Calls that free something have no errors that anybody could act on.
void pjrt_destroy(const pjrt_api *api, pjrt_error *(*destroy)(pjrt_object_call *), void *object);

// Takes over a buffer; null and the buffer destroyed where there is no memory.
fovea_pjrt_buffer *pjrt_new_buffer(const fovea_pjrt_client *client, void *buffer);

#endif
