#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "result.h"

// Encoders write about ten. Each scan of a progressive picture visits all of it, so a small file of many scans would
// take minutes.
enum { greatest_scan_count = 100 };

typedef struct {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct decoder;
    jmp_buf escape;
    fovea_picture_result *result;
    uint8_t *cmyk;
    // Whether pixels are being decoded; whether they all come in one scan whose bits are all there; whether the file has ended.
    int32_t is_decoding, is_one_scan, has_ended;
} jpeg_reader;

static _Noreturn void give_up(jpeg_reader *reader, fovea_picture_status status, const char *message) {
    fovea_picture_fail(reader->result, status, message);
    longjmp(reader->escape, 1);
}

// Of a file that ends too early: bits that the decoder lacks are pixels of the only scan. Where there are other scans, more
// may have followed, and arithmetic coding leaves out bits that are zero.
static _Noreturn void give_up_at_end(jpeg_reader *reader, int32_t lacks_bits) {
    give_up(reader, fovea_picture_truncated,
            reader->is_decoding && !reader->is_one_scan ? "ends before its end mark (EOI), perhaps before its last scan"
            : lacks_bits                                ? "ends before its last pixel"
                                                        : "has all pixels, but ends before its end mark (EOI)");
}

static _Noreturn void give_up_with_library_message(jpeg_reader *reader, fovea_picture_status status) {
    char text[JMSG_LENGTH_MAX], message[JMSG_LENGTH_MAX + 32];
    reader->errors.format_message((j_common_ptr)&reader->decoder, text);
    snprintf(message, sizeof message, "cannot be decoded (%s)", text);
    give_up(reader, status, message);
}

static void error_exit(j_common_ptr common) {
    jpeg_reader *reader = (jpeg_reader *)common->err;
    switch (common->err->msg_code) {
    case JERR_BAD_PRECISION: give_up(reader, fovea_picture_unsupported, "has other than 8 bits per sample");
    case JERR_SOF_UNSUPPORTED: give_up(reader, fovea_picture_unsupported, "is lossless or hierarchical");
    case JERR_OUT_OF_MEMORY: give_up(reader, fovea_picture_out_of_memory, "needs more memory than there is");
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF: give_up_at_end(reader, 1);
    case JERR_IMAGE_TOO_BIG: give_up_with_library_message(reader, fovea_picture_too_large);
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_ARITH_NOTIMPL: give_up_with_library_message(reader, fovea_picture_unsupported);
    default:
        if (reader->has_ended) give_up_at_end(reader, 1);
        give_up_with_library_message(reader, fovea_picture_corrupt);
    }
}

// Warnings (level -1) that tell of lost pixels end the work; others are common in files that are whole.
static void emit_message(j_common_ptr common, int level) {
    jpeg_reader *reader = (jpeg_reader *)common->err;
    if (level >= 0) return;
    switch (common->err->msg_code) {
    case JWRN_JPEG_EOF:
        // The library goes on with an end mark of its own, so what is missing shows.
        reader->has_ended = 1;
        if (!reader->is_decoding) give_up_at_end(reader, 1);
        return;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
        if (reader->has_ended) give_up_at_end(reader, 1);
        give_up_with_library_message(reader, fovea_picture_corrupt);
    default: return;
    }
}

static void output_message(j_common_ptr common) { (void)common; }

static void progress_monitor(j_common_ptr common) {
    j_decompress_ptr decoder = (j_decompress_ptr)common;
    if (decoder->input_scan_number > greatest_scan_count) {
        give_up((jpeg_reader *)common->err, fovea_picture_too_large, "has more than 100 scans");
    }
}

// The largest divisor at which the picture is still no smaller than asked for.
static unsigned divisor(const fovea_picture_request *request, unsigned height, unsigned width) {
    if (request->least_height <= 0 || request->least_width <= 0) return 1;
    unsigned reach = height / (unsigned)request->least_height;
    if (width / (unsigned)request->least_width < reach) reach = width / (unsigned)request->least_width;
    return reach >= 8 ? 8 : reach >= 4 ? 4 : reach >= 2 ? 2 : 1;
}

// a * b / 255, rounded.
static unsigned product(unsigned a, unsigned b) {
    unsigned t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

// Four components are stored inverted, as Adobe's programs do. Red is what black and cyan leave of the light.
static void convert_cmyk(const uint8_t *cmyk, uint8_t *rgb, uint32_t width) {
    for (uint32_t x = 0; x < width; x++) {
        unsigned light = cmyk[4 * x + 3];
        for (int c = 0; c < 3; c++) rgb[3 * x + c] = (uint8_t)(light - product(255u - cmyk[4 * x + c], light));
    }
}

static void read_picture(jpeg_reader *reader, const fovea_picture_request *request) {
    j_decompress_ptr decoder = &reader->decoder;
    jpeg_create_decompress(decoder);
    decoder->progress = &reader->progress;
    jpeg_mem_src(decoder, request->bytes, request->count);
    jpeg_read_header(decoder, TRUE);
    if (!fovea_picture_accepts(request, reader->result, decoder->image_height, decoder->image_width)) return;

    switch (decoder->num_components) {
    case 1: decoder->out_color_space = JCS_GRAYSCALE; break;
    case 3: decoder->out_color_space = JCS_RGB; break;
    case 4: decoder->out_color_space = JCS_CMYK; break;
    default:
        give_up(reader, fovea_picture_unsupported, "has neither 1, 3 nor 4 components");
    }
    decoder->scale_num = 1;
    decoder->scale_denom = divisor(request, decoder->image_height, decoder->image_width);
    reader->is_decoding = 1;
    reader->is_one_scan = !decoder->arith_code && !jpeg_has_multiple_scans(decoder);
    jpeg_start_decompress(decoder);

    uint32_t width = decoder->output_width;
    int32_t channels = decoder->num_components == 1 ? 1 : 3;
    if (!fovea_picture_allocate(reader->result, decoder->output_height, width, channels)) return;
    if (decoder->num_components == 4) {
        reader->cmyk = malloc((size_t)width * 4);
        if (!reader->cmyk) give_up(reader, fovea_picture_out_of_memory, "needs more memory than there is");
    }
    while (decoder->output_scanline < decoder->output_height) {
        uint8_t *row = reader->result->pixels + (size_t)decoder->output_scanline * width * (size_t)channels;
        JSAMPROW target = reader->cmyk ? reader->cmyk : row;
        jpeg_read_scanlines(decoder, &target, 1);
        if (reader->cmyk) convert_cmyk(reader->cmyk, row, width);
    }
    jpeg_finish_decompress(decoder);
    if (reader->has_ended) give_up_at_end(reader, 0);
}

void fovea_picture_decode_jpeg(const fovea_picture_request *request, fovea_picture_result *result) {
    memset(result, 0, sizeof *result);
    jpeg_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        fovea_picture_fail(result, fovea_picture_out_of_memory, "needs more memory than there is");
        return;
    }
    reader->result = result;
    reader->decoder.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = error_exit;
    reader->errors.emit_message = emit_message;
    reader->errors.output_message = output_message;
    reader->progress.progress_monitor = progress_monitor;
    if (!setjmp(reader->escape)) read_picture(reader, request);
    jpeg_destroy_decompress(&reader->decoder);
    free(reader->cmyk);
    free(reader);
}
