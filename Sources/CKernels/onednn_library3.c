// oneDNN 3: layouts are opaque, and primitives are described directly.
#include "onednn_library.h"

#if DNNL_VERSION_MAJOR >= 3
#include <ctype.h>
#include <oneapi/dnnl/dnnl_debug.h>
#include <stdlib.h>
#include <string.h>

// Whether a layout that the library made has the outer strides that are wanted.
static int has_strides(const onednn_layout *layout, const fovea_memory *memory, const int64_t *block) {
    onednn_layout_parts parts;
    if (!onednn_layout_read(layout, &parts)) return 0;
    for (int32_t axis = 0; axis < memory->rank; axis++)
        if (memory->extents[axis] > block[axis] && parts.strides[axis] != memory->strides[axis]) return 0;
    return 1;
}

// Layouts with inner blocks can be made by name only. A name has a letter for each axis, the outermost first, and then the
// blocks: "aBcd16b" is images with channels in blocks of 16. Returns 0 where the blocks are others; otherwise says for which
// of the layout's axes the letters of blocks stand, and -1 for other letters.
static int match_blocks(const char *name, const fovea_memory *memory, int *axis_of_letter) {
    if (strcspn(name, "0123456789") != (size_t)memory->rank) return 0;
    uint32_t named = 0;  // axes of the layout, as bits
    for (int32_t letter = 0; letter < memory->rank; letter++) axis_of_letter[letter] = -1;
    const char *rest = name + memory->rank;
    for (int32_t k = 0; k < memory->inner_count; k++) {
        char *end = NULL;
        if (strtoll(rest, &end, 10) != memory->inner_blocks[k]) return 0;
        int *axis = &axis_of_letter[*end - 'a'], wanted = (int)memory->inner_axes[k];
        if (*axis != wanted && (*axis >= 0 || named >> wanted & 1)) return 0;
        *axis = wanted;
        named |= 1u << wanted;
        rest = end + 1;
    }
    return *rest == 0;
}

// Lets each letter stand for its own axis; returns 0 where a letter of a block does not.
static int name_in_order(int32_t rank, int *axis_of_letter) {
    for (int32_t letter = 0; letter < rank; letter++) {
        if (axis_of_letter[letter] >= 0 && axis_of_letter[letter] != letter) return 0;
        axis_of_letter[letter] = letter;
    }
    return 1;
}

// Lets the letters without blocks stand for the axes without blocks, both from the outermost to the innermost.
static void name_by_strides(const char *name, const fovea_memory *memory, int *axis_of_letter) {
    uint32_t named = 0;
    for (int32_t letter = 0; letter < memory->rank; letter++)
        if (axis_of_letter[letter] >= 0) named |= 1u << axis_of_letter[letter];
    for (int32_t place = 0; place < memory->rank; place++) {
        int *outermost = &axis_of_letter[tolower(name[place]) - 'a'];
        if (*outermost >= 0) continue;
        for (int axis = 0; axis < memory->rank; axis++)
            if (!(named >> axis & 1) && (*outermost < 0 || memory->strides[axis] > memory->strides[*outermost]))
                *outermost = axis;
        named |= 1u << *outermost;
    }
}

// The layout of a name's letters, with the axes renamed.
static dnnl_status_t create_by_name(onednn_layout **layout, const fovea_memory *memory, dnnl_data_type_t type,
                                    dnnl_format_tag_t tag, const int *axis_of_letter) {
    int64_t extents[FOVEA_ONEDNN_MAX_RANK];
    for (int32_t letter = 0; letter < memory->rank; letter++)
        extents[letter] = memory->extents[axis_of_letter[letter]];
    onednn_layout *by_letters = NULL;
    dnnl_status_t status =
        dnnl_memory_desc_create_with_tag(&by_letters, memory->rank, extents, type, tag);
    if (status == dnnl_success) status = dnnl_memory_desc_permute_axes(layout, by_letters, axis_of_letter);
    if (by_letters != NULL) dnnl_memory_desc_destroy(by_letters);
    return status;
}

