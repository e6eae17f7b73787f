// Runs elementwise programs: prepare once, then tiles in parallel.
//
// Preparation orders and merges the axes, resolves registers to slots, and moves instructions whose inputs are the
// same for every lane ("uniform") into a prologue that computes one group of lanes. In a full tile, a dense load of
// 32-bit elements points its register at the source, and a result that is stored to dense 32-bit memory is computed
// there. The last, partial tile works on copies, because kernels compute whole groups of lanes.
#include <string.h>

#include "kernel_table.h"
#include "threads.h"
#include "walk.h"

enum {
    tile_lanes = 1024,
    register_lanes = tile_lanes + fovea_lane_group,  // loads may write one group past the tile
    no_operand = -1,
};

// An operand as the tiles see it.
typedef struct {
    fovea_walk walk;
    char *base;  // at the operand's offset
    int64_t element_bytes, start;
    fovea_load_function load;  // null for IOTA
    fovea_store_function store;
    uintptr_t low, high;  // the bytes that it touches
    int32_t is_dense;     // 32-bit elements without gaps in iteration order
} tile_operand;

typedef struct {
    fovea_opcode opcode;
    int32_t is_uniform;
    int32_t d, a, b, c;   // slots: a register, or FOVEA_MAX_REGISTERS + the number of a uniform value
    int32_t operand;
    int32_t direct;       // the operand that the result may be computed into, or no_operand
    int32_t is_elided;    // a store whose value was computed in place; a load that may point at the source
    fovea_random_key key;
    int32_t immediate;    // the bits of a constant
} tile_step;

typedef struct {
    const fovea_kernel_table *kernels;
    tile_operand *operands;
    tile_step *steps;
    int32_t step_count, uniform_count, register_count;
    int64_t lane_count;
} tile_program;

static int32_t argument_count(fovea_opcode opcode) {
    switch (opcode) {
    case FOVEA_OP_LOAD: case FOVEA_OP_IOTA: case FOVEA_OP_CONSTANT: case FOVEA_OP_CONSTANT_I: return 0;
    case FOVEA_OP_SELECT: return 3;
    default: break;
    }
    if (opcode >= FOVEA_OP_ADD && opcode <= FOVEA_OP_GREATER_EQUAL_I) return 2;
    return 1;
}

// Rough nanoseconds per lane on one core, to decide whether threads pay.
static double lane_cost(fovea_opcode opcode) {
    switch (opcode) {
    case FOVEA_OP_POWER: return 1;
    case FOVEA_OP_RANDOM_NORMAL: return 0.8;
    case FOVEA_OP_RANDOM_UNIFORM: return 0.4;
    case FOVEA_OP_DIVIDE_I: return 1;
    case FOVEA_OP_EXP: case FOVEA_OP_LOG: case FOVEA_OP_LOG1P: case FOVEA_OP_TANH: case FOVEA_OP_SIGMOID:
    case FOVEA_OP_ERF: case FOVEA_OP_SIN: case FOVEA_OP_COS: return 0.2;
    case FOVEA_OP_CONSTANT: case FOVEA_OP_CONSTANT_I: return 0;
    case FOVEA_OP_LOAD: case FOVEA_OP_STORE: return 0.06;
    default: return 0.04;
    }
}

static int is_walked(fovea_opcode opcode) {
    return opcode == FOVEA_OP_LOAD || opcode == FOVEA_OP_STORE || opcode == FOVEA_OP_IOTA;
}

static int64_t element_bytes(fovea_dtype dtype) {
    switch (dtype) {
    case FOVEA_FLOAT32: case FOVEA_INT32: return 4;
    case FOVEA_BFLOAT16: return 2;
    case FOVEA_UINT8: case FOVEA_BOOL: return 1;
    }
    return 0;
}

// The order in which the first store visits memory forwards. Other operands follow it.
static void order_axes(const fovea_program *program, int32_t *order) {
    const int64_t *strides = 0;
    for (int32_t i = 0; i < program->instruction_count && !strides; i++) {
        const fovea_instruction *instruction = &program->instructions[i];
        if (instruction->opcode == FOVEA_OP_STORE) strides = program->operands[instruction->operand].strides;
    }
    for (int32_t i = 0; i < program->rank; i++) {
        int32_t j = i;
        for (; strides && j > 0; j--) {
            if (fovea_magnitude(strides[order[j - 1]]) >= fovea_magnitude(strides[i])) break;
            order[j] = order[j - 1];
        }
        order[j] = i;
    }
}

