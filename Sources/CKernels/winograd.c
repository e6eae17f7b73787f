#include "winograd.h"

#include <string.h>

#include "fovea_winograd.h"
#include "kernel_table.h"
#include "threads.h"

// Strips are multiples of a step, of which kernels have whole numbers of tiles in registers. They are as long as lets a strip of all
// channels stay in the second-level cache together with its products.
enum { strip_step = 12, strip_floats = 1152, longest_strip = 36, longest_gradient_strip = 48, sums_per_tile = 4096 };

// Places lie an odd number of cache lines apart, because those at equal distances of a power of two share few sets of the cache.
static int64_t place_stride(int64_t floats) { return ((floats / winograd_lanes + 1) | 1) * winograd_lanes; }

static void complete(winograd_form *f, int64_t batch) {
    f->results = winograd_pixels + 1 - f->window;
    f->tile_rows = (f->output_height + f->results - 1) / f->results;
    f->tile_columns = (f->output_width + f->results - 1) / f->results;
    f->tiles = batch * f->tile_rows * f->tile_columns;
    f->group = f->filters % 64 == 0 ? 64 : f->filters % 32 == 0 ? 32 : 16;
    int64_t strip = strip_floats / f->channels / strip_step * strip_step;
    f->strip = strip < strip_step ? strip_step : strip > longest_strip ? longest_strip : strip;
    f->source_stride = place_stride(f->strip * f->channels);
    f->product_stride = place_stride(f->strip * f->group);
}

static winograd_form form_of(const fovea_winograd *c) {
    winograd_form f = {c->height, c->width, c->channels, c->filters, {c->padding[0], c->padding[1]}, c->output_height,
                       c->output_width, .window = c->window, .relu = c->relu, .ceiling = c->ceiling, .pools = c->pools,
                       .rectifies = c->rectifies};
    complete(&f, c->batch);
    return f;
}

// For the gradient with respect to images, which sums over filters what belongs to channels: their names are exchanged.
static winograd_form input_gradient_form_of(const fovea_winograd *c) {
    winograd_form f = form_of(c);
    f.channels = c->filters;
    f.filters = c->channels;
    complete(&f, c->batch);
    return f;
}

// A kernel's gradient needs the gradients of all filters of a strip, and its sums go through memory once for each strip: the more
// they are, the longer strips must be.
static winograd_form kernel_gradient_form_of(const fovea_winograd *c) {
    winograd_form f = form_of(c);
    int64_t strip = f.channels * f.filters / sums_per_tile / strip_step * strip_step;
    if (strip > f.strip) {
        f.strip = strip > longest_gradient_strip ? longest_gradient_strip : strip;
        f.source_stride = place_stride(f.strip * f.channels);
    }
    f.product_stride = place_stride(f.strip * f.filters);
    return f;
}

// Of one slot.
static int64_t strip_scratch(const winograd_form *f) { return winograd_places * (f->source_stride + f->product_stride); }

size_t fovea_winograd_kernel_bytes(const fovea_winograd *c) {
    return (size_t)(winograd_places * c->channels * c->filters) * sizeof(float);
}

size_t fovea_winograd_forward_scratch(const fovea_winograd *c) {
    winograd_form f = form_of(c);
    return (size_t)(c->slots * strip_scratch(&f)) * sizeof(float);
}

size_t fovea_winograd_input_gradient_scratch(const fovea_winograd *c) {
    winograd_form f = input_gradient_form_of(c);
    return (size_t)(c->slots * strip_scratch(&f)) * sizeof(float);
}

// A large kernel's tiles are transformed for all threads together, as many at once as leave the products of a group of filters and a
// piece of the kernel in the second-level cache, in strips of equal length.
enum { longest_shared_strip = 96, piece_floats = 2048, largest_group = 32 };

static winograd_form large_form_of(const fovea_winograd *c, int is_gradient) {
    winograd_form f = is_gradient ? input_gradient_form_of(c) : form_of(c);
    if (f.group > largest_group) f.group = largest_group;
    int64_t strips = (f.tiles + longest_shared_strip - 1) / longest_shared_strip;
    f.strip = ((f.tiles + strips - 1) / strips + strip_step - 1) / strip_step * strip_step;
    f.piece = piece_floats / f.group;
    f.source_stride = place_stride(f.strip * f.channels);
    f.product_stride = place_stride(f.strip * f.group);
    f.piece_stride = place_stride(f.piece * f.group);
    return f;
}

static int64_t group_scratch(const winograd_form *f) { return winograd_places * (f->piece_stride + f->product_stride); }

