// The two units that multiply bfloat16 numbers, and the choice between them.
#include "bfloat16_tiles.h"
#include "fovea_bfloat16.h"
#include "fovea_cpu.h"

#include <stdatomic.h>
#include <string.h>

// The products of terms that count, with t terms all whose numbers add up to less than t, ordered such that few operands
// are loaded twice. With three terms the small ones are summed first, over all steps: rounding a sum that is still small
// loses little.
#define FOR_EACH_PASS(terms) for (int is_small = (terms) == 3; is_small >= 0; is_small--)
#define PRODUCTS(terms, is_small) \
    if (is_small) {               \
        LOAD_LEFT(2);             \
        LOAD_RIGHT(0);            \
        MULTIPLY;                 \
        LOAD_LEFT(1);             \
        MULTIPLY;                 \
        LOAD_RIGHT(1);            \
        MULTIPLY;                 \
        LOAD_LEFT(0);             \
        MULTIPLY;                 \
        LOAD_RIGHT(2);            \
        MULTIPLY;                 \
    } else {                      \
        LOAD_LEFT(0);             \
        if ((terms) == 2) {       \
            LOAD_RIGHT(1);        \
            MULTIPLY;             \
        }                         \
        LOAD_RIGHT(0);            \
        MULTIPLY;                 \
        if ((terms) == 2) {       \
            LOAD_LEFT(1);         \
            MULTIPLY;             \
        }                         \
    }

#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

// MARK: Matrix tiles (AMX)

#define AMX __attribute__((target("amx-tile,amx-bf16"))) static

AMX void amx_begin(void) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } __attribute__((aligned(64))) configuration = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) {
        configuration.row_bytes[tile] = tile_row_bytes;
        configuration.rows[tile] = tile_rows;
    }
    _tile_loadconfig(&configuration);
}

// Tiles in use would make every switch between threads save them.
AMX void amx_end(void) { _tile_release(); }

