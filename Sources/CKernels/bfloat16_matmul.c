// Products of matrices on the bfloat16 units: panels of both operands are packed into tiles that stay in the second-level
// cache while they are multiplied.
#include "fovea_bfloat16.h"

#if defined(__x86_64__)
#include <string.h>

#include "bfloat16_packing.h"
#include "bfloat16_tiles.h"
#include "threads.h"

enum {
    panel_rows = 256,
    panel_columns = 128,
    panel_steps = 16,
    panel_inner = panel_steps * tile_inner,
};

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

static size_t panels_bytes(const fovea_bfloat16_matmul *m) {
    return (size_t)(panel_rows + panel_columns) * panel_inner * 2 * (size_t)m->terms;
}

static size_t partial_bytes(const fovea_bfloat16_matmul *m) {
    if (divided_axis(m) != DIVIDE_INNER || m->workers == 1) return 0;
    return (size_t)rounded_up(m->rows * m->columns * 4, 64);
}

size_t fovea_bfloat16_matmul_scratch(const fovea_bfloat16_matmul *m) {
    return (size_t)m->workers * (panels_bytes(m) + partial_bytes(m));
}

// Left tiles in order [step][tile down].
PACKING static void pack_a(const product_work *work, span rows, span inner, uint8_t *to) {
    const fovea_bfloat16_matmul *m = work->matmul;
    int is_transposed = m->a_strides[1] != 1;
    int64_t row_step = m->a_strides[0], inner_step = m->a_strides[1];
    for (int64_t k = inner.first; k < inner.last; k += tile_inner) {
        for (int64_t i = rows.first; i < rows.last; i += tile_rows, to += tile_bytes * m->terms) {
            const float *from = work->a + i * row_step + k * inner_step;
            if (is_transposed) {
                number_lines lines = {from, inner_step, inner.last - k, rows.last - i};
                pack_left_transposed(lines, to, tile_bytes, m->terms);
            } else {
                number_lines lines = {from, row_step, rows.last - i, inner.last - k};
                pack_left(lines, to, tile_bytes, m->terms);
            }
        }
    }
}

// Right tiles in order [step][tile across].
PACKING static void pack_b(const product_work *work, span inner, span columns, uint8_t *to) {
    const fovea_bfloat16_matmul *m = work->matmul;
    int is_transposed = m->b_strides[1] != 1;
    int64_t inner_step = m->b_strides[0], column_step = m->b_strides[1];
    for (int64_t k = inner.first; k < inner.last; k += tile_inner) {
        for (int64_t j = columns.first; j < columns.last; j += tile_columns, to += tile_bytes * m->terms) {
            const float *from = work->b + k * inner_step + j * column_step;
            if (is_transposed) {
                number_lines lines = {from, column_step, columns.last - j, inner.last - k};
                pack_right_transposed(lines, to, tile_bytes, m->terms);
            } else {
                number_lines lines = {from, inner_step, inner.last - k, columns.last - j};
                pack_right(lines, to, tile_bytes, m->terms);
            }
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
    int32_t terms = work->matmul->terms;
    int64_t down = divided_up(rows.last - rows.first, tile_rows);
    int64_t across = divided_up(columns.last - columns.first, tile_columns);
    int64_t tile = tile_bytes * terms, a_steps[panel_steps], b_steps[panel_steps];
    float result[4 * tile_rows * tile_columns] __attribute__((aligned(64)));
    tile_block block = {
        .left_steps = a_steps, .right_steps = b_steps, .left_term = tile_bytes, .right_term = tile_bytes,
        .steps = divided_up(inner.last - inner.first, tile_inner), .terms = terms, .result = result,
    };
    for (int64_t step = 0; step < block.steps; step++) {
        a_steps[step] = step * down * tile;
        b_steps[step] = step * across * tile;
    }
    for (int64_t column = 0; column < across; column += block.columns) {
        block.columns = smaller(block_columns(down), across - column);
        block.result_row = block.columns * tile_columns;
        for (int64_t i = 0; i < block.columns; i++) block.right[i] = panel_b + (column + i) * tile;
        for (int64_t row = 0; row < down; row += block.rows) {
            block.rows = smaller(block_rows(block.columns), down - row);
            for (int64_t i = 0; i < block.rows; i++) block.left[i] = panel_a + (row + i) * tile;
            work->unit->multiply(&block);
            span at_rows = {rows.first + row * tile_rows, 0}, at_columns = {columns.first + column * tile_columns, 0};
            at_rows.last = smaller(at_rows.first + block.rows * tile_rows, rows.last);
            at_columns.last = smaller(at_columns.first + block.columns * tile_columns, columns.last);
            put_block(work, result, block.result_row, at_rows, at_columns, c, adds, is_last);
        }
    }
}

static void multiply_parts(void *context, int64_t first, int64_t last) {
    const product_work *work = context;
    const fovea_bfloat16_matmul *m = work->matmul;
    division axis = divided_axis(m);
    size_t panels = panels_bytes(m), partial = partial_bytes(m);
    work->unit->begin();
    for (int64_t worker = first; worker < last; worker++) {
        span rows = {0, m->rows}, inner = {0, m->inner}, columns = {0, m->columns};
        if (axis == DIVIDE_ROWS) rows = part(m->rows, tile_rows, worker, m->workers);
        if (axis == DIVIDE_COLUMNS) columns = part(m->columns, tile_columns, worker, m->workers);
        if (axis == DIVIDE_INNER) inner = part(m->inner, tile_inner, worker, m->workers);
        uint8_t *panel_a = work->scratch + (size_t)worker * panels;
        uint8_t *panel_b = panel_a + (size_t)panel_rows * panel_inner * 2 * (size_t)m->terms;
        float *c = partial ? (float *)(work->scratch + (size_t)m->workers * panels + (size_t)worker * partial) : work->c;
        // More workers than steps leave some without any.
        if (partial && inner.first == inner.last) memset(c, 0, partial);
        for (int64_t i = rows.first; i < rows.last; i += panel_rows) {
            span some_rows = {i, smaller(i + panel_rows, rows.last)};
            for (int64_t k = inner.first; k < inner.last; k += panel_inner) {
                span some_inner = {k, smaller(k + panel_inner, inner.last)};
                int is_last = !partial && some_inner.last == inner.last;
                pack_a(work, some_rows, some_inner, panel_a);
                for (int64_t j = columns.first; j < columns.last; j += panel_columns) {
                    span some_columns = {j, smaller(j + panel_columns, columns.last)};
                    pack_b(work, some_inner, some_columns, panel_b);
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
