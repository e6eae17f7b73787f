// The kernel gradient of a convolution on the bfloat16 units.
//
// gradient(row, column) = sum over output places of upstream(y, x) images(y + row, x + column): for each place of the window
// a product of matrices whose inner axis are the pixels. Two pieces of the work are packed together, their numbers in turn,
// so that one pixel of both fills a row of a right tile: a place of the window is then an offset by whole rows, and tiles
// stay aligned. The upstream gradient is packed as left tiles with zeros where there is no output.
#include "fovea_bfloat16.h"

#if defined(__x86_64__)
#include <string.h>

#include "bfloat16_convolution.h"
#include "bfloat16_packing.h"
#include "bfloat16_sequence.h"
#include "bfloat16_tiles.h"
#include "threads.h"

enum {
    // What is packed at a time should stay in the second-level cache beside the sums.
    pair_bytes = 512 << 10,
    // Tiles, numbers and remainders counted, that all places of the window go over while they stay in the first-level cache.
    run_tiles = 8,
};

typedef struct {
    const fovea_bfloat16_convolution *c;
    pixel_sequence sequence;
    int64_t channel_tiles, filter_tiles, pairs;
    int64_t image_plane_bytes, images_bytes, upstream_plane_bytes, upstream_bytes;
    int64_t sums;  // floats, without the bias's
} gradient_plan;

static gradient_plan planned(const fovea_bfloat16_convolution *c) {
    gradient_plan p = {.c = c, .channel_tiles = c->channels / lanes, .filter_tiles = c->filters / lanes};
    pixel_sequence s = {
        .batch = c->batch, .height = c->height, .width = c->width, .window = {c->window[0], c->window[1]},
        .padding = {c->padding[0], c->padding[1]}, .output_height = c->output_height, .output_width = c->output_width,
    };
    int64_t pixel_bytes = (p.channel_tiles + p.filter_tiles) * tile_row_bytes * c->terms;
    p.sequence = planned_sequence(s, pixel_bytes, pair_bytes, 2 * c->workers);
    p.pairs = divided_up(p.sequence.pieces, 2);
    p.image_plane_bytes = p.sequence.pixels * tile_row_bytes;
    p.images_bytes = p.image_plane_bytes * p.channel_tiles;
    p.upstream_plane_bytes = p.sequence.most_tiles * tile_bytes * c->terms;
    p.upstream_bytes = p.upstream_plane_bytes * p.filter_tiles;
    p.sums = c->window[0] * c->window[1] * c->channels * c->filters;
    return p;
}

// Scratch memory: of each worker the images, upstream gradient, sums and bias's sums, and lists that all read.
static int64_t worker_bytes(const gradient_plan *p) {
    return p->images_bytes * p->c->terms + p->upstream_bytes + (p->sums + p->c->filters) * 4;
}

size_t fovea_sequence_gradient_scratch(const fovea_bfloat16_convolution *c) {
    gradient_plan p = planned(c);
    int64_t tile_lists = (int64_t)(sizeof(tile_start) + 2 * sizeof(int64_t));
    return (size_t)(c->workers * worker_bytes(&p) + p.sequence.most_tiles * tile_lists);
}

typedef struct {
    const gradient_plan *plan;
    const tile_unit *unit;
    const float *images, *upstream;
    float *gradient;
    uint8_t *scratch;
    tile_start *starts;
    int64_t tiles;
    int64_t *image_steps, *upstream_steps;
} gradient_work;

typedef struct {
    uint8_t *images, *upstream;
    float *sums, *bias_sums;
} worker_memory;

static worker_memory memory_of(const gradient_work *work, int64_t worker) {
    const gradient_plan *p = work->plan;
    worker_memory memory = {.images = work->scratch + worker * worker_bytes(p)};
    memory.upstream = memory.images + p->images_bytes * p->c->terms;
    memory.sums = (float *)(memory.upstream + p->upstream_bytes);
    memory.bias_sums = memory.sums + p->sums;
    return memory;
}

// Two pieces; the second may have no images.
typedef struct {
    sequence_piece first, second;
    int64_t tiles;
} piece_pair;

static piece_pair pair_at(const gradient_work *work, int64_t index) {
    const pixel_sequence *s = &work->plan->sequence;
    piece_pair pair = {piece_at(s, 2 * index), piece_at(s, 2 * index + 1), 0};
    int64_t end = pair.first.end > pair.second.end ? pair.first.end : pair.second.end;
    pair.tiles = tiles_before(work->starts, work->tiles, end);
    return pair;
}

