// Elementwise programs, reductions and index operations.
//
// A program is a short list of instructions over registers. It runs over an iteration space of up to
// FOVEA_MAX_RANK axes in cache-sized tiles: each instruction handles one tile of 32-bit lanes before the next
// instruction starts, so a whole chain of elementwise work reads and writes memory once.
#ifndef FOVEA_ELEMENTWISE_H
#define FOVEA_ELEMENTWISE_H
#include <stdint.h>

#define FOVEA_MAX_RANK 12
#define FOVEA_MAX_REGISTERS 24

typedef enum : int32_t {
    FOVEA_FLOAT32, FOVEA_BFLOAT16, FOVEA_INT32, FOVEA_UINT8, FOVEA_BOOL
} fovea_dtype;

// A lane holds a float or an int32. Booleans are int32 lanes 0 and 1. Instructions say which they work on:
// no suffix = float in, float out; _I = int32; comparisons give int32 lanes 0 or 1.
typedef enum : int32_t {
    // memory
    FOVEA_OP_LOAD,        // r[d] = operand[operand]; float32/bfloat16 arrive as float lanes, the others as int32
    // operand[operand] = r[a]; lanes are float for float types, int32 for the others (uint8 keeps the low 8 bits,
    // bool whether the lane is not 0). The stores of one program do not overlap each other.
    FOVEA_OP_STORE,
    // operand[operand] = the sum of r[a], float lanes, over the axes along which the operand has stride 0, divided by the
    // operand's divisor; float32. The places that the other axes reach become the result, in memory order, once the
    // whole program has run.
    FOVEA_OP_SUM,
    FOVEA_OP_IOTA,        // r[d] = operand.offset + sum(index * operand.strides), int32; base is not read
    FOVEA_OP_CONSTANT,    // r[d] = immediate
    FOVEA_OP_CONSTANT_I,  // r[d] = immediate_i
    // conversions
    FOVEA_OP_FLOAT_FROM_INT, FOVEA_OP_INT_FROM_FLOAT,  // toward zero, clamped, NaN to 0
    FOVEA_OP_ROUND_BFLOAT16,                           // nearest bfloat16, ties to even, as a float
    // unary, float
    FOVEA_OP_NEGATE, FOVEA_OP_ABS, FOVEA_OP_SIGN, FOVEA_OP_EXP, FOVEA_OP_EXPM1, FOVEA_OP_LOG, FOVEA_OP_LOG1P,
    FOVEA_OP_SQRT, FOVEA_OP_RSQRT, FOVEA_OP_RECIPROCAL, FOVEA_OP_TANH, FOVEA_OP_SIGMOID, FOVEA_OP_ERF,
    FOVEA_OP_SIN, FOVEA_OP_COS, FOVEA_OP_FLOOR, FOVEA_OP_RELU,
    // unary, int32
    FOVEA_OP_NEGATE_I, FOVEA_OP_ABS_I, FOVEA_OP_SIGN_I, FOVEA_OP_RELU_I,
    // binary, float: r[d] = r[a] op r[b]
    FOVEA_OP_ADD, FOVEA_OP_SUBTRACT, FOVEA_OP_MULTIPLY, FOVEA_OP_DIVIDE, FOVEA_OP_MAXIMUM, FOVEA_OP_MINIMUM,
    FOVEA_OP_POWER,
    // binary, int32 (wrapping; division by zero gives 0)
    FOVEA_OP_ADD_I, FOVEA_OP_SUBTRACT_I, FOVEA_OP_MULTIPLY_I, FOVEA_OP_DIVIDE_I, FOVEA_OP_MAXIMUM_I,
    FOVEA_OP_MINIMUM_I,
    // comparisons
    FOVEA_OP_EQUAL, FOVEA_OP_NOT_EQUAL, FOVEA_OP_LESS, FOVEA_OP_LESS_EQUAL, FOVEA_OP_GREATER,
    FOVEA_OP_GREATER_EQUAL,
    FOVEA_OP_EQUAL_I, FOVEA_OP_NOT_EQUAL_I, FOVEA_OP_LESS_I, FOVEA_OP_LESS_EQUAL_I, FOVEA_OP_GREATER_I,
    FOVEA_OP_GREATER_EQUAL_I,
    // r[d] = r[a] ? r[b] : r[c], any 32-bit lanes
    FOVEA_OP_SELECT,
    // r[d] = random number of stream `stream` at the logical element index r[a] (int32 lanes); `operand` is the key:
    // four int32 words (seed low, seed high, step low, step high). Philox 4x32-10 with
    // key (seed low, seed high) and counter (index / 4, stream, step low, step high); the number uses output
    // word index % 4.
    FOVEA_OP_RANDOM_UNIFORM,  // (word >> 8) * 2^-24, in [0, 1)
    // Box-Muller over the word pair (0,1) or (2,3) that holds index % 4: r = sqrt(-2 ln(((w0 >> 8) + 1) * 2^-24)),
    // angle = 2 pi (w1 >> 8) * 2^-24; the even word gives r cos(angle), the odd one r sin(angle).
    FOVEA_OP_RANDOM_NORMAL,
} fovea_opcode;

