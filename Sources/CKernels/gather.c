// Rows picked by index, and the reverse.
#include <string.h>

#include "fovea_elementwise.h"
#include "threads.h"

typedef struct {
    int64_t outer, extent, count, row_bytes;
    const char *table;
    const int32_t *indices;
    char *destination;
} gather_plan;

static void run_gather(void *context, int64_t first, int64_t last) {
    const gather_plan *plan = context;
    size_t bytes = (size_t)plan->row_bytes;
    for (int64_t row = first; row < last; row++) {
        int64_t table = row / plan->count;
        int64_t index = plan->indices[table / plan->outer * plan->count + row % plan->count];
        char *d = plan->destination + row * plan->row_bytes;
        if (index < 0 || index >= plan->extent) {
            memset(d, 0, bytes);
        } else {
            memcpy(d, plan->table + (table * plan->extent + index) * plan->row_bytes, bytes);
        }
    }
}

void fovea_gather(int32_t element_bytes, int64_t groups, int64_t outer, int64_t extent, int64_t inner,
                  int64_t count, const void *table, const int32_t *indices, void *destination) {
    gather_plan plan = {outer, extent, count, inner * element_bytes, table, indices, destination};
    int64_t rows = groups * outer * count;
    double cost = (double)rows * (8 + 0.1 * (double)plan.row_bytes);
    if (inner > 0) fovea_parallel_for(rows, cost, run_gather, &plan);
}

typedef struct {
    int64_t groups, outer, extent, inner, count;
    const float *source;
    const int32_t *indices;
    float *destination;
} scatter_plan;

// Each range of destination rows looks through all indices, so that every row adds up in index order.
static void run_scatter_add(void *context, int64_t first, int64_t last) {
    const scatter_plan *plan = context;
    int64_t inner = plan->inner;
    for (int64_t o = 0; o < plan->groups * plan->outer; o++) {
        const int32_t *indices = plan->indices + o / plan->outer * plan->count;
        float *table = plan->destination + o * plan->extent * inner;
        const float *source = plan->source + o * plan->count * inner;
        memset(table + first * inner, 0, (size_t)((last - first) * inner) * sizeof(float));
        for (int64_t i = 0; i < plan->count; i++) {
            int64_t row = indices[i];
            if (row < first || row >= last) continue;
            for (int64_t j = 0; j < inner; j++) table[row * inner + j] += source[i * inner + j];
        }
    }
}

void fovea_scatter_add(int64_t groups, int64_t outer, int64_t extent, int64_t inner, int64_t count,
                       const float *source, const int32_t *indices, float *destination) {
    scatter_plan plan = {groups, outer, extent, inner, count, source, indices, destination};
    double cost = (double)(groups * outer) * ((double)(count * (1 + inner)) + (double)(extent * inner)) * 0.2;
    fovea_parallel_for(extent, cost, run_scatter_add, &plan);
}
