#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

#include "result.h"

typedef struct {
    const fovea_picture_request *request;
    fovea_picture_result *result;
    size_t place;
    GifFileType *gif;
    uint8_t *line;
    // The palette entry that is transparent, or -1.
    int transparent;
    int32_t is_in_frame, has_ended;
} gif_reader;

static int read_bytes(GifFileType *gif, GifByteType *target, int count) {
    gif_reader *reader = gif->UserData;
    size_t left = reader->request->count - reader->place;
    size_t taken = (size_t)count < left ? (size_t)count : left;
    memcpy(target, reader->request->bytes + reader->place, taken);
    reader->place += taken;
    if (taken < (size_t)count) reader->has_ended = 1;
    return (int)taken;
}

static void fail(gif_reader *reader, int code) {
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM) {
        fovea_picture_fail(reader->result, fovea_picture_out_of_memory, "needs more memory than there is");
        return;
    }
    if (reader->has_ended) {
        // Behind the pixels comes the end mark of their data.
        fovea_picture_fail(reader->result, fovea_picture_truncated,
                           reader->is_in_frame ? "ends inside the data of its first frame"
                                               : "ends before the pixels of its first frame");
        return;
    }
    switch (code) {
    case D_GIF_ERR_EOF_TOO_SOON:
        fovea_picture_fail(reader->result, fovea_picture_corrupt, "has a first frame with too few pixels");
        return;
    default: {
        const char *message = GifErrorString(code);
        char text[160];
        snprintf(text, sizeof text, "cannot be decoded: %s", message ? message : "unknown record");
        fovea_picture_fail(reader->result, fovea_picture_corrupt, text);
    }
    }
}

// Reads up to the first frame. Returns 0 and notes why where there is none.
static int32_t find_frame(gif_reader *reader) {
    GifFileType *gif = reader->gif;
    for (;;) {
        GifRecordType record;
        if (DGifGetRecordType(gif, &record) == GIF_ERROR) break;
        if (record == IMAGE_DESC_RECORD_TYPE) {
            if (DGifGetImageDesc(gif) == GIF_ERROR) break;
            return 1;
        }
        if (record == TERMINATE_RECORD_TYPE) {
            fovea_picture_fail(reader->result, fovea_picture_corrupt, "holds no frame");
            return 0;
        }
        int kind;
        GifByteType *block;
        if (DGifGetExtension(gif, &kind, &block) == GIF_ERROR) break;
        GraphicsControlBlock control;
        if (kind == GRAPHICS_EXT_FUNC_CODE && block && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
            reader->transparent = control.TransparentColor;
        }
        while (block) {
            if (DGifGetExtensionNext(gif, &block) == GIF_ERROR) {
                fail(reader, gif->Error);
                return 0;
            }
        }
    }
    fail(reader, gif->Error);
    return 0;
}

// Colours of the 256 indices, four bytes each. What the palette lacks is grey.
static void fill_palette(const gif_reader *reader, uint8_t palette[256][4]) {
    const ColorMapObject *map = reader->gif->Image.ColorMap ? reader->gif->Image.ColorMap : reader->gif->SColorMap;
    for (int i = 0; i < 256; i++) {
        memset(palette[i], i, 3);
        if (map && i < map->ColorCount) {
            palette[i][0] = map->Colors[i].Red;
            palette[i][1] = map->Colors[i].Green;
            palette[i][2] = map->Colors[i].Blue;
        }
        palette[i][3] = i == reader->transparent ? 0 : 255;
    }
}

static void read_frame(gif_reader *reader) {
    GifFileType *gif = reader->gif;
    const GifImageDesc *frame = &gif->Image;
    if (frame->Width <= 0 || frame->Height <= 0) {
        fovea_picture_fail(reader->result, fovea_picture_corrupt, "has a frame without pixels");
        return;
    }
    // The canvas grows where the frame exceeds it.
    int32_t height = frame->Top + frame->Height, width = frame->Left + frame->Width;
    if (height < gif->SHeight) height = gif->SHeight;
    if (width < gif->SWidth) width = gif->SWidth;
    int32_t channels = reader->request->keeps_alpha ? 4 : 3;
    if (!fovea_picture_accepts(reader->request, reader->result, (uint64_t)height, (uint64_t)width)
        || !fovea_picture_allocate(reader->result, (uint64_t)height, (uint64_t)width, channels)) return;
    reader->line = malloc((size_t)frame->Width);
    if (!reader->line) {
        fovea_picture_fail(reader->result, fovea_picture_out_of_memory, "needs more memory than there is");
        return;
    }
    uint8_t palette[256][4];
    fill_palette(reader, palette);

    // What the frame leaves open is transparent and has the colour of the transparent entry or the first.
    uint8_t *pixels = reader->result->pixels;
    if (frame->Width < width || frame->Height < height) {
        uint8_t open[4];
        memcpy(open, palette[reader->transparent >= 0 ? reader->transparent : 0], 3);
        open[3] = 0;
        for (size_t i = 0; i < (size_t)height * (size_t)width; i++) memcpy(pixels + i * channels, open, channels);
    }
    reader->is_in_frame = 1;
    // Rows come in order or, interlaced, in four passes over every 8th, 8th, 4th and 2nd row.
    static const int first[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
    for (int pass = 0; pass < (frame->Interlace ? 4 : 1); pass++) {
        for (int y = first[pass]; y < frame->Height; y += frame->Interlace ? step[pass] : 1) {
            if (DGifGetLine(gif, reader->line, frame->Width) == GIF_ERROR) {
                fail(reader, gif->Error);
                return;
            }
            uint8_t *target = pixels + ((size_t)(frame->Top + y) * (size_t)width + (size_t)frame->Left) * channels;
            for (int x = 0; x < frame->Width; x++) memcpy(target + x * channels, palette[reader->line[x]], channels);
        }
    }
}

void fovea_picture_decode_gif(const fovea_picture_request *request, fovea_picture_result *result) {
    memset(result, 0, sizeof *result);
    gif_reader reader = {.request = request, .result = result, .transparent = NO_TRANSPARENT_COLOR};
    int code = 0;
    reader.gif = DGifOpen(&reader, read_bytes, &code);
    if (!reader.gif) {
        fail(&reader, code);
        return;
    }
    if (find_frame(&reader)) read_frame(&reader);
    DGifCloseFile(reader.gif, &code);
    free(reader.line);
}
