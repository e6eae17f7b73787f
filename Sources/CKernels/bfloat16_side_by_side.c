// Convolutions and their input gradients with images side by side.
//
// A result tile is the same pixel of 16 images and 16 filters: the sum of the products of pixels under the window and the
// kernel. With a small kernel the workers share out rows of results and pack those rows of images that the window covers;
// a large one is shared out itself, by filters, so that each worker packs and reads its part once.
#include "bfloat16_side_by_side.h"

#if defined(__x86_64__)
#include "bfloat16_convolution.h"
#include "bfloat16_packing.h"
#include "threads.h"

enum {
    // A packed kernel of which each worker reads the whole.
    largest_shared_kernel = 1 << 20,
    // The part of a larger one that stays in the second-level cache while all results are computed with it.
    kernel_chunk = 1400 << 10,
};

typedef struct {
    const convolution_form *form;
    window_axis rows, columns;
    int64_t groups;                 // of 16 images
    int64_t slots;                  // rows of images that are packed at a time
    int64_t place_bytes, row_bytes;
    int32_t divides_filters;
} layer;

// Neighbouring results, which read the same places of the window.
typedef struct {
    int64_t first, count;
} result_run;

static layer planned(const convolution_form *f) {
    const fovea_bfloat16_convolution *c = f->spec;
    layer l = {
        .form = f, .rows = axis_of(c, 0, f->is_gradient), .columns = axis_of(c, 1, f->is_gradient),
        .groups = divided_up(c->batch, tile_rows), .place_bytes = f->channel_steps * tile_bytes * f->terms,
    };
    l.row_bytes = l.columns.sources * l.place_bytes;
    l.divides_filters = f->filter_tiles * kernel_tile_bytes(f) > largest_shared_kernel
                     && f->filter_tiles >= 2 * c->workers;
    l.slots = l.divides_filters ? l.groups * l.rows.sources : most_needed_sources(&l.rows);
    return l;
}

static int64_t images_bytes(const layer *l) { return l->slots * l->row_bytes; }
static int64_t steps_bytes(const layer *l) { return 2 * l->form->steps * (int64_t)sizeof(int64_t); }

// Scratch memory: packed images, of each worker or of all, lists of steps of each, and the runs of a row of results.
static int64_t parts(const layer *l) { return l->divides_filters ? 1 : l->form->spec->workers; }

size_t fovea_side_by_side_scratch(const convolution_form *f) {
    layer l = planned(f);
    return (size_t)(parts(&l) * images_bytes(&l) + f->spec->workers * steps_bytes(&l)
                    + l.columns.results * (int64_t)sizeof(result_run));
}

typedef struct {
    const layer *layer;
    const tile_unit *unit;
    const convolution_operands *operands;
    uint8_t *images, *steps;
    result_run *runs;
    int64_t run_count;
} convolution_work;

// What one worker computes with.
typedef struct {
    uint8_t *images;
    int64_t *image_steps, *kernel_steps;
    const uint8_t *kernel;        // of the filters
    int64_t first_filter, filters;  // tiles
} worker_part;

static worker_part part_of(const convolution_work *work, int64_t worker) {
    const layer *l = work->layer;
    int64_t *steps = (int64_t *)(work->steps + worker * steps_bytes(l));
    return (worker_part){
        .images = work->images + (l->divides_filters ? 0 : worker * images_bytes(l)), .image_steps = steps,
        .kernel_steps = steps + l->form->steps, .kernel = work->operands->packed_kernel,
        .filters = l->form->filter_tiles,
    };
}

static inline int64_t row_offset(const layer *l, int64_t group, int64_t row) {
    return (l->divides_filters ? group * l->rows.sources + row : row % l->slots) * l->row_bytes;
}

// Packs a row of 16 images as left tiles in order [column][channels / 32].
PACKING static void pack_row(const convolution_work *work, int64_t group, int64_t row, uint8_t *to) {
    const layer *l = work->layer;
    const convolution_form *f = l->form;
    int64_t blocks = f->channels / lanes, columns = l->columns.sources, plane = l->rows.sources * columns * lanes;
    int64_t images = smaller(tile_rows, f->spec->batch - group * tile_rows);
    for (int64_t image = 0; image < tile_rows; image++, to += tile_row_bytes) {
        int64_t block = (group * tile_rows + image) * blocks;
        const float *pixels = work->operands->images + block * plane + row * columns * lanes;
        for (int64_t step = 0; step < f->channel_steps; step++, pixels += 2 * plane) {
            uint8_t *place = to + step * tile_bytes * f->terms;
            int64_t low = image < images ? 16 : 0, high = step * 2 + 1 < blocks ? low : 0;
            for (int64_t column = 0; column < columns; column++, place += l->place_bytes) {
                if (!may_be_read(&l->columns, column)) continue;
                __m512 a = load_some(pixels + column * lanes, low);
                __m512 b = load_some(pixels + plane + column * lanes, high);
                store_split(place, tile_bytes, split_pairs(a, b, f->terms), f->terms);
            }
        }
    }
}

