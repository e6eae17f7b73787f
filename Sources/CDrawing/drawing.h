#ifndef FOVEA_DRAWING_H
#define FOVEA_DRAWING_H

#include "CDrawing.h"
#include "library.h"

struct fovea_drawing {
    const fovea_drawing_library *library;
    fovea_drawing_form form;
    cairo_surface_t *surface;
    cairo_t *cairo;
    // Made for the first text.
    PangoLayout *layout;
    PangoFontDescription *font;
    int32_t pixel_width, pixel_height;
    // What `fovea_drawing_finish` gives.
    uint8_t *bytes;
    size_t count, capacity;
    // The first failure that cairo does not know of.
    fovea_drawing_status status;
};

#endif