// Of the names with the right blocks the strides decide. Kernels know layouts whose letters are in order, so these come first.
static dnnl_status_t create_blocked(onednn_layout **layout, const fovea_memory *memory, dnnl_data_type_t type,
                                    const int64_t *block) {
    for (int is_renamed = 0; is_renamed < 2; is_renamed++)
        for (int tag = dnnl_format_tag_any + 1; tag < dnnl_format_tag_last; tag++) {
            const char *name = dnnl_fmt_tag2str((dnnl_format_tag_t)tag);
            int axis_of_letter[FOVEA_ONEDNN_MAX_RANK];
            if (!match_blocks(name, memory, axis_of_letter)) continue;
            if (is_renamed)
                name_by_strides(name, memory, axis_of_letter);
            else if (!name_in_order(memory->rank, axis_of_letter))
                continue;
            dnnl_status_t status =
                create_by_name(layout, memory, type, (dnnl_format_tag_t)tag, axis_of_letter);
            if (status != dnnl_success) return status;
            if (has_strides(*layout, memory, block)) return dnnl_success;
            dnnl_memory_desc_destroy(*layout);
            *layout = NULL;
        }
    return dnnl_unimplemented;
}

dnnl_status_t onednn_layout_create(onednn_layout **layout, const fovea_memory *memory, dnnl_data_type_t type,
                                   const int64_t *block) {
    *layout = NULL;
    if (memory->is_any)
        return dnnl_memory_desc_create_with_tag(layout, memory->rank, memory->extents, type,
                                                dnnl_format_tag_any);
    if (memory->inner_count > 0) return create_blocked(layout, memory, type, block);
    return dnnl_memory_desc_create_with_strides(layout, memory->rank, memory->extents, type, memory->strides);
}

void onednn_layout_destroy(onednn_layout *layout) { dnnl_memory_desc_destroy(layout); }

int onednn_layout_is_empty(const onednn_layout *layout) {
    int rank = 0;
    return dnnl_memory_desc_query(layout, dnnl_query_ndims_s32, &rank) != dnnl_success || rank == 0;
}

int onednn_layout_read(const onednn_layout *layout, onednn_layout_parts *parts) {
    onednn_layout_parts result = {0};
    dnnl_format_kind_t kind = dnnl_format_kind_undef;
    int64_t offset = 0;
    const struct {
        dnnl_query_t what;
        void *result;
    } queries[] = {
        {dnnl_query_format_kind, &kind},
        {dnnl_query_submemory_offset_s64, &offset},
        {dnnl_query_ndims_s32, &result.rank},
        {dnnl_query_inner_nblks_s32, &result.inner_count},
        {dnnl_query_data_type, &result.type},
        {dnnl_query_dims, &result.extents},
        {dnnl_query_padded_dims, &result.padded_extents},
        {dnnl_query_padded_offsets, &result.padded_offsets},
        {dnnl_query_strides, &result.strides},
        {dnnl_query_inner_blks, &result.inner_blocks},
        {dnnl_query_inner_idxs, &result.inner_axes},
    };
    for (size_t k = 0; k < sizeof queries / sizeof *queries; k++)
        if (dnnl_memory_desc_query(layout, queries[k].what, queries[k].result) != dnnl_success) return 0;
    if (kind != dnnl_blocked || result.rank < 1 || offset != 0) return 0;
    *parts = result;
    return 1;
}

dnnl_status_t onednn_append_relu(dnnl_post_ops_t post_ops, float ceiling) {
    if (ceiling > 0) return dnnl_post_ops_append_eltwise(post_ops, dnnl_eltwise_clip, 0.0f, ceiling);
    return dnnl_post_ops_append_eltwise(post_ops, dnnl_eltwise_relu, 0.0f, 0.0f);
}

// Whether what arrives from above has the layout of the forward convolution's result.
static int agrees_with(const_dnnl_primitive_desc_t forward, const_dnnl_primitive_desc_t gradient) {
    return dnnl_memory_desc_equal(dnnl_primitive_desc_query_md(forward, dnnl_query_dst_md, 0),
                                  dnnl_primitive_desc_query_md(gradient, dnnl_query_diff_dst_md, 0));
}

