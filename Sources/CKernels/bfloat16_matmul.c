// Products of matrices on the bfloat16 units: panels of both operands are packed into tiles that stay in the second-level
// cache while they are multiplied.
#include "fovea_bfloat16.h"

#if defined(__x86_64__)
#include <string.h>

#include "bfloat16_packing.h"
#include "bfloat16_tiles.h"
#include "threads.h"

enum { panel_rows = 256, most_panel_steps = 32 };

// The panels of `b` extend furthest along its lines, which is how the memory is read ahead.
typedef struct {
    int64_t columns, inner;
} panel_shape;

static panel_shape panel_of(const fovea_bfloat16_matmul *m) {
    return m->b_strides[1] == 1 ? (panel_shape){512, 8 * tile_inner} : (panel_shape){128, most_panel_steps * tile_inner};
}

typedef struct {
    int64_t first, last;
} span;

static span part(int64_t count, int64_t unit, int64_t number, int64_t parts) {
    int64_t units = divided_up(count, unit);
    span s = {units * number / parts * unit, units * (number + 1) / parts * unit};
    return (span){smaller(s.first, count), smaller(s.last, count)};
}

typedef struct {
    const fovea_bfloat16_matmul *matmul;
    const tile_unit *unit;
    const float *a, *b, *bias;
    float *c;
    uint8_t *scratch;
} product_work;

// What is divided between the workers: the longest extent. Parts of a divided inner axis are added up afterwards.
typedef enum { DIVIDE_ROWS, DIVIDE_COLUMNS, DIVIDE_INNER } division;

static division divided_axis(const fovea_bfloat16_matmul *m) {
    if (m->inner > m->rows && m->inner > m->columns) return DIVIDE_INNER;
    return m->rows >= m->columns ? DIVIDE_ROWS : DIVIDE_COLUMNS;
}

static size_t panel_a_bytes(const fovea_bfloat16_matmul *m) {
    return (size_t)(panel_rows * panel_of(m).inner * 2 * m->terms);
}

static size_t panels_bytes(const fovea_bfloat16_matmul *m) {
    return panel_a_bytes(m) + (size_t)(panel_of(m).columns * panel_of(m).inner * 2 * m->terms);
}

static size_t partial_bytes(const fovea_bfloat16_matmul *m) {
    if (divided_axis(m) != DIVIDE_INNER || m->workers == 1) return 0;
    return (size_t)rounded_up(m->rows * m->columns * 4, 64);
}

size_t fovea_bfloat16_matmul_scratch(const fovea_bfloat16_matmul *m) {
    return (size_t)m->workers * (panels_bytes(m) + partial_bytes(m));
}

// A matrix seen from the inner axis; across it are rows of c for `a`, and columns for `b`.
typedef struct {
    const float *numbers;
    int64_t across_step, inner_step;  // floats
    int is_right;
} operand;

// Packs tiles in order [tile across][step], reading along the operand's lines.
PACKING static void pack_panel(operand o, span across, span inner, uint8_t *panel, int32_t terms) {
    int64_t tiles = divided_up(across.last - across.first, tile_columns);
    int64_t steps = divided_up(inner.last - inner.first, tile_inner);
    for (int64_t index = 0; index < tiles * steps; index++) {
        int64_t tile = o.inner_step == 1 ? index / steps : index % tiles;
        int64_t step = o.inner_step == 1 ? index % steps : index / tiles;
        int64_t i = across.first + tile * tile_columns, k = inner.first + step * tile_inner;
        const float *from = o.numbers + i * o.across_step + k * o.inner_step;
        number_lines inner_lines = {from, o.across_step, across.last - i, inner.last - k};
        number_lines across_lines = {from, o.inner_step, inner.last - k, across.last - i};
        uint8_t *to = panel + (tile * steps + step) * tile_bytes * terms;
        if (o.inner_step == 1 && o.is_right) {
            pack_right_transposed(inner_lines, to, tile_bytes, terms);
        } else if (o.inner_step == 1) {
            pack_left(inner_lines, to, tile_bytes, terms);
        } else if (o.is_right) {
            pack_right(across_lines, to, tile_bytes, terms);
        } else {
            pack_left_transposed(across_lines, to, tile_bytes, terms);
        }
    }
}

// Adds a block to c, or puts it there, with bias and rectification where the sum is complete.
PACKING static void put_block(const product_work *work, const float *block, int64_t block_row, span rows, span columns,
                              float *c, int adds, int is_last) {
    const fovea_bfloat16_matmul *m = work->matmul;
    for (int64_t i = rows.first; i < rows.last; i++, block += block_row) {
        for (int64_t j = columns.first; j < columns.last; j += 16) {
            __mmask16 mask = columns.last - j >= 16 ? 0xffff : (__mmask16)((1u << (columns.last - j)) - 1);
            float *to = c + i * m->columns + j;
            __m512 sum = _mm512_loadu_ps(block + j - columns.first);
            if (adds) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, to));
            if (is_last && work->bias) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, work->bias + j));
            // In this order NaN stays.
            if (is_last && m->relu) sum = _mm512_max_ps(_mm512_setzero_ps(), sum);
            _mm512_mask_storeu_ps(to, mask, sum);
        }
    }
}

