#include "fovea_normalization.h"

#include <math.h>
#include <string.h>

#include "kernel_table.h"
#include "threads.h"

// A chunk stays in a thread's cache, and has some rows for each sum that it leaves.
enum { chunk_floats = 16384, least_chunk_rows = 16, vector_lanes = 16, chunk_sums = 3 };

// How images are cut: into ranges of rows where they are large, and into groups of images where they are small. A row is so many
// pixels of a block that they fill whole vectors.
typedef struct {
    int64_t batch, blocks, pixels, lanes, channels;
    int64_t copies, row_lanes;           // a row's pixels, and its numbers
    int64_t rows, tail;                  // of a block of an image: whole rows, and the numbers behind them
    int64_t images, chunk_rows;          // of a chunk; the last ones may be smaller
    int64_t image_chunks, row_chunks;    // of a block
    int64_t chunks;                      // of all blocks
} form;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static form form_of(const fovea_normalization *n) {
    form f = {.batch = n->batch, .pixels = n->pixels, .lanes = n->lanes, .channels = n->channels};
    f.blocks = (f.channels + f.lanes - 1) / f.lanes;
    if (f.blocks == 1) {
        f.pixels *= f.batch;
        f.batch = 1;
    }
    f.copies = vector_lanes;
    while (f.copies > 1 && f.lanes * f.copies / 2 % vector_lanes == 0) f.copies /= 2;
    f.row_lanes = f.lanes * f.copies;
    f.rows = f.pixels / f.copies;
    f.tail = f.pixels % f.copies * f.lanes;
    int64_t most = larger(chunk_floats / f.row_lanes, least_chunk_rows);
    f.chunk_rows = larger(smaller(f.rows, most), 1);
    f.images = larger(smaller(most * f.row_lanes / larger(f.pixels * f.lanes, 1), f.batch), 1);
    f.row_chunks = larger((f.rows + f.chunk_rows - 1) / f.chunk_rows, 1);
    f.image_chunks = (f.batch + f.images - 1) / f.images;
    f.chunks = f.image_chunks * f.row_chunks * f.blocks;
    return f;
}

typedef struct {
    form form;
    const fovea_kernel_table *kernels;
    int32_t relu;
    const float *x, *upstream;
    float *y;                        // or x's gradient
    double *totals;                  // [row_lanes]
    double *gain, *bias, *slope;     // [blocks, row_lanes]
    double *sums;                    // [chunks, chunk_sums, row_lanes]
    float *mean, *factor, *offset;   // [blocks, row_lanes]
} work;

// A chunk, and where it begins in the images.
typedef struct {
    normalization_chunk chunk;
    int64_t start, block;
} place;

// Chunks are counted as memory is walked: by images, blocks and rows.
static place place_of(const work *w, int64_t number) {
    const form *f = &w->form;
    int64_t row = number % f->row_chunks * f->chunk_rows, rest = number / f->row_chunks;
    int64_t block = rest % f->blocks, image = rest / f->blocks * f->images, plane = f->pixels * f->lanes;
    int64_t rows = smaller(f->chunk_rows, f->rows - row);
    return (place){
        .chunk = {smaller(f->images, f->batch - image), f->blocks * plane, rows, f->row_lanes,
                  row + rows == f->rows ? f->tail : 0, w->relu},
        .start = (image * f->blocks + block) * plane + row * f->row_lanes,
        .block = block,
    };
}

static normalization_terms terms_of(const work *w, int64_t block) {
    int64_t at = block * w->form.row_lanes;
    return (normalization_terms){w->mean + at, w->factor + at, w->offset + at, w->gain + at, w->bias + at, w->slope + at};
}

// Gives a channel's number to all its lanes of a row.
static int64_t first_lane(const form *f, int64_t channel) { return channel / f->lanes * f->row_lanes + channel % f->lanes; }
static void spread(const form *f, float *terms, int64_t channel, float number) {
    for (int64_t copy = 0; copy < f->copies; copy++) terms[first_lane(f, channel) + copy * f->lanes] = number;
}
static void spread_double(const form *f, double *terms, int64_t channel, double number) {
    for (int64_t copy = 0; copy < f->copies; copy++) terms[first_lane(f, channel) + copy * f->lanes] = number;
}

