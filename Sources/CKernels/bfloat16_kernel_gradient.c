// The kernel gradient of a convolution on the bfloat16 units.
//
// gradient(row, column) = sum over output places of images(y + row, x + column) upstream(y, x): for each place of the window
// a product of matrices whose inner axis are the pixels. The images are packed with a row for each channel, so a place of
// the window is an offset along that row; the upstream gradient is packed with zeros at the end of its rows, where the
// images' rows have their padding.
#include "fovea_bfloat16.h"

#if defined(__x86_64__)
#include <string.h>

#include "bfloat16_packing.h"
#include "bfloat16_tiles.h"
#include "threads.h"

enum {
    lanes = 16,  // channels in a block of images
    // What is packed at a time should stay in the second-level cache beside the sums.
    group_bytes = 512 << 10,
};

// A piece is an image or a strip of its rows; several small pieces are packed together.
typedef struct {
    const fovea_bfloat16_convolution *c;
    int64_t row_pixels, piece_rows, strips, pieces, group;
    int64_t piece_steps, image_pixels;  // of a piece; image pixels include those that other places of the window read
    int64_t image_row_bytes, images_bytes, upstream_tile_bytes, upstream_bytes;
    int64_t sums, bias_sums;            // floats
} gradient_plan;

static gradient_plan planned(const fovea_bfloat16_convolution *c) {
    gradient_plan p = {.c = c, .row_pixels = c->output_width + c->window[1] - 1};
    int64_t pixel_bytes = (c->channels + c->filters) * 2 * c->terms;
    p.piece_rows = smaller(c->output_height, group_bytes / (p.row_pixels * pixel_bytes));
    if (p.piece_rows < 2) p.piece_rows = smaller(2, c->output_height);
    p.piece_rows = divided_up(c->output_height, divided_up(c->output_height, p.piece_rows));
    p.strips = divided_up(c->output_height, p.piece_rows);
    p.pieces = c->batch * p.strips;
    p.piece_steps = divided_up(p.piece_rows * p.row_pixels, tile_inner);
    p.image_pixels = rounded_up(p.piece_steps * tile_inner + (c->window[0] - 1) * p.row_pixels + c->window[1] - 1,
                                tile_inner);
    p.group = group_bytes / (p.image_pixels * pixel_bytes);
    p.group = smaller(p.group < 1 ? 1 : p.group, divided_up(p.pieces, c->workers));
    // An odd number of cache lines keeps the channels' rows apart in the caches.
    p.image_row_bytes = (p.group * p.image_pixels * 2 / 64 | 1) * 64;
    p.images_bytes = p.image_row_bytes * c->channels;
    p.upstream_tile_bytes = p.group * p.piece_steps * tile_bytes * c->terms;
    p.upstream_bytes = p.upstream_tile_bytes * (c->filters / tile_columns);
    p.sums = c->window[0] * c->window[1] * c->channels * c->filters;
    p.bias_sums = c->filters;
    return p;
}

static int64_t offsets_bytes(const gradient_plan *p) {
    return rounded_up(p->group * p->piece_steps * (int64_t)sizeof(int64_t), 64);
}

// Images, upstream gradient, sums, bias sums and offsets of one worker.
static int64_t worker_bytes(const gradient_plan *p) {
    return p->images_bytes * p->c->terms + p->upstream_bytes + (p->sums + p->bias_sums) * 4 + offsets_bytes(p);
}

size_t fovea_bfloat16_kernel_gradient_scratch(const fovea_bfloat16_convolution *c) {
    gradient_plan p = planned(c);
    return (size_t)(c->workers * worker_bytes(&p));
}

typedef struct {
    const gradient_plan *plan;
    const tile_unit *unit;
    const float *images, *upstream;
    float *gradient, *bias_gradient;
    uint8_t *scratch;
} gradient_work;

typedef struct {
    uint8_t *images, *upstream;
    float *sums, *bias_sums;
    int64_t *offsets;
} worker_memory;

