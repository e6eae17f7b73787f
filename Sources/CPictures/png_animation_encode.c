// PNG's frames are chunks that viewers without them pass over (APNG, PNG specification, third edition, section 11.3.4).
#include <string.h>

#include <zlib.h>

#include "result.h"

enum { signature_size = 8, chunk_overhead = 12 };

static void store(uint8_t *bytes, uint32_t number) {
    for (int32_t i = 0; i < 4; i++) bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

static uint32_t number_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// A chunk whose data is `head`, then `tail`.
static int32_t append_chunk(fovea_picture_encoded *encoded, const char *type, const uint8_t *head, uint32_t head_count,
                            const uint8_t *tail, uint32_t tail_count) {
    uint8_t start[8], check[4];
    store(start, head_count + tail_count);
    memcpy(start + 4, type, 4);
    uLong sum = crc32(0, start + 4, 4);
    if (head_count > 0) sum = crc32(sum, head, head_count);
    if (tail_count > 0) sum = crc32(sum, tail, tail_count);
    store(check, (uint32_t)sum);
    return fovea_picture_append(encoded, start, sizeof start)
        && (head_count == 0 || fovea_picture_append(encoded, head, head_count))
        && (tail_count == 0 || fovea_picture_append(encoded, tail, tail_count))
        && fovea_picture_append(encoded, check, sizeof check);
}

static int32_t append_frame_control(const fovea_animation *animation, uint32_t *sequence,
                                    fovea_picture_encoded *encoded) {
    uint8_t control[26] = {0};
    store(control, (*sequence)++);
    store(control + 4, (uint32_t)animation->width);
    store(control + 8, (uint32_t)animation->height);
    control[20] = (uint8_t)(animation->milliseconds >> 8);
    control[21] = (uint8_t)animation->milliseconds;
    control[22] = 1000 >> 8;
    control[23] = 1000 & 0xFF;
    return append_chunk(encoded, "fcTL", control, sizeof control, NULL, 0);
}

// Takes the chunks of one picture's file over: all but its end for the first, the pixels for the others.
static int32_t append_frame(const fovea_animation *animation, int32_t frame, const fovea_picture_encoded *picture,
                            uint32_t *sequence, fovea_picture_encoded *encoded) {
    if (frame == 0 && !fovea_picture_append(encoded, picture->bytes, signature_size)) return 0;
    if (frame > 0 && !append_frame_control(animation, sequence, encoded)) return 0;
    size_t place = signature_size;
    while (place + chunk_overhead <= picture->count) {
        const uint8_t *chunk = picture->bytes + place;
        uint32_t count = number_at(chunk);
        int32_t is_header = memcmp(chunk + 4, "IHDR", 4) == 0, is_data = memcmp(chunk + 4, "IDAT", 4) == 0;
        place += chunk_overhead + (size_t)count;
        if (is_data && frame > 0) {
            uint8_t number[4];
            store(number, (*sequence)++);
            if (!append_chunk(encoded, "fdAT", number, sizeof number, chunk + 8, count)) return 0;
        } else if (frame == 0 && memcmp(chunk + 4, "IEND", 4) != 0) {
            if (!fovea_picture_append(encoded, chunk, chunk_overhead + (size_t)count)) return 0;
        }
        if (is_header && frame == 0) {
            uint8_t control[8];
            store(control, (uint32_t)animation->count);
            store(control + 4, animation->repeats ? 0 : 1);
            if (!append_chunk(encoded, "acTL", control, sizeof control, NULL, 0)
                || !append_frame_control(animation, sequence, encoded)) {
                return 0;
            }
        }
    }
    return 1;
}

void fovea_animation_encode_png(const fovea_animation *animation, fovea_picture_encoded *encoded) {
    memset(encoded, 0, sizeof *encoded);
    size_t frame_bytes = 3 * (size_t)animation->height * (size_t)animation->width;
    uint32_t sequence = 0;
    for (int32_t frame = 0; frame < animation->count; frame++) {
        fovea_picture_encoded picture;
        fovea_picture_encode_png(animation->pixels + (size_t)frame * frame_bytes, animation->height, animation->width, 3,
                                 &picture);
        int32_t succeeded = picture.succeeded;
        if (!succeeded) {
            fovea_picture_encoding_failed(encoded, picture.message);
        } else {
            succeeded = append_frame(animation, frame, &picture, &sequence, encoded);
        }
        fovea_picture_release_encoded(&picture);
        if (!succeeded) return;
    }
    encoded->succeeded = append_chunk(encoded, "IEND", NULL, 0, NULL, 0);
}