static void prepare_operand(tile_operand *result, const fovea_program *program, const fovea_operand *operand,
                            const int32_t *order, const fovea_kernel_table *kernels, fovea_opcode opcode) {
    int64_t extents[FOVEA_MAX_RANK], strides[FOVEA_MAX_RANK];
    for (int32_t i = 0; i < program->rank; i++) {
        extents[i] = program->extents[order[i]];
        strides[i] = operand->strides[order[i]];
    }
    fovea_walk *walk = &result->walk;
    fovea_walk_init(walk, program->rank, extents, strides);
    if (opcode == FOVEA_OP_IOTA) {
        *result = (tile_operand){.walk = *walk, .start = operand->offset};
        return;
    }
    int64_t bytes = element_bytes(operand->dtype), low = 0, high = 0;
    for (int32_t i = 0; i < walk->rank; i++) {
        int64_t reach = (walk->extents[i] - 1) * walk->strides[i];
        if (reach < 0) low += reach; else high += reach;
    }
    result->base = (char *)operand->base + operand->offset * bytes;
    result->element_bytes = bytes;
    result->start = 0;
    result->load = kernels->loads[operand->dtype];
    result->store = kernels->stores[operand->dtype];
    result->low = (uintptr_t)result->base + (uintptr_t)(low * bytes);
    result->high = (uintptr_t)result->base + (uintptr_t)((high + 1) * bytes);
    result->is_dense = bytes == 4 && walk->rank == 1 && walk->strides[0] == 1;
}

static int is_uniform_walk(const tile_operand *operand) {
    return operand->walk.rank == 1 && (operand->walk.strides[0] == 0 || operand->walk.extents[0] == 1);
}

static int overlaps(const tile_operand *a, const tile_operand *b) { return a->low < b->high && b->low < a->high; }

// Whether step i reads register r.
static int reads(const tile_step *step, int32_t r) {
    int32_t count = argument_count(step->opcode);
    return (count > 0 && step->a == r) || (count > 1 && step->b == r) || (count > 2 && step->c == r);
}

// Marks the store at `index` as computed in place when the step that defines its register can do so: nothing
// between the two may read the memory.
static void compute_store_in_place(tile_program *program, int32_t index) {
    tile_step *steps = program->steps, *store = &steps[index];
    const tile_operand *target = &program->operands[store->operand];
    if (!target->is_dense || store->a >= FOVEA_MAX_REGISTERS) return;
    for (int32_t i = index - 1; i >= 0; i--) {
        tile_step *step = &steps[i];
        if (step->opcode == FOVEA_OP_STORE) continue;
        if (step->d == store->a) {
            if (step->direct != no_operand || is_walked(step->opcode)) return;
            step->direct = store->operand;
            store->is_elided = 1;
            return;
        }
        if (step->opcode == FOVEA_OP_LOAD && overlaps(&program->operands[step->operand], target)) return;
    }
}

// Marks the load at `index` as needing no copy: the memory is not written, or only once the value is used up, or by
// the very instruction that uses it last and lane for lane.
static void load_in_place(tile_program *program, int32_t index, int32_t is_aliased) {
    tile_step *steps = program->steps, *load = &steps[index];
    const tile_operand *source = &program->operands[load->operand];
    if (!source->is_dense || load->d >= FOVEA_MAX_REGISTERS) return;
    load->is_elided = 1;
    if (!is_aliased) return;
    int32_t last_use = index;
    for (int32_t i = index + 1; i < program->step_count; i++) {
        if (reads(&steps[i], load->d)) last_use = i;
        if (steps[i].opcode != FOVEA_OP_STORE && steps[i].d == load->d) break;
    }
    for (int32_t i = index + 1; i <= last_use; i++) {
        int32_t written = steps[i].opcode == FOVEA_OP_STORE ? steps[i].operand : steps[i].direct;
        if (written == no_operand || !overlaps(&program->operands[written], source)) continue;
        int is_same = program->operands[written].is_dense && program->operands[written].base == source->base;
        if (i < last_use || !is_same) load->is_elided = 0;
    }
}

