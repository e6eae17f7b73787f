// What the oneDNN sources share. Nothing here is seen outside of this target.
#ifndef ONEDNN_INTERNAL_H
#define ONEDNN_INTERNAL_H
#include "onednn_library.h"

// A description of the primitive under construction, for messages.
typedef struct {
    char text[768];
} onednn_subject;

void onednn_subject_add(onednn_subject *subject, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void onednn_subject_add_pair(onednn_subject *subject, const char *name, const int64_t pair[2]);
void onednn_subject_add_memory(onednn_subject *subject, const char *name, const fovea_memory *memory);

// Sets the calling thread's message: the subject, then the reason.
void onednn_fail(const onednn_subject *subject, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *onednn_status_words(dnnl_status_t status);

// A layout or a setting of the function that declares it, freed where that ends. Start with NULL or {0}.
#define ONEDNN_LOCAL_LAYOUT __attribute__((cleanup(onednn_free_layout))) onednn_layout *
#define ONEDNN_LOCAL_SETTING __attribute__((cleanup(onednn_free_setting))) onednn_setting
void onednn_free_layout(onednn_layout **layout);
void onednn_free_setting(onednn_setting *setting);

// Makes a layout and returns 1, or returns 0 after onednn_fail.
int onednn_describe(const fovea_memory *memory, const char *name, const onednn_subject *subject,
                    onednn_layout **layout);
// The reverse; returns 0 and leaves `memory` when the layout is not one of outer strides and inner blocks.
int onednn_decode(const onednn_layout *layout, fovea_memory *memory);

// Returns 0 after onednn_fail unless every number of a pair is at least `least`.
int onednn_check_pair(const int64_t pair[2], int64_t least, const char *name, const onednn_subject *subject);

// The process's engine, and attributes with a scratchpad that the caller provides. Returns 0 after onednn_fail.
int onednn_prepare(onednn_setting *setting, int relu, float ceiling, const onednn_subject *subject);

#define ONEDNN_OPERAND_COUNT (FOVEA_ARG_SCRATCHPAD + 1)

// By fovea_argument: where a primitive descriptor says what the operand is, and how the call names it (0: there is none).
typedef struct {
    dnnl_query_t query;
    int index, argument;
} onednn_operands[ONEDNN_OPERAND_COUNT];

extern const onednn_operands onednn_forward;

// What primitives of every kind may have.
#define ONEDNN_WORK_OPERANDS \
    [FOVEA_ARG_WORKSPACE] = {dnnl_query_workspace_md, 0, DNNL_ARG_WORKSPACE}, \
    [FOVEA_ARG_SCRATCHPAD] = {dnnl_query_scratchpad_md, 0, DNNL_ARG_SCRATCHPAD}

// Makes the primitive that was described, if that went well, and takes over the description; NULL after onednn_fail.
fovea_primitive *onednn_finish(dnnl_status_t status, dnnl_primitive_desc_t description,
                               const onednn_operands operands, const onednn_subject *subject);

#endif
