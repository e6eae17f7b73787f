// Layouts: from the project's terms to oneDNN's and back, and the messages that quote them.
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
    case dnnl_iterator_ends: return "no further implementation";
    case dnnl_runtime_error: return "runtime error";
    case dnnl_not_required: return "not required";
    }
    return "unknown status";
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

int onednn_describe(const fovea_memory *memory, const char *name, const onednn_subject *subject,
                    dnnl_memory_desc_t *description) {
    if (memory->rank < 1 || memory->rank > FOVEA_ONEDNN_MAX_RANK) {
        onednn_fail(subject, "the %s has rank %d, not 1 to %d", name, memory->rank, FOVEA_ONEDNN_MAX_RANK);
        return 0;
    }
    if (data_type(memory->dtype) == dnnl_data_type_undef) {
        onednn_fail(subject, "the %s cannot have elements of type %s", name, dtype_name(memory->dtype));
        return 0;
    }
    memset(description, 0, sizeof *description);
    description->ndims = memory->rank;
    description->data_type = data_type(memory->dtype);
    for (int32_t axis = 0; axis < memory->rank; axis++) {
        if (memory->extents[axis] < 0) {
            onednn_fail(subject, "the %s has a negative extent", name);
            return 0;
        }
        description->dims[axis] = description->padded_dims[axis] = memory->extents[axis];
    }
    if (memory->is_any) {
        description->format_kind = dnnl_format_kind_any;
        return 1;
    }
    if (memory->inner_count < 0 || memory->inner_count > FOVEA_ONEDNN_MAX_RANK) {
        onednn_fail(subject, "the %s has %d inner blocks, not 0 to %d", name, memory->inner_count,
                    FOVEA_ONEDNN_MAX_RANK);
        return 0;
    }
    int64_t block[FOVEA_ONEDNN_MAX_RANK];
    for (int32_t axis = 0; axis < memory->rank; axis++) block[axis] = 1;
    description->format_kind = dnnl_blocked;
    dnnl_blocking_desc_t *blocking = &description->format_desc.blocking;
    blocking->inner_nblks = memory->inner_count;
    for (int32_t k = 0; k < memory->inner_count; k++) {
        int64_t axis = memory->inner_axes[k], size = memory->inner_blocks[k];
        if (axis < 0 || axis >= memory->rank || size < 1) {
            onednn_fail(subject, "the %s has an inner block of %lld along axis %lld", name, (long long)size,
                        (long long)axis);
            return 0;
        }
        blocking->inner_blks[k] = size;
        blocking->inner_idxs[k] = axis;
        block[axis] *= size;
    }
    for (int32_t axis = 0; axis < memory->rank; axis++) {
        int64_t blocks = (memory->extents[axis] + block[axis] - 1) / block[axis];
        if (memory->strides[axis] < 0 || (memory->strides[axis] == 0 && blocks > 1)) {
            onednn_fail(subject, "the %s has stride %lld along axis %d", name,
                        (long long)memory->strides[axis], axis);
            return 0;
        }
        description->padded_dims[axis] = blocks * block[axis];
        blocking->strides[axis] = memory->strides[axis];
    }
    return 1;
}

int onednn_decode(const dnnl_memory_desc_t *description, fovea_memory *memory) {
    if (description->ndims < 1 || description->format_kind != dnnl_blocked || description->offset0 != 0 ||
        description->extra.flags != dnnl_memory_extra_flag_none)
        return 0;
    fovea_memory result = {.rank = description->ndims};
    switch (description->data_type) {
    case dnnl_f32: result.dtype = FOVEA_FLOAT32; break;
    case dnnl_bf16: result.dtype = FOVEA_BFLOAT16; break;
    case dnnl_s32: result.dtype = FOVEA_INT32; break;
    case dnnl_u8: result.dtype = FOVEA_UINT8; break;
    default: return 0;
    }
    const dnnl_blocking_desc_t *blocking = &description->format_desc.blocking;
    int64_t block[FOVEA_ONEDNN_MAX_RANK];
    for (int32_t axis = 0; axis < result.rank; axis++) block[axis] = 1;
    result.inner_count = blocking->inner_nblks;
    for (int32_t k = 0; k < result.inner_count; k++) {
        result.inner_blocks[k] = blocking->inner_blks[k];
        result.inner_axes[k] = blocking->inner_idxs[k];
        block[result.inner_axes[k]] *= result.inner_blocks[k];
    }
    for (int32_t axis = 0; axis < result.rank; axis++) {
        result.extents[axis] = description->dims[axis];
        result.strides[axis] = blocking->strides[axis];
        // Padding beyond that of the blocks has no place in a fovea_memory.
        int64_t padded = (result.extents[axis] + block[axis] - 1) / block[axis] * block[axis];
        if (description->padded_dims[axis] != padded || description->padded_offsets[axis] != 0) return 0;
    }
    *memory = result;
    return 1;
}

size_t fovea_memory_bytes(const fovea_memory *memory) {
    fovea_memory stored = *memory;
    if (stored.is_any) return 0;
    if (stored.dtype == FOVEA_BOOL) stored.dtype = FOVEA_UINT8;  // the same size
    onednn_subject subject = {"size of a layout"};
    dnnl_memory_desc_t description;
    if (!onednn_describe(&stored, "memory", &subject, &description)) return 0;
    return dnnl_memory_desc_get_size(&description);
}