size_t fovea_winograd_large_kernel_scratch(const fovea_winograd *c, int32_t is_gradient) {
    winograd_form f = large_form_of(c, is_gradient);
    return (size_t)(winograd_places * f.source_stride + c->slots * group_scratch(&f)) * sizeof(float);
}

static int64_t sum_count(const winograd_form *f) { return winograd_places * f->channels * f->filters + f->filters; }

size_t fovea_winograd_kernel_gradient_scratch(const fovea_winograd *c) {
    winograd_form f = kernel_gradient_form_of(c);
    return (size_t)(c->slots * strip_scratch(&f) + c->parts * sum_count(&f)) * sizeof(float);
}

typedef struct {
    winograd_form form;
    const fovea_kernel_table *kernels;
    int64_t parts, batch;
    int32_t is_transposed;
    const float *images, *kernel, *bias, *upstream;
    const uint8_t *winners;
    uint8_t *new_winners;
    float *result, *sums, *scratch;
    // Of a large kernel: the tiles at hand, transformed.
    float *source;
    int64_t first, count;
} winograd_work;

// A few nanoseconds for the sixteen lanes of a place.
static double nanoseconds(const winograd_form *f) {
    return 0.02 * (double)(f->tiles * winograd_places) * (double)f->channels / winograd_lanes * (double)f->filters;
}

static void transform_channel_blocks(void *context, int64_t first, int64_t last) {
    const winograd_work *w = context;
    w->kernels->winograd_transform_kernel(&w->form, w->is_transposed, w->kernel, w->result, first * winograd_lanes,
                                          last * winograd_lanes);
}

void fovea_winograd_transform(const fovea_winograd *c, int32_t is_gradient, const float *kernel, void *transformed) {
    winograd_work work = {
        .form = is_gradient ? input_gradient_form_of(c) : form_of(c), .kernels = fovea_kernels(), .is_transposed = is_gradient,
        .kernel = kernel, .result = transformed};
    double nanoseconds = (double)work.form.channels * (double)work.form.filters * 4;
    fovea_parallel_for(work.form.channels / winograd_lanes, nanoseconds, transform_channel_blocks, &work);
}

// Parts of many tiles are whole steps.
static int64_t first_tile(const winograd_work *w, int64_t part) {
    int64_t tiles = w->form.tiles;
    if (tiles < 2 * strip_step * w->parts || part == w->parts) return tiles * part / w->parts;
    return tiles / strip_step * part / w->parts * strip_step;
}

static void convolve_part(void *context, int64_t part, int32_t slot) {
    const winograd_work *w = context;
    const winograd_form *f = &w->form;
    w->kernels->winograd_convolve(f, w->images, w->kernel, w->bias, w->result, w->new_winners, w->scratch + slot * strip_scratch(f),
                                  first_tile(w, part), first_tile(w, part + 1));
}

void fovea_winograd_forward(const fovea_winograd *c, const float *images, const void *transformed, const float *bias,
                            float *output, uint8_t *winners, void *scratch) {
    winograd_work work = {.form = form_of(c), .kernels = fovea_kernels(), .parts = c->parts, .images = images,
                          .kernel = transformed, .bias = bias, .new_winners = winners, .result = output, .scratch = scratch};
    fovea_parallel_parts(c->parts, c->slots, nanoseconds(&work.form), convolve_part, &work);
}

// Tiles overlap in the images' gradients, so each part has images of its own, or where they are too few groups of channels.
static void spread_part(void *context, int64_t part, int32_t slot) {
    const winograd_work *w = context;
    const winograd_form *f = &w->form;
    int64_t groups = f->filters / f->group, next = part + 1, parts = w->parts;
    float *scratch = w->scratch + slot * strip_scratch(f);
    if (w->batch >= parts) {
        w->kernels->winograd_spread(f, w->upstream, w->winners, w->kernel, w->result, scratch, w->batch * part / parts,
                                    w->batch * next / parts, 0, groups);
    } else {
        w->kernels->winograd_spread(f, w->upstream, w->winners, w->kernel, w->result, scratch, 0, w->batch, groups * part / parts,
                                    groups * next / parts);
    }
}

void fovea_winograd_input_gradient(const fovea_winograd *c, const float *upstream, const uint8_t *winners,
                                   const void *transformed, float *gradient, void *scratch) {
    winograd_work work = {.form = input_gradient_form_of(c), .kernels = fovea_kernels(), .parts = c->parts, .batch = c->batch,
                          .upstream = upstream, .winners = winners, .kernel = transformed, .result = gradient, .scratch = scratch};
    fovea_parallel_parts(c->parts, c->slots, nanoseconds(&work.form), spread_part, &work);
}

