// Runs prepared elementwise programs tile by tile.
#include <string.h>

#include "tile_program.h"

enum { register_lanes = fovea_tile_lanes + fovea_lane_group };  // loads may write one group past the tile

// Repeats the first `period` lanes up to `count`.
static void repeat_lanes(int32_t *lanes, int64_t period, int64_t count) {
    for (int64_t filled = period; filled < count;) {
        int64_t part = filled < count - filled ? filled : count - filled;
        memcpy(lanes + filled, lanes, (size_t)part * sizeof *lanes);
        filled += part;
    }
}

// A block that goes beyond the operand's limit.
static void read_cut_block(const fovea_tile_operand *operand, int32_t *lanes, int64_t offset, fovea_block block) {
    for (int64_t row = 0; row < block.rows; row++, offset += block.row_stride, lanes += block.count) {
        int64_t present = offset < operand->limit ? block.count : 0;
        if (present > 0 && block.stride > 0) {
            int64_t most = (operand->limit - offset + block.stride - 1) / block.stride;
            if (most < present) present = most;
        }
        fovea_block part = {1, 0, present, block.stride};
        if (present > 0) operand->load(lanes, operand->base + offset * operand->element_bytes, part);
        memset(lanes + present, 0, (size_t)(block.count - present) * sizeof *lanes);
    }
}

static void read_block(const fovea_tile_program *program, const fovea_tile_operand *operand, int32_t *lanes,
                       int64_t offset, fovea_block block) {
    if (!operand->load) {
        program->kernels->iota(lanes, operand->start + offset, block);
        return;
    }
    int64_t last = offset + (block.rows - 1) * block.row_stride + (block.count - 1) * block.stride;
    if (operand->limit > 0 && last >= operand->limit) {
        read_cut_block(operand, lanes, offset, block);
    } else {
        operand->load(lanes, operand->base + offset * operand->element_bytes, block);
    }
}

// The rows or the part of a row that begins at a cursor.
static fovea_block block_at(const fovea_cursor *cursor) {
    const fovea_walk *walk = cursor->walk;
    int32_t inner = walk->rank - 1;
    int64_t rows = fovea_cursor_rows(cursor);
    if (rows < 2) return (fovea_block){1, 0, fovea_cursor_run(cursor), walk->strides[inner]};
    return (fovea_block){rows, walk->strides[inner - 1], walk->extents[inner], walk->strides[inner]};
}

static void read_lanes(const fovea_tile_program *program, const fovea_tile_operand *operand, int32_t *lanes,
                       int64_t first, int64_t count) {
    fovea_cursor cursor;
    fovea_cursor_init(&cursor, &operand->walk, first, count);
    while (cursor.remaining > 0) {
        fovea_block block = block_at(&cursor);
        int64_t run = block.rows * block.count;
        if (block.rows > 1 && block.row_stride == 0) {
            // The rows are all the same: read one and repeat it.
            block.rows = 1;
            read_block(program, operand, lanes, cursor.offset, block);
            repeat_lanes(lanes, block.count, run);
        } else {
            read_block(program, operand, lanes, cursor.offset, block);
        }
        lanes += run;
        fovea_cursor_advance(&cursor, run);
    }
}

static void write_lanes(const fovea_tile_operand *operand, const int32_t *lanes, int64_t first, int64_t count) {
    fovea_cursor cursor;
    fovea_cursor_init(&cursor, &operand->walk, first, count);
    while (cursor.remaining > 0) {
        fovea_block block = block_at(&cursor);
        operand->store(operand->base + cursor.offset * operand->element_bytes, lanes, block);
        lanes += block.rows * block.count;
        fovea_cursor_advance(&cursor, block.rows * block.count);
    }
}

// The sum of lanes that lie next to each other.
static double sum_run(const fovea_kernel_table *kernels, const float *lanes, int64_t count) {
    int64_t groups = count / fovea_lane_group;
    double sum = 0;
    for (int64_t i = groups * fovea_lane_group; i < count; i++) sum += (double)lanes[i];
    if (groups == 0) return sum;
    fovea_accumulator totals[fovea_lane_group] = {{0}};
    kernels->sum_groups(totals, lanes, groups);
    for (int32_t i = 0; i < fovea_lane_group; i++) sum += totals[i].real;
    return sum;
}

// Adds a tile to the partial sums of its chunk.
static void add_lanes(const fovea_tile_program *program, const fovea_tile_operand *operand,
                      fovea_accumulator *partials, const float *lanes, int64_t first, int64_t count) {
    const fovea_kernel_table *kernels = program->kernels;
    fovea_cursor cursor;
    fovea_cursor_init(&cursor, &operand->walk, first, count);
    while (cursor.remaining > 0) {
        fovea_block block = block_at(&cursor);
        fovea_accumulator *sums = partials + operand->partial_start + cursor.offset;
        if (block.stride == 1 && block.row_stride == 0 && block.count == fovea_lane_group) {
            kernels->sum_groups(sums, lanes, block.rows);
        } else if (block.stride == 1 && block.row_stride == 0) {
            kernels->row_folds[FOVEA_FOLD_SUM](sums, lanes, block.count, block.rows, block.count);
        } else {
            for (int64_t row = 0; row < block.rows; row++) {
                const float *numbers = lanes + row * block.count;
                if (block.stride == 0) sums->real += sum_run(kernels, numbers, block.count);
                else for (int64_t i = 0; i < block.count; i++) sums[i * block.stride].real += (double)numbers[i];
                sums += block.row_stride;
            }
        }
        lanes += block.rows * block.count;
        fovea_cursor_advance(&cursor, block.rows * block.count);
    }
}

