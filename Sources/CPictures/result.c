#include "result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fovea_picture_release(fovea_picture_result *result) {
    free(result->pixels);
    result->pixels = NULL;
}

void fovea_picture_release_encoded(fovea_picture_encoded *encoded) {
    free(encoded->bytes);
    encoded->bytes = NULL;
    encoded->count = 0;
}

void fovea_picture_fail(fovea_picture_result *result, fovea_picture_status status, const char *message) {
    fovea_picture_release(result);
    result->status = status;
    snprintf(result->message, sizeof result->message, "%s", message);
}

int32_t fovea_picture_accepts(const fovea_picture_request *request, fovea_picture_result *result, uint64_t height,
                              uint64_t width) {
    char text[160];
    if (height == 0 || width == 0) {
        fovea_picture_fail(result, fovea_picture_corrupt, "has no pixels");
        return 0;
    }
    // Sides are compared first, so that the product stays small.
    if (height > (uint64_t)request->greatest_side || width > (uint64_t)request->greatest_side) {
        snprintf(text, sizeof text, "has %llu×%llu pixels, but sides of at most %d are read",
                 (unsigned long long)height, (unsigned long long)width, request->greatest_side);
    } else if (height * width > (uint64_t)request->greatest_pixel_count) {
        snprintf(text, sizeof text, "has %llu×%llu pixels, but at most %lld are read",
                 (unsigned long long)height, (unsigned long long)width, (long long)request->greatest_pixel_count);
    } else {
        return 1;
    }
    fovea_picture_fail(result, fovea_picture_too_large, text);
    return 0;
}

int32_t fovea_picture_allocate(fovea_picture_result *result, uint64_t height, uint64_t width, int32_t channels) {
    result->height = (int32_t)height;
    result->width = (int32_t)width;
    result->channels = channels;
    result->pixels = malloc(height * width * (uint64_t)channels);
    if (result->pixels) return 1;
    fovea_picture_fail(result, fovea_picture_out_of_memory, "needs more memory than there is");
    return 0;
}

void fovea_picture_encoding_failed(fovea_picture_encoded *encoded, const char *message) {
    fovea_picture_release_encoded(encoded);
    encoded->succeeded = 0;
    snprintf(encoded->message, sizeof encoded->message, "%s", message);
}

// The smallest power of two that holds so many bytes: what has been taken need not be remembered.
static size_t capacity(size_t count) {
    size_t size = 4096;
    while (size < count) size *= 2;
    return size;
}

int32_t fovea_picture_append(fovea_picture_encoded *encoded, const void *bytes, size_t count) {
    size_t needed = encoded->count + count;
    if (!encoded->bytes || capacity(needed) > capacity(encoded->count)) {
        uint8_t *larger = realloc(encoded->bytes, capacity(needed));
        if (!larger) {
            fovea_picture_encoding_failed(encoded, "there is not enough memory");
            return 0;
        }
        encoded->bytes = larger;
    }
    memcpy(encoded->bytes + encoded->count, bytes, count);
    encoded->count = needed;
    return 1;
}