typedef struct {
    fovea_opcode opcode;
    int32_t d, a, b, c;   // registers
    int32_t operand;      // LOAD, STORE, SUM, IOTA, RANDOM_*
    float immediate;      // CONSTANT
    int32_t immediate_i;  // CONSTANT_I
    uint32_t stream;      // RANDOM_*
} fovea_instruction;

typedef struct {
    void *base;
    fovea_dtype dtype;
    // 1 for a load whose memory the same program also stores: it reads what is there when the instruction runs, tile by
    // tile, so each lane may only overwrite elements that no other lane reads
    int32_t aliased;
    int64_t offset;   // elements
    // elements that the memory has, where a walk goes further: LOAD gives zeros for what lies behind, SUM leaves it out; 0
    // where no walk does
    int64_t limit;
    int64_t divisor;  // SUM: of the sum; 0 is 1
    int64_t strides[FOVEA_MAX_RANK];  // elements per iteration axis; 0 repeats
} fovea_operand;

typedef struct {
    int32_t rank;
    int64_t extents[FOVEA_MAX_RANK];
    int32_t instruction_count, operand_count;
    const fovea_instruction *instructions;
    const fovea_operand *operands;
} fovea_program;

// Runs a program, in parallel over tiles. Sums are built from fixed chunks in 64 bits, so no result depends on the number of
// threads.
void fovea_run_program(const fovea_program *program);

typedef enum : int32_t { FOVEA_SUM, FOVEA_MEAN, FOVEA_MAX } fovea_reduction_kind;

// A strided view: `kept` axes become the row-major result, `reduced` axes are summed over.
typedef struct {
    int32_t kept_rank, reduced_rank;
    int64_t kept_extents[FOVEA_MAX_RANK], kept_strides[FOVEA_MAX_RANK];
    int64_t reduced_extents[FOVEA_MAX_RANK], reduced_strides[FOVEA_MAX_RANK];
} fovea_reduction;

// Float32 or int32. Long sums are built from fixed blocks, so the result does not depend on the number of threads.
// A sum of int32 wraps, a mean is rounded toward zero. The maximum of nothing is the type's lowest value (for float32
// minus infinity); NaN wins. The mean of nothing is NaN, or 0 for int32.
void fovea_reduce(fovea_reduction_kind kind, fovea_dtype dtype, const fovea_reduction *reduction,
                  const void *source, void *destination);

// The row-major index, over the reduced axes, of the first largest element; int32 result. NaN counts as largest;
// the index of nothing is 0.
void fovea_argmax(fovea_dtype dtype, const fovea_reduction *reduction, const void *source, int32_t *destination);

// table [groups, outer, extent, inner], indices [groups, count] -> destination [groups, outer, count, inner]. An index
// outside the table gives zeros.
void fovea_gather(int32_t element_bytes, int64_t groups, int64_t outer, int64_t extent, int64_t inner,
                  int64_t count, const void *table, const int32_t *indices, void *destination);

// The gradient of gather: destination [groups, outer, extent, inner] is cleared, then source [groups, outer, count,
// inner] is added at the indices [groups, count], in index order; an index outside the table is dropped. Float32.
void fovea_scatter_add(int64_t groups, int64_t outer, int64_t extent, int64_t inner, int64_t count,
                       const float *source, const int32_t *indices, float *destination);

// The number of threads that kernels use, also oneDNN's: OMP_NUM_THREADS or the CPUs that this process may run on, at most 256 or
// the number of CPUs, and no more than the system gives. The first call starts them. Loops of several threads at once do not mix:
// one has all workers, the others run on the threads that have started them.
int32_t fovea_thread_count(void);

// Why there are fewer threads than was asked for; empty where there are not.
const char *fovea_thread_shortage(void);

// From 1 to the greatest number that OMP_NUM_THREADS may have; what is outside becomes the nearest.
void fovea_set_thread_count(int32_t count);

// The name of the vector instruction set in use ("avx512", "avx2", "baseline"), and a way for tests to choose
// another; returns 0 when this CPU does not have it.
const char *fovea_vector_kind(void);
int32_t fovea_set_vector_kind(const char *name);

#endif