typedef int32_t lane_register[register_lanes] __attribute__((aligned(64)));
typedef int32_t lane_group[fovea_lane_group] __attribute__((aligned(64)));

// One thread's registers.
typedef struct {
    const fovea_tile_program *program;
    lane_register *own;
    lane_group *groups;  // the values that are repeated
    fovea_accumulator *partials;  // of the chunk at hand
    void *lanes[FOVEA_MAX_REGISTERS];  // where each register's tile is
} tile_state;

static fovea_source source_of(const tile_state *state, int32_t slot) {
    if (slot < FOVEA_MAX_REGISTERS) return (fovea_source){state->lanes[slot], fovea_lane_group};
    return (fovea_source){state->groups[slot - FOVEA_MAX_REGISTERS], 0};
}

static void apply(const tile_state *state, const fovea_tile_step *step, void *d, int64_t count) {
    fovea_source b = source_of(state, step->b);
    if (step->opcode >= FOVEA_OP_RANDOM_UNIFORM) b = (fovea_source){&step->key, 0};
    state->program->kernels->lanes[step->opcode](count, d, source_of(state, step->a), b,
                                                 source_of(state, step->c));
}

// A slot's lanes, all of them; `filled` is for those of a repeated group.
static const int32_t *whole_lanes(const tile_state *state, int32_t slot, int64_t count, int32_t *filled) {
    fovea_source source = source_of(state, slot);
    if (source.step != 0) return source.lanes;
    memcpy(filled, source.lanes, sizeof(lane_group));
    if (count > fovea_lane_group) repeat_lanes(filled, fovea_lane_group, count);
    return filled;
}

// Computes the groups that are repeated throughout the program, or the segment that begins at a lane.
static void compute_groups(const tile_state *state, int32_t scope, int64_t first) {
    const fovea_tile_program *program = state->program;
    int64_t rest = program->lane_count - first, count = rest < fovea_lane_group ? rest : fovea_lane_group;
    for (int32_t i = 0; i < program->step_count; i++) {
        const fovea_tile_step *step = &program->steps[i];
        if (step->scope != scope) continue;
        int32_t *d = state->groups[step->d - FOVEA_MAX_REGISTERS];
        switch (step->opcode) {
        case FOVEA_OP_LOAD: case FOVEA_OP_IOTA: {
            int32_t lanes[2 * fovea_lane_group];  // loads may write one group past what they read
            read_lanes(program, &program->operands[step->operand], lanes, first, count);
            repeat_lanes(lanes, count, fovea_lane_group);
            memcpy(d, lanes, sizeof(lane_group));
            break;
        }
        case FOVEA_OP_CONSTANT: case FOVEA_OP_CONSTANT_I:
            for (int32_t j = 0; j < fovea_lane_group; j++) d[j] = step->immediate;
            break;
        default: apply(state, step, d, fovea_lane_group);
        }
    }
}

static void run_tile(tile_state *state, int64_t first, int64_t count) {
    const fovea_tile_program *program = state->program;
    int is_whole = count % fovea_lane_group == 0;
    lane_register filled;
    for (int32_t i = 0; i < program->step_count; i++) {
        const fovea_tile_step *step = &program->steps[i];
        const fovea_tile_operand *operand = step->operand == fovea_no_operand ? 0 : &program->operands[step->operand];
        if (step->scope != fovea_each_tile) continue;
        switch (step->opcode) {
        case FOVEA_OP_LOAD:
            if (is_whole && step->is_elided) {
                state->lanes[step->d] = operand->base + first * 4;
                break;
            }
            __attribute__((fallthrough));
        case FOVEA_OP_IOTA:
            state->lanes[step->d] = state->own[step->d];
            read_lanes(program, operand, state->lanes[step->d], first, count);
            break;
        case FOVEA_OP_STORE:
            if (is_whole && step->is_elided) break;
            write_lanes(operand, whole_lanes(state, step->a, count, filled), first, count);
            break;
        case FOVEA_OP_SUM:
            add_lanes(program, operand, state->partials,
                      (const float *)whole_lanes(state, step->a, count, filled), first, count);
            break;
        default: {
            int is_direct = is_whole && step->direct != fovea_no_operand;
            void *d = is_direct ? program->operands[step->direct].base + first * 4 : (void *)state->own[step->d];
            apply(state, step, d, count);
            state->lanes[step->d] = d;
        }
        }
    }
}

void fovea_run_chunks(void *context, int64_t first, int64_t last) {
    const fovea_tile_program *program = context;
    lane_register own[program->register_count + 1];
    lane_group groups[program->group_count + 1];
    tile_state state = {.program = program, .own = own, .groups = groups};
    compute_groups(&state, fovea_whole_program, 0);
    int64_t present = -1;  // the segment whose groups are there
    for (int64_t chunk = first; chunk < last; chunk++) {
        state.partials = program->partials + chunk * program->partial_count;
        // Even clearing nothing would have the threads compete for the memory.
        if (program->partial_count > 0) {
            memset(state.partials, 0, (size_t)program->partial_count * sizeof *state.partials);
        }
        int64_t end = (chunk + 1) * program->chunk_tiles;
        if (end > program->tile_count) end = program->tile_count;
        for (int64_t tile = chunk * program->chunk_tiles; tile < end; tile++) {
            int64_t segment = tile / program->segment_tiles, start = segment * program->segment_lanes;
            int64_t offset = tile % program->segment_tiles * program->tile_lanes;
            int64_t rest = program->segment_lanes - offset;
            if (segment != present) compute_groups(&state, fovea_each_segment, start);
            present = segment;
            run_tile(&state, start + offset, rest < program->tile_lanes ? rest : program->tile_lanes);
        }
    }
}