static double *sums_of(const work *w, int64_t number) { return w->sums + number * chunk_sums * w->form.row_lanes; }

static void find_moments(void *context, int64_t first, int64_t last) {
    const work *w = context;
    for (int64_t number = first; number < last; number++) {
        place place = place_of(w, number);
        w->kernels->normalization_moments(&place.chunk, w->x + place.start, terms_of(w, place.block), sums_of(w, number));
    }
}

static void normalize(void *context, int64_t first, int64_t last) {
    const work *w = context;
    for (int64_t number = first; number < last; number++) {
        place place = place_of(w, number);
        w->kernels->normalize_chunk(&place.chunk, w->x + place.start, terms_of(w, place.block), w->y + place.start);
    }
}

static void sum_gradients(void *context, int64_t first, int64_t last) {
    const work *w = context;
    for (int64_t number = first; number < last; number++) {
        place place = place_of(w, number);
        w->kernels->normalization_gradient_sums(&place.chunk, w->x + place.start, w->upstream + place.start,
                                                terms_of(w, place.block), sums_of(w, number));
    }
}

static void spread_gradients(void *context, int64_t first, int64_t last) {
    const work *w = context;
    for (int64_t number = first; number < last; number++) {
        place place = place_of(w, number);
        w->kernels->normalization_spread_gradient(&place.chunk, w->x + place.start, w->upstream + place.start,
                                                  terms_of(w, place.block), w->y + place.start);
    }
}

static double elements(const work *w) { return (double)w->form.batch * (double)w->form.pixels; }

// The means of what the chunks of a block have summed, for its channels' first lanes.
static void find_means(const work *w, int64_t block, int32_t which, double *means) {
    const form *f = &w->form;
    for (int64_t lane = 0; lane < f->row_lanes; lane++) w->totals[lane] = 0;
    for (int64_t index = 0; index < f->image_chunks * f->row_chunks; index++) {
        int64_t number = (index / f->row_chunks * f->blocks + block) * f->row_chunks + index % f->row_chunks;
        const double *sums = sums_of(w, number) + which * f->row_lanes;
        for (int64_t lane = 0; lane < f->row_lanes; lane++) w->totals[lane] += sums[lane];
    }
    means += block * f->row_lanes;
    for (int64_t lane = 0; lane < f->lanes; lane++) {
        double total = 0;
        for (int64_t copy = 0; copy < f->copies; copy++) total += w->totals[lane + copy * f->lanes];
        means[lane] = total / elements(w);
    }
}

typedef struct {
    size_t doubles, floats;  // for lanes
    size_t sums;
} room;

static room room_of(const form *f) {
    const size_t lanes = (size_t)f->row_lanes, all = (size_t)f->blocks * lanes;
    return (room){lanes + 3 * all, 3 * all, (size_t)f->chunks * chunk_sums * lanes};
}

size_t fovea_normalization_scratch(const fovea_normalization *normalization) {
    const form f = form_of(normalization);
    const room room = room_of(&f);
    return (room.doubles + room.sums) * sizeof(double) + room.floats * sizeof(float);
}

static work work_of(const fovea_normalization *n, const float *x, float *y, void *scratch) {
    work w = {.form = form_of(n), .kernels = fovea_kernels(), .relu = n->relu, .x = x, .y = y, .totals = scratch};
    const room room = room_of(&w.form);
    const int64_t all = w.form.blocks * w.form.row_lanes;
    w.gain = w.totals + w.form.row_lanes;
    w.bias = w.gain + all;
    w.slope = w.bias + all;
    w.sums = w.slope + all;
    w.mean = (float *)(w.sums + room.sums);
    w.factor = w.mean + all;
    w.offset = w.factor + all;
    // Lanes behind the last channel stay zeros, which make zeros of zeros.
    memset(w.totals, 0, room.doubles * sizeof(double));
    memset(w.mean, 0, room.floats * sizeof(float));
    return w;
}

