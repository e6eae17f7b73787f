#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>
#include <png.h>

#include "result.h"

typedef struct {
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct encoder;
    jmp_buf escape;
    struct jpeg_destination_mgr destination;
    fovea_picture_encoded *encoded;
    size_t capacity;
} jpeg_writer;

static _Noreturn void error_exit(j_common_ptr common) {
    jpeg_writer *writer = (jpeg_writer *)common->err;
    char text[JMSG_LENGTH_MAX];
    writer->errors.format_message(common, text);
    fovea_picture_encoding_failed(writer->encoded, text);
    longjmp(writer->escape, 1);
}

static void output_message(j_common_ptr common) { (void)common; }

// libjpeg's own destination in memory does not tell where the bytes are while it grows, so that they could not be freed
// after an error.
static void grow(j_compress_ptr encoder, size_t capacity) {
    jpeg_writer *writer = (jpeg_writer *)encoder->err;
    unsigned char *bytes = realloc(writer->encoded->bytes, capacity);
    if (!bytes) ERREXIT1(encoder, JERR_OUT_OF_MEMORY, 0);
    writer->encoded->bytes = bytes;
    writer->destination.next_output_byte = bytes + writer->capacity;
    writer->destination.free_in_buffer = capacity - writer->capacity;
    writer->capacity = capacity;
}

static void init_destination(j_compress_ptr encoder) { grow(encoder, 1 << 16); }

// Called when not one byte is free.
static boolean empty_output_buffer(j_compress_ptr encoder) {
    grow(encoder, 2 * ((jpeg_writer *)encoder->err)->capacity);
    return TRUE;
}

static void term_destination(j_compress_ptr encoder) {
    jpeg_writer *writer = (jpeg_writer *)encoder->err;
    writer->encoded->count = writer->capacity - writer->destination.free_in_buffer;
}

static void write_jpeg(jpeg_writer *writer, const uint8_t *pixels, int32_t height, int32_t width, int32_t channels,
                       int32_t quality) {
    j_compress_ptr encoder = &writer->encoder;
    jpeg_create_compress(encoder);
    writer->destination.init_destination = init_destination;
    writer->destination.empty_output_buffer = empty_output_buffer;
    writer->destination.term_destination = term_destination;
    encoder->dest = &writer->destination;
    encoder->image_height = (JDIMENSION)height;
    encoder->image_width = (JDIMENSION)width;
    encoder->input_components = channels;
    encoder->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(encoder);
    jpeg_set_quality(encoder, quality, TRUE);
    jpeg_start_compress(encoder, TRUE);
    while (encoder->next_scanline < encoder->image_height) {
        // libjpeg only reads from it.
        JSAMPROW row = (JSAMPROW)pixels + (size_t)encoder->next_scanline * (size_t)width * (size_t)channels;
        jpeg_write_scanlines(encoder, &row, 1);
    }
    jpeg_finish_compress(encoder);
}

void fovea_picture_encode_jpeg(const uint8_t *pixels, int32_t height, int32_t width, int32_t channels, int32_t quality,
                               fovea_picture_encoded *encoded) {
    memset(encoded, 0, sizeof *encoded);
    jpeg_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        fovea_picture_encoding_failed(encoded, "there is not enough memory");
        return;
    }
    writer->encoded = encoded;
    writer->encoder.err = jpeg_std_error(&writer->errors);
    writer->errors.error_exit = error_exit;
    writer->errors.output_message = output_message;
    if (!setjmp(writer->escape)) {
        write_jpeg(writer, pixels, height, width, channels, quality);
        encoded->succeeded = 1;
    }
    jpeg_destroy_compress(&writer->encoder);
    free(writer);
}

void fovea_picture_encode_png(const uint8_t *pixels, int32_t height, int32_t width, int32_t channels,
                              fovea_picture_encoded *encoded) {
    memset(encoded, 0, sizeof *encoded);
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.height = (png_uint_32)height;
    image.width = (png_uint_32)width;
    image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    png_alloc_size_t count = PNG_IMAGE_PNG_SIZE_MAX(image);
    encoded->bytes = malloc(count);
    if (!encoded->bytes) {
        fovea_picture_encoding_failed(encoded, "there is not enough memory");
    } else if (!png_image_write_to_memory(&image, encoded->bytes, &count, 0, pixels, 0, NULL)) {
        fovea_picture_encoding_failed(encoded, image.message);
    } else {
        encoded->succeeded = 1;
        encoded->count = count;
    }
    png_image_free(&image);
}
