#include "drawing.h"

// Pango would draw boxes or nothing where there is no font at all.
static int has_fonts(const fovea_drawing_library *library) {
    fovea_font_set *fonts = library->FcConfigGetFonts(library->FcConfigGetCurrent(), fc_set_system);
    return fonts && fonts->count > 0;
}

static int prepare(fovea_drawing *drawing) {
    if (drawing->status != fovea_drawing_succeeded) return 0;
    if (drawing->layout) return 1;
    const fovea_drawing_library *library = drawing->library;
    if (!has_fonts(library)) {
        drawing->status = fovea_drawing_no_fonts;
        return 0;
    }
    drawing->layout = library->pango_cairo_create_layout(drawing->cairo);
    drawing->font = library->pango_font_description_new();
    // Texts have the same places in every form and at every scale, whatever the user's settings for screens.
    cairo_font_options_t *options = library->cairo_font_options_create();
    library->cairo_font_options_set_antialias(options, cairo_antialias_gray);
    library->cairo_font_options_set_hint_style(options, cairo_hint_style_none);
    library->cairo_font_options_set_hint_metrics(options, cairo_hint_metrics_off);
    PangoContext *context = library->pango_layout_get_context(drawing->layout);
    library->pango_cairo_context_set_font_options(context, options);
    library->pango_context_set_round_glyph_positions(context, 0);
    library->cairo_font_options_destroy(options);
    library->pango_layout_set_wrap(drawing->layout, pango_wrap_word_char);
    return 1;
}

// Returns what the text takes up, in pango's units.
static fovea_pango_rectangle lay_out(fovea_drawing *drawing, const fovea_drawing_text *text) {
    const fovea_drawing_library *library = drawing->library;
    library->pango_font_description_set_family(drawing->font, text->family);
    library->pango_font_description_set_absolute_size(drawing->font, text->size * pango_scale);
    library->pango_font_description_set_weight(drawing->font, text->is_bold ? pango_weight_bold : pango_weight_normal);
    PangoLayout *layout = drawing->layout;
    library->pango_layout_set_font_description(layout, drawing->font);
    library->pango_layout_set_width(layout, text->width_limit > 0 ? (int)(text->width_limit * pango_scale) : -1);
    library->pango_layout_set_height(layout, text->line_limit > 0 ? -text->line_limit : -1);
    library->pango_layout_set_ellipsize(layout, text->line_limit > 0 ? pango_ellipsize_end : pango_ellipsize_none);
    library->pango_layout_set_alignment(layout, text->alignment);
    library->pango_layout_set_text(layout, text->text, (int)text->count);
    library->pango_cairo_update_layout(drawing->cairo, layout);
    fovea_pango_rectangle ink, logical;
    library->pango_layout_get_extents(layout, &ink, &logical);
    return logical;
}

fovea_drawing_text_size fovea_drawing_measure(fovea_drawing *drawing, const fovea_drawing_text *text) {
    fovea_drawing_text_size size = {0, 0, 0};
    if (!prepare(drawing)) return size;
    fovea_pango_rectangle extents = lay_out(drawing, text);
    size.width = (double)extents.width / pango_scale;
    size.height = (double)extents.height / pango_scale;
    size.baseline = (double)(drawing->library->pango_layout_get_baseline(drawing->layout) - extents.y) / pango_scale;
    return size;
}

void fovea_drawing_draw_text(fovea_drawing *drawing, const fovea_drawing_text *text, fovea_drawing_color color, double x,
                             double y) {
    if (!prepare(drawing)) return;
    const fovea_drawing_library *library = drawing->library;
    fovea_pango_rectangle extents = lay_out(drawing, text);
    library->cairo_set_source_rgba(drawing->cairo, color.red, color.green, color.blue, color.alpha);
    library->cairo_move_to(drawing->cairo, x - (double)extents.x / pango_scale, y - (double)extents.y / pango_scale);
    library->pango_cairo_show_layout(drawing->cairo, drawing->layout);
}
