// The kernel gradient of a convolution with images side by side.
//
// The inner axis of a product are 32 numbers of a channel and of a filter: of 16 pairs of images at the same pixel, or, of no
// more than 16 images, at the same pixel of their upper and lower halves. Each place of the window sums such products over
// all pixels. Small gradients are summed by each worker for its part of the pixels and added up; of a large one each worker
// computes its part of the filters.
#include "bfloat16_side_by_side.h"

#if defined(__x86_64__)
#include <string.h>

#include "bfloat16_convolution.h"
#include "bfloat16_packing.h"
#include "threads.h"

enum {
    // A gradient that each worker sums up as a whole.
    largest_shared_gradient = 1 << 20,
    // What is packed at a time: of each worker, and of all.
    worker_bytes = 768 << 10,
    most_packed_bytes = 2 << 20,
};

// What is packed together: some rows of upstream gradients of some pairs, with the rows of images that they read.
typedef struct {
    int64_t pair, pairs, row, rows;
} chunk;

typedef struct {
    const fovea_bfloat16_convolution *c;
    window_axis rows, columns;
    int64_t channel_tiles, filter_tiles;
    int64_t pairs, pair_rows;  // rows of outputs
    int32_t halves;            // pairs are halves of the same images
    int32_t divides_filters;
    chunk most;                // sizes of the largest chunk
    int64_t image_rows;        // that the rows of a chunk read
    int64_t image_row_bytes, upstream_row_bytes, sums;
} gradient_plan;

static gradient_plan planned(const fovea_bfloat16_convolution *c) {
    gradient_plan p = {
        .c = c, .rows = axis_of(c, 0, 0), .columns = axis_of(c, 1, 0), .channel_tiles = c->channels / lanes,
        .filter_tiles = c->filters / lanes, .halves = c->batch <= tile_rows,
        .sums = c->window[0] * c->window[1] * c->channels * c->filters,
    };
    p.pairs = divided_up(c->batch, 2 * tile_rows);
    p.pair_rows = p.halves ? divided_up(c->output_height, 2) : c->output_height;
    p.divides_filters = p.sums * 4 > largest_shared_gradient && p.filter_tiles >= 2 * c->workers;
    p.image_row_bytes = p.channel_tiles * c->width * tile_bytes * c->terms;
    p.upstream_row_bytes = p.filter_tiles * c->output_width * tile_bytes * c->terms;
    // As many rows as fit, and as many pairs where all of their rows do.
    int64_t limit = p.divides_filters ? most_packed_bytes : worker_bytes, span = window_span(&p.rows);
    int64_t rest = limit - (span - p.rows.stride) * p.image_row_bytes;
    int64_t rows = rest / (p.rows.stride * p.image_row_bytes + p.upstream_row_bytes);
    p.most.rows = rows < 1 ? 1 : smaller(rows, p.pair_rows);
    p.image_rows = (p.most.rows - 1) * p.rows.stride + span;
    p.most.pairs = 1;
    if (p.divides_filters && p.most.rows == p.pair_rows) {
        int64_t pairs = limit / (p.image_rows * p.image_row_bytes + p.pair_rows * p.upstream_row_bytes);
        p.most.pairs = pairs < 1 ? 1 : smaller(pairs, p.pairs);
    }
    return p;
}

// Scratch memory: packed images and upstream gradients, of each worker or of all; of each worker lists of steps, sums but for
// the first, which sums in place, and the bias's sums.
static int64_t parts(const gradient_plan *p) { return p->divides_filters ? 1 : p->c->workers; }
static int64_t images_bytes(const gradient_plan *p) { return p->most.pairs * p->image_rows * p->image_row_bytes; }
static int64_t upstream_bytes(const gradient_plan *p) { return p->most.pairs * p->most.rows * p->upstream_row_bytes; }

// For lists that end on cache lines.
static int64_t most_steps(const gradient_plan *p) {
    return rounded_up(p->most.pairs * p->most.rows * p->c->output_width, 8);
}

size_t fovea_side_by_side_gradient_scratch(const fovea_bfloat16_convolution *c) {
    gradient_plan p = planned(c);
    int64_t of_parts = images_bytes(&p) + upstream_bytes(&p) + c->filters * 4;
    return (size_t)(parts(&p) * of_parts + (parts(&p) - 1) * p.sums * 4 + c->workers * most_steps(&p) * 16);
}

typedef struct {
    const gradient_plan *plan;
    const tile_unit *unit;
    const float *images, *upstream;
    float *gradient;
    uint8_t *scratch;
    chunk chunk;  // that all workers share
} gradient_work;

