#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "result.h"

// Whether the file has fewer bytes than its first chunk, which holds all others, says.
static int32_t is_cut_short(const fovea_picture_request *request) {
    if (request->count < 12) return 1;
    const uint8_t *size = request->bytes + 4;
    uint64_t stated = size[0] | (uint64_t)size[1] << 8 | (uint64_t)size[2] << 16 | (uint64_t)size[3] << 24;
    return request->count - 8 < stated;
}

static void fail(const fovea_picture_request *request, fovea_picture_result *result, VP8StatusCode code) {
    // What is missing may be metadata behind the pixels.
    if (code != VP8_STATUS_OUT_OF_MEMORY && is_cut_short(request)) {
        fovea_picture_fail(result, fovea_picture_truncated, "has fewer bytes than its header says");
        return;
    }
    switch (code) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        fovea_picture_fail(result, fovea_picture_corrupt, "has fewer bytes of pixels than it should");
        return;
    case VP8_STATUS_OUT_OF_MEMORY:
        fovea_picture_fail(result, fovea_picture_out_of_memory, "needs more memory than there is");
        return;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        fovea_picture_fail(result, fovea_picture_unsupported, "has features that libwebp does not know");
        return;
    default:
        fovea_picture_fail(result, fovea_picture_corrupt, "cannot be decoded");
    }
}

static void read_still(const fovea_picture_request *request, const WebPBitstreamFeatures *features,
                       fovea_picture_result *result) {
    int32_t channels = request->keeps_alpha && features->has_alpha ? 4 : 3;
    if (!fovea_picture_allocate(result, (uint64_t)features->height, (uint64_t)features->width, channels)) return;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) {
        fovea_picture_fail(result, fovea_picture_unsupported, "needs another version of libwebp than is installed");
        return;
    }
    config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = result->pixels;
    config.output.u.RGBA.stride = features->width * channels;
    config.output.u.RGBA.size = (size_t)features->height * (size_t)features->width * (size_t)channels;
    VP8StatusCode code = WebPDecode(request->bytes, request->count, &config);
    if (code != VP8_STATUS_OK) fail(request, result, code);
}

static void read_animation(const fovea_picture_request *request, const WebPBitstreamFeatures *features,
                           fovea_picture_result *result) {
    WebPAnimDecoderOptions options;
    if (!WebPAnimDecoderOptionsInit(&options)) {
        fovea_picture_fail(result, fovea_picture_unsupported, "needs another version of libwebp than is installed");
        return;
    }
    options.color_mode = MODE_RGBA;
    options.use_threads = 0;
    WebPData data = {request->bytes, request->count};
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
    if (!decoder) {
        fail(request, result, VP8_STATUS_BITSTREAM_ERROR);
        return;
    }
    uint8_t *canvas;
    int time;
    if (!WebPAnimDecoderGetNext(decoder, &canvas, &time)) {
        fail(request, result, VP8_STATUS_BITSTREAM_ERROR);
    } else {
        int32_t channels = request->keeps_alpha ? 4 : 3;
        if (fovea_picture_allocate(result, (uint64_t)features->height, (uint64_t)features->width, channels)) {
            for (size_t i = 0; i < (size_t)features->height * (size_t)features->width; i++) {
                memcpy(result->pixels + i * channels, canvas + 4 * i, channels);
            }
        }
    }
    WebPAnimDecoderDelete(decoder);
}

void fovea_picture_decode_webp(const fovea_picture_request *request, fovea_picture_result *result) {
    memset(result, 0, sizeof *result);
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(request->bytes, request->count, &features);
    if (code != VP8_STATUS_OK) {
        fail(request, result, code);
        return;
    }
    if (!fovea_picture_accepts(request, result, (uint64_t)features.height, (uint64_t)features.width)) return;
    if (features.has_animation) {
        read_animation(request, &features, result);
    } else {
        read_still(request, &features, result);
    }
}
