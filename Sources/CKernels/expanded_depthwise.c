#include "fovea_expanded_depthwise.h"

#include <string.h>

#include "kernel_table.h"
#include "threads.h"

// More parts than threads, so that one that is kept from running does not keep the others waiting. But expanded rows that two parts
// see are computed twice, so a part has about so many rows of blocks.
enum { fewest_parts_per_thread = 2, most_parts_per_thread = 8, part_rows = 128 };

static expanded_form form_of(const fovea_expanded_depthwise *c) {
    expanded_form f = {.spec = c};
    f.columns = (c->output_width - 1) * c->strides[1] + c->window[1];
    int64_t most = f.columns - c->padding[1];
    f.inside = most < 0 ? 0 : most < c->width ? most : c->width;
    return f;
}

// Rows of outputs of all blocks.
static int64_t place_count(const fovea_expanded_depthwise *c) {
    return c->batch * (c->filters / expanded_lanes) * c->output_height;
}

static int64_t part_count(const fovea_expanded_depthwise *c) {
    if (c->threads < 2) return 1;
    int64_t of_thread = place_count(c) / c->threads / part_rows;
    if (of_thread < fewest_parts_per_thread) of_thread = fewest_parts_per_thread;
    return c->threads * (of_thread < most_parts_per_thread ? of_thread : most_parts_per_thread);
}

// Of one thread.
static int64_t scratch_floats(const expanded_form *f) { return expanded_group * expanded_ring(f); }

size_t fovea_expanded_depthwise_scratch(const fovea_expanded_depthwise *c) {
    expanded_form f = form_of(c);
    return (size_t)(c->threads * scratch_floats(&f)) * sizeof(float);
}

typedef struct {
    expanded_form form;
    const fovea_kernel_table *kernels;
    float *scratch;
    int64_t parts;
} expanded_work;

// The padding of the rows of a ring, which nothing overwrites.
static void clear_padding(const expanded_form *f, float *ring) {
    int64_t before = f->spec->padding[1], after = f->columns - before - f->inside;
    if (after < 0) before = f->columns, after = 0;
    for (int64_t row = 0; row < expanded_group * f->spec->window[0]; row++, ring += f->columns * expanded_lanes) {
        memset(ring, 0, (size_t)(before * expanded_lanes) * sizeof(float));
        memset(ring + (before + f->inside) * expanded_lanes, 0, (size_t)(after * expanded_lanes) * sizeof(float));
    }
}

// Rows follow each other by images, groups of blocks and rows, and a part is what lies between two places in this sequence. It may
// begin and end within a group, and has the same rows of both blocks.
static void convolve_part(void *context, int64_t part, int32_t slot) {
    const expanded_work *w = context;
    const expanded_form *f = &w->form;
    const fovea_expanded_depthwise *c = f->spec;
    int64_t blocks = c->filters / expanded_lanes, of_image = blocks * c->output_height, places = place_count(c);
    int64_t place = places * part / w->parts, end = places * (part + 1) / w->parts;
    float *ring = w->scratch + slot * scratch_floats(f);
    clear_padding(f, ring);
    while (place < end) {
        expanded_rows rows = {.image = place / of_image};
        rows.block = place % of_image / (expanded_group * c->output_height) * expanded_group;
        rows.blocks = blocks - rows.block < expanded_group ? blocks - rows.block : expanded_group;
        int64_t start = rows.image * of_image + rows.block * c->output_height, next = start + rows.blocks * c->output_height;
        rows.first = (place - start) / rows.blocks;
        rows.last = next <= end ? c->output_height : (end - start) / rows.blocks;
        w->kernels->convolve_expanded(f, rows, ring);
        place = next;
    }
}

// About 0.15 for a vector of sixteen products.
static double nanoseconds(const fovea_expanded_depthwise *c) {
    double first = (double)(c->height * c->width) * (double)c->channels;
    double second = (double)(c->output_height * c->output_width) * (double)(c->window[0] * c->window[1]);
    return 0.15 * (first + second) * (double)(c->batch * c->filters / expanded_lanes);
}

void fovea_expanded_depthwise_forward(const fovea_expanded_depthwise *c, const float *images, const float *first_kernel,
                                      const float *first_bias, const float *second_kernel, const float *second_bias, float *output,
                                      void *scratch) {
    expanded_work work = {.form = form_of(c), .kernels = fovea_kernels(), .scratch = scratch};
    work.form.images = images;
    work.form.first_kernel = first_kernel;
    work.form.first_bias = first_bias;
    work.form.second_kernel = second_kernel;
    work.form.second_bias = second_bias;
    work.form.output = output;
    work.parts = part_count(c);
    fovea_parallel_parts(work.parts, c->threads, nanoseconds(c), convolve_part, &work);
}