static dnnl_status_t describe_input_gradient(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                             const fovea_convolution *spec, const int64_t gaps[2],
                                             const onednn_layout *source, const onednn_layout *weights,
                                             const onednn_layout *destination) {
    return dnnl_convolution_backward_data_primitive_desc_create(
        description, setting->engine, dnnl_convolution_direct, source, weights, destination, spec->strides,
        gaps, spec->padding_before, spec->padding_after, setting->hint, setting->attributes);
}

// The library's first choice for strides has channels innermost, where the kernels of the other directions want them in
// blocks. A kernel that agrees with these, where there is one, needs no layout change on either side, and is faster itself
// for batches of large images.
static dnnl_status_t describe_agreeing_gradient(dnnl_primitive_desc_t *description,
                                                const onednn_setting *setting, const fovea_convolution *spec,
                                                const int64_t gaps[2], const onednn_layout *source,
                                                const onednn_layout *weights,
                                                const onednn_layout *destination) {
    dnnl_status_t status =
        describe_input_gradient(description, setting, spec, gaps, source, weights, destination);
    if (status != dnnl_success || !spec->destination.is_any) return status;
    dnnl_primitive_desc_t other = NULL;
    status = describe_input_gradient(&other, setting, spec, gaps, source, weights, destination);
    while (status == dnnl_success && !agrees_with(setting->hint, other))
        status = dnnl_primitive_desc_next_impl(other);
    if (status == dnnl_success) {
        dnnl_primitive_desc_t first = *description;
        *description = other;
        other = first;
    }
    if (other != NULL) dnnl_primitive_desc_destroy(other);
    return dnnl_success;
}

dnnl_status_t onednn_convolution_describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                          const fovea_convolution *spec, const int64_t gaps[2],
                                          const onednn_layout *source, const onednn_layout *weights,
                                          const onednn_layout *bias, const onednn_layout *destination) {
    switch (spec->direction) {
    case FOVEA_FORWARD:
        return dnnl_convolution_forward_primitive_desc_create(
            description, setting->engine, dnnl_forward_training, dnnl_convolution_direct, source, weights, bias,
            destination, spec->strides, gaps, spec->padding_before, spec->padding_after, setting->attributes);
    case FOVEA_BACKWARD_DATA:
        return describe_agreeing_gradient(description, setting, spec, gaps, source, weights, destination);
    case FOVEA_BACKWARD_WEIGHTS:
        return dnnl_convolution_backward_weights_primitive_desc_create(
            description, setting->engine, dnnl_convolution_direct, source, weights, bias, destination,
            spec->strides, gaps, spec->padding_before, spec->padding_after, setting->hint, setting->attributes);
    }
    return dnnl_invalid_arguments;
}

dnnl_status_t onednn_pooling_describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                      const fovea_pooling *spec, const onednn_layout *source,
                                      const onednn_layout *destination) {
    dnnl_alg_kind_t algorithm =
        spec->counts_padding ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding;
    const dnnl_dims_t gaps = {0, 0};
    if (spec->direction == FOVEA_FORWARD)
        return dnnl_pooling_forward_primitive_desc_create(
            description, setting->engine, dnnl_forward_training, algorithm, source, destination, spec->strides,
            spec->window, gaps, spec->padding_before, spec->padding_after, setting->attributes);
    return dnnl_pooling_backward_primitive_desc_create(
        description, setting->engine, algorithm, source, destination, spec->strides, spec->window, gaps,
        spec->padding_before, spec->padding_after, setting->hint, setting->attributes);
}

dnnl_status_t onednn_matmul_describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                     const onednn_layout *a, const onednn_layout *b, const onednn_layout *bias,
                                     const onednn_layout *c) {
    return dnnl_matmul_primitive_desc_create(description, setting->engine, a, b, bias, c, setting->attributes);
}

#endif