typedef struct {
    uint8_t *images, *upstream;
    float *sums, *bias_sums;
    int64_t *image_steps, *upstream_steps;
} worker_memory;

static worker_memory memory_of(const gradient_work *work, int64_t worker) {
    const gradient_plan *p = work->plan;
    int64_t part = p->divides_filters ? 0 : worker;
    uint8_t *steps = work->scratch + parts(p) * (images_bytes(p) + upstream_bytes(p));
    worker_memory memory = {.images = work->scratch + part * (images_bytes(p) + upstream_bytes(p))};
    memory.upstream = memory.images + images_bytes(p);
    memory.image_steps = (int64_t *)steps + worker * 2 * most_steps(p);
    memory.upstream_steps = memory.image_steps + most_steps(p);
    float *sums = (float *)(steps + p->c->workers * most_steps(p) * 16);
    memory.bias_sums = sums + part * p->c->filters;
    sums += parts(p) * p->c->filters;
    memory.sums = part == 0 ? work->gradient : sums + (part - 1) * p->sums;
    return memory;
}

// One row of 16 images in a block of 16 channels; NULL where there is none.
typedef struct {
    const float *start;
    int64_t images, step;  // floats from image to image
} image_row;

static image_row row_at(const float *images, int64_t batch, int64_t extent, int64_t columns, int64_t blocks,
                        int64_t block, int64_t group, int64_t row) {
    int64_t plane = extent * columns * lanes, count = smaller(tile_rows, batch - group * tile_rows);
    if (count <= 0 || row < 0 || row >= extent) return (image_row){0, 0, 0};
    return (image_row){images + (group * tile_rows * blocks + block) * plane + row * columns * lanes, count,
                       blocks * plane};
}

INLINE_PACKING __m512 pixel_of(image_row row, int64_t image, int64_t column) {
    if (image >= row.images) return _mm512_setzero_ps();
    return _mm512_loadu_ps(row.start + image * row.step + column * lanes);
}

// Packs a row of a pair of images, counted from where the chunk starts to read, in a block of 16 channels as left tiles.
PACKING static void pack_image_row(const gradient_work *work, int64_t pair, int64_t row, int64_t tile, uint8_t *to) {
    const gradient_plan *p = work->plan;
    const fovea_bfloat16_convolution *c = p->c;
    int64_t far = p->halves ? p->pair_rows * p->rows.stride : 0, group = p->halves ? 0 : 2 * pair;
    image_row a = row_at(work->images, c->batch, c->height, c->width, p->channel_tiles, tile, group, row);
    image_row b = row_at(work->images, c->batch, c->height, c->width, p->channel_tiles, tile,
                         p->halves ? 0 : group + 1, row + far);
    for (int64_t column = 0; column < c->width; column++, to += tile_bytes * c->terms) {
        if (!may_be_read(&p->columns, column)) continue;
        split_numbers rows[tile_rows];
        for (int64_t i = 0; i < tile_rows; i++) {
            rows[i] = split_pairs(pixel_of(a, i, column), pixel_of(b, i, column), c->terms);
        }
        store_transposed(to, tile_bytes, rows, c->terms);
    }
}

// Packs a row of a pair of upstream gradients in a block of 16 filters as right tiles, and adds it to the bias's gradient.
PACKING static void pack_upstream_row(const gradient_work *work, int64_t pair, int64_t row, int64_t tile, uint8_t *to,
                                      float *bias_sums) {
    const gradient_plan *p = work->plan;
    const fovea_bfloat16_convolution *c = p->c;
    int64_t far = p->halves ? p->pair_rows : 0, group = p->halves ? 0 : 2 * pair;
    image_row a = row_at(work->upstream, c->batch, c->output_height, c->output_width, p->filter_tiles, tile,
                         group, row);
    image_row b = row_at(work->upstream, c->batch, c->output_height, c->output_width, p->filter_tiles, tile,
                         p->halves ? 0 : group + 1, row + far);
    __m512 sum = _mm512_loadu_ps(bias_sums + tile * lanes), other_sum = _mm512_setzero_ps();
    for (int64_t column = 0; column < c->output_width; column++, to += tile_bytes * c->terms) {
        for (int64_t i = 0; i < tile_rows; i++) {
            __m512 low = pixel_of(a, i, column), high = pixel_of(b, i, column);
            sum = _mm512_add_ps(sum, low);
            other_sum = _mm512_add_ps(other_sum, high);
            store_split(to + i * tile_row_bytes, tile_bytes, split_pairs(low, high, c->terms), c->terms);
        }
    }
    _mm512_storeu_ps(bias_sums + tile * lanes, _mm512_add_ps(sum, other_sum));
}

