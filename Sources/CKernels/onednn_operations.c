// Average pooling, matrix product and reorder.
#include "onednn_internal.h"

// oneDNN's pooling picks no layouts: an open one becomes dense, with the other's order of axes and blocks.
static void adopt_layout(fovea_memory *memory, const fovea_memory *model) {
    int64_t block[FOVEA_ONEDNN_MAX_RANK], dense = 1;
    memory->is_any = 0;
    memory->inner_count = model->inner_count;
    for (int32_t axis = 0; axis < memory->rank; axis++) block[axis] = 1;
    for (int32_t k = 0; k < model->inner_count; k++) {
        memory->inner_blocks[k] = model->inner_blocks[k];
        memory->inner_axes[k] = model->inner_axes[k];
        block[model->inner_axes[k]] *= model->inner_blocks[k];
        dense *= model->inner_blocks[k];
    }
    uint32_t placed = 0;
    for (int32_t step = 0; step < memory->rank; step++) {
        int32_t next = -1;  // the unplaced axis with the smallest stride; of equals, the last
        for (int32_t axis = 0; axis < memory->rank; axis++)
            if (!(placed >> axis & 1) && (next < 0 || model->strides[axis] <= model->strides[next]))
                next = axis;
        placed |= 1u << next;
        memory->strides[next] = dense;
        dense *= (memory->extents[next] + block[next] - 1) / block[next];
    }
}

static int check_pooling(const fovea_pooling *spec, const onednn_subject *subject) {
    if (spec->source.rank != 4 || spec->destination.rank != 4) {
        onednn_fail(subject, "images must have rank 4");
        return 0;
    }
    if (spec->direction == FOVEA_BACKWARD_WEIGHTS) {
        onednn_fail(subject, "pooling has no weights");
        return 0;
    }
    if (spec->source.is_any && spec->destination.is_any) {
        onednn_fail(subject, "the source or the destination must have a layout");
        return 0;
    }
    return onednn_check_pair(spec->window, 1, "window", subject) &&
           onednn_check_pair(spec->strides, 1, "strides", subject) &&
           onednn_check_pair(spec->padding_before, 0, "padding before", subject) &&
           onednn_check_pair(spec->padding_after, 0, "padding after", subject);
}

static const onednn_operands pooling_gradient = {
    [FOVEA_ARG_SOURCE] = {dnnl_query_diff_src_md, 0, DNNL_ARG_DIFF_SRC},
    [FOVEA_ARG_DESTINATION] = {dnnl_query_diff_dst_md, 0, DNNL_ARG_DIFF_DST},
    ONEDNN_WORK_OPERANDS,
};

fovea_primitive *fovea_pooling_create(const fovea_pooling *spec) {
    onednn_subject subject = {""};
    onednn_subject_add(&subject, "average pooling %s", spec->direction == FOVEA_FORWARD ? "forward" : "backward");
    onednn_subject_add_memory(&subject, "source", &spec->source);
    onednn_subject_add_memory(&subject, "destination", &spec->destination);
    onednn_subject_add_pair(&subject, "window", spec->window);
    onednn_subject_add_pair(&subject, "strides", spec->strides);
    onednn_subject_add_pair(&subject, "padding before", spec->padding_before);
    onednn_subject_add_pair(&subject, "padding after", spec->padding_after);
    fovea_memory source = spec->source, destination = spec->destination;
    ONEDNN_LOCAL_LAYOUT x = NULL;
    ONEDNN_LOCAL_LAYOUT y = NULL;
    ONEDNN_LOCAL_SETTING setting = {0};
    if (!check_pooling(spec, &subject)) return NULL;
    // Describing the layout that is given also checks it before the other adopts it.
    if (!onednn_describe(&source, "source", &subject, &x) ||
        !onednn_describe(&destination, "destination", &subject, &y))
        return NULL;
    if (source.is_any) adopt_layout(&source, &destination);
    if (destination.is_any) adopt_layout(&destination, &source);
    if (!onednn_describe(&source, "source", &subject, &x) ||
        !onednn_describe(&destination, "destination", &subject, &y) || !onednn_prepare(&setting, 0, 0, &subject))
        return NULL;

    dnnl_status_t status = dnnl_success;
    if (spec->direction != FOVEA_FORWARD) {
        const onednn_setting plain = {.engine = setting.engine};
        fovea_pooling forward = *spec;
        forward.direction = FOVEA_FORWARD;
        status = onednn_pooling_describe(&setting.hint, &plain, &forward, x, y);
    }
    dnnl_primitive_desc_t description = NULL;
    if (status == dnnl_success) status = onednn_pooling_describe(&description, &setting, spec, x, y);
    return onednn_finish(status, description,
                         spec->direction == FOVEA_FORWARD ? onednn_forward : pooling_gradient, &subject);
}

fovea_primitive *fovea_matmul_create(const fovea_matmul *spec) {
    onednn_subject subject = {"matrix product"};
    onednn_subject_add_memory(&subject, "a", &spec->a);
    onednn_subject_add_memory(&subject, "b", &spec->b);
    if (spec->has_bias) onednn_subject_add_memory(&subject, "bias", &spec->bias);
    onednn_subject_add_memory(&subject, "c", &spec->c);
    if (spec->a.rank < 2 || spec->a.rank > 3) {
        onednn_fail(&subject, "operands must have rank 2, or 3 with a batch");
        return NULL;
    }
    ONEDNN_LOCAL_LAYOUT a = NULL;
    ONEDNN_LOCAL_LAYOUT b = NULL;
    ONEDNN_LOCAL_LAYOUT bias = NULL;
    ONEDNN_LOCAL_LAYOUT c = NULL;
    ONEDNN_LOCAL_SETTING setting = {0};
    if (!onednn_describe(&spec->a, "a", &subject, &a) || !onednn_describe(&spec->b, "b", &subject, &b) ||
        !onednn_describe(&spec->c, "c", &subject, &c) ||
        (spec->has_bias && !onednn_describe(&spec->bias, "bias", &subject, &bias)) ||
        !onednn_prepare(&setting, spec->relu, 0, &subject))
        return NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = onednn_matmul_describe(&description, &setting, a, b, bias, c);
    return onednn_finish(status, description, onednn_forward, &subject);
}

fovea_primitive *fovea_reorder_create(const fovea_memory *from, const fovea_memory *to) {
    onednn_subject subject = {"reorder"};
    onednn_subject_add_memory(&subject, "from", from);
    onednn_subject_add_memory(&subject, "to", to);
    ONEDNN_LOCAL_LAYOUT x = NULL;
    ONEDNN_LOCAL_LAYOUT y = NULL;
    ONEDNN_LOCAL_SETTING setting = {0};
    if (!onednn_describe(from, "source", &subject, &x) ||
        !onednn_describe(to, "destination", &subject, &y) || !onednn_prepare(&setting, 0, 0, &subject))
        return NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&description, x, setting.engine, y,
                                                              setting.engine, setting.attributes);
    return onednn_finish(status, description, onednn_forward, &subject);
}