// Writes a block of result tiles: pixels of a row down, filters across.
PACKING static void put_block(const convolution_work *work, const tile_block *block, int64_t group, int64_t row,
                              int64_t column, int64_t filter) {
    const layer *l = work->layer;
    const convolution_form *f = l->form;
    int64_t plane = l->rows.results * l->columns.results, step = result_step(&l->columns);
    int64_t place = row * l->columns.results + column;
    int64_t images = smaller(tile_rows, f->spec->batch - group * tile_rows);
    int rectifies = f->spec->relu && !f->is_gradient;
    const __m512 ceiling = _mm512_set1_ps(ceiling_of(f->spec));
    for (int64_t tile = 0; tile < block->columns; tile++, filter++) {
        const float *biases = work->operands->bias;
        __m512 bias = biases ? _mm512_loadu_ps(biases + filter * lanes) : _mm512_setzero_ps();
        float *to = work->operands->output + ((group * tile_rows * f->filter_tiles + filter) * plane + place) * lanes;
        const float *from = block->result + tile * tile_columns;
        for (int64_t image = 0; image < images; image++, to += f->filter_tiles * plane * lanes) {
            for (int64_t i = 0; i < block->rows; i++) {
                const float *numbers = from + (i * tile_rows + image) * block->result_row;
                __m512 sum = _mm512_add_ps(_mm512_load_ps(numbers), bias);
                // In this order NaN stays.
                if (rectifies) sum = _mm512_min_ps(ceiling, _mm512_max_ps(_mm512_setzero_ps(), sum));
                _mm512_storeu_ps(to + i * step * lanes, sum);
            }
        }
    }
}

// Lists the places of the window that a run of results in a row reads, with 32 channels each.
static int64_t list_steps(const layer *l, const worker_part *part, int64_t group, int64_t row, int64_t column) {
    const convolution_form *f = l->form;
    const int64_t *window = f->spec->window;
    int64_t tile = tile_bytes * f->terms, count = 0;
    for (int64_t r = 0; r < window[0]; r++) {
        int64_t y = source_at(&l->rows, row, r);
        for (int64_t c = 0; y >= 0 && c < window[1]; c++) {
            int64_t x = source_at(&l->columns, column, c);
            if (x < 0) continue;
            // Kernels of gradients are packed turned around.
            int64_t place = f->is_gradient ? (window[0] - 1 - r) * window[1] + window[1] - 1 - c : r * window[1] + c;
            for (int64_t step = 0; step < f->channel_steps; step++, count++) {
                part->image_steps[count] = row_offset(l, group, y) + x * l->place_bytes + step * tile;
                part->kernel_steps[count] = (place * f->channel_steps + step) * tile;
            }
        }
    }
    return count;
}

static void convolve_row(const convolution_work *work, const worker_part *part, int64_t group, int64_t row) {
    const layer *l = work->layer;
    const convolution_form *f = l->form;
    float result[4 * tile_rows * tile_columns] __attribute__((aligned(64)));
    tile_block block = {
        .left_steps = part->image_steps, .right_steps = part->kernel_steps, .left_term = tile_bytes,
        .right_term = tile_bytes, .terms = f->terms, .result = result,
    };
    for (int64_t index = 0; index < work->run_count; index++) {
        result_run run = work->runs[index];
        block.steps = list_steps(l, part, group, row, run.first);
        for (int64_t filter = 0; filter < part->filters; filter += block.columns) {
            block.columns = smaller(block_columns(run.count), part->filters - filter);
            block.result_row = block.columns * tile_columns;
            for (int64_t i = 0; i < block.columns; i++) {
                block.right[i] = part->kernel + (filter + i) * kernel_tile_bytes(f);
            }
            for (int64_t at = 0; at < run.count; at += block.rows) {
                block.rows = smaller(block_rows(block.columns), run.count - at);
                for (int64_t i = 0; i < block.rows; i++) {
                    block.left[i] = part->images + (at + i) * source_step(&l->columns) * l->place_bytes;
                }
                work->unit->multiply(&block);
                put_block(work, &block, group, row, run.first + at * result_step(&l->columns),
                          part->first_filter + filter);
            }
        }
    }
}