static void prepare_steps(tile_program *result, const fovea_program *program) {
    int32_t slots[FOVEA_MAX_REGISTERS];  // where each register's value is now
    for (int32_t i = 0; i < FOVEA_MAX_REGISTERS; i++) slots[i] = i;
    for (int32_t i = 0; i < program->instruction_count; i++) {
        const fovea_instruction *instruction = &program->instructions[i];
        tile_step *step = &result->steps[i];
        int32_t count = argument_count(instruction->opcode);
        *step = (tile_step){.opcode = instruction->opcode, .operand = no_operand, .direct = no_operand};
        if (is_walked(step->opcode)) step->operand = instruction->operand;
        if (count > 0) step->a = slots[instruction->a];
        if (count > 1) step->b = slots[instruction->b];
        if (count > 2) step->c = slots[instruction->c];
        switch (instruction->opcode) {
        case FOVEA_OP_STORE: continue;
        case FOVEA_OP_LOAD:
            step->is_uniform = is_uniform_walk(&result->operands[step->operand])
                && !program->operands[step->operand].aliased;
            break;
        case FOVEA_OP_IOTA: step->is_uniform = is_uniform_walk(&result->operands[step->operand]); break;
        case FOVEA_OP_CONSTANT:
            step->is_uniform = 1;
            memcpy(&step->immediate, &instruction->immediate, sizeof step->immediate);
            break;
        case FOVEA_OP_CONSTANT_I:
            step->is_uniform = 1;
            step->immediate = instruction->immediate_i;
            break;
        default:
            step->is_uniform = (count < 1 || step->a >= FOVEA_MAX_REGISTERS)
                && (count < 2 || step->b >= FOVEA_MAX_REGISTERS) && (count < 3 || step->c >= FOVEA_MAX_REGISTERS);
        }
        if (instruction->opcode >= FOVEA_OP_RANDOM_UNIFORM) {
            const fovea_operand *operand = &program->operands[instruction->operand];
            const uint32_t *words = (const uint32_t *)operand->base + operand->offset;
            step->key = (fovea_random_key){{words[0], words[1]}, {words[2], words[3]}, instruction->stream};
        }
        int32_t d = instruction->d;
        slots[d] = step->is_uniform ? FOVEA_MAX_REGISTERS + result->uniform_count++ : d;
        if (!step->is_uniform && d >= result->register_count) result->register_count = d + 1;
        step->d = slots[d];
    }
    for (int32_t i = 0; i < result->step_count; i++) {
        if (result->steps[i].opcode == FOVEA_OP_STORE) compute_store_in_place(result, i);
    }
    for (int32_t i = 0; i < result->step_count; i++) {
        if (result->steps[i].opcode != FOVEA_OP_LOAD) continue;
        load_in_place(result, i, program->operands[result->steps[i].operand].aliased);
    }
}

// Repeats the first `period` lanes up to `count`.
static void repeat_lanes(int32_t *lanes, int64_t period, int64_t count) {
    for (int64_t filled = period; filled < count;) {
        int64_t part = filled < count - filled ? filled : count - filled;
        memcpy(lanes + filled, lanes, (size_t)part * sizeof *lanes);
        filled += part;
    }
}