static void add_part(void *context, int64_t part, int32_t slot) {
    const winograd_work *w = context;
    const winograd_form *f = &w->form;
    float *sums = w->sums + part * sum_count(f);
    memset(sums, 0, (size_t)sum_count(f) * sizeof(float));
    w->kernels->winograd_add_gradients(f, w->images, w->upstream, w->winners, sums + f->filters, sums,
                                       w->scratch + slot * strip_scratch(f), first_tile(w, part), first_tile(w, part + 1));
}

static void finish_channels(void *context, int64_t first, int64_t last) {
    const winograd_work *w = context;
    const winograd_form *f = &w->form;
    w->kernels->winograd_finish_gradient(f, w->sums + f->filters, w->parts, sum_count(f), w->result, first, last);
}

void fovea_winograd_kernel_gradient(const fovea_winograd *c, const float *images, const float *upstream,
                                    const uint8_t *winners, float *gradient, float *bias_gradient, void *scratch) {
    winograd_work work = {.form = kernel_gradient_form_of(c), .kernels = fovea_kernels(), .parts = c->parts, .images = images,
                          .upstream = upstream, .winners = winners, .result = gradient, .scratch = scratch};
    const winograd_form *f = &work.form;
    work.sums = work.scratch + c->slots * strip_scratch(f);
    fovea_parallel_parts(c->parts, c->slots, nanoseconds(f), add_part, &work);
    double finish = 0.5 * (double)(winograd_places * c->parts) * (double)f->channels * (double)f->filters / winograd_lanes;
    fovea_parallel_for(f->channels, finish, finish_channels, &work);
    if (!bias_gradient) return;
    for (int64_t filter = 0; filter < f->filters; filter++) {
        float sum = 0;
        for (int64_t part = 0; part < c->parts; part++) sum += work.sums[part * sum_count(f) + filter];
        bias_gradient[filter] = sum;
    }
}

static void transform_image_blocks(void *context, int64_t first, int64_t last) {
    const winograd_work *w = context;
    w->kernels->winograd_transform_images(&w->form, w->images, w->first, w->count, first, last, w->source);
}

static void transform_upstream_blocks(void *context, int64_t first, int64_t last) {
    const winograd_work *w = context;
    w->kernels->winograd_transform_upstream(&w->form, w->upstream, w->winners, w->first, w->count, first, last, w->source);
}

static void convolve_group(void *context, int64_t group, int32_t slot) {
    const winograd_work *w = context;
    const winograd_form *f = &w->form;
    w->kernels->winograd_convolve_group(f, w->source, w->first, w->count, w->kernel, w->bias, w->result, w->new_winners,
                                        w->scratch + slot * group_scratch(f), group * f->group);
}

static void spread_group(void *context, int64_t group, int32_t slot) {
    const winograd_work *w = context;
    const winograd_form *f = &w->form;
    w->kernels->winograd_spread_group(f, w->source, w->first, w->count, w->kernel, w->result, w->scratch + slot * group_scratch(f),
                                      group * f->group);
}

// Strip by strip: transforms its tiles, and then goes through the groups of filters.
static void run_strips(winograd_work *w, int32_t slots, float *scratch, fovea_range_body transform, fovea_part_body body) {
    const winograd_form *f = &w->form;
    w->source = scratch;
    w->scratch = scratch + winograd_places * f->source_stride;
    for (w->first = 0; w->first < f->tiles; w->first += f->strip) {
        w->count = f->tiles - w->first < f->strip ? f->tiles - w->first : f->strip;
        double vectors = (double)(winograd_places * w->count * f->channels / winograd_lanes);
        fovea_parallel_for(f->channels / winograd_lanes, vectors, transform, w);
        fovea_parallel_parts(f->filters / f->group, slots, 0.3 * vectors * (double)f->filters, body, w);
    }
}

void fovea_winograd_forward_large_kernel(const fovea_winograd *c, const float *images, const float *kernel, const float *bias,
                                         float *output, uint8_t *winners, void *scratch) {
    winograd_work work = {.form = large_form_of(c, 0), .kernels = fovea_kernels(), .images = images, .kernel = kernel,
                          .bias = bias, .new_winners = winners, .result = output};
    run_strips(&work, c->slots, scratch, transform_image_blocks, convolve_group);
}

void fovea_winograd_input_gradient_large_kernel(const fovea_winograd *c, const float *upstream, const uint8_t *winners,
                                                const float *kernel, float *gradient, void *scratch) {
    winograd_work work = {.form = large_form_of(c, 1), .kernels = fovea_kernels(), .upstream = upstream, .winners = winners,
                          .kernel = kernel, .result = gradient};
    run_strips(&work, c->slots, scratch, transform_upstream_blocks, spread_group);
}
