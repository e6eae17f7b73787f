// The part of oneDNN that the CPU backend uses, as plain C structs that import well into Swift. Every oneDNN call of
// the project is behind this header, which is the same for all versions of the library.
#ifndef FOVEA_ONEDNN_H
#define FOVEA_ONEDNN_H
#include <stddef.h>
#include <stdint.h>
#include "fovea_elementwise.h"

#define FOVEA_ONEDNN_MAX_RANK 12

// A tensor's shape, type and layout in oneDNN's own axis order (images N,C,H,W; weights O,I,H,W or G,O,I,H,W).
// With `is_any` the primitive chooses the layout; otherwise `strides` are those of the outer (block) axes, and
// `inner_blocks`/`inner_axes` list the inner blocks from outermost to innermost.
typedef struct {
    int32_t rank;
    fovea_dtype dtype;
    int32_t is_any;
    int64_t extents[FOVEA_ONEDNN_MAX_RANK];
    int64_t strides[FOVEA_ONEDNN_MAX_RANK];
    int32_t inner_count;
    int64_t inner_blocks[FOVEA_ONEDNN_MAX_RANK];
    int64_t inner_axes[FOVEA_ONEDNN_MAX_RANK];
} fovea_memory;

typedef enum : int32_t {
    FOVEA_FORWARD, FOVEA_BACKWARD_DATA, FOVEA_BACKWARD_WEIGHTS
} fovea_direction;

typedef struct {
    fovea_direction direction;
    int32_t has_bias;      // forward: adds it; backward weights: also computes its gradient
    int32_t relu;          // forward only
    float ceiling;         // with `relu`: larger results become this; 0 for none
    int64_t strides[2], dilations[2];  // dilations: 1 is dense
    int64_t padding_before[2], padding_after[2];  // height, width
    fovea_memory source, weights, bias, destination;  // for backward directions: the gradients' layouts
} fovea_convolution;

// Average pooling.
typedef struct {
    fovea_direction direction;  // forward or backward data
    int32_t counts_padding;     // 1 divides by the window's size, 0 by the elements inside the image
    int64_t window[2], strides[2], padding_before[2], padding_after[2];
    fovea_memory source, destination;
} fovea_pooling;

typedef struct {
    int32_t has_bias, relu;
    fovea_memory a, b, bias, c;  // rank 2, or 3 with batch first (extent 1 repeats)
} fovea_matmul;

// What the library runs for an operation, on the thread that calls it. It does not change, so threads may share it.
typedef struct fovea_primitive fovea_primitive;

// Each returns NULL when oneDNN has no such primitive; fovea_onednn_message() then says why.
fovea_primitive *fovea_convolution_create(const fovea_convolution *spec);
fovea_primitive *fovea_pooling_create(const fovea_pooling *spec);
fovea_primitive *fovea_matmul_create(const fovea_matmul *spec);
fovea_primitive *fovea_reorder_create(const fovea_memory *from, const fovea_memory *to);
void fovea_primitive_destroy(fovea_primitive *primitive);

// The reason of the calling thread's last failure.
const char *fovea_onednn_message(void);

// An operand of a primitive. For gradients SOURCE means the source's gradient where that is what the primitive
// computes or reads, and so on; DESTINATION of a backward primitive is the upstream gradient.
typedef enum : int32_t {
    FOVEA_ARG_SOURCE, FOVEA_ARG_WEIGHTS, FOVEA_ARG_BIAS, FOVEA_ARG_DESTINATION, FOVEA_ARG_WORKSPACE, FOVEA_ARG_SCRATCHPAD
} fovea_argument;

// The layout that the primitive uses for an operand; returns 0 and leaves `memory` when it has no such operand or
// its layout cannot be said in these terms (a workspace or scratchpad has only a size).
int32_t fovea_primitive_memory(const fovea_primitive *primitive, fovea_argument argument, fovea_memory *memory);
// Bytes of an operand, 0 when there is none. Scratchpads are the caller's.
size_t fovea_primitive_bytes(const fovea_primitive *primitive, fovea_argument argument);
size_t fovea_memory_bytes(const fovea_memory *memory);
// Elements first..<first + count along an axis: their layout, and how many bytes behind the first of all they begin. Returns 0
// where they are not one piece of memory, or do not begin with a block.
int32_t fovea_memory_part(const fovea_memory *memory, int32_t axis, int64_t first, int64_t count, fovea_memory *part,
                          size_t *offset);
// For example "jit:avx512_core".
const char *fovea_primitive_implementation(const fovea_primitive *primitive);

// A primitive with memory for its operands. The primitive must live as long. NULL, with a message, when memory is out.
typedef struct fovea_primitive_call fovea_primitive_call;
fovea_primitive_call *fovea_primitive_call_create(const fovea_primitive *primitive);
void fovea_primitive_call_destroy(fovea_primitive_call *call);
// Points an operand at memory (64-byte aligned); stays until bound again. For matmul SOURCE is a, WEIGHTS is b.
void fovea_primitive_call_bind(fovea_primitive_call *call, fovea_argument argument, void *pointer);
// Runs and waits. Returns 0, or oneDNN's status.
int32_t fovea_primitive_call_run(fovea_primitive_call *call);

// A call that computes a part of an operation. An operand of it may be spread over memory, `row_count` rows that are `row_stride`
// bytes apart; such rows are copied together before the call.
typedef struct {
    fovea_primitive_call *call;
    const void *rows;  // NULL: nothing is copied
    fovea_argument copied;
    int64_t row_count, row_bytes, row_stride;
} fovea_operation_part;

// What the parts of an operation share. `nanoseconds` is an estimate of what all of them take on one thread.
typedef struct {
    const fovea_operation_part *parts;
    int64_t part_count;
    double nanoseconds;
    // Of these parts as many may run at the same time as there are slots of scratch, each of `scratchpad_bytes` and, behind these,
    // `copied_bytes` for rows.
    int32_t slots;
    char *scratch;
    size_t scratchpad_bytes, copied_bytes;
} fovea_operation;

// Runs all parts and waits. Returns 0, or oneDNN's status of one that failed.
int32_t fovea_operation_run(const fovea_operation *operation);

// Adds `count` arrays of numbers, `stride` apart, to the sums, one after the other.
void fovea_add_parts(float *sums, const float *parts, int64_t count, int64_t stride, int64_t length);

// For example "2.6.3".
const char *fovea_onednn_version(void);
// 1 when the CPU has bfloat16 convolution kernels.
int32_t fovea_onednn_has_bfloat16(void);

#endif
