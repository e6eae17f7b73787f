#include "fovea_narrow_convolution.h"

#include <string.h>

#include "kernel_table.h"
#include "narrow_convolution_form.h"
#include "threads.h"

// Rows of results that are computed together: of a convolution, or pairs of them where it is pooled. What they see of an image stays
// in the cache.
enum { rows_at_once = 8 };

// Of the results that are stored.
static int64_t result_rows(const fovea_narrow_convolution *c) { return c->pools ? c->output_height / 2 : c->output_height; }
static int64_t strips_of_image(const fovea_narrow_convolution *c) { return (result_rows(c) + rows_at_once - 1) / rows_at_once; }

static narrow_form form_of(const fovea_narrow_convolution *c) {
    narrow_form f = {.spec = c};
    f.step = c->pools ? 2 : 1;
    f.result_rows = result_rows(c);
    f.result_columns = c->output_width / f.step;
    // A strip sees as many rows and columns as its windows reach over, which is what is copied where some lie outside.
    f.strip_height = (rows_at_once * f.step - 1) * c->strides[0] + c->window[0];
    f.strip_width = (c->output_width - 1) * c->strides[1] + c->window[1];
    int64_t last_row = (c->output_height - 1) * c->strides[0] + c->window[0];
    f.is_padded = c->padding[0] > 0 || c->padding[1] > 0 || last_row > c->height || f.strip_width > c->width;
    return f;
}

static int64_t strip_floats(const narrow_form *f) {
    int64_t count = f->is_padded ? f->strip_height * f->strip_width * f->spec->channels : 0;
    return (count + 15) / 16 * 16;
}

static int64_t weight_count(const fovea_narrow_convolution *c) { return c->window[0] * c->window[1] * c->channels * c->filters; }
// With those of the bias.
static int64_t sum_count(const fovea_narrow_convolution *c) { return weight_count(c) + c->filters; }

size_t fovea_narrow_forward_scratch(const fovea_narrow_convolution *c) {
    narrow_form f = form_of(c);
    return (size_t)(c->parts * strip_floats(&f)) * sizeof(float);
}

size_t fovea_narrow_kernel_gradient_scratch(const fovea_narrow_convolution *c) {
    narrow_form f = form_of(c);
    return (size_t)(c->parts * (strip_floats(&f) + sum_count(c))) * sizeof(float);
}

typedef struct {
    narrow_form form;
    const fovea_kernel_table *kernels;
    const float *images, *kernel, *bias, *upstream;
    const uint8_t *winners;
    uint8_t *new_winners;
    float *result, *scratch, *sums;
} narrow_work;

// What a strip sees of its image: in place, or copied with zeros for what lies outside.
static narrow_source source_of(const narrow_form *f, const float *images, int64_t image, int64_t row, float *copy) {
    const fovea_narrow_convolution *c = f->spec;
    int64_t image_row = c->width * c->channels, top = row * f->step * c->strides[0] - c->padding[0];
    const float *from = images + image * c->height * image_row;
    if (!f->is_padded) return (narrow_source){from + top * image_row, image_row};
    int64_t copy_row = f->strip_width * c->channels, before = c->padding[1] * c->channels;
    int64_t inside = image_row < copy_row - before ? image_row : copy_row - before;
    for (int64_t i = 0; i < f->strip_height; i++, top++) {
        float *to = copy + i * copy_row;
        if (top < 0 || top >= c->height || inside <= 0) {
            memset(to, 0, (size_t)copy_row * sizeof(float));
        } else {
            memset(to, 0, (size_t)before * sizeof(float));
            memcpy(to + before, from + top * image_row, (size_t)inside * sizeof(float));
            memset(to + before + inside, 0, (size_t)(copy_row - before - inside) * sizeof(float));
        }
    }
    return (narrow_source){copy, copy_row};
}

// Half a nanosecond for a vector of sixteen products.
static double nanoseconds(const fovea_narrow_convolution *c) {
    return 0.3 * (double)(c->batch * c->output_height * c->output_width) * (double)weight_count(c) / 16;
}

// Calls for the strips of a part: image, first and last row of results, and what it sees.
#define FOR_STRIPS_OF(part, statement)                                                                   \
    do {                                                                                                 \
        int64_t of_image = strips_of_image(c), strips = c->batch * of_image;                             \
        float *copy = w->scratch + (part) * strip_floats(f);                                             \
        for (int64_t strip = strips * (part) / c->parts; strip < strips * ((part) + 1) / c->parts; strip++) { \
            int64_t image = strip / of_image, row = strip % of_image * rows_at_once, last_row = row + rows_at_once; \
            if (last_row > f->result_rows) last_row = f->result_rows;                                    \
            narrow_source source = source_of(f, w->images, image, row, copy);                            \
            statement;                                                                                   \
        }                                                                                                \
    } while (0)

static void convolve_parts(void *context, int64_t first, int64_t last) {
    const narrow_work *w = context;
    const narrow_form *f = &w->form;
    const fovea_narrow_convolution *c = f->spec;
    for (int64_t part = first; part < last; part++) {
        FOR_STRIPS_OF(part, w->kernels->narrow_convolve(f, source, w->kernel, w->bias, w->result, w->new_winners, image, row,
                                                        last_row));
    }
}

void fovea_narrow_forward(const fovea_narrow_convolution *c, const float *images, const float *kernel, const float *bias,
                          float *output, uint8_t *winners, void *scratch) {
    narrow_work work = {.form = form_of(c), .kernels = fovea_kernels(), .images = images, .kernel = kernel, .bias = bias,
                        .new_winners = winners, .result = output, .scratch = scratch};
    fovea_parallel_for(c->parts, nanoseconds(c), convolve_parts, &work);
}

static void add_parts(void *context, int64_t first, int64_t last) {
    const narrow_work *w = context;
    const narrow_form *f = &w->form;
    const fovea_narrow_convolution *c = f->spec;
    for (int64_t part = first; part < last; part++) {
        float *sums = w->sums + part * sum_count(c);
        memset(sums, 0, (size_t)sum_count(c) * sizeof(float));
        FOR_STRIPS_OF(part, w->kernels->narrow_add_gradients(f, source, w->upstream, w->winners, sums, sums + weight_count(c),
                                                             image, row, last_row));
    }
}

void fovea_narrow_kernel_gradient(const fovea_narrow_convolution *c, const float *images, const float *upstream,
                                  const uint8_t *winners, float *gradient, float *bias_gradient, void *scratch) {
    narrow_work work = {.form = form_of(c), .kernels = fovea_kernels(), .images = images, .upstream = upstream,
                        .winners = winners, .scratch = scratch};
    work.sums = work.scratch + c->parts * strip_floats(&work.form);
    fovea_parallel_for(c->parts, nanoseconds(c), add_parts, &work);
    int64_t weights = weight_count(c), all = bias_gradient ? sum_count(c) : weights;
    for (int64_t i = 0; i < all; i++) {
        float sum = 0;
        for (int64_t part = 0; part < c->parts; part++) sum += work.sums[part * sum_count(c) + i];
        if (i < weights) {
            gradient[i] = sum;
        } else {
            bias_gradient[i - weights] = sum;
        }
    }
}
