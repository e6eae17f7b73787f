// A prepared elementwise program, and the parts in which it runs.
#ifndef FOVEA_TILE_PROGRAM_H
#define FOVEA_TILE_PROGRAM_H
#include "kernel_table.h"
#include "walk.h"

enum {
    fovea_tile_lanes = 1024,  // the most lanes of a tile
    fovea_no_operand = -1,
};

// Where a result is one group of lanes, repeated, it is computed once for all tiles of a segment or of the program.
enum { fovea_each_tile, fovea_each_segment, fovea_whole_program };

// An operand as the tiles see it.
typedef struct {
    fovea_walk walk;
    char *base;  // at the operand's offset
    int64_t element_bytes, start;
    int64_t limit;  // loads: elements from the base that are there, or 0 when all are
    fovea_load_function load;  // null for IOTA
    fovea_store_function store;
    uintptr_t low, high;  // the bytes that it touches
    int32_t is_dense;     // 32-bit elements without gaps in iteration order
    // sums: the part of a chunk's partial sums that is this operand's
    int64_t partial_start, partial_count, result_count, divisor;
} fovea_tile_operand;

typedef struct {
    fovea_opcode opcode;
    int32_t scope;        // of the result: fovea_each_tile, fovea_each_segment or fovea_whole_program
    int32_t d, a, b, c;   // slots: a register, or FOVEA_MAX_REGISTERS + the number of a repeated group
    int32_t operand;
    int32_t direct;       // the operand that the result may be computed into, or fovea_no_operand
    int32_t is_elided;    // a store whose value was computed in place; a load that may point at the source
    fovea_random_key key;
    int32_t immediate;    // the bits of a constant
} fovea_tile_step;

// Lanes are cut into segments, such as the pixels of one image in one block of channels, segments into tiles, and
// tiles put together to chunks, by the program alone. A chunk is what one thread does at a time; its sums are added to
// those of the others in order.
typedef struct {
    const fovea_kernel_table *kernels;
    fovea_tile_operand *operands;
    fovea_tile_step *steps;
    int32_t step_count, group_count, register_count;
    int64_t lane_count, segment_lanes, segment_tiles, tile_lanes, tile_count;
    int64_t chunk_tiles, chunk_count;
    int64_t partial_count;        // partial sums of a chunk
    fovea_accumulator *partials;  // [chunk_count, partial_count]
} fovea_tile_program;

static inline int32_t fovea_argument_count(fovea_opcode opcode) {
    switch (opcode) {
    case FOVEA_OP_LOAD: case FOVEA_OP_IOTA: case FOVEA_OP_CONSTANT: case FOVEA_OP_CONSTANT_I: return 0;
    case FOVEA_OP_SELECT: return 3;
    default: break;
    }
    if (opcode >= FOVEA_OP_ADD && opcode <= FOVEA_OP_GREATER_EQUAL_I) return 2;
    return 1;
}

// Runs chunks first..<last.
void fovea_run_chunks(void *program, int64_t first, int64_t last);

#endif
