#ifndef FOVEA_DRAWING_LIBRARY_H
#define FOVEA_DRAWING_LIBRARY_H

#include <stddef.h>

// What is used of cairo (1.16 or later), pango (1.44 or later) and fontconfig. It is declared here and found when the first drawing is made, so
// that programs build without these libraries and those that draw nothing do not load them: they bring some forty others along.

typedef struct _cairo cairo_t;
typedef struct _cairo_surface cairo_surface_t;
typedef struct _cairo_pattern cairo_pattern_t;
typedef struct _cairo_font_options cairo_font_options_t;
typedef struct _PangoLayout PangoLayout;
typedef struct _PangoContext PangoContext;
typedef struct _PangoFontDescription PangoFontDescription;
typedef struct _FcConfig FcConfig;

typedef struct {
    int x, y, width, height;
} fovea_pango_rectangle;

// The beginning of fontconfig's FcFontSet.
typedef struct {
    int count;
} fovea_font_set;

typedef int (*fovea_cairo_write)(void *closure, const unsigned char *bytes, unsigned int count);

// Enumerations are passed as integers.
enum {
    cairo_status_success = 0,
    cairo_status_no_memory = 1,
    cairo_status_write_error = 11,
    cairo_format_argb32 = 0,
    cairo_format_rgb24 = 1,
    cairo_antialias_gray = 2,
    cairo_hint_style_none = 1,
    cairo_hint_metrics_off = 1,
    cairo_line_cap_butt = 0,
    cairo_line_cap_round = 1,
    cairo_line_join_miter = 0,
    cairo_line_join_round = 1,
    cairo_extend_pad = 3,
    cairo_filter_good = 1,
    cairo_filter_nearest = 3,
    cairo_pdf_metadata_create_date = 5,
    cairo_svg_unit_pt = 7,
    fc_set_system = 0,
    pango_scale = 1024,
    pango_weight_normal = 400,
    pango_weight_bold = 700,
    pango_wrap_word_char = 2,
    pango_ellipsize_none = 0,
    pango_ellipsize_end = 3,
};

