#ifndef FOVEA_CDRAWING_H
#define FOVEA_CDRAWING_H

#include <stddef.h>
#include <stdint.h>

// Drawing by cairo and pango, which are opened when the first drawing is made. Lengths are points, from the upper left corner to
// the right and down. A drawing is used by one thread at a time; several drawings may be made at once.

typedef struct fovea_drawing fovea_drawing;

typedef enum __attribute__((enum_extensibility(closed))) : int32_t {
    // Red, green and blue of each pixel, rows from top to bottom.
    fovea_drawing_pixels,
    fovea_drawing_svg,
    fovea_drawing_pdf,
} fovea_drawing_form;

typedef enum __attribute__((enum_extensibility(closed))) : int32_t {
    fovea_drawing_succeeded,
    fovea_drawing_no_library,
    fovea_drawing_no_fonts,
    fovea_drawing_out_of_memory,
    fovea_drawing_failed,
} fovea_drawing_status;

typedef struct {
    double red, green, blue, alpha;
} fovea_drawing_color;

typedef struct {
    fovea_drawing_color color;
    double width;
    // Lengths of strokes and gaps in turn; none for a whole line.
    double dashes[4];
    int32_t dash_count;
    // Ends and corners, which are otherwise cut off and pointed.
    int32_t is_round;
} fovea_drawing_stroke;

typedef struct {
    // UTF-8 without zero bytes.
    const char *text;
    size_t count;
    // Names separated by commas, the preferred one first.
    const char *family;
    // The height of a line without what lies between lines, roughly.
    double size;
    int32_t is_bold;
    // 0 to the left, 1 centred, 2 to the right: of lines among each other.
    int32_t alignment;
    // Longer lines are broken; of each paragraph at most `line_limit` are drawn, with an ellipsis behind the last. 0: no limit.
    double width_limit;
    int32_t line_limit;
} fovea_drawing_text;

typedef struct {
    double width, height;
    // From the upper edge to the first line's baseline.
    double baseline;
} fovea_drawing_text_size;

// Returns a drawing of so many points, or of so many pixels as they are at `scale` pixels per point, in white; null where that cannot
// be. It goes back with `fovea_drawing_release`.
fovea_drawing *fovea_drawing_create(fovea_drawing_form form, double width, double height, double scale,
                                    fovea_drawing_status *status, char message[160]);
void fovea_drawing_release(fovea_drawing *drawing);

// A failure is kept until `fovea_drawing_finish` tells of it; what follows it draws nothing.
void fovea_drawing_save(fovea_drawing *drawing);
void fovea_drawing_restore(fovea_drawing *drawing);
void fovea_drawing_translate(fovea_drawing *drawing, double x, double y);
void fovea_drawing_rotate(fovea_drawing *drawing, double radians);
void fovea_drawing_clip(fovea_drawing *drawing, double x, double y, double width, double height);

void fovea_drawing_move_to(fovea_drawing *drawing, double x, double y);
void fovea_drawing_line_to(fovea_drawing *drawing, double x, double y);
void fovea_drawing_close(fovea_drawing *drawing);
void fovea_drawing_add_rectangle(fovea_drawing *drawing, double x, double y, double width, double height);
void fovea_drawing_add_circle(fovea_drawing *drawing, double x, double y, double radius);
// Draw the path and begin a new one.
void fovea_drawing_draw_stroke(fovea_drawing *drawing, const fovea_drawing_stroke *stroke);
void fovea_drawing_fill(fovea_drawing *drawing, fovea_drawing_color color);

// Pixels of red, green, blue and alpha, which multiplies nothing yet. Enlarged pixels stay squares unless they are to be smooth.
void fovea_drawing_image(fovea_drawing *drawing, const uint8_t *pixels, int32_t image_width, int32_t image_height, double x,
                         double y, double width, double height, int32_t is_smooth);

// The size of what `fovea_drawing_draw_text` draws from its upper left corner.
fovea_drawing_text_size fovea_drawing_measure(fovea_drawing *drawing, const fovea_drawing_text *text);
void fovea_drawing_draw_text(fovea_drawing *drawing, const fovea_drawing_text *text, fovea_drawing_color color, double x,
                             double y);

// Ends the drawing. The bytes belong to it and are there where it succeeded.
fovea_drawing_status fovea_drawing_finish(fovea_drawing *drawing, const uint8_t **bytes, size_t *count,
                                          char message[160]);

#endif
