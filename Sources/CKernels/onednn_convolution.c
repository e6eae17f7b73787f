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
    onednn_subject_add(&subject, "convolution %s", direction_name(spec->direction));
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

// The forward primitive that oneDNN wants to see with a backward one. Layouts of the two need not agree, so this one leaves
// the layouts open and has one element type, which always exists.
static int make_hint(onednn_setting *setting, const fovea_convolution *spec, const int64_t gaps[2],
                     const onednn_subject *subject) {
    fovea_convolution forward = *spec;
    forward.direction = FOVEA_FORWARD;
    forward.source.is_any = forward.weights.is_any = forward.destination.is_any = 1;
    forward.source.dtype = forward.weights.dtype = forward.destination.dtype;
    ONEDNN_LOCAL_LAYOUT x = NULL;
    ONEDNN_LOCAL_LAYOUT w = NULL;
    ONEDNN_LOCAL_LAYOUT y = NULL;
    if (!onednn_describe(&forward.source, "source", subject, &x) ||
        !onednn_describe(&forward.weights, "weights", subject, &w) ||
        !onednn_describe(&forward.destination, "destination", subject, &y))
        return 0;
    const onednn_setting plain = {.engine = setting->engine};
    dnnl_status_t status =
        onednn_convolution_describe(&setting->hint, &plain, &forward, gaps, x, w, NULL, y);
    if (status == dnnl_success) return 1;
    onednn_fail(subject, "its forward convolution: %s", onednn_status_words(status));
    return 0;
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
    static const onednn_operands *const operands[] = {
        [FOVEA_FORWARD] = &onednn_forward,
        [FOVEA_BACKWARD_DATA] = &input_gradient,
        [FOVEA_BACKWARD_WEIGHTS] = &kernel_gradient,
    };
    onednn_subject subject = describe_convolution(spec);
    ONEDNN_LOCAL_LAYOUT x = NULL;
    ONEDNN_LOCAL_LAYOUT w = NULL;
    ONEDNN_LOCAL_LAYOUT bias = NULL;
    ONEDNN_LOCAL_LAYOUT y = NULL;
    ONEDNN_LOCAL_SETTING setting = {0};
    if (!check_convolution(spec, &subject) || !onednn_describe(&spec->source, "source", &subject, &x) ||
        !onednn_describe(&spec->weights, "weights", &subject, &w) ||
        !onednn_describe(&spec->destination, "destination", &subject, &y) ||
        (spec->has_bias && !onednn_describe(&spec->bias, "bias", &subject, &bias)) ||
        !onednn_prepare(&setting, spec->relu, spec->ceiling, &subject))
        return NULL;
    const int64_t gaps[2] = {spec->dilations[0] - 1, spec->dilations[1] - 1};  // oneDNN counts these
    if (spec->direction != FOVEA_FORWARD && !make_hint(&setting, spec, gaps, &subject)) return NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = onednn_convolution_describe(&description, &setting, spec, gaps, x, w, bias, y);
    return onednn_finish(status, description, *operands[spec->direction], &subject);
}