// So long passes over the images take, by how many arrays they read and write.
static double nanoseconds(const work *w, int32_t arrays) { return 0.05 * arrays * elements(w) * (double)w->form.channels; }

// What of a channel's moments the passes over its elements need.
static void set_terms(const work *w, const fovea_normalization *n, int64_t channel, const float *mean, const float *variance,
                      const float *scale, const float *offset) {
    spread(&w->form, w->mean, channel, mean[channel]);
    spread(&w->form, w->factor, channel, scale[channel] / sqrtf(variance[channel] + n->epsilon));
    spread(&w->form, w->offset, channel, offset[channel]);
}

// An element of a channel. Deviations from it are small where the mean is large beside them.
static float some_element(const work *w, int64_t channel) {
    const form *f = &w->form;
    float element = elements(w) > 0 ? w->x[channel / f->lanes * f->pixels * f->lanes + channel % f->lanes] : 0;
    return isfinite(element) ? element : 0;
}

void fovea_normalize(const fovea_normalization *n, const float *x, const float *scale, const float *offset, float *y, float *mean,
                     float *variance, void *scratch) {
    work w = work_of(n, x, y, scratch);
    const form *f = &w.form;
    for (int64_t channel = 0; channel < f->channels; channel++) spread(f, w.mean, channel, some_element(&w, channel));
    fovea_parallel_for(f->chunks, nanoseconds(&w, 1), find_moments, &w);
    double *deviations = w.bias, *squares = w.slope;
    for (int64_t block = 0; block < f->blocks; block++) {
        find_means(&w, block, 0, deviations);
        find_means(&w, block, 1, squares);
    }
    for (int64_t channel = 0; channel < f->channels; channel++) {
        const int64_t lane = first_lane(f, channel);
        mean[channel] = (float)(w.mean[lane] + deviations[lane]);
        variance[channel] = (float)(squares[lane] - deviations[lane] * deviations[lane]);
        if (variance[channel] < 0) variance[channel] = 0;
        set_terms(&w, n, channel, mean, variance, scale, offset);
    }
    fovea_parallel_for(f->chunks, nanoseconds(&w, 2), normalize, &w);
}

void fovea_normalize_gradient(const fovea_normalization *n, const float *x, const float *upstream, const float *mean,
                              const float *variance, const float *scale, const float *offset, float *x_gradient,
                              float *scale_gradient, float *offset_gradient, void *scratch) {
    work w = work_of(n, x, x_gradient, scratch);
    const form *f = &w.form;
    w.upstream = upstream;
    for (int64_t channel = 0; channel < f->channels; channel++) set_terms(&w, n, channel, mean, variance, scale, offset);
    fovea_parallel_for(f->chunks, nanoseconds(&w, 2), sum_gradients, &w);
    double *gradients = w.bias, *products = w.slope, *deviations = w.gain;
    for (int64_t block = 0; block < f->blocks; block++) {
        find_means(&w, block, 0, gradients);
        find_means(&w, block, 1, products);
        find_means(&w, block, 2, deviations);
    }
    for (int64_t channel = 0; channel < f->channels; channel++) {
        const int64_t lane = first_lane(f, channel);
        const double gradient = gradients[lane];
        double product = products[lane], bias = gradient;
        const double inverse = 1 / ((double)variance[channel] + n->epsilon);
        // What rounding of the mean adds is not taken from infinite sums, which would make NaN of them.
        if (isfinite(gradient) && isfinite(product)) {
            product -= deviations[lane] * gradient;
            bias -= deviations[lane] * product * inverse;
        }
        offset_gradient[channel] = (float)(gradient * elements(&w));
        scale_gradient[channel] = (float)(product * sqrt(inverse) * elements(&w));
        spread_double(f, w.gain, channel, scale[channel] * sqrt(inverse));
        spread_double(f, w.slope, channel, product * inverse);
        spread_double(f, w.bias, channel, bias);
    }
    fovea_parallel_for(f->chunks, nanoseconds(&w, 3), spread_gradients, &w);
}
