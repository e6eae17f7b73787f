#include "fovea_normalization.h"

#include <math.h>

#include "kernel_table.h"
#include "threads.h"

// Moments of chunks are put together to those of channels. A chunk stays in a thread's cache between its passes.
enum { chunk_floats = 16384 };

// How images are cut: into ranges of pixels where they are large, and into groups of images where they are small.
typedef struct {
    int64_t batch, blocks, pixels, lanes, channels;
    int64_t images, chunk_pixels;          // of a chunk; the last ones may be smaller
    int64_t image_chunks, pixel_chunks;    // of a block
    int64_t chunks;                        // of all blocks
} form;

static form form_of(const fovea_normalization *n) {
    form f = {.batch = n->batch, .blocks = n->blocks, .pixels = n->pixels, .lanes = n->lanes, .channels = n->blocks * n->lanes};
    if (n->blocks == 1) {
        f.pixels *= f.batch;
        f.batch = 1;
    }
    int64_t most = chunk_floats / f.lanes;
    if (most < 1) most = 1;
    f.chunk_pixels = f.pixels < most ? f.pixels : most;
    // An even number of pixels keeps vectors of two whole.
    if (f.chunk_pixels < f.pixels && f.chunk_pixels > 1) f.chunk_pixels -= f.chunk_pixels % 2;
    f.images = f.pixels > 0 && most / f.pixels > 1 ? most / f.pixels : 1;
    if (f.images > f.batch) f.images = f.batch;
    f.pixel_chunks = f.pixels > 0 ? (f.pixels + f.chunk_pixels - 1) / f.chunk_pixels : 0;
    f.image_chunks = f.batch > 0 ? (f.batch + f.images - 1) / f.images : 0;
    f.chunks = f.image_chunks * f.pixel_chunks * f.blocks;
    return f;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

typedef struct {
    form form;
    const fovea_kernel_table *kernels;
    int32_t relu;
    const float *x, *upstream;
    float *y;          // or x's gradient
    float *sums;       // [chunks, 2, lanes]
    float *factor, *bias, *slope;  // [channels]
    normalization_terms terms;     // of the first block
} work;

// A chunk, where it begins in the images, and which channel is its first.
typedef struct {
    normalization_chunk chunk;
    int64_t start, channel, elements;
} place;

// Chunks are counted as memory is walked: by images, blocks and pixels.
static place place_of(const work *w, int64_t number) {
    const form *f = &w->form;
    int64_t pixel = number % f->pixel_chunks * f->chunk_pixels, rest = number / f->pixel_chunks;
    int64_t block = rest % f->blocks, image = rest / f->blocks * f->images, plane = f->pixels * f->lanes;
    place place = {
        .chunk = {smaller(f->images, f->batch - image), f->blocks * plane, smaller(f->chunk_pixels, f->pixels - pixel), f->lanes,
                  w->relu},
        .start = (image * f->blocks + block) * plane + pixel * f->lanes,
        .channel = block * f->lanes,
    };
    place.elements = place.chunk.images * place.chunk.pixels;
    return place;
}

static normalization_terms terms_from(normalization_terms t, int64_t channel) {
    t.mean += channel;
    t.factor += channel;
    t.offset += channel;
    if (t.bias) t.bias += channel;
    if (t.slope) t.slope += channel;
    return t;
}

static void find_moments(void *context, int64_t first, int64_t last) {
    const work *w = context;
    for (int64_t number = first; number < last; number++) {
        place place = place_of(w, number);
        w->kernels->normalization_moments(&place.chunk, w->x + place.start, w->sums + number * 2 * w->form.lanes);
    }
}

static void normalize(void *context, int64_t first, int64_t last) {
    const work *w = context;
    for (int64_t number = first; number < last; number++) {
        place place = place_of(w, number);
        w->kernels->normalize_chunk(&place.chunk, w->x + place.start, terms_from(w->terms, place.channel), w->y + place.start);
    }
}

static void sum_gradients(void *context, int64_t first, int64_t last) {
    const work *w = context;
    for (int64_t number = first; number < last; number++) {
        place place = place_of(w, number);
        w->kernels->normalization_gradient_sums(&place.chunk, w->x + place.start, w->upstream + place.start,
                                                terms_from(w->terms, place.channel), w->sums + number * 2 * w->form.lanes);
    }
}

static void spread_gradients(void *context, int64_t first, int64_t last) {
    const work *w = context;
    for (int64_t number = first; number < last; number++) {
        place place = place_of(w, number);
        w->kernels->normalization_spread_gradient(&place.chunk, w->x + place.start, w->upstream + place.start,
                                                  terms_from(w->terms, place.channel), w->y + place.start);
    }
}

static int64_t chunks_of_block(const form *f) { return f->image_chunks * f->pixel_chunks; }

// The number of a channel's chunk, and where among the sums of a chunk the channel's are.
static int64_t chunk_of(const form *f, int64_t channel, int64_t index) {
    return (index / f->pixel_chunks * f->blocks + channel / f->lanes) * f->pixel_chunks + index % f->pixel_chunks;
}
static float sum_of(const work *w, int64_t number, int64_t which, int64_t channel) {
    return w->sums[(number * 2 + which) * w->form.lanes + channel % w->form.lanes];
}

// Adds up what chunks have of a channel: the first numbers, and weighted by their elements, or the second.
static double total(const work *w, int64_t channel, int64_t which, int is_weighted) {
    double sum = 0;
    for (int64_t index = 0; index < chunks_of_block(&w->form); index++) {
        int64_t number = chunk_of(&w->form, channel, index);
        double term = sum_of(w, number, which, channel);
        sum += is_weighted ? term * (double)place_of(w, number).elements : term;
    }
    return sum;
}

// What the means of chunks deviate from the mean of all.
static double deviation(const work *w, int64_t channel, double mean) {
    double sum = 0;
    for (int64_t index = 0; index < chunks_of_block(&w->form); index++) {
        int64_t number = chunk_of(&w->form, channel, index);
        double difference = sum_of(w, number, 0, channel) - mean;
        sum += difference * difference * (double)place_of(w, number).elements;
    }
    return sum;
}

static size_t sums_count(const form *f) { return (size_t)(f->chunks * 2 * f->lanes); }

size_t fovea_normalization_scratch(const fovea_normalization *normalization) {
    form f = form_of(normalization);
    return (sums_count(&f) + 3 * (size_t)f.channels) * sizeof(float);
}

static work work_of(const fovea_normalization *n, void *scratch) {
    work w = {.form = form_of(n), .kernels = fovea_kernels(), .relu = n->relu, .sums = scratch};
    w.factor = w.sums + sums_count(&w.form);
    w.bias = w.factor + w.form.channels;
    w.slope = w.bias + w.form.channels;
    return w;
}

static double elements(const work *w) { return (double)w->form.batch * (double)w->form.pixels; }

// So long passes over the images take, by how many arrays they read and write.
static double nanoseconds(const work *w, int32_t arrays) { return 0.05 * arrays * elements(w) * (double)w->form.channels; }

void fovea_normalize(const fovea_normalization *n, const float *x, const float *scale, const float *offset, float *y, float *mean,
                     float *variance, void *scratch) {
    work w = work_of(n, scratch);
    w.x = x;
    w.y = y;
    w.terms = (normalization_terms){mean, w.factor, offset, 0, 0};
    fovea_parallel_for(w.form.chunks, nanoseconds(&w, 1), find_moments, &w);
    for (int64_t channel = 0; channel < w.form.channels; channel++) {
        double center = total(&w, channel, 0, 1) / elements(&w);
        double spread = (total(&w, channel, 1, 0) + deviation(&w, channel, center)) / elements(&w);
        mean[channel] = (float)center;
        variance[channel] = (float)spread;
        w.factor[channel] = scale[channel] / sqrtf(variance[channel] + n->epsilon);
    }
    fovea_parallel_for(w.form.chunks, nanoseconds(&w, 2), normalize, &w);
}

void fovea_normalize_gradient(const fovea_normalization *n, const float *x, const float *upstream, const float *mean,
                              const float *variance, const float *scale, const float *offset, float *x_gradient,
                              float *scale_gradient, float *offset_gradient, void *scratch) {
    work w = work_of(n, scratch);
    w.x = x;
    w.upstream = upstream;
    w.y = x_gradient;
    w.terms = (normalization_terms){mean, w.factor, offset, w.bias, w.slope};
    for (int64_t channel = 0; channel < w.form.channels; channel++)
        w.factor[channel] = scale[channel] / sqrtf(variance[channel] + n->epsilon);
    fovea_parallel_for(w.form.chunks, nanoseconds(&w, 2), sum_gradients, &w);
    for (int64_t channel = 0; channel < w.form.channels; channel++) {
        double gradient = total(&w, channel, 0, 0), product = total(&w, channel, 1, 0);
        double inverse = 1 / ((double)variance[channel] + n->epsilon);
        offset_gradient[channel] = (float)gradient;
        scale_gradient[channel] = (float)(product * sqrt(inverse));
        w.bias[channel] = (float)(gradient / elements(&w));
        w.slope[channel] = (float)(product * inverse / elements(&w));
    }
    fovea_parallel_for(w.form.chunks, nanoseconds(&w, 3), spread_gradients, &w);
}
