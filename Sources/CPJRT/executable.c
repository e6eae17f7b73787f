#include <stdlib.h>
#include <string.h>

#include "client.h"

struct fovea_pjrt_executable {
    const fovea_pjrt_client *client;
    void *executable;
    size_t result_count;
};

static char *count_results(const pjrt_api *api, void *loaded, size_t *count) {
    PJRT_ARGUMENTS(pjrt_get_executable, get);
    get.loaded = loaded;
    char *error = pjrt_text_of_error(api, api->loaded_executable_get_executable(&get));
    if (error) return error;
    PJRT_ARGUMENTS(pjrt_num_outputs, call);
    call.executable = get.executable;
    error = pjrt_text_of_error(api, api->executable_num_outputs(&call));
    if (!error) *count = call.num_outputs;
    pjrt_destroy(api, api->executable_destroy, get.executable);
    return error;
}

char *fovea_pjrt_compile(
    const fovea_pjrt_client *client, const char *text, int64_t size, const uint8_t *options, int64_t options_size,
    fovea_pjrt_executable **executable) {
    const pjrt_api *api = client->api;
    fovea_pjrt_executable *made = malloc(sizeof *made);
    if (!made) return strdup("no memory");
    PJRT_ARGUMENTS(pjrt_program, program);
    program.code = text;
    program.code_size = (size_t)size;
    program.format = "mlir";
    program.format_size = strlen(program.format);
    PJRT_ARGUMENTS(pjrt_client_compile, call);
    call.client = client->client;
    call.program = &program;
    call.options = (const char *)options;
    call.options_size = (size_t)options_size;
    made->client = client;
    char *error = pjrt_text_of_error(api, api->client_compile(&call));
    if (!error) {
        made->executable = call.executable;
        error = count_results(api, call.executable, &made->result_count);
        if (error) pjrt_destroy(api, api->loaded_executable_destroy, call.executable);
    }
    if (error) {
        free(made);
        return error;
    }
    *executable = made;
    return NULL;
}

void fovea_pjrt_destroy_executable(fovea_pjrt_executable *executable) {
    const pjrt_api *api = executable->client->api;
    pjrt_destroy(api, api->loaded_executable_destroy, executable->executable);
    free(executable);
}

// Takes over the results of a run: all, or none where there is no memory.
static char *take(const fovea_pjrt_client *client, void **outputs, size_t count, fovea_pjrt_buffer **results) {
    char *error = NULL;
    for (size_t i = 0; i < count; i++) {
        results[i] = pjrt_new_buffer(client, outputs[i]);
        if (!results[i] && !error) error = strdup("no memory");
    }
    if (!error) return NULL;
    for (size_t i = 0; i < count; i++)
        if (results[i]) {
            fovea_pjrt_destroy_buffer(results[i]);
            results[i] = NULL;
        }
    return error;
}

char *fovea_pjrt_run(
    const fovea_pjrt_executable *executable, fovea_pjrt_buffer *const *arguments, int64_t argument_count,
    const int64_t *kept, int64_t kept_count, fovea_pjrt_buffer **results, int64_t result_count) {
    const pjrt_api *api = executable->client->api;
    // A plugin writes as many as it says.
    if ((size_t)result_count != executable->result_count)
        return strdup("the compiled program has another number of results than the graph");
    void **inputs = calloc((size_t)argument_count + 1, sizeof *inputs);
    void **outputs = calloc((size_t)result_count + 1, sizeof *outputs);
    if (!inputs || !outputs) {
        free(inputs);
        free(outputs);
        return strdup("no memory");
    }
    for (int64_t i = 0; i < argument_count; i++) inputs[i] = arguments[i]->buffer;
    PJRT_ARGUMENTS(pjrt_execute_options, options);
    options.non_donatable_indices = kept;
    options.num_non_donatable_indices = (size_t)kept_count;
    void *const *argument_list = inputs;
    void **output_list = outputs;
    pjrt_event *complete = NULL;
    PJRT_ARGUMENTS(pjrt_execute, call);
    call.executable = executable->executable;
    call.options = &options;
    call.argument_lists = &argument_list;
    call.num_devices = 1;
    call.num_arguments = (size_t)argument_count;
    call.output_lists = &output_list;
    call.complete_events = &complete;
    char *error = pjrt_text_of_error(api, api->loaded_executable_execute(&call));
    if (!error) {
        error = take(executable->client, outputs, (size_t)result_count, results);
        char *failure = pjrt_await(api, complete);
        if (error) {
            free(failure);
        } else if (failure) {
            for (int64_t i = 0; i < result_count; i++) {
                fovea_pjrt_destroy_buffer(results[i]);
                results[i] = NULL;
            }
            error = failure;
        }
    }
    free(inputs);
    free(outputs);
    return error;
}
