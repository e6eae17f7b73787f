// The process's engine, primitives from a finished description on, and their calls.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "fovea_cpu.h"
#include "onednn_internal.h"
#include "threads.h"

struct fovea_primitive {
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    const char *implementation;
    const onednn_layout *layouts[ONEDNN_OPERAND_COUNT];  // of the description; NULL where there is no operand
    int arguments[ONEDNN_OPERAND_COUNT];                 // how a call names them
};

struct fovea_primitive_call {
    const fovea_primitive *primitive;
    dnnl_memory_t operands[ONEDNN_OPERAND_COUNT];  // NULL where there is none
    uint32_t unbound;                              // operands without memory yet, as bits 1 << fovea_argument
    int argument_count;
    dnnl_exec_arg_t arguments[ONEDNN_OPERAND_COUNT];
};

const onednn_operands onednn_forward = {
    [FOVEA_ARG_SOURCE] = {dnnl_query_src_md, 0, DNNL_ARG_SRC},
    [FOVEA_ARG_WEIGHTS] = {dnnl_query_weights_md, 0, DNNL_ARG_WEIGHTS},
    [FOVEA_ARG_BIAS] = {dnnl_query_weights_md, 1, DNNL_ARG_BIAS},
    [FOVEA_ARG_DESTINATION] = {dnnl_query_dst_md, 0, DNNL_ARG_DST},
    ONEDNN_WORK_OPERANDS,
};

static pthread_once_t engine_once = PTHREAD_ONCE_INIT;
static dnnl_status_t engine_status;
static dnnl_engine_t engine;
static dnnl_stream_t stream;

// Without a limit of ours the library's own variables count.
static void limit_instructions(void) {
    switch (fovea_limit_of_cpu()) {
    case FOVEA_CPU_ALL: break;
    case FOVEA_CPU_AVX512: dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx512_core_bf16); break;
    case FOVEA_CPU_AVX2: dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2); break;
    case FOVEA_CPU_BASELINE: dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41); break;
    }
}

static void start_engine(void) {
    limit_instructions();
    // The library keeps as many primitives as this that nobody uses any more. A thousand, which is usual, take more memory than a
    // training step of a small network, because version 3's products have 160 KiB each. What a program wants again soon is among
    // the last ones.
    dnnl_set_primitive_cache_capacity(32);
    engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    if (engine_status == dnnl_success)
        engine_status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
}

int onednn_prepare(onednn_setting *setting, int relu, float ceiling, const onednn_subject *subject) {
    // Primitives divide their work by the number of threads that they are made with.
    fovea_keep_single_threaded();
    pthread_once(&engine_once, start_engine);
    if (engine_status != dnnl_success) {
        onednn_fail(subject, "the engine did not start: %s", onednn_status_words(engine_status));
        return 0;
    }
    setting->engine = engine;
    dnnl_post_ops_t post_ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(&setting->attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(setting->attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && relu) {
        status = dnnl_post_ops_create(&post_ops);
        if (status == dnnl_success) status = onednn_append_relu(post_ops, ceiling);
        if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(setting->attributes, post_ops);
        if (post_ops != NULL) dnnl_post_ops_destroy(post_ops);
    }
    if (status == dnnl_success) return 1;
    onednn_fail(subject, "attributes: %s", onednn_status_words(status));
    return 0;
}

void onednn_free_setting(onednn_setting *setting) {
    if (setting->attributes != NULL) dnnl_primitive_attr_destroy(setting->attributes);
    if (setting->hint != NULL) dnnl_primitive_desc_destroy(setting->hint);
}

static void find_operands(fovea_primitive *primitive, const onednn_operands operands) {
    for (int32_t operand = 0; operand < ONEDNN_OPERAND_COUNT; operand++) {
        if (operands[operand].argument == 0) continue;
        const onednn_layout *layout = dnnl_primitive_desc_query_md(
            primitive->description, operands[operand].query, operands[operand].index);
        if (layout == NULL || onednn_layout_is_empty(layout)) continue;
        primitive->layouts[operand] = layout;
        primitive->arguments[operand] = operands[operand].argument;
    }
}

fovea_primitive *onednn_finish(dnnl_status_t status, dnnl_primitive_desc_t description,
                               const onednn_operands operands, const onednn_subject *subject) {
    if (status != dnnl_success) {
        onednn_fail(subject, "%s", onednn_status_words(status));
        return NULL;
    }
    fovea_primitive *primitive = calloc(1, sizeof *primitive);
    if (primitive == NULL) {
        dnnl_primitive_desc_destroy(description);
        onednn_fail(subject, "out of memory");
        return NULL;
    }
    primitive->description = description;
    status = dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &primitive->implementation);
    if (status == dnnl_success) status = dnnl_primitive_create(&primitive->primitive, description);
    if (status == dnnl_success) {
        find_operands(primitive, operands);
        return primitive;
    }
    fovea_primitive_destroy(primitive);
    onednn_fail(subject, "%s", onednn_status_words(status));
    return NULL;
}

