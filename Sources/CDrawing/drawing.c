#include "drawing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int append(void *closure, const unsigned char *bytes, unsigned int count) {
    fovea_drawing *drawing = closure;
    if (drawing->capacity - drawing->count < count) {
        size_t capacity = 2 * drawing->capacity + count;
        uint8_t *larger = realloc(drawing->bytes, capacity);
        if (!larger) {
            drawing->status = fovea_drawing_out_of_memory;
            return cairo_status_write_error;
        }
        drawing->bytes = larger;
        drawing->capacity = capacity;
    }
    memcpy(drawing->bytes + drawing->count, bytes, count);
    drawing->count += count;
    return cairo_status_success;
}

static cairo_surface_t *make_surface(fovea_drawing *drawing, double width, double height, double scale) {
    const fovea_drawing_library *library = drawing->library;
    cairo_surface_t *surface;
    switch (drawing->form) {
    case fovea_drawing_pixels:
        drawing->pixel_width = (int32_t)fmax(1, round(width * scale));
        drawing->pixel_height = (int32_t)fmax(1, round(height * scale));
        return library->cairo_image_surface_create(cairo_format_rgb24, drawing->pixel_width, drawing->pixel_height);
    case fovea_drawing_svg:
        surface = library->cairo_svg_surface_create_for_stream(append, drawing, width, height);
        library->cairo_svg_surface_set_document_unit(surface, cairo_svg_unit_pt);
        return surface;
    case fovea_drawing_pdf:
        surface = library->cairo_pdf_surface_create_for_stream(append, drawing, width, height);
        // Otherwise the same drawing would be another file each second.
        library->cairo_pdf_surface_set_metadata(surface, cairo_pdf_metadata_create_date, "2000-01-01T00:00:00Z");
        return surface;
    }
}

fovea_drawing *fovea_drawing_create(fovea_drawing_form form, double width, double height, double scale,
                                    fovea_drawing_status *status, char message[160]) {
    const fovea_drawing_library *library = fovea_drawing_library_open(message);
    if (!library) {
        *status = fovea_drawing_no_library;
        return NULL;
    }
    fovea_drawing *drawing = calloc(1, sizeof *drawing);
    if (!drawing) {
        *status = fovea_drawing_out_of_memory;
        return NULL;
    }
    drawing->library = library;
    drawing->form = form;
    drawing->surface = make_surface(drawing, width, height, scale);
    // Cairo gives objects that do nothing instead of none.
    drawing->cairo = library->cairo_create(drawing->surface);
    int code = library->cairo_status(drawing->cairo);
    if (code != cairo_status_success) {
        *status = code == cairo_status_no_memory ? fovea_drawing_out_of_memory : fovea_drawing_failed;
        snprintf(message, 160, "%s", library->cairo_status_to_string(code));
        fovea_drawing_release(drawing);
        return NULL;
    }
    if (form == fovea_drawing_pixels) library->cairo_scale(drawing->cairo, scale, scale);
    library->cairo_set_source_rgba(drawing->cairo, 1, 1, 1, 1);
    library->cairo_paint(drawing->cairo);
    *status = fovea_drawing_succeeded;
    return drawing;
}

void fovea_drawing_release(fovea_drawing *drawing) {
    const fovea_drawing_library *library = drawing->library;
    if (drawing->font) library->pango_font_description_free(drawing->font);
    if (drawing->layout) library->g_object_unref(drawing->layout);
    library->cairo_destroy(drawing->cairo);
    library->cairo_surface_destroy(drawing->surface);
    free(drawing->bytes);
    free(drawing);
}

static fovea_drawing_status copy_pixels(fovea_drawing *drawing) {
    const fovea_drawing_library *library = drawing->library;
    library->cairo_surface_flush(drawing->surface);
    const uint8_t *data = library->cairo_image_surface_get_data(drawing->surface);
    size_t stride = (size_t)library->cairo_image_surface_get_stride(drawing->surface);
    size_t width = (size_t)drawing->pixel_width, height = (size_t)drawing->pixel_height;
    uint8_t *target = drawing->bytes = malloc(3 * width * height);
    if (!data || !target) return fovea_drawing_out_of_memory;
    drawing->count = 3 * width * height;
    for (size_t row = 0; row < height; row++) {
        for (size_t column = 0; column < width; column++, target += 3) {
            uint32_t pixel;
            memcpy(&pixel, data + row * stride + 4 * column, sizeof pixel);
            target[0] = (uint8_t)(pixel >> 16);
            target[1] = (uint8_t)(pixel >> 8);
            target[2] = (uint8_t)pixel;
        }
    }
    return fovea_drawing_succeeded;
}

fovea_drawing_status fovea_drawing_finish(fovea_drawing *drawing, const uint8_t **bytes, size_t *count,
                                          char message[160]) {
    const fovea_drawing_library *library = drawing->library;
    int code = library->cairo_status(drawing->cairo);
    if (code == cairo_status_success && drawing->status == fovea_drawing_succeeded) {
        if (drawing->form == fovea_drawing_pixels) {
            drawing->status = copy_pixels(drawing);
        } else {
            library->cairo_surface_finish(drawing->surface);
            code = library->cairo_surface_status(drawing->surface);
        }
    }
    if (code != cairo_status_success && drawing->status == fovea_drawing_succeeded) {
        drawing->status = code == cairo_status_no_memory ? fovea_drawing_out_of_memory : fovea_drawing_failed;
        snprintf(message, 160, "%s", library->cairo_status_to_string(code));
    }
    *bytes = drawing->bytes;
    *count = drawing->count;
    return drawing->status;
}