static void multiply_panels(const product_work *work, span rows, span inner, span columns, const uint8_t *panel_a,
                            const uint8_t *panel_b, float *c, int adds, int is_last) {
    const fovea_bfloat16_matmul *m = work->matmul;
    int64_t down = divided_up(rows.last - rows.first, tile_rows);
    int64_t across = divided_up(columns.last - columns.first, tile_columns);
    int64_t tile = tile_bytes * m->terms, offsets[most_panel_steps];
    int is_plain = !(is_last && (work->bias || m->relu));
    float result[4 * tile_rows * tile_columns] __attribute__((aligned(64)));
    tile_block block = {
        .left_steps = offsets, .right_steps = offsets, .left_term = tile_bytes, .right_term = tile_bytes,
        .steps = divided_up(inner.last - inner.first, tile_inner), .terms = m->terms,
    };
    for (int64_t step = 0; step < block.steps; step++) offsets[step] = step * tile;
    for (int64_t column = 0; column < across; column += block.columns) {
        block.columns = smaller(block_columns(down), across - column);
        for (int64_t i = 0; i < block.columns; i++) block.right[i] = panel_b + (column + i) * block.steps * tile;
        span at_columns = {columns.first + column * tile_columns, 0};
        at_columns.last = smaller(at_columns.first + block.columns * tile_columns, columns.last);
        for (int64_t row = 0; row < down; row += block.rows) {
            block.rows = smaller(block_rows(block.columns), down - row);
            for (int64_t i = 0; i < block.rows; i++) block.left[i] = panel_a + (row + i) * block.steps * tile;
            span at_rows = {rows.first + row * tile_rows, 0};
            at_rows.last = smaller(at_rows.first + block.rows * tile_rows, rows.last);
            int is_whole = at_rows.last - at_rows.first == block.rows * tile_rows
                        && at_columns.last - at_columns.first == block.columns * tile_columns;
            // Whole blocks go straight into c where neither bias nor rectification follows.
            int is_direct = is_whole && is_plain;
            block.result = is_direct ? c + at_rows.first * m->columns + at_columns.first : result;
            block.result_row = is_direct ? m->columns : block.columns * tile_columns;
            block.accumulates = is_direct && adds;
            work->unit->multiply(&block);
            if (!is_direct) put_block(work, result, block.result_row, at_rows, at_columns, c, adds, is_last);
        }
    }
}

static void multiply_parts(void *context, int64_t first, int64_t last) {
    const product_work *work = context;
    const fovea_bfloat16_matmul *m = work->matmul;
    operand a = {work->a, m->a_strides[0], m->a_strides[1], 0}, b = {work->b, m->b_strides[1], m->b_strides[0], 1};
    division axis = divided_axis(m);
    panel_shape panel = panel_of(m);
    size_t panels = panels_bytes(m), partial = partial_bytes(m);
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        span rows = {0, m->rows}, inner = {0, m->inner}, columns = {0, m->columns};
        if (axis == DIVIDE_ROWS) rows = part(m->rows, tile_rows, worker, m->workers);
        if (axis == DIVIDE_COLUMNS) columns = part(m->columns, tile_columns, worker, m->workers);
        if (axis == DIVIDE_INNER) inner = part(m->inner, tile_inner, worker, m->workers);
        uint8_t *panel_a = work->scratch + (size_t)worker * panels;
        uint8_t *panel_b = panel_a + panel_a_bytes(m);
        float *c = partial ? (float *)(work->scratch + (size_t)m->workers * panels + (size_t)worker * partial) : work->c;
        // More workers than steps leave some without any.
        if (partial && inner.first == inner.last) memset(c, 0, partial);
        for (int64_t i = rows.first; i < rows.last; i += panel_rows) {
            span some_rows = {i, smaller(i + panel_rows, rows.last)};
            for (int64_t k = inner.first; k < inner.last; k += panel.inner) {
                span some_inner = {k, smaller(k + panel.inner, inner.last)};
                int is_last = !partial && some_inner.last == inner.last;
                pack_panel(a, some_rows, some_inner, panel_a, m->terms);
                for (int64_t j = columns.first; j < columns.last; j += panel.columns) {
                    span some_columns = {j, smaller(j + panel.columns, columns.last)};
                    pack_panel(b, some_columns, some_inner, panel_b, m->terms);
                    multiply_panels(work, some_rows, some_inner, some_columns, panel_a, panel_b, c, k > inner.first,
                                    is_last);
                }
            }
        }
    }
    work->unit->end();
}

// Adds up the parts of a divided inner axis, in the order of the workers.
PACKING static void add_parts(void *context, int64_t first, int64_t last) {
    const product_work *work = context;
    const fovea_bfloat16_matmul *m = work->matmul;
    int64_t partial = (int64_t)partial_bytes(m) / 4;
    const float *parts = (const float *)(work->scratch + (size_t)m->workers * panels_bytes(m));
    for (int64_t i = first; i < last; i++) {
        for (int64_t j = 0; j < m->columns; j += 16) {
            int64_t count = smaller(16, m->columns - j), at = i * m->columns + j;
            __m512 sum = work->bias ? load_some(work->bias + j, count) : _mm512_setzero_ps();
            for (int64_t worker = 0; worker < m->workers; worker++) {
                sum = _mm512_add_ps(sum, load_some(parts + worker * partial + at, count));
            }
            if (m->relu) sum = _mm512_max_ps(_mm512_setzero_ps(), sum);
            _mm512_mask_storeu_ps(work->c + at, (__mmask16)((1u << count) - 1), sum);
        }
    }
}

void fovea_bfloat16_multiply(const fovea_bfloat16_matmul *m, const float *a, const float *b, const float *bias,
                             float *c, void *scratch) {
    product_work work = {m, fovea_tile_unit(), a, b, bias, c, scratch};
    double nanoseconds = 1e-3 * (double)m->rows * (double)m->inner * (double)m->columns;
    fovea_parallel_for(m->workers, nanoseconds, multiply_parts, &work);
    if (partial_bytes(m)) {
        fovea_parallel_for(m->rows, 0.1 * (double)m->workers * (double)m->rows * (double)m->columns, add_parts, &work);
    }
}
#endif
