#include <string.h>

#include <webp/encode.h>
#include <webp/mux.h>

#include "result.h"

static int32_t add_frame(WebPAnimEncoder *encoder, const fovea_animation *animation, int32_t frame,
                         const WebPConfig *config) {
    WebPPicture picture;
    if (!WebPPictureInit(&picture)) return 0;
    picture.use_argb = 1;
    picture.width = animation->width;
    picture.height = animation->height;
    size_t frame_bytes = 3 * (size_t)animation->height * (size_t)animation->width;
    int32_t succeeded =
        WebPPictureImportRGB(&picture, animation->pixels + (size_t)frame * frame_bytes, 3 * animation->width)
        && WebPAnimEncoderAdd(encoder, &picture, frame * animation->milliseconds, config);
    WebPPictureFree(&picture);
    return succeeded;
}

void fovea_animation_encode_webp(const fovea_animation *animation, fovea_picture_encoded *encoded) {
    memset(encoded, 0, sizeof *encoded);
    WebPConfig config;
    WebPAnimEncoderOptions options;
    if (!WebPConfigInit(&config) || !WebPConfigLosslessPreset(&config, 6) || !WebPAnimEncoderOptionsInit(&options)) {
        fovea_picture_encoding_failed(encoded, "it needs another version of libwebp than is installed");
        return;
    }
    options.anim_params.loop_count = animation->repeats ? 0 : 1;
    WebPAnimEncoder *encoder = WebPAnimEncoderNew(animation->width, animation->height, &options);
    if (!encoder) {
        fovea_picture_encoding_failed(encoded, "there is not enough memory, or a side is longer than 16,383 pixels");
        return;
    }
    int32_t succeeded = 1;
    for (int32_t frame = 0; frame < animation->count && succeeded; frame++) {
        succeeded = add_frame(encoder, animation, frame, &config);
    }
    WebPData data;
    WebPDataInit(&data);
    if (succeeded && WebPAnimEncoderAdd(encoder, NULL, animation->count * animation->milliseconds, NULL)
        && WebPAnimEncoderAssemble(encoder, &data)) {
        encoded->succeeded = fovea_picture_append(encoded, data.bytes, data.size);
    } else {
        fovea_picture_encoding_failed(encoded, WebPAnimEncoderGetError(encoder));
    }
    WebPDataClear(&data);
    WebPAnimEncoderDelete(encoder);
}
