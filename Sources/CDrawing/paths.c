#include "drawing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void fovea_drawing_save(fovea_drawing *drawing) { drawing->library->cairo_save(drawing->cairo); }

void fovea_drawing_restore(fovea_drawing *drawing) { drawing->library->cairo_restore(drawing->cairo); }

void fovea_drawing_translate(fovea_drawing *drawing, double x, double y) {
    drawing->library->cairo_translate(drawing->cairo, x, y);
}

void fovea_drawing_rotate(fovea_drawing *drawing, double radians) {
    drawing->library->cairo_rotate(drawing->cairo, radians);
}

void fovea_drawing_clip(fovea_drawing *drawing, double x, double y, double width, double height) {
    drawing->library->cairo_rectangle(drawing->cairo, x, y, width, height);
    drawing->library->cairo_clip(drawing->cairo);
}

void fovea_drawing_move_to(fovea_drawing *drawing, double x, double y) {
    drawing->library->cairo_move_to(drawing->cairo, x, y);
}

void fovea_drawing_line_to(fovea_drawing *drawing, double x, double y) {
    drawing->library->cairo_line_to(drawing->cairo, x, y);
}

void fovea_drawing_close(fovea_drawing *drawing) { drawing->library->cairo_close_path(drawing->cairo); }

void fovea_drawing_add_rectangle(fovea_drawing *drawing, double x, double y, double width, double height) {
    drawing->library->cairo_rectangle(drawing->cairo, x, y, width, height);
}

void fovea_drawing_add_circle(fovea_drawing *drawing, double x, double y, double radius) {
    drawing->library->cairo_new_sub_path(drawing->cairo);
    drawing->library->cairo_arc(drawing->cairo, x, y, radius, 0, 2 * M_PI);
    drawing->library->cairo_close_path(drawing->cairo);
}

static void set_color(fovea_drawing *drawing, fovea_drawing_color color) {
    drawing->library->cairo_set_source_rgba(drawing->cairo, color.red, color.green, color.blue, color.alpha);
}

void fovea_drawing_draw_stroke(fovea_drawing *drawing, const fovea_drawing_stroke *stroke) {
    const fovea_drawing_library *library = drawing->library;
    set_color(drawing, stroke->color);
    library->cairo_set_line_width(drawing->cairo, stroke->width);
    library->cairo_set_line_cap(drawing->cairo, stroke->is_round ? cairo_line_cap_round : cairo_line_cap_butt);
    library->cairo_set_line_join(drawing->cairo, stroke->is_round ? cairo_line_join_round : cairo_line_join_miter);
    library->cairo_set_dash(drawing->cairo, stroke->dashes, stroke->dash_count, 0);
    library->cairo_stroke(drawing->cairo);
}

void fovea_drawing_fill(fovea_drawing *drawing, fovea_drawing_color color) {
    set_color(drawing, color);
    drawing->library->cairo_fill(drawing->cairo);
}

static uint32_t multiplied(uint32_t sample, uint32_t alpha) { return (sample * alpha + 127) / 255; }

static void copy_image(uint8_t *target, size_t stride, const uint8_t *pixels, size_t width, size_t height) {
    for (size_t row = 0; row < height; row++) {
        for (size_t column = 0; column < width; column++, pixels += 4) {
            uint32_t alpha = pixels[3];
            uint32_t pixel = alpha << 24 | multiplied(pixels[0], alpha) << 16 | multiplied(pixels[1], alpha) << 8 |
                             multiplied(pixels[2], alpha);
            memcpy(target + row * stride + 4 * column, &pixel, sizeof pixel);
        }
    }
}

static int is_opaque(const uint8_t *pixels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (pixels[4 * i + 3] != 255) return 0;
    }
    return 1;
}

void fovea_drawing_image(fovea_drawing *drawing, const uint8_t *pixels, int32_t image_width, int32_t image_height, double x,
                         double y, double width, double height, int32_t is_smooth) {
    const fovea_drawing_library *library = drawing->library;
    cairo_t *cairo = drawing->cairo;
    size_t count = (size_t)image_width * (size_t)image_height;
    int format = is_opaque(pixels, count) ? cairo_format_rgb24 : cairo_format_argb32;
    cairo_surface_t *image = library->cairo_image_surface_create(format, image_width, image_height);
    uint8_t *data = library->cairo_image_surface_get_data(image);
    if (!data) {
        drawing->status = fovea_drawing_out_of_memory;
        library->cairo_surface_destroy(image);
        return;
    }
    copy_image(data, (size_t)library->cairo_image_surface_get_stride(image), pixels, (size_t)image_width,
               (size_t)image_height);
    library->cairo_surface_mark_dirty(image);

    library->cairo_save(cairo);
    library->cairo_translate(cairo, x, y);
    library->cairo_scale(cairo, width / image_width, height / image_height);
    library->cairo_set_source_surface(cairo, image, 0, 0);
    library->cairo_pattern_set_filter(library->cairo_get_source(cairo),
                                      is_smooth ? cairo_filter_good : cairo_filter_nearest);
    // Smooth edges would fade. Where images stay images, that would make a pattern of them.
    if (drawing->form == fovea_drawing_pixels) {
        library->cairo_pattern_set_extend(library->cairo_get_source(cairo), cairo_extend_pad);
    }
    library->cairo_rectangle(cairo, 0, 0, image_width, image_height);
    library->cairo_fill(cairo);
    library->cairo_restore(cairo);
    library->cairo_surface_destroy(image);
}
