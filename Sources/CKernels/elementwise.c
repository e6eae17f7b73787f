// Prepares elementwise programs: orders and merges the axes, cuts the lanes, resolves registers to slots, and moves
// instructions whose inputs repeat one group of lanes out of the tiles. tiles.c runs them.
//
// In a tile of whole groups of lanes, a dense load of 32-bit elements points its register at the source, and a result that
// is stored to dense 32-bit memory is computed there. Other tiles work on copies, because kernels compute whole groups.
#include <string.h>

#include "threads.h"
#include "tile_program.h"

enum {
    // Shorter segments would make tiles too small to pay for themselves.
    least_segment_lanes = 256,
    // What bounds the chunks of a program with sums: beginning and adding up a chunk must cost little beside running it.
    most_chunks = 64,
    least_chunk_tiles = 8,
    chunk_lanes_per_partial = 16,
    most_partials = 1 << 16,
};

// Rough nanoseconds per lane on one core, to decide whether threads pay.
static double lane_cost(fovea_opcode opcode) {
    switch (opcode) {
    case FOVEA_OP_POWER: return 1;
    case FOVEA_OP_RANDOM_NORMAL: return 0.8;
    case FOVEA_OP_RANDOM_UNIFORM: return 0.4;
    case FOVEA_OP_DIVIDE_I: return 1;
    case FOVEA_OP_EXP: case FOVEA_OP_EXPM1: case FOVEA_OP_LOG: case FOVEA_OP_LOG1P: case FOVEA_OP_TANH:
    case FOVEA_OP_SIGMOID: case FOVEA_OP_ERF: case FOVEA_OP_SIN: case FOVEA_OP_COS: return 0.2;
    case FOVEA_OP_CONSTANT: case FOVEA_OP_CONSTANT_I: return 0;
    case FOVEA_OP_LOAD: case FOVEA_OP_STORE: case FOVEA_OP_SUM: return 0.06;
    default: return 0.04;
    }
}

static int is_walked(fovea_opcode opcode) {
    return opcode == FOVEA_OP_LOAD || opcode == FOVEA_OP_STORE || opcode == FOVEA_OP_IOTA || opcode == FOVEA_OP_SUM;
}

// Whether the instruction writes a register.
static int has_result(fovea_opcode opcode) { return opcode != FOVEA_OP_STORE && opcode != FOVEA_OP_SUM; }

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