// Rows of images are counted from the first that any output could read, in the padding; successive ones take turns.
static uint8_t *packed_image_row(const gradient_plan *p, const worker_memory *memory, int64_t pair, int64_t row) {
    return memory->images + (pair * p->image_rows + row % p->image_rows) * p->image_row_bytes;
}

static void pack_images(const gradient_work *work, const worker_memory *memory, chunk part, int64_t first_row,
                        int64_t tile) {
    const gradient_plan *p = work->plan;
    int64_t last_row = (part.row + part.rows - 1) * p->rows.stride + window_span(&p->rows);
    for (int64_t pair = 0; pair < part.pairs; pair++) {
        for (int64_t row = first_row; row < last_row; row++) {
            if (!may_be_read(&p->rows, row - p->rows.padding)) continue;
            uint8_t *to = packed_image_row(p, memory, pair, row) + tile * (p->image_row_bytes / p->channel_tiles);
            pack_image_row(work, part.pair + pair, row - p->rows.padding, tile, to);
        }
    }
}

static void pack_upstream(const gradient_work *work, const worker_memory *memory, chunk part, int64_t tile) {
    const gradient_plan *p = work->plan;
    for (int64_t pair = 0; pair < part.pairs; pair++) {
        for (int64_t row = 0; row < part.rows; row++) {
            uint8_t *to = memory->upstream + (pair * part.rows + row) * p->upstream_row_bytes
                        + tile * (p->upstream_row_bytes / p->filter_tiles);
            pack_upstream_row(work, part.pair + pair, part.row + row, tile, to, memory->bias_sums);
        }
    }
}

// Lists the pixels of a chunk that a place of the window reads.
static int64_t list_steps(const gradient_plan *p, const worker_memory *memory, chunk part, int64_t place) {
    int64_t r = place / p->columns.window, c = place % p->columns.window, tile = tile_bytes * p->c->terms, count = 0;
    for (int64_t pair = 0; pair < part.pairs; pair++) {
        for (int64_t row = 0; row < part.rows; row++) {
            int64_t y = part.row + row, far = y + p->pair_rows;
            if (source_at(&p->rows, y, r) < 0 && !(p->halves && source_at(&p->rows, far, r) >= 0)) continue;
            const uint8_t *images = packed_image_row(p, memory, pair, y * p->rows.stride + r * p->rows.dilation);
            for (int64_t column = 0; column < p->columns.results; column++) {
                int64_t x = source_at(&p->columns, column, c);
                if (x < 0) continue;
                memory->image_steps[count] = images - memory->images + x * tile;
                memory->upstream_steps[count++] = (pair * part.rows + row) * p->upstream_row_bytes + column * tile;
            }
        }
    }
    return count;
}

// Adds the products of a chunk to the sums [window row][column][channels][filters], for tiles first..<last of filters.
static void multiply_chunk(const gradient_work *work, const worker_memory *memory, chunk part, int64_t first,
                           int64_t last, int accumulates) {
    const gradient_plan *p = work->plan;
    const fovea_bfloat16_convolution *c = p->c;
    tile_block block = {
        .left_steps = memory->image_steps, .right_steps = memory->upstream_steps, .left_term = tile_bytes,
        .right_term = tile_bytes, .terms = c->terms, .accumulates = accumulates, .result_row = c->filters,
    };
    for (int64_t place = 0; place < c->window[0] * c->window[1]; place++) {
        block.steps = list_steps(p, memory, part, place);
        for (int64_t channel = 0; channel < p->channel_tiles; channel += block.rows) {
            block.rows = smaller(block_rows(last - first), p->channel_tiles - channel);
            for (int64_t i = 0; i < block.rows; i++) {
                block.left[i] = memory->images + (channel + i) * (p->image_row_bytes / p->channel_tiles);
            }
            for (int64_t filter = first; filter < last; filter += block.columns) {
                block.columns = smaller(block_columns(block.rows), last - filter);
                for (int64_t i = 0; i < block.columns; i++) {
                    block.right[i] = memory->upstream + (filter + i) * (p->upstream_row_bytes / p->filter_tiles);
                }
                block.result = memory->sums + (place * c->channels + channel * tile_rows) * c->filters
                             + filter * tile_columns;
                work->unit->multiply(&block);
            }
        }
    }
}

// MARK: Small gradients

