#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "result.h"

typedef struct {
    const fovea_picture_request *request;
    fovea_picture_result *result;
    size_t place;
    png_structp png;
    png_infop info;
    png_bytepp rows;
    uint32_t height;
} png_reader;

// Whether the last row of the picture, or of the last of seven interlaced passes, is behind the decoder.
static int32_t has_all_pixels(const png_reader *reader) {
    return reader->rows
        && (png_get_current_row_number(reader->png) >= reader->height || png_get_current_pass_number(reader->png) > 6);
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    png_reader *reader = png_get_io_ptr(png);
    if (count > reader->request->count - reader->place) {
        fovea_picture_fail(reader->result, fovea_picture_truncated,
                           has_all_pixels(reader) ? "has all pixels, but ends before its end mark (IEND)"
                                                  : "ends before its last pixel");
        png_longjmp(png, 1);
    }
    memcpy(target, reader->request->bytes + reader->place, count);
    reader->place += count;
}

static _Noreturn void error(png_structp png, png_const_charp message) {
    png_reader *reader = png_get_error_ptr(png);
    char text[160];
    snprintf(text, sizeof text, "cannot be decoded (%s)", message);
    fovea_picture_fail(reader->result, fovea_picture_corrupt, text);
    png_longjmp(png, 1);
}

static void warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

// Texts, profiles and the like change no pixel here; skipping them unread leaves nothing to unpack.
static void skip_metadata(png_structp png) {
    static const png_byte unused[] = "iCCP\0iTXt\0tEXt\0zTXt\0sPLT\0eXIf\0hIST\0tIME\0pCAL\0sCAL\0oFFs\0pHYs";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, unused, (int)(sizeof unused / 5));
    // More than any sensible chunk that is kept needs.
    png_set_chunk_malloc_max(png, 1 << 20);
}

static void read_picture(png_reader *reader) {
    png_structp png = reader->png;
    png_infop info = reader->info;
    png_set_read_fn(png, reader, read_bytes);
    // Sizes are checked below, with an error that tells them.
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    skip_metadata(png);
    png_read_info(png, info);
    uint32_t height = png_get_image_height(png, info), width = png_get_image_width(png, info);
    if (!fovea_picture_accepts(reader->request, reader->result, height, width)) return;
    // Deflate spends at least 2 bits on each 258 bytes.
    if ((uint64_t)height * png_get_rowbytes(png, info) / 1032 > reader->request->count) {
        fovea_picture_fail(reader->result, fovea_picture_truncated, "has fewer bytes than its pixels need");
        return;
    }

    png_set_strip_16(png);
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    if (reader->request->keeps_alpha) {
        if (png_get_valid(png, info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(png);
    } else {
        png_set_strip_alpha(png);
    }
    png_set_interlace_handling(png);
    png_read_update_info(png, info);

    int32_t channels = png_get_channels(png, info);
    if (!fovea_picture_allocate(reader->result, height, width, channels)) return;
    size_t row_length = (size_t)width * (size_t)channels;
    if (png_get_rowbytes(png, info) != row_length) png_error(png, "rows of unexpected length");
    reader->rows = malloc(height * sizeof *reader->rows);
    if (!reader->rows) {
        fovea_picture_fail(reader->result, fovea_picture_out_of_memory, "needs more memory than there is");
        return;
    }
    reader->height = height;
    for (uint32_t y = 0; y < height; y++) reader->rows[y] = reader->result->pixels + y * row_length;
    png_read_image(png, reader->rows);
    png_read_end(png, NULL);
}

void fovea_picture_decode_png(const fovea_picture_request *request, fovea_picture_result *result) {
    memset(result, 0, sizeof *result);
    png_reader *reader = calloc(1, sizeof *reader);
    if (reader) {
        reader->request = request;
        reader->result = result;
        reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, error, warning);
        if (reader->png) reader->info = png_create_info_struct(reader->png);
    }
    if (!reader || !reader->info) {
        fovea_picture_fail(result, fovea_picture_out_of_memory, "needs more memory than there is");
    } else if (!setjmp(png_jmpbuf(reader->png))) {
        read_picture(reader);
    }
    if (reader) {
        png_destroy_read_struct(&reader->png, &reader->info, NULL);
        free(reader->rows);
    }
    free(reader);
}
