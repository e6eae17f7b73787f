#ifndef FOVEA_CPICTURES_H
#define FOVEA_CPICTURES_H

#include <stddef.h>
#include <stdint.h>

// Decoders, encoders and resampling of pictures. Nothing here keeps state: all of it may run on several threads at once.

typedef enum __attribute__((enum_extensibility(closed))) : int32_t {
    fovea_picture_decoded,
    fovea_picture_truncated,
    fovea_picture_corrupt,
    fovea_picture_too_large,
    fovea_picture_unsupported,
    fovea_picture_out_of_memory,
} fovea_picture_status;

typedef struct {
    const uint8_t *bytes;
    size_t count;
    // More are refused before memory for them is taken.
    int64_t greatest_pixel_count;
    int32_t greatest_side;
    // Whether transparency becomes a channel of its own instead of being dropped.
    int32_t keeps_alpha;
    // A JPEG picture may be decoded to a half, a quarter or an eighth of its size that is no smaller than this.
    int32_t least_height, least_width;
} fovea_picture_request;

typedef struct {
    fovea_picture_status status;
    char message[160];
    int32_t height, width;
    // 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    int32_t channels;
    // Rows from top to bottom, channels interleaved; nothing where decoding failed.
    uint8_t *pixels;
} fovea_picture_result;

// The memory of each result goes back with `fovea_picture_release`, whatever its status.
void fovea_picture_decode_jpeg(const fovea_picture_request *request, fovea_picture_result *result);
void fovea_picture_decode_png(const fovea_picture_request *request, fovea_picture_result *result);
void fovea_picture_decode_gif(const fovea_picture_request *request, fovea_picture_result *result);
void fovea_picture_decode_webp(const fovea_picture_request *request, fovea_picture_result *result);
void fovea_picture_release(fovea_picture_result *result);

typedef struct {
    int32_t succeeded;
    char message[160];
    uint8_t *bytes;
    size_t count;
} fovea_picture_encoded;

// `channels` is 1 or 3. The bytes go back with `fovea_picture_release_encoded`, whatever came of it.
void fovea_picture_encode_jpeg(const uint8_t *pixels, int32_t height, int32_t width, int32_t channels, int32_t quality,
                               fovea_picture_encoded *encoded);
void fovea_picture_encode_png(const uint8_t *pixels, int32_t height, int32_t width, int32_t channels,
                              fovea_picture_encoded *encoded);

// Pictures of one size, RGB, one after the other in memory, each shown for `milliseconds`, over and over or once.
typedef struct {
    const uint8_t *pixels;
    int32_t count, height, width;
    int32_t milliseconds;
    int32_t repeats;
} fovea_animation;

void fovea_animation_encode_gif(const fovea_animation *animation, fovea_picture_encoded *encoded);
void fovea_animation_encode_png(const fovea_animation *animation, fovea_picture_encoded *encoded);
void fovea_animation_encode_webp(const fovea_animation *animation, fovea_picture_encoded *encoded);
void fovea_picture_release_encoded(fovea_picture_encoded *encoded);

// Weighted sums of neighbouring pixels along one axis. Place i of the output sums `counts[i]` pixels of the input from
// `starts[i]` on, with the weights from `weights + i * stride` on, which are multiples of 2^-22; sums are rounded.
typedef struct {
    int32_t output_count;
    int32_t stride;
    const int32_t *starts;
    const int32_t *counts;
    const int32_t *weights;
} fovea_resampling;

// From rows of `input_width` pixels to rows of `resampling->output_count` pixels.
void fovea_resample_rows(const uint8_t *input, uint8_t *output, int32_t height, int32_t input_width, int32_t channels,
                         const fovea_resampling *resampling);
// From columns of pixels to `resampling->output_count` rows of `row_length` samples.
void fovea_resample_columns(const uint8_t *input, uint8_t *output, int32_t row_length,
                            const fovea_resampling *resampling);

#endif