static worker_memory memory_of(const gradient_work *work, int64_t worker) {
    const gradient_plan *p = work->plan;
    uint8_t *start = work->scratch + worker * worker_bytes(p);
    worker_memory memory = {.images = start, .upstream = start + p->images_bytes * p->c->terms};
    memory.sums = (float *)(memory.upstream + p->upstream_bytes);
    memory.bias_sums = memory.sums + p->sums;
    memory.offsets = (int64_t *)(memory.bias_sums + p->bias_sums);
    return memory;
}

static const float zero_pixel[lanes];

// The pixels of one block of channels in the packed order: rows of `row_pixels`, pixels outside the image being zero.
typedef struct {
    const float *block;
    int64_t height, width;  // of the image
    int64_t row_pixels;
    int64_t y, x;           // of the next pixel; perhaps outside
    int64_t end_x;
} pixel_walk;

static inline const float *next_pixel(pixel_walk *walk) {
    const float *pixel = zero_pixel;
    if (walk->y >= 0 && walk->y < walk->height && walk->x >= 0 && walk->x < walk->width) {
        pixel = walk->block + (walk->y * walk->width + walk->x) * lanes;
    }
    if (++walk->x == walk->end_x) {
        walk->x -= walk->row_pixels;
        walk->y++;
    }
    return pixel;
}

// Packs a piece of the images as columns of left tiles, one row for each channel.
PACKING static void pack_images(const gradient_work *work, int64_t piece, uint8_t *to) {
    const gradient_plan *p = work->plan;
    const fovea_bfloat16_convolution *c = p->c;
    int64_t plane = c->height * c->width * lanes, first_row = piece % p->strips * p->piece_rows;
    for (int64_t block = 0; block < c->channels / lanes; block++, to += lanes * p->image_row_bytes) {
        pixel_walk walk = {
            .block = work->images + (piece / p->strips * (c->channels / lanes) + block) * plane, .height = c->height,
            .width = c->width, .row_pixels = p->row_pixels, .y = first_row - c->padding[0], .x = -c->padding[1],
            .end_x = p->row_pixels - c->padding[1],
        };
        for (int64_t pixel = 0; pixel < p->image_pixels; pixel += tile_inner) {
            split_numbers numbers[16];
            for (int i = 0; i < 16; i++) {
                __m512 a = _mm512_loadu_ps(next_pixel(&walk)), b = _mm512_loadu_ps(next_pixel(&walk));
                numbers[i] = split_pairs(a, b, c->terms);
            }
            store_transposed(to + pixel * 2, p->image_row_bytes, p->images_bytes, numbers, c->terms);
        }
    }
}

// Packs a piece of the upstream gradient as right tiles, and adds it to the bias's gradient.
PACKING static void pack_upstream(const gradient_work *work, int64_t piece, uint8_t *to, float *bias_sums) {
    const gradient_plan *p = work->plan;
    const fovea_bfloat16_convolution *c = p->c;
    int64_t plane = c->output_height * c->output_width * lanes, first_row = piece % p->strips * p->piece_rows;
    for (int64_t block = 0; block < c->filters / lanes; block++, to += p->upstream_tile_bytes) {
        pixel_walk walk = {
            .block = work->upstream + (piece / p->strips * (c->filters / lanes) + block) * plane,
            .height = smaller(c->output_height, first_row + p->piece_rows), .width = c->output_width,
            .row_pixels = p->row_pixels, .y = first_row, .end_x = p->row_pixels,
        };
        __m512 even = _mm512_loadu_ps(bias_sums + block * lanes), odd = _mm512_setzero_ps();
        uint8_t *row = to;
        for (int64_t step = 0; step < p->piece_steps; step++, row += tile_bytes * (c->terms - 1)) {
            for (int i = 0; i < tile_rows; i++, row += tile_row_bytes) {
                __m512 a = _mm512_loadu_ps(next_pixel(&walk)), b = _mm512_loadu_ps(next_pixel(&walk));
                even = _mm512_add_ps(even, a);
                odd = _mm512_add_ps(odd, b);
                store_split(row, tile_bytes, split_pairs(a, b, c->terms), c->terms);
            }
        }
        _mm512_storeu_ps(bias_sums + block * lanes, _mm512_add_ps(even, odd));
    }
}

