#ifndef FOVEA_PICTURE_RESULT_H
#define FOVEA_PICTURE_RESULT_H

#include <stdint.h>

#include "CPictures.h"

// Notes what went wrong and takes back the memory. The message is a phrase that continues "the PNG picture ...".
void fovea_picture_fail(fovea_picture_result *result, fovea_picture_status status, const char *message);

// Whether a picture of this size is accepted; notes what is wrong with it if not.
int32_t fovea_picture_accepts(const fovea_picture_request *request, fovea_picture_result *result, uint64_t height,
                              uint64_t width);

// Takes memory for the pixels. Returns 0 and notes it where there is not enough.
int32_t fovea_picture_allocate(fovea_picture_result *result, uint64_t height, uint64_t width, int32_t channels);

void fovea_picture_encoding_failed(fovea_picture_encoded *encoded, const char *message);

// Adds bytes at the end; 0 where there is not enough memory, which is then what `encoded` says.
int32_t fovea_picture_append(fovea_picture_encoded *encoded, const void *bytes, size_t count);

#endif
