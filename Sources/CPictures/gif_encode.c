#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

#include "palette.h"
#include "result.h"

static int append(GifFileType *gif, const GifByteType *bytes, int count) {
    return fovea_picture_append(gif->UserData, bytes, (size_t)count) ? count : 0;
}

// The part of a frame that differs from the one before it; one pixel where nothing does.
typedef struct {
    int32_t top, left, bottom, right;
} part;

static part changed_part(const fovea_animation *animation, int32_t frame) {
    int32_t height = animation->height, width = animation->width;
    if (frame == 0) return (part){0, 0, height, width};
    size_t row_bytes = 3 * (size_t)width, frame_bytes = row_bytes * (size_t)height;
    const uint8_t *now = animation->pixels + (size_t)frame * frame_bytes, *before = now - frame_bytes;
    part changed = {height, width, 0, 0};
    for (int32_t y = 0; y < height; y++) {
        const uint8_t *a = now + (size_t)y * row_bytes, *b = before + (size_t)y * row_bytes;
        if (memcmp(a, b, row_bytes) == 0) continue;
        if (changed.top > y) changed.top = y;
        changed.bottom = y + 1;
        int32_t first = 0, last = width - 1;
        while (memcmp(a + 3 * (size_t)first, b + 3 * (size_t)first, 3) == 0) first++;
        while (memcmp(a + 3 * (size_t)last, b + 3 * (size_t)last, 3) == 0) last--;
        if (changed.left > first) changed.left = first;
        if (changed.right < last + 1) changed.right = last + 1;
    }
    return changed.bottom == 0 ? (part){0, 0, 1, 1} : changed;
}

static int32_t put_header(GifFileType *gif, const fovea_animation *animation, const fovea_palette *palette) {
    int32_t size = 2;
    while (size < fovea_palette_count(palette)) size *= 2;
    ColorMapObject *map = GifMakeMapObject(size, NULL);
    if (!map) return GIF_ERROR;
    for (int32_t i = 0; i < fovea_palette_count(palette); i++) {
        const uint8_t *color = fovea_palette_color(palette, i);
        map->Colors[i] = (GifColorType){color[0], color[1], color[2]};
    }
    EGifSetGifVersion(gif, true);
    int32_t status = EGifPutScreenDesc(gif, animation->width, animation->height, 8, 0, map);
    GifFreeMapObject(map);
    if (status != GIF_OK || !animation->repeats) return status;
    // Netscape's extension for what is shown over and over.
    const GifByteType forever[3] = {1, 0, 0};
    return EGifPutExtensionLeader(gif, APPLICATION_EXT_FUNC_CODE) == GIF_OK
                   && EGifPutExtensionBlock(gif, 11, "NETSCAPE2.0") == GIF_OK
                   && EGifPutExtensionBlock(gif, sizeof forever, forever) == GIF_OK
                   && EGifPutExtensionTrailer(gif) == GIF_OK
               ? GIF_OK
               : GIF_ERROR;
}

static int32_t put_frame(GifFileType *gif, const fovea_animation *animation, int32_t frame, const fovea_palette *palette,
                         GifByteType *row) {
    const GraphicsControlBlock control = {
        .DisposalMode = DISPOSE_DO_NOT, .DelayTime = (animation->milliseconds + 5) / 10, .TransparentColor = NO_TRANSPARENT_COLOR};
    GifByteType bytes[4];
    EGifGCBToExtension(&control, bytes);
    if (EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, sizeof bytes, bytes) != GIF_OK) return GIF_ERROR;
    part changed = changed_part(animation, frame);
    int32_t width = changed.right - changed.left;
    if (EGifPutImageDesc(gif, changed.left, changed.top, width, changed.bottom - changed.top, false, NULL) != GIF_OK) {
        return GIF_ERROR;
    }
    size_t rows_before = (size_t)frame * (size_t)animation->height;
    for (int32_t y = changed.top; y < changed.bottom; y++) {
        const uint8_t *pixels =
            animation->pixels + 3 * ((rows_before + (size_t)y) * (size_t)animation->width + (size_t)changed.left);
        for (int32_t x = 0; x < width; x++) row[x] = fovea_palette_index(palette, pixels + 3 * (size_t)x);
        if (EGifPutLine(gif, row, width) != GIF_OK) return GIF_ERROR;
    }
    return GIF_OK;
}

void fovea_animation_encode_gif(const fovea_animation *animation, fovea_picture_encoded *encoded) {
    memset(encoded, 0, sizeof *encoded);
    fovea_palette *palette = fovea_palette_create(
        animation->pixels, (int64_t)animation->count * animation->height * animation->width);
    GifByteType *row = malloc((size_t)animation->width);
    int error = 0;
    GifFileType *gif = palette && row ? EGifOpen(encoded, append, &error) : NULL;
    if (!gif) {
        fovea_picture_encoding_failed(encoded, "there is not enough memory");
    } else {
        int32_t status = put_header(gif, animation, palette);
        for (int32_t frame = 0; frame < animation->count && status == GIF_OK; frame++) {
            status = put_frame(gif, animation, frame, palette, row);
        }
        error = gif->Error;
        if (EGifCloseFile(gif, status == GIF_OK ? &error : NULL) == GIF_OK && status == GIF_OK) {
            encoded->succeeded = 1;
        } else {
            const char *message = GifErrorString(error);
            fovea_picture_encoding_failed(encoded, message ? message : "giflib refused it");
        }
    }
    free(row);
    fovea_palette_destroy(palette);
}