#define FOVEA_DRAWING_FUNCTIONS(FUNCTION)                                                                              \
    FUNCTION(cairo_surface_t *, cairo_image_surface_create, (int format, int width, int height))                       \
    FUNCTION(unsigned char *, cairo_image_surface_get_data, (cairo_surface_t *))                                       \
    FUNCTION(int, cairo_image_surface_get_stride, (cairo_surface_t *))                                                 \
    FUNCTION(cairo_surface_t *, cairo_svg_surface_create_for_stream, (fovea_cairo_write, void *, double, double))      \
    FUNCTION(void, cairo_svg_surface_set_document_unit, (cairo_surface_t *, int unit))                                 \
    FUNCTION(cairo_surface_t *, cairo_pdf_surface_create_for_stream, (fovea_cairo_write, void *, double, double))      \
    FUNCTION(void, cairo_pdf_surface_set_metadata, (cairo_surface_t *, int metadata, const char *text))                \
    FUNCTION(void, cairo_surface_flush, (cairo_surface_t *))                                                           \
    FUNCTION(void, cairo_surface_mark_dirty, (cairo_surface_t *))                                                      \
    FUNCTION(void, cairo_surface_finish, (cairo_surface_t *))                                                          \
    FUNCTION(void, cairo_surface_destroy, (cairo_surface_t *))                                                         \
    FUNCTION(int, cairo_surface_status, (cairo_surface_t *))                                                           \
    FUNCTION(const char *, cairo_status_to_string, (int status))                                                       \
    FUNCTION(cairo_t *, cairo_create, (cairo_surface_t *))                                                             \
    FUNCTION(void, cairo_destroy, (cairo_t *))                                                                         \
    FUNCTION(int, cairo_status, (cairo_t *))                                                                           \
    FUNCTION(void, cairo_save, (cairo_t *))                                                                            \
    FUNCTION(void, cairo_restore, (cairo_t *))                                                                         \
    FUNCTION(void, cairo_translate, (cairo_t *, double x, double y))                                                   \
    FUNCTION(void, cairo_scale, (cairo_t *, double x, double y))                                                       \
    FUNCTION(void, cairo_rotate, (cairo_t *, double radians))                                                          \
    FUNCTION(void, cairo_clip, (cairo_t *))                                                                            \
    FUNCTION(void, cairo_paint, (cairo_t *))                                                                           \
    FUNCTION(void, cairo_new_sub_path, (cairo_t *))                                                                    \
    FUNCTION(void, cairo_move_to, (cairo_t *, double x, double y))                                                     \
    FUNCTION(void, cairo_line_to, (cairo_t *, double x, double y))                                                     \
    FUNCTION(void, cairo_close_path, (cairo_t *))                                                                      \
    FUNCTION(void, cairo_rectangle, (cairo_t *, double x, double y, double width, double height))                      \
    FUNCTION(void, cairo_arc, (cairo_t *, double x, double y, double radius, double from, double to))                  \
    FUNCTION(void, cairo_stroke, (cairo_t *))                                                                          \
    FUNCTION(void, cairo_fill, (cairo_t *))                                                                            \
    FUNCTION(void, cairo_set_line_width, (cairo_t *, double width))                                                    \
    FUNCTION(void, cairo_set_line_cap, (cairo_t *, int cap))                                                           \
    FUNCTION(void, cairo_set_line_join, (cairo_t *, int join))                                                         \
    FUNCTION(void, cairo_set_dash, (cairo_t *, const double *dashes, int count, double offset))                        \
    FUNCTION(void, cairo_set_source_rgba, (cairo_t *, double red, double green, double blue, double alpha))            \
    FUNCTION(void, cairo_set_source_surface, (cairo_t *, cairo_surface_t *, double x, double y))                       \
    FUNCTION(cairo_pattern_t *, cairo_get_source, (cairo_t *))                                                         \
    FUNCTION(void, cairo_pattern_set_filter, (cairo_pattern_t *, int filter))                                          \
    FUNCTION(void, cairo_pattern_set_extend, (cairo_pattern_t *, int extend))                                          \
    FUNCTION(cairo_font_options_t *, cairo_font_options_create, (void))                                                \
    FUNCTION(void, cairo_font_options_destroy, (cairo_font_options_t *))                                               \
    FUNCTION(void, cairo_font_options_set_antialias, (cairo_font_options_t *, int antialias))                          \
    FUNCTION(void, cairo_font_options_set_hint_style, (cairo_font_options_t *, int style))                             \
    FUNCTION(void, cairo_font_options_set_hint_metrics, (cairo_font_options_t *, int metrics))                         \
    FUNCTION(FcConfig *, FcConfigGetCurrent, (void))                                                                   \
    FUNCTION(fovea_font_set *, FcConfigGetFonts, (FcConfig *, int set))                                                \
    FUNCTION(PangoLayout *, pango_cairo_create_layout, (cairo_t *))                                                    \
    FUNCTION(void, pango_cairo_update_layout, (cairo_t *, PangoLayout *))                                              \
    FUNCTION(void, pango_cairo_show_layout, (cairo_t *, PangoLayout *))                                                \
    FUNCTION(void, pango_cairo_context_set_font_options, (PangoContext *, const cairo_font_options_t *))               \
    FUNCTION(void, pango_context_set_round_glyph_positions, (PangoContext *, int rounds))                              \
    FUNCTION(PangoContext *, pango_layout_get_context, (PangoLayout *))                                                \
    FUNCTION(void, pango_layout_set_text, (PangoLayout *, const char *text, int count))                                \
    FUNCTION(void, pango_layout_set_font_description, (PangoLayout *, const PangoFontDescription *))                   \
    FUNCTION(void, pango_layout_set_width, (PangoLayout *, int width))                                                 \
    FUNCTION(void, pango_layout_set_height, (PangoLayout *, int height))                                               \
    FUNCTION(void, pango_layout_set_wrap, (PangoLayout *, int wrap))                                                   \
    FUNCTION(void, pango_layout_set_ellipsize, (PangoLayout *, int ellipsize))                                         \
    FUNCTION(void, pango_layout_set_alignment, (PangoLayout *, int alignment))                                         \
    FUNCTION(void, pango_layout_get_extents, (PangoLayout *, fovea_pango_rectangle *ink, fovea_pango_rectangle *))     \
    FUNCTION(int, pango_layout_get_baseline, (PangoLayout *))                                                          \
    FUNCTION(PangoFontDescription *, pango_font_description_new, (void))                                               \
    FUNCTION(void, pango_font_description_free, (PangoFontDescription *))                                              \
    FUNCTION(void, pango_font_description_set_family, (PangoFontDescription *, const char *family))                    \
    FUNCTION(void, pango_font_description_set_absolute_size, (PangoFontDescription *, double size))                    \
    FUNCTION(void, pango_font_description_set_weight, (PangoFontDescription *, int weight))                            \
    FUNCTION(void, g_object_unref, (void *))

typedef struct {
#define FOVEA_MEMBER(result, name, parameters) result(*name) parameters;
    FOVEA_DRAWING_FUNCTIONS(FOVEA_MEMBER)
#undef FOVEA_MEMBER
} fovea_drawing_library;

// The functions; null where the libraries are missing or too old, with what the system says of it.
const fovea_drawing_library *fovea_drawing_library_open(char message[160]);

#endif
