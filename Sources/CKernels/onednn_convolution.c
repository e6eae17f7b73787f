// Convolutions in the three directions.
#include "onednn_internal.h"

static const char *direction_name(fovea_direction direction) {
    switch (direction) {
    case FOVEA_FORWARD: return "forward";
    case FOVEA_BACKWARD_DATA: return "backward data";
    case FOVEA_BACKWARD_WEIGHTS: return "backward weights";
    }
    return "unknown direction";
}

static onednn_subject describe_convolution(const fovea_convolution *spec) {
    onednn_subject subject = {""};
    onednn_subject_add(&subject, "%s convolution %s", spec->winograd ? "Winograd" : "direct",
                       direction_name(spec->direction));
    onednn_subject_add_memory(&subject, "source", &spec->source);
    onednn_subject_add_memory(&subject, "weights", &spec->weights);
    if (spec->has_bias) onednn_subject_add_memory(&subject, "bias", &spec->bias);
    onednn_subject_add_memory(&subject, "destination", &spec->destination);
    onednn_subject_add_pair(&subject, "strides", spec->strides);
    onednn_subject_add_pair(&subject, "dilations", spec->dilations);
    onednn_subject_add_pair(&subject, "padding before", spec->padding_before);
    onednn_subject_add_pair(&subject, "padding after", spec->padding_after);
    return subject;
}

static int check_convolution(const fovea_convolution *spec, const onednn_subject *subject) {
    if (spec->source.rank != 4 || spec->destination.rank != 4 ||
        (spec->weights.rank != 4 && spec->weights.rank != 5)) {
        onednn_fail(subject, "images must have rank 4, and weights rank 4, or 5 with groups");
        return 0;
    }
    if (spec->relu && spec->direction != FOVEA_FORWARD) {
        onednn_fail(subject, "only a forward convolution takes a ReLU");
        return 0;
    }
    return onednn_check_pair(spec->strides, 1, "strides", subject) &&
           onednn_check_pair(spec->dilations, 1, "dilations", subject) &&
           onednn_check_pair(spec->padding_before, 0, "padding before", subject) &&
           onednn_check_pair(spec->padding_after, 0, "padding after", subject);
}

// The forward primitive that oneDNN wants to see with a backward one. Layouts and algorithm of the two need
// not agree, so this one leaves the layouts open and has one element type, which always exists.
static dnnl_primitive_desc_t make_hint(const fovea_convolution *spec, const dnnl_dims_t dilations,
                                       const onednn_subject *subject) {
    fovea_memory source = spec->source, weights = spec->weights, destination = spec->destination;
    source.is_any = weights.is_any = destination.is_any = 1;
    source.dtype = weights.dtype = destination.dtype;
    dnnl_memory_desc_t x, w, y;
    dnnl_engine_t engine = onednn_engine(subject);
    if (engine == NULL || !onednn_describe(&source, "source", subject, &x) ||
        !onednn_describe(&weights, "weights", subject, &w) ||
        !onednn_describe(&destination, "destination", subject, &y))
        return NULL;
    dnnl_convolution_desc_t operation;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &operation, dnnl_forward_training, dnnl_convolution_direct, &x, &w, NULL, &y, spec->strides,
        dilations, spec->padding_before, spec->padding_after);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&hint, &operation, NULL, engine, NULL);
    if (status != dnnl_success)
        onednn_fail(subject, "its forward convolution: %s", onednn_status_words(status));
    return hint;
}

static const onednn_operands input_gradient = {
    [FOVEA_ARG_SOURCE] = {dnnl_query_diff_src_md, 0, DNNL_ARG_DIFF_SRC},
    [FOVEA_ARG_WEIGHTS] = {dnnl_query_weights_md, 0, DNNL_ARG_WEIGHTS},
    [FOVEA_ARG_DESTINATION] = {dnnl_query_diff_dst_md, 0, DNNL_ARG_DIFF_DST},
    ONEDNN_WORK_OPERANDS,
};

static const onednn_operands kernel_gradient = {
    [FOVEA_ARG_SOURCE] = {dnnl_query_src_md, 0, DNNL_ARG_SRC},
    [FOVEA_ARG_WEIGHTS] = {dnnl_query_diff_weights_md, 0, DNNL_ARG_DIFF_WEIGHTS},
    [FOVEA_ARG_BIAS] = {dnnl_query_diff_weights_md, 1, DNNL_ARG_DIFF_BIAS},
    [FOVEA_ARG_DESTINATION] = {dnnl_query_diff_dst_md, 0, DNNL_ARG_DIFF_DST},
    ONEDNN_WORK_OPERANDS,
};

fovea_primitive *fovea_convolution_create(const fovea_convolution *spec) {
    onednn_subject subject = describe_convolution(spec);
    dnnl_memory_desc_t x, w, bias, y;
    if (!check_convolution(spec, &subject) || !onednn_describe(&spec->source, "source", &subject, &x) ||
        !onednn_describe(&spec->weights, "weights", &subject, &w) ||
        !onednn_describe(&spec->destination, "destination", &subject, &y) ||
        (spec->has_bias && !onednn_describe(&spec->bias, "bias", &subject, &bias)))
        return NULL;
    const dnnl_memory_desc_t *optional_bias = spec->has_bias ? &bias : NULL;
    dnnl_alg_kind_t algorithm = spec->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
    dnnl_dims_t dilations = {spec->dilations[0] - 1, spec->dilations[1] - 1};  // oneDNN counts the gaps

    dnnl_convolution_desc_t operation;
    dnnl_status_t status = dnnl_invalid_arguments;
    const onednn_operands *operands = &onednn_forward;
    switch (spec->direction) {
    case FOVEA_FORWARD:
        // Inference too: for it Winograd would want its weights in an opaque layout.
        status = dnnl_dilated_convolution_forward_desc_init(
            &operation, dnnl_forward_training, algorithm, &x, &w, optional_bias, &y, spec->strides, dilations,
            spec->padding_before, spec->padding_after);
        break;
    case FOVEA_BACKWARD_DATA:
        operands = &input_gradient;
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &operation, algorithm, &x, &w, &y, spec->strides, dilations, spec->padding_before,
            spec->padding_after);
        break;
    case FOVEA_BACKWARD_WEIGHTS:
        operands = &kernel_gradient;
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &operation, algorithm, &x, &w, optional_bias, &y, spec->strides, dilations, spec->padding_before,
            spec->padding_after);
        break;
    }
    if (status != dnnl_success) {
        onednn_fail(&subject, "%s", onednn_status_words(status));
        return NULL;
    }
    if (spec->direction == FOVEA_FORWARD) return onednn_create(&operation, NULL, spec->relu, *operands, &subject);
    dnnl_primitive_desc_t hint = make_hint(spec, dilations, &subject);
    if (hint == NULL) return NULL;
    fovea_primitive *primitive = onednn_create(&operation, hint, 0, *operands, &subject);
    dnnl_primitive_desc_destroy(hint);
    return primitive;
}
