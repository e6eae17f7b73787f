// Max-pooling of images laid out as [planes, height, width, lanes]: row-major images have a plane for each image and a
// lane for each channel, images in blocks of 16 channels a plane for each block of each image.
#ifndef FOVEA_MAX_POOL_H
#define FOVEA_MAX_POOL_H
#include <stdint.h>

// A winner is a place in the window, counted row by row, or -1 where no element won. It takes a byte, where -1 is 255, or
// in windows of 255 places and more an int32_t.
#define FOVEA_NO_WINNER 255

typedef struct {
    int64_t planes, lanes;
    int64_t height, width;                // of the images
    int64_t pooled_height, pooled_width;  // of the result
    int64_t window[2], strides[2];        // rows, columns
    int64_t padding[2];                   // before the first row and column; never wins
    int32_t is_rectified;                 // results below zero become zero, and nobody wins them
} fovea_max_pool;

// The size of a winner.
int32_t fovea_max_pool_winner_bytes(const fovea_max_pool *pool);

// pooled = the largest element under each window, the first of equals, or the first NaN; `winners`, one for each result,
// may be NULL.
void fovea_max_pool_forward(const fovea_max_pool *pool, const float *images, float *pooled, void *winners);

// gradient = zero but for the winners, each of which gets (the sum of) the upstream elements that it won.
void fovea_max_pool_backward(const fovea_max_pool *pool, const float *upstream, const void *winners, float *gradient);

#endif