// MARK: Small kernels

static void pack_kernel(void *context, int64_t first, int64_t last) {
    const convolution_work *work = context;
    const convolution_form *f = work->layer->form;
    const convolution_operands *operands = work->operands;
    fovea_pack_kernel_tiles(f, operands->kernel, first, last, operands->packed_kernel + first * tile_bytes * f->terms);
}

static void convolve_rows(void *context, int64_t first, int64_t last) {
    const convolution_work *work = context;
    const layer *l = work->layer;
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        worker_part part = part_of(work, worker);
        int64_t count = l->groups * l->rows.results, workers = l->form->spec->workers;
        int64_t start = count * worker / workers, end = count * (worker + 1) / workers, packed = 0;
        for (int64_t index = start; index < end; index++) {
            int64_t group = index / l->rows.results, row = index % l->rows.results;
            source_range needed = needed_sources(&l->rows, row);
            if (index == start || row == 0 || packed < needed.first) packed = needed.first;
            for (; packed < needed.last; packed++) {
                pack_row(work, group, packed, part.images + row_offset(l, group, packed));
            }
            convolve_row(work, &part, group, row);
        }
    }
    work->unit->end();
}

// MARK: Large kernels

static void pack_images(void *context, int64_t first, int64_t last) {
    const convolution_work *work = context;
    int64_t rows = work->layer->rows.sources;
    for (int64_t index = first; index < last; index++) {
        if (!may_be_read(&work->layer->rows, index % rows)) continue;
        pack_row(work, index / rows, index % rows, work->images + index * work->layer->row_bytes);
    }
}

static void convolve_filters(void *context, int64_t first, int64_t last) {
    const convolution_work *work = context;
    const layer *l = work->layer;
    const convolution_form *f = l->form;
    const convolution_operands *operands = work->operands;
    int64_t workers = f->spec->workers, most = kernel_chunk / kernel_tile_bytes(f);
    most = most < 1 ? 1 : smaller(most, 4);
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        worker_part part = part_of(work, worker);
        int64_t start = f->filter_tiles * worker / workers, end = f->filter_tiles * (worker + 1) / workers;
        for (int64_t filter = start; filter < end; filter += part.filters) {
            part.first_filter = filter;
            part.filters = smaller(most, end - filter);
            // What is not kept need not leave the cache.
            int64_t place = operands->packing == FOVEA_PACK ? start : filter;
            uint8_t *kernel = operands->packed_kernel + place * kernel_tile_bytes(f);
            part.kernel = kernel;
            if (operands->packing != FOVEA_PACKED) {
                int64_t last = filter + part.filters;
                fovea_pack_kernel_tiles(f, operands->kernel, filter * f->steps, last * f->steps, kernel);
            }
            for (int64_t row = 0; row < l->groups * l->rows.results; row++) {
                convolve_row(work, &part, row / l->rows.results, row % l->rows.results);
            }
        }
    }
    work->unit->end();
}

void fovea_convolve_side_by_side(const convolution_form *f, const convolution_operands *operands) {
    layer l = planned(f);
    int64_t workers = f->spec->workers;
    convolution_work work = {
        .layer = &l, .unit = fovea_tile_unit(), .operands = operands, .images = operands->scratch,
    };
    work.steps = work.images + parts(&l) * images_bytes(&l);
    work.runs = (result_run *)(work.steps + workers * steps_bytes(&l));
    int64_t step = result_step(&l.columns);
    for (int64_t phase = 0; phase < step; phase++) {
        int64_t next = phase;
        while (next < l.columns.results) {
            result_run run = {next, 0};
            for (; next < l.columns.results && has_same_places(&l.columns, run.first, next); next += step) run.count++;
            work.runs[work.run_count++] = run;
        }
    }
    int64_t rows = l.groups * l.rows.results, kernel_tiles = f->filter_tiles * f->steps;
    double nanoseconds = 20.0 * (double)(rows * l.columns.results * kernel_tiles);
    if (l.divides_filters) {
        int64_t image_rows = l.groups * l.rows.sources;
        double tiles = (double)(image_rows * l.columns.sources * f->channel_steps);
        fovea_parallel_for(image_rows, 50.0 * tiles, pack_images, &work);
        fovea_parallel_for(workers, nanoseconds, convolve_filters, &work);
    } else {
        if (operands->packing != FOVEA_PACKED) {
            fovea_parallel_for(kernel_tiles, 50.0 * (double)kernel_tiles, pack_kernel, &work);
        }
        fovea_parallel_for(workers, nanoseconds, convolve_rows, &work);
    }
}
#endif