PACKING static void pack_images(const gradient_work *work, const piece_pair *pair, uint8_t *to) {
    const gradient_plan *p = work->plan;
    int64_t plane = p->c->height * p->c->width * lanes, image = p->channel_tiles * plane;
    int64_t rows = pair->first.packed_rows > pair->second.packed_rows ? pair->first.packed_rows
                                                                      : pair->second.packed_rows;
    for (int64_t tile = 0; tile < p->channel_tiles; tile++, to += p->image_plane_bytes) {
        sequence_source a = {work->images + pair->first.image * image + tile * plane, image, pair->first};
        sequence_source b = {work->images + pair->second.image * image + tile * plane, image, pair->second};
        pack_sequence(&p->sequence, &a, &b, rows, to, p->images_bytes, p->c->terms);
    }
}

// The outputs of a run in one block of 16 filters; zeros, with a step of none, in a piece that has ended before.
typedef struct {
    const float *numbers;
    int64_t step;
} upstream_run;

static inline upstream_run outputs_of(const gradient_work *work, sequence_piece piece, int64_t tile, output_run run) {
    static const float zeros[lanes];
    const gradient_plan *p = work->plan;
    const pixel_sequence *s = &p->sequence;
    int64_t row = (run.at.image * s->image_rows + run.at.row) * s->row_pixels;
    if (row >= piece.end) return (upstream_run){zeros, 0};
    int64_t block = (piece.image + run.at.image) * p->filter_tiles + tile;
    row = block * s->output_height + piece.first_row + run.at.row;
    return (upstream_run){work->upstream + (row * s->output_width + run.at.column) * lanes, lanes};
}

// Packs the upstream gradient as left tiles, and adds it to the bias's gradient.
PACKING static void pack_upstream(const gradient_work *work, const piece_pair *pair, uint8_t *to, float *bias_sums) {
    const gradient_plan *p = work->plan;
    int32_t terms = p->c->terms;
    for (int64_t tile = 0; tile < p->filter_tiles; tile++, to += p->upstream_plane_bytes) {
        __m512 first_sum = _mm512_loadu_ps(bias_sums + tile * lanes), second_sum = _mm512_setzero_ps();
        for (int64_t index = 0; index < pair->tiles; index++) {
            split_numbers rows[tile_rows] = {};
            output_run run = first_run(&p->sequence, work->starts[index], INT64_MAX);
            for (; run.lane < run.end; next_run(&p->sequence, &run)) {
                upstream_run first = outputs_of(work, pair->first, tile, run);
                upstream_run second = outputs_of(work, pair->second, tile, run);
                for (int64_t i = 0; i < run.run; i++) {
                    __m512 a = _mm512_loadu_ps(first.numbers + i * first.step);
                    __m512 b = _mm512_loadu_ps(second.numbers + i * second.step);
                    first_sum = _mm512_add_ps(first_sum, a);
                    second_sum = _mm512_add_ps(second_sum, b);
                    rows[run.lane + i] = split_pairs(a, b, terms);
                }
            }
            store_transposed(to + index * tile_bytes * terms, tile_bytes, rows, terms);
        }
        _mm512_storeu_ps(bias_sums + tile * lanes, _mm512_add_ps(first_sum, second_sum));
    }
}

// Adds the products of tiles first..<last of packed pieces to the sums [window row][column][filters][channels].
static void multiply_run(const gradient_work *work, const worker_memory *memory, int64_t first, int64_t last,
                         int accumulates) {
    const gradient_plan *p = work->plan;
    const fovea_bfloat16_convolution *c = p->c;
    tile_block block = {
        .left_steps = work->upstream_steps + first, .right_steps = work->image_steps + first, .left_term = tile_bytes,
        .right_term = p->images_bytes, .steps = last - first, .terms = c->terms, .accumulates = accumulates,
        .result_row = c->channels,
    };
    for (int64_t filter = 0; filter < p->filter_tiles; filter += block.rows) {
        block.rows = smaller(block_rows(p->channel_tiles), p->filter_tiles - filter);
        for (int64_t i = 0; i < block.rows; i++) {
            block.left[i] = memory->upstream + (filter + i) * p->upstream_plane_bytes;
        }
        for (int64_t channel = 0; channel < p->channel_tiles; channel += block.columns) {
            block.columns = smaller(block_columns(block.rows), p->channel_tiles - channel);
            for (int64_t place = 0; place < c->window[0] * c->window[1]; place++) {
                int64_t pixel = place / c->window[1] * p->sequence.row_pixels + place % c->window[1];
                for (int64_t i = 0; i < block.columns; i++) {
                    block.right[i] = memory->images + (channel + i) * p->image_plane_bytes + pixel * tile_row_bytes;
                }
                block.result = memory->sums + (place * c->filters + filter * tile_rows) * c->channels
                             + channel * tile_columns;
                work->unit->multiply(&block);
            }
        }
    }
}