// Two by two tiles. Registers are named by literals: 0 to 3 are results, 4 and 5 left tiles, 6 and 7 right ones.
AMX void multiply_square(const tile_block *b) {
    int64_t result_bytes = b->result_row * 4;
    float *top = b->result, *bottom = b->result + tile_rows * b->result_row;
    if (b->accumulates) {
        _tile_loadd(0, top, result_bytes);
        _tile_loadd(1, top + tile_columns, result_bytes);
        _tile_loadd(2, bottom, result_bytes);
        _tile_loadd(3, bottom + tile_columns, result_bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
#define LOAD_LEFT(term)                                                    \
    do {                                                                   \
        _tile_loadd(4, top_left + (term) * b->left_term, tile_row_bytes);    \
        _tile_loadd(5, bottom_left + (term) * b->left_term, tile_row_bytes); \
    } while (0)
#define LOAD_RIGHT(term)                                                   \
    do {                                                                   \
        _tile_loadd(6, right + (term) * b->right_term, tile_row_bytes);      \
        _tile_loadd(7, far_right + (term) * b->right_term, tile_row_bytes);  \
    } while (0)
#define MULTIPLY                 \
    do {                         \
        _tile_dpbf16ps(0, 4, 6); \
        _tile_dpbf16ps(1, 4, 7); \
        _tile_dpbf16ps(2, 5, 6); \
        _tile_dpbf16ps(3, 5, 7); \
    } while (0)
    FOR_EACH_PASS(b->terms) {
        for (int64_t step = 0; step < b->steps; step++) {
            const uint8_t *top_left = b->left[0] + b->left_steps[step], *bottom_left = b->left[1] + b->left_steps[step];
            const uint8_t *right = b->right[0] + b->right_steps[step], *far_right = b->right[1] + b->right_steps[step];
            PRODUCTS(b->terms, is_small)
        }
    }
#undef LOAD_LEFT
#undef LOAD_RIGHT
#undef MULTIPLY
    _tile_stored(0, top, result_bytes);
    _tile_stored(1, top + tile_columns, result_bytes);
    _tile_stored(2, bottom, result_bytes);
    _tile_stored(3, bottom + tile_columns, result_bytes);
}

// Up to four tiles in a line: down when `is_column`, across otherwise.
AMX inline __attribute__((always_inline)) void multiply_line(const tile_block *b, const int is_column) {
    int64_t count = is_column ? b->rows : b->columns;
    int64_t result_bytes = b->result_row * 4, step_down = is_column ? tile_rows * b->result_row : tile_columns;
    const uint8_t *const *kept = is_column ? b->right : b->left, *const *moving = is_column ? b->left : b->right;
    const int64_t *kept_steps = is_column ? b->right_steps : b->left_steps;
    const int64_t *moving_steps = is_column ? b->left_steps : b->right_steps;
    int64_t kept_term = is_column ? b->right_term : b->left_term;
    int64_t moving_term = is_column ? b->left_term : b->right_term;
#define FOR_LINE(statement)   \
    statement(0);             \
    if (count > 1) {          \
        statement(1);         \
        if (count > 2) {      \
            statement(2);     \
            if (count > 3) {  \
                statement(3); \
            }                 \
        }                     \
    }
#define LOAD_RESULT(i) _tile_loadd(i, b->result + i * step_down, result_bytes)
#define STORE_RESULT(i) _tile_stored(i, b->result + i * step_down, result_bytes)
    if (b->accumulates) {
        FOR_LINE(LOAD_RESULT)
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
// One operand stays in register 4, the other passes through 5, 6, 7 and 5 again.
#define MULTIPLY_ONE(i, register)                              \
    do {                                                       \
        _tile_loadd(register, moving[i] + at, tile_row_bytes); \
        if (is_column) {                                       \
            _tile_dpbf16ps(i, register, 4);                    \
        } else {                                               \
            _tile_dpbf16ps(i, 4, register);                    \
        }                                                      \
    } while (0)
#define LOAD_LEFT(term) _tile_loadd(4, here + (term) * kept_term, tile_row_bytes)
#define LOAD_RIGHT(term) at = moving_steps[step] + (term) * moving_term
#define MULTIPLY                           \
    do {                                   \
        MULTIPLY_ONE(0, 5);                \
        if (count > 1) MULTIPLY_ONE(1, 6); \
        if (count > 2) MULTIPLY_ONE(2, 7); \
        if (count > 3) MULTIPLY_ONE(3, 5); \
    } while (0)
    FOR_EACH_PASS(b->terms) {
        for (int64_t step = 0; step < b->steps; step++) {
            const uint8_t *here = kept[0] + kept_steps[step];
            int64_t at;
            PRODUCTS(b->terms, is_small)
        }
    }
#undef LOAD_LEFT
#undef LOAD_RIGHT
#undef MULTIPLY
    FOR_LINE(STORE_RESULT)
}

AMX void amx_multiply(const tile_block *block) {
    if (block->columns == 1) {
        multiply_line(block, 1);
    } else if (block->rows == 1) {
        multiply_line(block, 0);
    } else {
        multiply_square(block);
    }
}

const tile_unit fovea_amx_unit = {"amx", amx_begin, amx_end, amx_multiply};

// Linux gives a process the tiles' registers on request.
static int amx_is_granted(void) {
    enum { request_permission = 0x1023, tile_data = 18 };
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

// MARK: Dot products of pairs (AVX-512)

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16"), min_vector_width(512))) static

static void nothing(void) {}

// Adds one step to a tile: rows of `left` times the tile `right`.
AVX512 inline __attribute__((always_inline)) void add_step(__m512 sums[tile_rows], const uint8_t *left,
                                                           const uint8_t *right) {
    for (int64_t pair = 0; pair < tile_inner / 2; pair++) {
        __m512bh columns = (__m512bh)_mm512_loadu_si512(right + pair * tile_row_bytes);
#pragma clang loop unroll(full)
        for (int row = 0; row < tile_rows; row++) {
            int32_t numbers;
            memcpy(&numbers, left + row * tile_row_bytes + pair * 4, 4);
            sums[row] = _mm512_dpbf16_ps(sums[row], (__m512bh)_mm512_set1_epi32(numbers), columns);
        }
    }
}

AVX512 void multiply_tile(const tile_block *b, const uint8_t *left, const uint8_t *right, float *result) {
    __m512 sums[tile_rows];
    for (int row = 0; row < tile_rows; row++) {
        sums[row] = b->accumulates ? _mm512_loadu_ps(result + row * b->result_row) : _mm512_setzero_ps();
    }
#define LOAD_LEFT(term) left_tile = left + b->left_steps[step] + (term) * b->left_term
#define LOAD_RIGHT(term) right_tile = right + b->right_steps[step] + (term) * b->right_term
#define MULTIPLY add_step(sums, left_tile, right_tile)
    FOR_EACH_PASS(b->terms) {
        for (int64_t step = 0; step < b->steps; step++) {
            const uint8_t *left_tile, *right_tile;
            PRODUCTS(b->terms, is_small)
        }
    }
#undef LOAD_LEFT
#undef LOAD_RIGHT
#undef MULTIPLY
    for (int row = 0; row < tile_rows; row++) _mm512_storeu_ps(result + row * b->result_row, sums[row]);
}

AVX512 void avx512_multiply(const tile_block *b) {
    for (int64_t row = 0; row < b->rows; row++) {
        for (int64_t column = 0; column < b->columns; column++) {
            multiply_tile(b, b->left[row], b->right[column],
                          b->result + row * tile_rows * b->result_row + column * tile_columns);
        }
    }
}

const tile_unit fovea_avx512_bfloat16_unit = {"avx512_bf16", nothing, nothing, avx512_multiply};
#endif

// MARK: Choice

static int is_supported(const tile_unit *unit) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (fovea_limit_of_cpu() > FOVEA_CPU_AVX512) return 0;
    if (!__builtin_cpu_supports("avx512bf16") || !__builtin_cpu_supports("avx512bw")
        || !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq")) {
        return 0;
    }
    return unit == &fovea_avx512_bfloat16_unit
        || (fovea_limit_of_cpu() == FOVEA_CPU_ALL && __builtin_cpu_supports("amx-bf16") && amx_is_granted());
#else
    (void)unit;
    return 0;
#endif
}

// Best first.
static const tile_unit *const units[] = {
#if defined(__x86_64__)
    &fovea_amx_unit,
    &fovea_avx512_bfloat16_unit,
#endif
    0,
};

static const tile_unit no_unit = {.name = "none"};
static _Atomic(const tile_unit *) selected;

const tile_unit *fovea_tile_unit(void) {
    const tile_unit *unit = atomic_load_explicit(&selected, memory_order_relaxed);
    if (!unit) {
        int i = 0;
        while (units[i] && !is_supported(units[i])) i++;
        unit = units[i] ? units[i] : &no_unit;
        // A choice made meanwhile by fovea_set_bfloat16_unit stands.
        const tile_unit *none = 0;
        if (!atomic_compare_exchange_strong(&selected, &none, unit)) unit = none;
    }
    return unit == &no_unit ? 0 : unit;
}

const char *fovea_bfloat16_unit(void) {
    const tile_unit *unit = fovea_tile_unit();
    return unit ? unit->name : no_unit.name;
}

int32_t fovea_set_bfloat16_unit(const char *name) {
    if (strcmp(name, no_unit.name) == 0) {
        atomic_store(&selected, &no_unit);
        return 1;
    }
    for (int i = 0; units[i]; i++) {
        if (strcmp(units[i]->name, name) == 0 && is_supported(units[i])) {
            atomic_store(&selected, units[i]);
            return 1;
        }
    }
    return 0;
}
