// Kernels of convolutions as right tiles.
#include "fovea_bfloat16.h"

#if defined(__x86_64__)
#include "bfloat16_convolution.h"
#include "bfloat16_packing.h"

// The lines of a kernel at a place of the window. Input gradients see it turned around.
INLINE_PACKING number_lines lines_at(const convolution_form *f, const float *kernel, int64_t row, int64_t column,
                                     int64_t channel, int64_t filter) {
    const int64_t *window = f->spec->window;
    if (f->is_gradient) {
        int64_t place = (window[0] - 1 - row) * window[1] + window[1] - 1 - column;
        const float *from = kernel + (place * f->filters + filter) * f->channels + channel;
        return (number_lines){from, f->channels, f->filters - filter, f->channels - channel};
    }
    const float *from = kernel + ((row * window[1] + column) * f->channels + channel) * f->filters + filter;
    return (number_lines){from, f->filters, f->channels - channel, f->filters - filter};
}

// Two places of the window with 16 channels, their numbers in turn.
INLINE_PACKING void pack_pair(const convolution_form *f, const float *kernel, int64_t step, int64_t filter,
                              uint8_t *to) {
    column_pair columns = columns_of_step(f, step);
    int64_t row = step / f->window_columns;
    number_lines high = lines_at(f, kernel, row, columns.high, 0, filter), low = high;
    if (columns.low >= 0) low = lines_at(f, kernel, row, columns.low, 0, filter);
    split_numbers rows[16];
    for (int64_t i = 0; i < 16; i++) {
        __m512 a = columns.low >= 0 ? _mm512_loadu_ps(low.start + i * low.line) : _mm512_setzero_ps();
        rows[i] = split_pairs(a, _mm512_loadu_ps(high.start + i * high.line), f->terms);
    }
    if (f->is_gradient) {
        store_transposed(to, tile_bytes, rows, f->terms);
    } else {
        for (int64_t i = 0; i < 16; i++) store_split(to + i * tile_row_bytes, tile_bytes, rows[i], f->terms);
    }
}

PACKING void fovea_pack_kernel_tiles(const convolution_form *f, const float *kernel, int64_t first, int64_t last,
                                     uint8_t *to) {
    for (int64_t index = first; index < last; index++, to += tile_bytes * f->terms) {
        int64_t filter = index / f->steps * tile_columns, step = index % f->steps;
        if (f->pairs_columns) {
            pack_pair(f, kernel, step, filter, to);
            continue;
        }
        int64_t place = step / f->channel_steps, channel = step % f->channel_steps * tile_inner;
        number_lines lines =
            lines_at(f, kernel, place / f->window_columns, place % f->window_columns, channel, filter);
        if (f->is_gradient) {
            pack_right_transposed(lines, to, tile_bytes, f->terms);
        } else {
            pack_right(lines, to, tile_bytes, f->terms);
        }
    }
}
#endif