static void sum_rows(void *context, int64_t first, int64_t last) {
    const gradient_work *work = context;
    const gradient_plan *p = work->plan;
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        worker_memory memory = memory_of(work, worker);
        memset(memory.bias_sums, 0, (size_t)p->c->filters * 4);
        int64_t count = p->pairs * p->pair_rows, packed = 0;
        int64_t row = count * worker / p->c->workers, end = count * (worker + 1) / p->c->workers, start = row;
        if (row == end) memset(memory.sums, 0, (size_t)p->sums * 4);
        while (row < end) {
            chunk part = {.pair = row / p->pair_rows, .pairs = 1, .row = row % p->pair_rows};
            part.rows = smaller(p->most.rows, smaller(end - row, p->pair_rows - part.row));
            int64_t first_image_row = part.row * p->rows.stride;
            if (row == start || part.row == 0 || packed < first_image_row) packed = first_image_row;
            for (int64_t tile = 0; tile < p->channel_tiles; tile++) pack_images(work, &memory, part, packed, tile);
            for (int64_t tile = 0; tile < p->filter_tiles; tile++) pack_upstream(work, &memory, part, tile);
            packed = (part.row + part.rows - 1) * p->rows.stride + window_span(&p->rows);
            multiply_chunk(work, &memory, part, 0, p->filter_tiles, row > start);
            row += part.rows;
        }
    }
    work->unit->end();
}

// Adds up the workers' sums, in their order, by lines of 16.
PACKING static void add_up(void *context, int64_t first, int64_t last) {
    const gradient_work *work = context;
    const gradient_plan *p = work->plan;
    for (int64_t line = first; line < last; line++) {
        __m512 sum = _mm512_loadu_ps(work->gradient + line * lanes);
        for (int64_t worker = 1; worker < p->c->workers; worker++) {
            sum = _mm512_add_ps(sum, _mm512_loadu_ps(memory_of(work, worker).sums + line * lanes));
        }
        _mm512_storeu_ps(work->gradient + line * lanes, sum);
    }
}

// MARK: Large gradients

static void pack_tiles(void *context, int64_t first, int64_t last) {
    const gradient_work *work = context;
    const gradient_plan *p = work->plan;
    worker_memory memory = memory_of(work, 0);
    for (int64_t tile = first; tile < last; tile++) {
        if (tile < p->filter_tiles) {
            pack_upstream(work, &memory, work->chunk, tile);
        } else {
            pack_images(work, &memory, work->chunk, work->chunk.row * p->rows.stride, tile - p->filter_tiles);
        }
    }
}

static void multiply_filters(void *context, int64_t first, int64_t last) {
    const gradient_work *work = context;
    const gradient_plan *p = work->plan;
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        worker_memory memory = memory_of(work, worker);
        int64_t start = p->filter_tiles * worker / p->c->workers, end = p->filter_tiles * (worker + 1) / p->c->workers;
        multiply_chunk(work, &memory, work->chunk, start, end, work->chunk.pair + work->chunk.row > 0);
    }
    work->unit->end();
}

static void sum_chunks(gradient_work *work) {
    const gradient_plan *p = work->plan;
    memset(memory_of(work, 0).bias_sums, 0, (size_t)p->c->filters * 4);
    for (int64_t pair = 0; pair < p->pairs; pair += p->most.pairs) {
        for (int64_t row = 0; row < p->pair_rows; row += p->most.rows) {
            work->chunk = (chunk){pair, smaller(p->most.pairs, p->pairs - pair), row,
                                  smaller(p->most.rows, p->pair_rows - row)};
            double tiles = (double)(images_bytes(p) + upstream_bytes(p)) / tile_bytes;
            fovea_parallel_for(p->filter_tiles + p->channel_tiles, 100 * tiles, pack_tiles, work);
            fovea_parallel_for(p->c->workers, (double)(most_steps(p) * p->sums) * 0.02, multiply_filters, work);
        }
    }
}

void fovea_side_by_side_kernel_gradient(const fovea_bfloat16_convolution *c, const float *images, const float *upstream,
                                        float *gradient, float *bias_gradient, void *scratch) {
    gradient_plan plan = planned(c);
    gradient_work work = {&plan, fovea_tile_unit(), images, upstream, gradient, scratch, {0, 0, 0, 0}};
    if (plan.divides_filters) {
        sum_chunks(&work);
    } else {
        double products = (double)(plan.pairs * plan.pair_rows * c->output_width * plan.sums);
        fovea_parallel_for(c->workers, products * 0.02, sum_rows, &work);
        double sums = (double)(plan.sums * c->workers);
        if (c->workers > 1) fovea_parallel_for(plan.sums / lanes, 0.1 * sums, add_up, &work);
    }
    for (int64_t filter = 0; bias_gradient && filter < c->filters; filter++) {
        float sum = 0;
        for (int64_t part = 0; part < parts(&plan); part++) sum += memory_of(&work, part).bias_sums[filter];
        bias_gradient[filter] = sum;
    }
}
#endif
