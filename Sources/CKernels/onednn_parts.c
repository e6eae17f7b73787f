// Operations of the library's, cut into parts that threads share out.
#include <stdatomic.h>
#include <string.h>

#include "fovea_onednn.h"
#include "threads.h"

typedef struct {
    const fovea_operation *operation;
    _Atomic int32_t status;
} operation_work;

static void copy_rows(const fovea_operation_part *part, char *copy) {
    const char *row = part->rows;
    for (int64_t i = 0; i < part->row_count; i++, row += part->row_stride, copy += part->row_bytes)
        memcpy(copy, row, (size_t)part->row_bytes);
}

static void run_part(void *context, int64_t number, int32_t slot) {
    operation_work *work = context;
    const fovea_operation *operation = work->operation;
    const fovea_operation_part *part = &operation->parts[number];
    size_t bytes = operation->scratchpad_bytes + operation->copied_bytes;
    char *scratch = bytes ? operation->scratch + (size_t)slot * bytes : NULL;
    if (operation->scratchpad_bytes) fovea_primitive_call_bind(part->call, FOVEA_ARG_SCRATCHPAD, scratch);
    if (part->rows) {
        copy_rows(part, scratch + operation->scratchpad_bytes);
        fovea_primitive_call_bind(part->call, part->copied, scratch + operation->scratchpad_bytes);
    }
    int32_t status = fovea_primitive_call_run(part->call);
    if (status != 0) atomic_store_explicit(&work->status, status, memory_order_relaxed);
}

int32_t fovea_operation_run(const fovea_operation *operation) {
    operation_work work = {.operation = operation};
    fovea_parallel_parts(operation->part_count, operation->slots, operation->nanoseconds, run_part, &work);
    return atomic_load_explicit(&work.status, memory_order_relaxed);
}

typedef struct {
    float *sums;
    const float *parts;
    int64_t count, stride, length;
} sum_work;

enum { sum_block = 1024 };

static void add_blocks(void *context, int64_t first, int64_t last) {
    const sum_work *work = context;
    int64_t end = last * sum_block < work->length ? last * sum_block : work->length;
    for (int64_t start = first * sum_block; start < end; start += sum_block) {
        int64_t stop = start + sum_block < end ? start + sum_block : end;
        for (int64_t part = 0; part < work->count; part++) {
            const float *numbers = work->parts + part * work->stride;
            for (int64_t i = start; i < stop; i++) work->sums[i] += numbers[i];
        }
    }
}

void fovea_add_parts(float *sums, const float *parts, int64_t count, int64_t stride, int64_t length) {
    sum_work work = {sums, parts, count, stride, length};
    double nanoseconds = 0.15 * (double)length * (double)count;
    fovea_parallel_for((length + sum_block - 1) / sum_block, nanoseconds, add_blocks, &work);
}
