#include "fovea_softmax.h"

#include "kernel_table.h"
#include "threads.h"

typedef struct {
    const fovea_softmax *softmax;
    fovea_softmax_function run;
    const float *source;
    float *destination;
} softmax_work;

static void run_part(void *context, int64_t first, int64_t last) {
    const softmax_work *work = context;
    work->run(work->softmax, work->source, work->destination, first, last);
}

void fovea_run_softmax(const fovea_softmax *softmax, const float *source, float *destination) {
    const fovea_kernel_table *kernels = fovea_kernels();
    softmax_work work = {.softmax = softmax, .source = source, .destination = destination};
    int64_t lines = softmax->outer * softmax->inner, groups = (softmax->inner + fovea_lane_group - 1) / fovea_lane_group;
    int64_t parts;
    if (softmax->extent <= fovea_lane_group && softmax->inner < fovea_lane_group) {
        work.run = kernels->softmax_short;
        parts = (lines + fovea_lane_group - 1) / fovea_lane_group;
    } else if (softmax->inner == 1) {
        work.run = kernels->softmax_along;
        parts = lines;
    } else {
        work.run = kernels->softmax_across;
        parts = softmax->outer * groups;
    }
    // Measured with AVX-512.
    fovea_parallel_for(parts, (double)lines * (10 + 0.3 * (double)softmax->extent), run_part, &work);
}
