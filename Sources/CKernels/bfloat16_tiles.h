// Products of tiles of bfloat16 numbers.
//
// A tile has 16 rows of 64 bytes. A left tile holds in each row 32 numbers along the inner axis. A right tile holds in its
// row r the inner numbers 2r and 2r + 1 of each of 16 columns, next to each other. A result tile is 16 by 16 float32
// numbers. The order of inner numbers is free as long as both operands agree: each row of 64 bytes may start a tile.
#ifndef FOVEA_BFLOAT16_TILES_H
#define FOVEA_BFLOAT16_TILES_H
#include <stdint.h>

enum {
    tile_rows = 16,
    tile_columns = 16,
    tile_inner = 32,  // bfloat16 numbers in a row of a left tile
    tile_row_bytes = 64,
    tile_bytes = 1024,
    most_terms = 3,
    lanes = 16,       // channels in a block of images
};

// A block of result tiles as a sum over steps along the inner axis. A block has 2 × 2 tiles, or up to 4 in one row or
// column: what the unit's registers hold.
typedef struct {
    const uint8_t *left[4], *right[4];         // each tile down, each tile across
    const int64_t *left_steps, *right_steps;   // bytes from there to each step's tile
    int64_t left_term, right_term;             // bytes between the terms of a tile
    int64_t steps;
    int64_t rows, columns;                     // of tiles
    int32_t terms;
    int32_t accumulates;                       // adds to what `result` holds
    float *result;
    int64_t result_row;                        // floats from row to row
} tile_block;

typedef struct {
    const char *name;
    // Prepare and release the unit, on each thread.
    void (*begin)(void);
    void (*end)(void);
    void (*multiply)(const tile_block *block);
} tile_unit;

// The unit in use; NULL when the CPU has none.
const tile_unit *fovea_tile_unit(void);

extern const tile_unit fovea_amx_unit, fovea_avx512_bfloat16_unit;

// How many tiles a block has down and across in an area of tiles.
static inline int64_t block_rows(int64_t across) { return across == 1 ? 4 : 2; }
static inline int64_t block_columns(int64_t down) { return down == 1 ? 4 : 2; }

static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t rounded_up(int64_t a, int64_t b) { return divided_up(a, b) * b; }

#endif