static void read_block(const tile_program *program, const tile_operand *operand, int32_t *lanes, int64_t offset,
                       fovea_block block) {
    if (operand->load) {
        operand->load(lanes, operand->base + offset * operand->element_bytes, block);
    } else {
        program->kernels->iota(lanes, operand->start + offset, block);
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

static void read_lanes(const tile_program *program, const tile_operand *operand, int32_t *lanes, int64_t first,
                       int64_t count) {
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

static void write_lanes(const tile_operand *operand, const int32_t *lanes, int64_t first, int64_t count) {
    fovea_cursor cursor;
    fovea_cursor_init(&cursor, &operand->walk, first, count);
    while (cursor.remaining > 0) {
        fovea_block block = block_at(&cursor);
        operand->store(operand->base + cursor.offset * operand->element_bytes, lanes, block);
        lanes += block.rows * block.count;
        fovea_cursor_advance(&cursor, block.rows * block.count);
    }
}

typedef int32_t lane_register[register_lanes] __attribute__((aligned(64)));
typedef int32_t uniform_value[fovea_lane_group] __attribute__((aligned(64)));

// One thread's registers.
typedef struct {
    const tile_program *program;
    lane_register *own;
    uniform_value *uniforms;
    void *lanes[FOVEA_MAX_REGISTERS];  // where each register's tile is
} tile_state;

static fovea_source source_of(const tile_state *state, int32_t slot) {
    if (slot < FOVEA_MAX_REGISTERS) return (fovea_source){state->lanes[slot], fovea_lane_group};
    return (fovea_source){state->uniforms[slot - FOVEA_MAX_REGISTERS], 0};
}

static void apply(const tile_state *state, const tile_step *step, void *d, int64_t count) {
    fovea_source b = source_of(state, step->b);
    if (step->opcode >= FOVEA_OP_RANDOM_UNIFORM) b = (fovea_source){&step->key, 0};
    state->program->kernels->lanes[step->opcode](count, d, source_of(state, step->a), b,
                                                 source_of(state, step->c));
}

static void run_prologue(const tile_state *state) {
    const tile_program *program = state->program;
    for (int32_t i = 0; i < program->step_count; i++) {
        const tile_step *step = &program->steps[i];
        if (!step->is_uniform) continue;
        int32_t *d = state->uniforms[step->d - FOVEA_MAX_REGISTERS];
        switch (step->opcode) {
        case FOVEA_OP_LOAD: case FOVEA_OP_IOTA:
            read_block(program, &program->operands[step->operand], d, 0, (fovea_block){1, 0, 1, 0});
            repeat_lanes(d, 1, fovea_lane_group);
            break;
        case FOVEA_OP_CONSTANT: case FOVEA_OP_CONSTANT_I:
            d[0] = step->immediate;
            repeat_lanes(d, 1, fovea_lane_group);
            break;
        default: apply(state, step, d, fovea_lane_group);
        }
    }
}

static void run_tile(tile_state *state, int64_t first, int64_t count) {
    const tile_program *program = state->program;
    int is_full = count == tile_lanes;
    for (int32_t i = 0; i < program->step_count; i++) {
        const tile_step *step = &program->steps[i];
        const tile_operand *operand = step->operand == no_operand ? 0 : &program->operands[step->operand];
        if (step->is_uniform) continue;
        switch (step->opcode) {
        case FOVEA_OP_LOAD:
            if (is_full && step->is_elided) {
                state->lanes[step->d] = operand->base + first * 4;
                break;
            }
            __attribute__((fallthrough));
        case FOVEA_OP_IOTA:
            state->lanes[step->d] = state->own[step->d];
            read_lanes(program, operand, state->lanes[step->d], first, count);
            break;
        case FOVEA_OP_STORE:
            if (is_full && step->is_elided) break;
            if (step->a < FOVEA_MAX_REGISTERS) {
                write_lanes(operand, state->lanes[step->a], first, count);
            } else {
                lane_register filled;
                memcpy(filled, state->uniforms[step->a - FOVEA_MAX_REGISTERS], sizeof(uniform_value));
                repeat_lanes(filled, fovea_lane_group, count);
                write_lanes(operand, filled, first, count);
            }
            break;
        default: {
            void *d = is_full && step->direct != no_operand ? program->operands[step->direct].base + first * 4
                                                            : (void *)state->own[step->d];
            apply(state, step, d, count);
            state->lanes[step->d] = d;
        }
        }
    }
}

static void run_tiles(void *context, int64_t first, int64_t last) {
    const tile_program *program = context;
    lane_register own[program->register_count + 1];
    uniform_value uniforms[program->uniform_count + 1];
    tile_state state = {.program = program, .own = own, .uniforms = uniforms};
    run_prologue(&state);
    for (int64_t tile = first; tile < last; tile++) {
        int64_t start = tile * tile_lanes, rest = program->lane_count - start;
        run_tile(&state, start, rest < tile_lanes ? rest : tile_lanes);
    }
}

void fovea_run_program(const fovea_program *program) {
    int64_t lanes = 1;
    for (int32_t i = 0; i < program->rank; i++) lanes *= program->extents[i];
    if (lanes <= 0 || program->instruction_count == 0) return;
    int32_t order[FOVEA_MAX_RANK];
    order_axes(program, order);
    tile_operand operands[program->operand_count + 1];
    tile_step steps[program->instruction_count];
    tile_program prepared = {
        .kernels = fovea_kernels(),
        .operands = operands,
        .steps = steps,
        .step_count = program->instruction_count,
        .lane_count = lanes,
    };
    double cost = 0;
    for (int32_t i = 0; i < program->instruction_count; i++) {
        const fovea_instruction *instruction = &program->instructions[i];
        cost += lane_cost(instruction->opcode);
        if (!is_walked(instruction->opcode)) continue;
        prepare_operand(&operands[instruction->operand], program, &program->operands[instruction->operand], order,
                        prepared.kernels, instruction->opcode);
    }
    prepare_steps(&prepared, program);
    fovea_parallel_for((lanes + tile_lanes - 1) / tile_lanes, cost * (double)lanes, run_tiles, &prepared);
}
