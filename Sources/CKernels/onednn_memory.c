// Layouts: from the project's terms to oneDNN's and back, and the messages that quote them.
#include <oneapi/dnnl/dnnl_debug.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "onednn_internal.h"

static _Thread_local char last_message[1280];

const char *fovea_onednn_message(void) { return last_message; }

void onednn_subject_add(onednn_subject *subject, const char *format, ...) {
    size_t length = strlen(subject->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(subject->text + length, sizeof subject->text - length, format, arguments);
    va_end(arguments);
}

void onednn_fail(const onednn_subject *subject, const char *format, ...) {
    int length = snprintf(last_message, sizeof last_message, "oneDNN, %s: ", subject->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_message + length, sizeof last_message - (size_t)length, format, arguments);
    va_end(arguments);
}

const char *onednn_status_words(dnnl_status_t status) {
    switch (status) {
    case dnnl_success: return "success";
    case dnnl_out_of_memory: return "out of memory";
    case dnnl_invalid_arguments: return "invalid arguments";
    case dnnl_unimplemented: return "unimplemented";
    case dnnl_runtime_error: return "runtime error";
    default: return dnnl_status2str(status);
    }
}

static const char *dtype_name(fovea_dtype dtype) {
    switch (dtype) {
    case FOVEA_FLOAT32: return "float32";
    case FOVEA_BFLOAT16: return "bfloat16";
    case FOVEA_INT32: return "int32";
    case FOVEA_UINT8: return "uint8";
    case FOVEA_BOOL: return "bool";
    }
    return "unknown type";
}

static dnnl_data_type_t data_type(fovea_dtype dtype) {
    switch (dtype) {
    case FOVEA_FLOAT32: return dnnl_f32;
    case FOVEA_BFLOAT16: return dnnl_bf16;
    case FOVEA_INT32: return dnnl_s32;
    case FOVEA_UINT8: return dnnl_u8;
    case FOVEA_BOOL: return dnnl_data_type_undef;  // a conversion to it would not give 0 and 1
    }
    return dnnl_data_type_undef;
}

void onednn_subject_add_pair(onednn_subject *subject, const char *name, const int64_t pair[2]) {
    onednn_subject_add(subject, ", %s %lldx%lld", name, (long long)pair[0], (long long)pair[1]);
}

void onednn_subject_add_memory(onednn_subject *subject, const char *name, const fovea_memory *memory) {
    onednn_subject_add(subject, ", %s ", name);
    int32_t rank = memory->rank < FOVEA_ONEDNN_MAX_RANK ? memory->rank : FOVEA_ONEDNN_MAX_RANK;
    for (int32_t axis = 0; axis < rank; axis++)
        onednn_subject_add(subject, axis == 0 ? "%lld" : "x%lld", (long long)memory->extents[axis]);
    onednn_subject_add(subject, " %s", dtype_name(memory->dtype));
}

int onednn_check_pair(const int64_t pair[2], int64_t least, const char *name, const onednn_subject *subject) {
    if (pair[0] >= least && pair[1] >= least) return 1;
    onednn_fail(subject, "%s %lldx%lld must be at least %lld", name, (long long)pair[0], (long long)pair[1],
                (long long)least);
    return 0;
}

void onednn_free_layout(onednn_layout **layout) {
    if (*layout != NULL) onednn_layout_destroy(*layout);
    *layout = NULL;
}

// Multiplies the inner blocks of each axis, up to the first that has no size or no axis; returns how many there were.
static int32_t multiply_blocks(int32_t rank, int32_t count, const int64_t *sizes, const int64_t *axes,
                               int64_t *block) {
    for (int32_t axis = 0; axis < rank; axis++) block[axis] = 1;
    for (int32_t k = 0; k < count; k++) {
        if (axes[k] < 0 || axes[k] >= rank || sizes[k] < 1) return k;
        block[axes[k]] *= sizes[k];
    }
    return count;
}

static int64_t block_count(int64_t extent, int64_t block) { return (extent + block - 1) / block; }

int onednn_describe(const fovea_memory *memory, const char *name, const onednn_subject *subject,
                    onednn_layout **layout) {
    onednn_free_layout(layout);
    if (memory->rank < 1 || memory->rank > FOVEA_ONEDNN_MAX_RANK) {
        onednn_fail(subject, "the %s has rank %d, not 1 to %d", name, memory->rank, FOVEA_ONEDNN_MAX_RANK);
        return 0;
    }
    if (data_type(memory->dtype) == dnnl_data_type_undef) {
        onednn_fail(subject, "the %s cannot have elements of type %s", name, dtype_name(memory->dtype));
        return 0;
    }
    int32_t inner_count = memory->is_any ? 0 : memory->inner_count;
    if (inner_count < 0 || inner_count > FOVEA_ONEDNN_MAX_RANK) {
        onednn_fail(subject, "the %s has %d inner blocks, not 0 to %d", name, inner_count,
                    FOVEA_ONEDNN_MAX_RANK);
        return 0;
    }
    int64_t block[FOVEA_ONEDNN_MAX_RANK];
    int32_t right =
        multiply_blocks(memory->rank, inner_count, memory->inner_blocks, memory->inner_axes, block);
    if (right < inner_count) {
        onednn_fail(subject, "the %s has an inner block of %lld along axis %lld", name,
                    (long long)memory->inner_blocks[right], (long long)memory->inner_axes[right]);
        return 0;
    }
    for (int32_t axis = 0; axis < memory->rank; axis++) {
        if (memory->extents[axis] < 0) {
            onednn_fail(subject, "the %s has a negative extent", name);
            return 0;
        }
        int64_t stride = memory->strides[axis];
        if (memory->is_any || stride > 0) continue;
        if (stride < 0 || block_count(memory->extents[axis], block[axis]) > 1) {
            onednn_fail(subject, "the %s has stride %lld along axis %d", name, (long long)stride, axis);
            return 0;
        }
    }
    dnnl_status_t status = onednn_layout_create(layout, memory, data_type(memory->dtype), block);
    if (status == dnnl_success) return 1;
    onednn_fail(subject, "the layout of the %s: %s", name, onednn_status_words(status));
    return 0;
}

int onednn_decode(const onednn_layout *layout, fovea_memory *memory) {
    onednn_layout_parts parts;
    if (!onednn_layout_read(layout, &parts)) return 0;
    fovea_memory result = {.rank = parts.rank, .inner_count = parts.inner_count};
    switch (parts.type) {
    case dnnl_f32: result.dtype = FOVEA_FLOAT32; break;
    case dnnl_bf16: result.dtype = FOVEA_BFLOAT16; break;
    case dnnl_s32: result.dtype = FOVEA_INT32; break;
    case dnnl_u8: result.dtype = FOVEA_UINT8; break;
    default: return 0;
    }
    int64_t block[FOVEA_ONEDNN_MAX_RANK];
    multiply_blocks(parts.rank, parts.inner_count, parts.inner_blocks, parts.inner_axes, block);
    for (int32_t k = 0; k < parts.inner_count; k++) {
        result.inner_blocks[k] = parts.inner_blocks[k];
        result.inner_axes[k] = parts.inner_axes[k];
    }
    for (int32_t axis = 0; axis < parts.rank; axis++) {
        result.extents[axis] = parts.extents[axis];
        result.strides[axis] = parts.strides[axis];
        // Padding beyond that of the blocks has no place in a fovea_memory.
        int64_t padded = block_count(parts.extents[axis], block[axis]) * block[axis];
        if (parts.padded_extents[axis] != padded || parts.padded_offsets[axis] != 0) return 0;
    }
    *memory = result;
    return 1;
}

size_t fovea_memory_bytes(const fovea_memory *memory) {
    fovea_memory stored = *memory;
    if (stored.is_any) return 0;
    if (stored.dtype == FOVEA_BOOL) stored.dtype = FOVEA_UINT8;  // the same size
    onednn_subject subject = {"size of a layout"};
    ONEDNN_LOCAL_LAYOUT layout = NULL;
    return onednn_describe(&stored, "memory", &subject, &layout) ? dnnl_memory_desc_get_size(layout) : 0;
}

int32_t fovea_memory_part(const fovea_memory *memory, int32_t axis, int64_t first, int64_t count, fovea_memory *part,
                          size_t *offset) {
    if (memory->is_any || axis < 0 || axis >= memory->rank) return 0;
    int64_t block[FOVEA_ONEDNN_MAX_RANK];
    multiply_blocks(memory->rank, memory->inner_count, memory->inner_blocks, memory->inner_axes, block);
    int64_t stride = memory->strides[axis];
    if (first % block[axis] != 0) return 0;
    fovea_memory result = *memory;
    result.extents[axis] = count;
    for (int32_t other = 0; other < memory->rank; other++) {
        if (memory->strides[other] <= stride) continue;
        if (block_count(memory->extents[other], block[other]) > 1) return 0;
        result.strides[other] = stride * block_count(count, block[axis]);
    }
    *part = result;
    *offset = (size_t)(first / block[axis] * stride) * (memory->dtype == FOVEA_FLOAT32 || memory->dtype == FOVEA_INT32 ? 4
                                                        : memory->dtype == FOVEA_BFLOAT16 ? 2 : 1);
    return 1;
}