static void sum_pairs(void *context, int64_t first, int64_t last) {
    const gradient_work *work = context;
    const gradient_plan *p = work->plan;
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        worker_memory memory = memory_of(work, worker);
        memset(memory.bias_sums, 0, (size_t)p->c->filters * 4);
        int64_t start = p->pairs * worker / p->c->workers, end = p->pairs * (worker + 1) / p->c->workers;
        if (start == end) memset(memory.sums, 0, (size_t)p->sums * 4);
        for (int64_t index = start; index < end; index++) {
            piece_pair pair = pair_at(work, index);
            pack_images(work, &pair, memory.images);
            pack_upstream(work, &pair, memory.upstream, memory.bias_sums);
            for (int64_t tile = 0; tile < pair.tiles; tile += run_tiles / p->c->terms) {
                int64_t next = smaller(tile + run_tiles / p->c->terms, pair.tiles);
                multiply_run(work, &memory, tile, next, index > start || tile > 0);
            }
        }
    }
    work->unit->end();
}

// Adds up the workers' sums, in their order, and transposes them: tiles first..<last in order [place][filters / 16].
PACKING static void add_up(void *context, int64_t first, int64_t last) {
    const gradient_work *work = context;
    const gradient_plan *p = work->plan;
    const fovea_bfloat16_convolution *c = p->c;
    for (int64_t index = first; index < last; index++) {
        int64_t place = index / p->filter_tiles, filter = index % p->filter_tiles * tile_rows;
        for (int64_t channel = 0; channel < c->channels; channel += tile_columns) {
            __m512i rows[16];
            for (int64_t i = 0; i < 16; i++) {
                __m512 sum = _mm512_setzero_ps();
                for (int64_t worker = 0; worker < c->workers; worker++) {
                    const float *sums = memory_of(work, worker).sums;
                    sum = _mm512_add_ps(sum, _mm512_loadu_ps(sums + (index * 16 + i) * c->channels + channel));
                }
                rows[i] = _mm512_castps_si512(sum);
            }
            transpose(rows);
            float *to = work->gradient + (place * c->channels + channel) * c->filters + filter;
            for (int64_t i = 0; i < 16; i++) _mm512_storeu_si512(to + i * c->filters, rows[i]);
        }
    }
}

void fovea_sequence_kernel_gradient(const fovea_bfloat16_convolution *c, const float *images, const float *upstream,
                                    float *gradient, float *bias_gradient, void *scratch) {
    gradient_plan plan = planned(c);
    const pixel_sequence *s = &plan.sequence;
    gradient_work work = {&plan, fovea_tile_unit(), images, upstream, gradient, scratch, 0, 0, 0, 0};
    work.starts = (tile_start *)(work.scratch + c->workers * worker_bytes(&plan));
    work.image_steps = (int64_t *)(work.starts + s->most_tiles);
    work.upstream_steps = work.image_steps + s->most_tiles;
    work.tiles = cover_outputs(s, work.starts);
    for (int64_t tile = 0; tile < work.tiles; tile++) {
        work.image_steps[tile] = work.starts[tile].pixel * tile_row_bytes;
        work.upstream_steps[tile] = tile * tile_bytes * c->terms;
    }
    double products = (double)(plan.pairs * work.tiles * plan.sums) * tile_inner;
    fovea_parallel_for(c->workers, products * 1e-3, sum_pairs, &work);
    int64_t tiles = c->window[0] * c->window[1] * plan.filter_tiles;
    fovea_parallel_for(tiles, 0.2 * (double)(plan.sums * c->workers), add_up, &work);
    for (int64_t filter = 0; bias_gradient && filter < c->filters; filter++) {
        float sum = 0;
        for (int64_t worker = 0; worker < c->workers; worker++) sum += memory_of(&work, worker).bias_sums[filter];
        bias_gradient[filter] = sum;
    }
}
#endif