// Adds the packed pieces' products to the sums.
static void multiply_group(const gradient_work *work, const worker_memory *memory, int64_t pieces, int is_first) {
    const gradient_plan *p = work->plan;
    const fovea_bfloat16_convolution *c = p->c;
    int64_t down = c->channels / tile_rows, across = c->filters / tile_columns;
    tile_block block = {
        .left_offsets = memory->offsets, .left_term = p->images_bytes, .left_row = p->image_row_bytes,
        .left_tile = p->image_row_bytes * tile_rows, .right_tile = p->upstream_tile_bytes,
        .steps = pieces * p->piece_steps, .terms = c->terms, .accumulates = !is_first, .result_row = c->filters,
    };
    for (int64_t row = 0; row < down; row += block_rows(across)) {
        block.rows = smaller(block_rows(across), down - row);
        for (int64_t column = 0; column < across; column += block_columns(down)) {
            block.columns = smaller(block_columns(down), across - column);
            block.right = memory->upstream + column * block.right_tile;
            for (int64_t place = 0; place < c->window[0] * c->window[1]; place++) {
                int64_t offset = place / c->window[1] * p->row_pixels + place % c->window[1];
                block.left = memory->images + row * block.left_tile + offset * 2;
                block.result = memory->sums + (place * c->channels + row * tile_rows) * c->filters
                             + column * tile_columns;
                work->unit->multiply(&block);
            }
        }
    }
}

static void sum_pieces(void *context, int64_t first, int64_t last) {
    const gradient_work *work = context;
    const gradient_plan *p = work->plan;
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        worker_memory memory = memory_of(work, worker);
        memset(memory.bias_sums, 0, (size_t)p->bias_sums * 4);
        for (int64_t piece = 0; piece < p->group; piece++) {
            for (int64_t step = 0; step < p->piece_steps; step++) {
                memory.offsets[piece * p->piece_steps + step] = (piece * p->image_pixels + step * tile_inner) * 2;
            }
        }
        int64_t start = p->pieces * worker / p->c->workers, end = p->pieces * (worker + 1) / p->c->workers;
        if (start == end) memset(memory.sums, 0, (size_t)p->sums * 4);
        for (int64_t piece = start; piece < end; piece += p->group) {
            int64_t count = smaller(p->group, end - piece);
            for (int64_t i = 0; i < count; i++) {
                pack_images(work, piece + i, memory.images + i * p->image_pixels * 2);
                pack_upstream(work, piece + i, memory.upstream + i * p->piece_steps * tile_bytes * p->c->terms,
                              memory.bias_sums);
            }
            multiply_group(work, &memory, count, piece == start);
        }
    }
    work->unit->end();
}

// Adds up the workers' sums, in their order; the bias's come after the kernel's.
static void add_up(void *context, int64_t first, int64_t last) {
    const gradient_work *work = context;
    const gradient_plan *p = work->plan;
    for (int64_t i = first; i < last; i++) {
        float sum = 0;
        for (int64_t worker = 0; worker < p->c->workers; worker++) sum += memory_of(work, worker).sums[i];
        if (i < p->sums) {
            work->gradient[i] = sum;
        } else if (work->bias_gradient) {
            work->bias_gradient[i - p->sums] = sum;
        }
    }
}

void fovea_bfloat16_kernel_gradient(const fovea_bfloat16_convolution *c, const float *images, const float *upstream,
                                    float *gradient, float *bias_gradient, void *scratch) {
    gradient_plan plan = planned(c);
    gradient_work work = {&plan, fovea_tile_unit(), images, upstream, gradient, bias_gradient, scratch};
    double products = (double)(plan.pieces * plan.piece_steps * plan.sums) * tile_inner;
    fovea_parallel_for(c->workers, products * 1e-3, sum_pieces, &work);
    int64_t count = plan.sums + plan.bias_sums;
    fovea_parallel_for(count, 0.2 * (double)(count * c->workers), add_up, &work);
}
#endif
