// What the project uses of oneDNN where its versions differ, the same for all of them. onednn_library2.c and
// onednn_library3.c each implement it for the versions that they name; the library's header decides which of them counts.
#ifndef ONEDNN_LIBRARY_H
#define ONEDNN_LIBRARY_H
#include <oneapi/dnnl/dnnl.h>
#include "fovea_onednn.h"

// The library's own description of a layout, whose inside oneDNN 3 hides.
#if DNNL_VERSION_MAJOR >= 3
typedef struct dnnl_memory_desc onednn_layout;
#else
typedef dnnl_memory_desc_t onednn_layout;
#endif

// Makes a layout from terms that onednn_describe has checked. `block` is the product of an axis's inner blocks.
dnnl_status_t onednn_layout_create(onednn_layout **layout, const fovea_memory *memory, dnnl_data_type_t type,
                                   const int64_t *block);
void onednn_layout_destroy(onednn_layout *layout);
// 1 for what a primitive says of operands that it does not have.
int onednn_layout_is_empty(const onednn_layout *layout);

// What a layout of outer strides and inner blocks consists of. The arrays live as long as the layout.
typedef struct {
    int rank, inner_count;
    dnnl_data_type_t type;
    const int64_t *extents, *padded_extents, *padded_offsets, *strides, *inner_blocks, *inner_axes;
} onednn_layout_parts;

// Returns 0 for a layout of another kind.
int onednn_layout_read(const onednn_layout *layout, onednn_layout_parts *parts);

// With a ceiling if it is positive.
dnnl_status_t onednn_append_relu(dnnl_post_ops_t post_ops, float ceiling);

// What all primitives are made with.
typedef struct {
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;  // NULL: none
    dnnl_primitive_desc_t hint;        // of the forward primitive, for a backward one; NULL: none
} onednn_setting;

// Each describes the primitive of an operation. Layouts of gradients stand where those of what they belong to would; `bias`
// may be NULL. `gaps` are dilations as oneDNN counts them, 0 for a dense window.
dnnl_status_t onednn_convolution_describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                          const fovea_convolution *spec, const int64_t gaps[2],
                                          const onednn_layout *source, const onednn_layout *weights,
                                          const onednn_layout *bias, const onednn_layout *destination);
dnnl_status_t onednn_pooling_describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                      const fovea_pooling *spec, const onednn_layout *source,
                                      const onednn_layout *destination);
dnnl_status_t onednn_matmul_describe(dnnl_primitive_desc_t *description, const onednn_setting *setting,
                                     const onednn_layout *a, const onednn_layout *b, const onednn_layout *bias,
                                     const onednn_layout *c);

#endif