void fovea_primitive_destroy(fovea_primitive *primitive) {
    if (primitive == NULL) return;
    if (primitive->primitive != NULL) dnnl_primitive_destroy(primitive->primitive);
    dnnl_primitive_desc_destroy(primitive->description);
    free(primitive);
}

static const onednn_layout *operand_layout(const fovea_primitive *primitive, fovea_argument argument) {
    return argument < 0 || argument >= ONEDNN_OPERAND_COUNT ? NULL : primitive->layouts[argument];
}

int32_t fovea_primitive_memory(const fovea_primitive *primitive, fovea_argument argument,
                               fovea_memory *memory) {
    if (argument == FOVEA_ARG_WORKSPACE || argument == FOVEA_ARG_SCRATCHPAD) return 0;
    const onednn_layout *layout = operand_layout(primitive, argument);
    return layout != NULL && onednn_decode(layout, memory);
}

size_t fovea_primitive_bytes(const fovea_primitive *primitive, fovea_argument argument) {
    const onednn_layout *layout = operand_layout(primitive, argument);
    return layout == NULL ? 0 : dnnl_memory_desc_get_size(layout);
}

const char *fovea_primitive_implementation(const fovea_primitive *primitive) {
    return primitive->implementation;
}

// Makes the memory objects, without memory, and the argument list that points at them.
static dnnl_status_t add_operands(fovea_primitive_call *call) {
    for (int32_t operand = 0; operand < ONEDNN_OPERAND_COUNT; operand++) {
        const onednn_layout *layout = call->primitive->layouts[operand];
        if (layout == NULL) continue;
        dnnl_memory_t *memory = &call->operands[operand];
        dnnl_status_t status = dnnl_memory_create(memory, layout, engine, DNNL_MEMORY_NONE);
        if (status != dnnl_success) return status;
        if (dnnl_memory_desc_get_size(layout) > 0) call->unbound |= 1u << operand;
        call->arguments[call->argument_count++] =
            (dnnl_exec_arg_t){call->primitive->arguments[operand], *memory};
    }
    return dnnl_success;
}

fovea_primitive_call *fovea_primitive_call_create(const fovea_primitive *primitive) {
    onednn_subject subject = {"preparing "};
    onednn_subject_add(&subject, "%s", primitive->implementation);
    fovea_primitive_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        onednn_fail(&subject, "out of memory");
        return NULL;
    }
    call->primitive = primitive;
    dnnl_status_t status = add_operands(call);
    if (status == dnnl_success) return call;
    fovea_primitive_call_destroy(call);
    onednn_fail(&subject, "%s", onednn_status_words(status));
    return NULL;
}

void fovea_primitive_call_destroy(fovea_primitive_call *call) {
    if (call == NULL) return;
    for (int32_t operand = 0; operand < ONEDNN_OPERAND_COUNT; operand++)
        if (call->operands[operand] != NULL) dnnl_memory_destroy(call->operands[operand]);
    free(call);
}

void fovea_primitive_call_bind(fovea_primitive_call *call, fovea_argument argument, void *pointer) {
    if (operand_layout(call->primitive, argument) == NULL) return;
    dnnl_status_t status = dnnl_memory_set_data_handle(call->operands[argument], pointer);
    uint32_t bit = 1u << argument;
    if (status == dnnl_success && pointer != NULL)
        call->unbound &= ~bit;
    else
        call->unbound |= bit;
}

int32_t fovea_primitive_call_run(fovea_primitive_call *call) {
    dnnl_status_t status = dnnl_invalid_arguments;
    fovea_keep_single_threaded();
    if (call->unbound == 0) {
        status = dnnl_primitive_execute(call->primitive->primitive, stream, call->argument_count, call->arguments);
        if (status == dnnl_success) status = dnnl_stream_wait(stream);
        if (status == dnnl_success) return 0;
    }
    onednn_subject subject = {"running "};
    onednn_subject_add(&subject, "%s", call->primitive->implementation);
    if (call->unbound != 0)
        onednn_fail(&subject, "an operand is not bound to memory (bits %x)", call->unbound);
    else
        onednn_fail(&subject, "%s", onednn_status_words(status));
    return (int32_t)status;
}

static pthread_once_t version_once = PTHREAD_ONCE_INIT;
static char version_text[48];

static void write_version(void) {
    const dnnl_version_t *version = dnnl_version();
    snprintf(version_text, sizeof version_text, "%d.%d.%d", version->major, version->minor, version->patch);
}

const char *fovea_onednn_version(void) {
    pthread_once(&version_once, write_version);
    return version_text;
}

int32_t fovea_onednn_has_bfloat16(void) {
    // Older AVX-512 processors run bfloat16 convolutions too, by emulation, slower than float32.
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}
