// oneDNN 2: layouts are plain structs, and operations have descriptors of their own.
#include "onednn_library.h"

#if DNNL_VERSION_MAJOR == 2
#include <stdlib.h>

dnnl_status_t onednn_layout_create(onednn_layout **layout, const fovea_memory *memory, dnnl_data_type_t type,
                                   const int64_t *block) {
    onednn_layout *result = *layout = calloc(1, sizeof *result);
    if (result == NULL) return dnnl_out_of_memory;
    result->ndims = memory->rank;
    result->data_type = type;
    result->format_kind = memory->is_any ? dnnl_format_kind_any : dnnl_blocked;
    for (int32_t axis = 0; axis < memory->rank; axis++) {
        int64_t blocks = (memory->extents[axis] + block[axis] - 1) / block[axis];
        result->dims[axis] = memory->extents[axis];
        result->padded_dims[axis] = blocks * block[axis];
    }
    if (memory->is_any) return dnnl_success;
    dnnl_blocking_desc_t *blocking = &result->format_desc.blocking;
    for (int32_t axis = 0; axis < memory->rank; axis++) blocking->strides[axis] = memory->strides[axis];
    blocking->inner_nblks = memory->inner_count;
    for (int32_t k = 0; k < memory->inner_count; k++) {
        blocking->inner_blks[k] = memory->inner_blocks[k];
        blocking->inner_idxs[k] = memory->inner_axes[k];
    }
    return dnnl_success;
}

void onednn_layout_destroy(onednn_layout *layout) { free(layout); }

int onednn_layout_is_empty(const onednn_layout *layout) { return layout->ndims == 0; }

int onednn_layout_read(const onednn_layout *layout, onednn_layout_parts *parts) {
    if (layout->ndims < 1 || layout->format_kind != dnnl_blocked || layout->offset0 != 0 ||
        layout->extra.flags != dnnl_memory_extra_flag_none)
        return 0;
    const dnnl_blocking_desc_t *blocking = &layout->format_desc.blocking;
    *parts = (onednn_layout_parts){
        .rank = layout->ndims,
        .inner_count = blocking->inner_nblks,
        .type = layout->data_type,
        .extents = layout->dims,
        .padded_extents = layout->padded_dims,
        .padded_offsets = layout->padded_offsets,
        .strides = blocking->strides,
        .inner_blocks = blocking->inner_blks,
        .inner_axes = blocking->inner_idxs,
    };
    return 1;
}

dnnl_status_t onednn_append_relu(dnnl_post_ops_t post_ops, float ceiling) {
    if (ceiling > 0) return dnnl_post_ops_append_eltwise(post_ops, 1.0f, dnnl_eltwise_clip, 0.0f, ceiling);
    return dnnl_post_ops_append_eltwise(post_ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
}

// Describes the primitive of an operation descriptor that could be made.
static dnnl_status_t describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                              dnnl_status_t status, const_dnnl_op_desc_t operation) {
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(description, operation, setting->attributes, setting->engine,
                                      setting->hint);
}

dnnl_status_t onednn_convolution_describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                          const fovea_convolution *spec, const int64_t gaps[2],
                                          const onednn_layout *source, const onednn_layout *weights,
                                          const onednn_layout *bias, const onednn_layout *destination) {
    const dnnl_alg_kind_t algorithm = dnnl_convolution_direct;
    dnnl_convolution_desc_t operation;
    dnnl_status_t status = dnnl_invalid_arguments;
    switch (spec->direction) {
    case FOVEA_FORWARD:
        status = dnnl_dilated_convolution_forward_desc_init(
            &operation, dnnl_forward_training, algorithm, source, weights, bias, destination, spec->strides,
            gaps, spec->padding_before, spec->padding_after);
        break;
    case FOVEA_BACKWARD_DATA:
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &operation, algorithm, source, weights, destination, spec->strides, gaps, spec->padding_before,
            spec->padding_after);
        break;
    case FOVEA_BACKWARD_WEIGHTS:
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &operation, algorithm, source, weights, bias, destination, spec->strides, gaps,
            spec->padding_before, spec->padding_after);
        break;
    }
    return describe(description, setting, status, &operation);
}

dnnl_status_t onednn_pooling_describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                      const fovea_pooling *spec, const onednn_layout *source,
                                      const onednn_layout *destination) {
    dnnl_alg_kind_t algorithm =
        spec->counts_padding ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding;
    dnnl_pooling_desc_t operation;
    dnnl_status_t status =
        spec->direction == FOVEA_FORWARD
            ? dnnl_pooling_forward_desc_init(
                  &operation, dnnl_forward_training, algorithm, source, destination, spec->strides,
                  spec->window, spec->padding_before, spec->padding_after)
            : dnnl_pooling_backward_desc_init(&operation, algorithm, source, destination, spec->strides,
                                              spec->window, spec->padding_before, spec->padding_after);
    return describe(description, setting, status, &operation);
}

dnnl_status_t onednn_matmul_describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                     const onednn_layout *a, const onednn_layout *b, const onednn_layout *bias,
                                     const onednn_layout *c) {
    dnnl_matmul_desc_t operation;
    return describe(description, setting, dnnl_matmul_desc_init(&operation, a, b, bias, c), &operation);
}

#endif