static void prepare_operand(fovea_tile_operand *result, const fovea_program *program,
                            const fovea_operand *operand, const int32_t *order, const fovea_kernel_table *kernels,
                            fovea_opcode opcode) {
    int64_t extents[FOVEA_MAX_RANK], strides[FOVEA_MAX_RANK];
    for (int32_t i = 0; i < program->rank; i++) {
        extents[i] = program->extents[order[i]];
        strides[i] = operand->strides[order[i]];
    }
    fovea_walk *walk = &result->walk;
    fovea_walk_init(walk, program->rank, extents, strides);
    if (opcode == FOVEA_OP_IOTA) {
        *result = (fovea_tile_operand){.walk = *walk, .start = operand->offset};
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
    result->limit = operand->limit > 0 ? operand->limit - operand->offset : 0;
    result->divisor = operand->divisor;
    result->load = kernels->loads[operand->dtype];
    result->store = kernels->stores[operand->dtype];
    result->low = (uintptr_t)result->base + (uintptr_t)(low * bytes);
    result->high = (uintptr_t)result->base + (uintptr_t)((high + 1) * bytes);
    result->is_dense = bytes == 4 && walk->rank == 1 && walk->strides[0] == 1 && result->limit == 0;
    // Sums: every place that is walked has a partial sum, those behind the limit too.
    result->partial_count = high + 1;
    result->result_count = operand->limit > 0 ? result->limit : high + 1;
}

// How many lanes an operand repeats one group of lanes for, such as one number per channel of images in blocks of 16
// channels; 0 when it does not.
static int64_t repeated_lanes(const fovea_walk *walk) {
    int32_t inner = walk->rank - 1;
    if (walk->strides[inner] == 0) return walk->extents[inner];
    if (inner < 1 || walk->extents[inner] != fovea_lane_group || walk->strides[inner - 1] != 0) return 0;
    return fovea_lane_group * walk->extents[inner - 1];
}

static int32_t scope_of(const fovea_tile_program *program, const fovea_tile_operand *operand) {
    int64_t lanes = repeated_lanes(&operand->walk);
    if (lanes == program->lane_count) return fovea_whole_program;
    return lanes > 0 && lanes % program->segment_lanes == 0 ? fovea_each_segment : fovea_each_tile;
}

static int overlaps(const fovea_tile_operand *a, const fovea_tile_operand *b) {
    return a->low < b->high && b->low < a->high;
}

// Whether step i reads register r.
static int reads(const fovea_tile_step *step, int32_t r) {
    int32_t count = fovea_argument_count(step->opcode);
    return (count > 0 && step->a == r) || (count > 1 && step->b == r) || (count > 2 && step->c == r);
}

// Marks the store at `index` as computed in place when the step that defines its register can do so: nothing
// between the two may read the memory.
static void compute_store_in_place(fovea_tile_program *program, int32_t index) {
    fovea_tile_step *steps = program->steps, *store = &steps[index];
    const fovea_tile_operand *target = &program->operands[store->operand];
    if (!target->is_dense || store->a >= FOVEA_MAX_REGISTERS) return;
    for (int32_t i = index - 1; i >= 0; i--) {
        fovea_tile_step *step = &steps[i];
        if (!has_result(step->opcode)) continue;
        if (step->d == store->a) {
            if (step->direct != fovea_no_operand || is_walked(step->opcode)) return;
            step->direct = store->operand;
            store->is_elided = 1;
            return;
        }
        if (step->opcode == FOVEA_OP_LOAD && overlaps(&program->operands[step->operand], target)) return;
    }
}

// Marks the load at `index` as needing no copy: the memory is not written, or only once the value is used up, or by
// the very instruction that uses it last and lane for lane.
static void load_in_place(fovea_tile_program *program, int32_t index, int32_t is_aliased) {
    fovea_tile_step *steps = program->steps, *load = &steps[index];
    const fovea_tile_operand *source = &program->operands[load->operand];
    if (!source->is_dense || load->d >= FOVEA_MAX_REGISTERS) return;
    load->is_elided = 1;
    if (!is_aliased) return;
    int32_t last_use = index;
    for (int32_t i = index + 1; i < program->step_count; i++) {
        if (reads(&steps[i], load->d)) last_use = i;
        if (has_result(steps[i].opcode) && steps[i].d == load->d) break;
    }
    for (int32_t i = index + 1; i <= last_use; i++) {
        int32_t written = steps[i].opcode == FOVEA_OP_STORE ? steps[i].operand : steps[i].direct;
        if (written == fovea_no_operand || !overlaps(&program->operands[written], source)) continue;
        int is_same = program->operands[written].is_dense && program->operands[written].base == source->base;
        if (i < last_use || !is_same) load->is_elided = 0;
    }
}

static void prepare_steps(fovea_tile_program *result, const fovea_program *program) {
    int32_t slots[FOVEA_MAX_REGISTERS], scopes[FOVEA_MAX_REGISTERS];  // of each register's value now
    for (int32_t i = 0; i < FOVEA_MAX_REGISTERS; i++) slots[i] = i;
    for (int32_t i = 0; i < program->instruction_count; i++) {
        const fovea_instruction *instruction = &program->instructions[i];
        fovea_tile_step *step = &result->steps[i];
        int32_t count = fovea_argument_count(instruction->opcode);
        *step = (fovea_tile_step){
            .opcode = instruction->opcode, .operand = fovea_no_operand, .direct = fovea_no_operand};
        if (is_walked(step->opcode)) step->operand = instruction->operand;
        if (count > 0) step->a = slots[instruction->a];
        if (count > 1) step->b = slots[instruction->b];
        if (count > 2) step->c = slots[instruction->c];
        if (!has_result(instruction->opcode)) continue;
        switch (instruction->opcode) {
        case FOVEA_OP_LOAD:
            if (program->operands[step->operand].aliased) break;
            __attribute__((fallthrough));
        case FOVEA_OP_IOTA: step->scope = scope_of(result, &result->operands[step->operand]); break;
        case FOVEA_OP_CONSTANT:
            step->scope = fovea_whole_program;
            memcpy(&step->immediate, &instruction->immediate, sizeof step->immediate);
            break;
        case FOVEA_OP_CONSTANT_I:
            step->scope = fovea_whole_program;
            step->immediate = instruction->immediate_i;
            break;
        default: {
            int32_t inputs[] = {instruction->a, instruction->b, instruction->c};
            step->scope = fovea_whole_program;
            for (int32_t j = 0; j < count; j++) {
                if (scopes[inputs[j]] < step->scope) step->scope = scopes[inputs[j]];
            }
        }
        }
        if (instruction->opcode >= FOVEA_OP_RANDOM_UNIFORM) {
            const fovea_operand *operand = &program->operands[instruction->operand];
            const uint32_t *words = (const uint32_t *)operand->base + operand->offset;
            step->key = (fovea_random_key){{words[0], words[1]}, {words[2], words[3]}, instruction->stream};
        }
        int32_t d = instruction->d, is_repeated = step->scope != fovea_each_tile;
        scopes[d] = step->scope;
        slots[d] = is_repeated ? FOVEA_MAX_REGISTERS + result->group_count++ : d;
        if (!is_repeated && d >= result->register_count) result->register_count = d + 1;
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

// Cuts the lanes so that operands repeat a single group of lanes throughout a segment, if that makes tiles long enough.
static void cut_tiles(fovea_tile_program *program, const fovea_program *source) {
    int64_t segment = program->lane_count;
    for (int32_t i = 0; i < source->instruction_count; i++) {
        const fovea_instruction *instruction = &source->instructions[i];
        if (instruction->opcode != FOVEA_OP_LOAD && instruction->opcode != FOVEA_OP_SUM) continue;
        const fovea_walk *walk = &program->operands[instruction->operand].walk;
        int64_t lanes = repeated_lanes(walk);
        if (lanes % fovea_lane_group == 0 && lanes >= least_segment_lanes && lanes < segment) segment = lanes;
    }
    program->segment_lanes = segment;
    program->tile_lanes = fovea_tile_lanes;
    if (segment < program->lane_count) {
        // Tiles of about equal size.
        int64_t tiles = (segment + fovea_tile_lanes - 1) / fovea_tile_lanes;
        int64_t groups = (segment / fovea_lane_group + tiles - 1) / tiles;
        program->tile_lanes = groups * fovea_lane_group;
    }
    program->segment_tiles = (segment + program->tile_lanes - 1) / program->tile_lanes;
    program->tile_count = program->lane_count / segment * program->segment_tiles;
}

// Cuts the tiles into chunks. The result must not depend on the number of threads, so the cut does not.
static void cut_chunks(fovea_tile_program *program) {
    for (int32_t i = 0; i < program->step_count; i++) {
        if (program->steps[i].opcode != FOVEA_OP_SUM) continue;
        fovea_tile_operand *operand = &program->operands[program->steps[i].operand];
        operand->partial_start = program->partial_count;
        program->partial_count += operand->partial_count;
    }
    program->chunk_tiles = 1;
    program->chunk_count = program->tile_count;
    if (program->partial_count == 0) return;
    int64_t chunks = program->tile_count / least_chunk_tiles;
    int64_t bounds[] = {most_chunks, program->lane_count / (chunk_lanes_per_partial * program->partial_count),
                        most_partials / program->partial_count};
    for (int32_t i = 0; i < 3; i++) chunks = bounds[i] < chunks ? bounds[i] : chunks;
    if (chunks < 1) chunks = 1;
    program->chunk_tiles = (program->tile_count + chunks - 1) / chunks;
    program->chunk_count = (program->tile_count + program->chunk_tiles - 1) / program->chunk_tiles;
}

// Adds up the chunks' partial sums, in order.
static void finish_sums(const fovea_tile_program *program) {
    for (int32_t i = 0; i < program->step_count; i++) {
        if (program->steps[i].opcode != FOVEA_OP_SUM) continue;
        const fovea_tile_operand *operand = &program->operands[program->steps[i].operand];
        float *results = (float *)operand->base;
        fovea_accumulator *totals = program->partials + operand->partial_start;
        for (int64_t chunk = 1; chunk < program->chunk_count; chunk++) {
            const fovea_accumulator *part = totals + chunk * program->partial_count;
            for (int64_t j = 0; j < operand->result_count; j++) totals[j].real += part[j].real;
        }
        double divisor = operand->divisor > 0 ? (double)operand->divisor : 1;
        for (int64_t j = 0; j < operand->result_count; j++) results[j] = (float)(totals[j].real / divisor);
    }
}

void fovea_run_program(const fovea_program *program) {
    int64_t lanes = 1;
    for (int32_t i = 0; i < program->rank; i++) lanes *= program->extents[i];
    if (lanes <= 0 || program->instruction_count == 0) return;
    int32_t order[FOVEA_MAX_RANK];
    order_axes(program, order);
    fovea_tile_operand operands[program->operand_count + 1];
    fovea_tile_step steps[program->instruction_count];
    fovea_tile_program prepared = {
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
    cut_tiles(&prepared, program);
    prepare_steps(&prepared, program);
    cut_chunks(&prepared);
    fovea_accumulator partials[prepared.chunk_count * prepared.partial_count + 1];
    prepared.partials = partials;
    fovea_parallel_for(prepared.chunk_count, cost * (double)lanes, fovea_run_chunks, &prepared);
    if (prepared.partial_count > 0) finish_sums(&prepared);
}
