// Sums, means, maxima and arguments of maxima over strided views.
//
// The work is cut by shape alone: every output, or strip of neighbouring outputs, is a task, and when there are few
// tasks each is cut into chunks whose accumulators are combined in order. Threads only choose who computes what.
#include <math.h>
#include <string.h>

#include "kernel_table.h"
#include "threads.h"
#include "walk.h"

enum {
    most_partials = 64,        // tasks * chunks, when tasks are cut into chunks
    least_chunk_elements = 8192,
};

typedef struct {
    fovea_walk outputs, results;  // the kept axes, with strides of the source and of the destination
    fovea_walk reduced;
    int64_t width, strips;        // columns that one task handles, strips along the last kept axis
    int64_t tasks, chunks, reduced_count;
    int32_t is_mean;
    fovea_dtype dtype;
    fovea_accumulator identity;
    fovea_fold_function fold;
    fovea_fold_rows_function fold_rows;
    const char *source;
    char *destination;
    fovea_accumulator *partials;  // [tasks, chunks, width], when chunks > 1
} reduction_plan;

// Sorts axes by falling stride, so that the last one walks memory forwards. `others` follow along.
static void sort_axes(int32_t rank, int64_t *extents, int64_t *strides, int64_t *others) {
    for (int32_t i = 1; i < rank; i++) {
        for (int32_t j = i; j > 0 && fovea_magnitude(strides[j - 1]) < fovea_magnitude(strides[j]); j--) {
            int64_t *lists[] = {extents, strides, others};
            for (int32_t k = 0; k < 3; k++) {
                int64_t t = lists[k][j];
                lists[k][j] = lists[k][j - 1];
                lists[k][j - 1] = t;
            }
        }
    }
}

// Drops kept axes of extent 1 and merges those that are neighbours in source and destination.
static void prepare_kept(reduction_plan *plan, int32_t rank, const int64_t *extents, const int64_t *strides,
                         const int64_t *others) {
    int32_t last = -1;
    int64_t *e = plan->outputs.extents, *s = plan->outputs.strides, *o = plan->results.strides;
    for (int32_t i = 0; i < rank; i++) {
        if (extents[i] == 1) continue;
        if (last >= 0 && s[last] == strides[i] * extents[i] && o[last] == others[i] * extents[i]) {
            e[last] *= extents[i];
        } else {
            e[++last] = extents[i];
        }
        s[last] = strides[i];
        o[last] = others[i];
    }
    if (last < 0) {
        last = 0;
        e[0] = 1;
        s[0] = o[0] = 0;
    }
    plan->outputs.rank = plan->results.rank = last + 1;
    memcpy(plan->results.extents, e, sizeof plan->results.extents);
}

static void finish(const reduction_plan *plan, const fovea_accumulator *totals, int64_t output, int64_t width) {
    for (int64_t i = 0; i < width; i++) {
        int64_t offset = fovea_walk_offset(&plan->results, output + i);
        if (plan->dtype == FOVEA_FLOAT32) {
            double total = totals[i].real;
            if (plan->is_mean) total /= (double)plan->reduced_count;
            ((float *)plan->destination)[offset] = (float)total;
        } else {
            int64_t total = totals[i].integer;
            if (plan->is_mean) total = plan->reduced_count > 0 ? total / plan->reduced_count : 0;
            ((int32_t *)plan->destination)[offset] = (int32_t)(uint32_t)total;
        }
    }
}

// The first output of a task and the number of its columns.
static int64_t task_output(const reduction_plan *plan, int64_t task, int64_t *width) {
    int64_t inner = plan->outputs.extents[plan->outputs.rank - 1];
    if (plan->width == 1) {
        *width = 1;
        return task;
    }
    int64_t column = task % plan->strips * plan->width, rest = inner - column;
    *width = rest < plan->width ? rest : plan->width;
    return task / plan->strips * inner + column;
}

static void run_pieces(void *context, int64_t first, int64_t last) {
    const reduction_plan *plan = context;
    int64_t stride = plan->reduced.strides[plan->reduced.rank - 1];
    int64_t chunk_length = (plan->reduced_count + plan->chunks - 1) / plan->chunks;
    for (int64_t piece = first; piece < last; piece++) {
        int64_t task = piece / plan->chunks, chunk = piece % plan->chunks, width;
        int64_t output = task_output(plan, task, &width);
        const char *source = plan->source + 4 * fovea_walk_offset(&plan->outputs, output);
        fovea_accumulator local[fovea_strip_columns];
        fovea_accumulator *totals = plan->chunks > 1 ? plan->partials + piece * plan->width : local;
        for (int64_t i = 0; i < width; i++) totals[i] = plan->identity;
        int64_t start = chunk * chunk_length, rest = plan->reduced_count - start;
        fovea_cursor cursor;
        fovea_cursor_init(&cursor, &plan->reduced, start, rest < chunk_length ? rest : chunk_length);
        while (cursor.remaining > 0) {
            int64_t run = fovea_cursor_run(&cursor);
            if (plan->width == 1) {
                plan->fold(totals, source + 4 * cursor.offset, stride, run);
            } else {
                plan->fold_rows(totals, source + 4 * cursor.offset, stride, run, width);
            }
            fovea_cursor_advance(&cursor, run);
        }
        if (plan->chunks == 1) finish(plan, totals, output, width);
    }
}

static void combine_chunks(const reduction_plan *plan, int is_max) {
    for (int64_t task = 0; task < plan->tasks; task++) {
        int64_t width, output = task_output(plan, task, &width);
        fovea_accumulator *totals = plan->partials + task * plan->chunks * plan->width;
        for (int64_t chunk = 1; chunk < plan->chunks; chunk++) {
            const fovea_accumulator *part = totals + chunk * plan->width;
            for (int64_t i = 0; i < width; i++) {
                if (plan->dtype == FOVEA_FLOAT32) {
                    double x = part[i].real;
                    if (!is_max) totals[i].real += x;
                    else if (x > totals[i].real || isnan(x)) totals[i].real = x;
                } else {
                    int64_t x = part[i].integer;
                    if (!is_max) totals[i].integer += x;
                    else if (x > totals[i].integer) totals[i].integer = x;
                }
            }
        }
        finish(plan, totals, output, width);
    }
}

void fovea_reduce(fovea_reduction_kind kind, fovea_dtype dtype, const fovea_reduction *reduction,
                  const void *source, void *destination) {
    const fovea_kernel_table *kernels = fovea_kernels();
    int is_float = dtype == FOVEA_FLOAT32, is_max = kind == FOVEA_MAX;
    int32_t fold = is_max ? (is_float ? FOVEA_FOLD_MAX : FOVEA_FOLD_MAX_I)
                          : (is_float ? FOVEA_FOLD_SUM : FOVEA_FOLD_SUM_I);
    fovea_reduction axes = *reduction;
    int64_t results[FOVEA_MAX_RANK], unused[FOVEA_MAX_RANK] = {0}, stride = 1;
    for (int32_t i = axes.kept_rank - 1; i >= 0; i--) {
        results[i] = stride;
        stride *= axes.kept_extents[i];
    }
    reduction_plan plan = {
        .is_mean = kind == FOVEA_MEAN,
        .dtype = dtype,
        .fold = kernels->folds[fold],
        .fold_rows = kernels->row_folds[fold],
        .source = source,
        .destination = destination,
    };
    if (is_max && is_float) plan.identity.real = -INFINITY;
    else if (is_max) plan.identity.integer = INT32_MIN;
    else if (is_float) plan.identity.real = 0;
    else plan.identity.integer = 0;

    sort_axes(axes.kept_rank, axes.kept_extents, axes.kept_strides, results);
    prepare_kept(&plan, axes.kept_rank, axes.kept_extents, axes.kept_strides, results);
    sort_axes(axes.reduced_rank, axes.reduced_extents, axes.reduced_strides, unused);
    fovea_walk_init(&plan.reduced, axes.reduced_rank, axes.reduced_extents, axes.reduced_strides);
    plan.reduced_count = fovea_walk_count(&plan.reduced);

    int64_t outputs = fovea_walk_count(&plan.outputs);
    if (outputs == 0) return;
    int32_t inner = plan.outputs.rank - 1;
    int is_columns = plan.outputs.strides[inner] == 1 && plan.reduced.strides[plan.reduced.rank - 1] != 1;
    int64_t columns = plan.outputs.extents[inner];
    plan.width = !is_columns ? 1 : columns < fovea_strip_columns ? columns : fovea_strip_columns;
    plan.strips = (columns + plan.width - 1) / plan.width;
    plan.tasks = plan.width == 1 ? outputs : outputs / columns * plan.strips;
    int64_t most = most_partials / plan.tasks, useful = plan.reduced_count * plan.width / least_chunk_elements;
    plan.chunks = useful < most ? useful : most;
    if (plan.chunks < 1) plan.chunks = 1;
    // Rounding the length of a chunk up may leave the last ones empty.
    int64_t length = (plan.reduced_count + plan.chunks - 1) / plan.chunks;
    if (length > 0) plan.chunks = (plan.reduced_count + length - 1) / length;

    fovea_accumulator partials[plan.chunks > 1 ? plan.tasks * plan.chunks * plan.width : 1];
    plan.partials = partials;
    double cost = (double)outputs * (3 + 0.1 * (double)plan.reduced_count);
    fovea_parallel_for(plan.tasks * plan.chunks, cost, run_pieces, &plan);
    if (plan.chunks > 1) combine_chunks(&plan, is_max);
}

typedef struct {
    fovea_walk kept, reduced;
    fovea_dtype dtype;
    const void *source;
    int32_t *destination;
} argmax_plan;

// The first index at which SOURCE (a pointer to the first element) is largest.
#define FIRST_LARGEST(name, element)                                                            \
    static int32_t name(const element *source, const fovea_walk *walk, int64_t count) {         \
        fovea_cursor cursor;                                                                    \
        fovea_cursor_init(&cursor, walk, 0, count);                                             \
        int64_t stride = walk->strides[walk->rank - 1], index = 0, best = 0;                    \
        element largest = count > 0 ? *source : 0;                                              \
        while (cursor.remaining > 0 && largest == largest) {                                    \
            int64_t run = fovea_cursor_run(&cursor);                                            \
            const element *p = source + cursor.offset;                                          \
            for (int64_t i = 0; i < run; i++, p += stride) {                                    \
                if (*p <= largest) continue;                                                    \
                largest = *p;                                                                   \
                best = index + i;                                                               \
                if (largest != largest) break;                                                  \
            }                                                                                   \
            index += run;                                                                       \
            fovea_cursor_advance(&cursor, run);                                                 \
        }                                                                                       \
        return (int32_t)best;                                                                   \
    }
FIRST_LARGEST(first_largest_float, float)
FIRST_LARGEST(first_largest_int, int32_t)

static void run_argmax(void *context, int64_t first, int64_t last) {
    const argmax_plan *plan = context;
    int64_t count = fovea_walk_count(&plan->reduced);
    for (int64_t i = first; i < last; i++) {
        int64_t offset = fovea_walk_offset(&plan->kept, i);
        plan->destination[i] = plan->dtype == FOVEA_FLOAT32
            ? first_largest_float((const float *)plan->source + offset, &plan->reduced, count)
            : first_largest_int((const int32_t *)plan->source + offset, &plan->reduced, count);
    }
}

void fovea_argmax(fovea_dtype dtype, const fovea_reduction *reduction, const void *source, int32_t *destination) {
    argmax_plan plan = {.dtype = dtype, .source = source, .destination = destination};
    fovea_walk_init(&plan.kept, reduction->kept_rank, reduction->kept_extents, reduction->kept_strides);
    fovea_walk_init(&plan.reduced, reduction->reduced_rank, reduction->reduced_extents, reduction->reduced_strides);
    int64_t outputs = fovea_walk_count(&plan.kept);
    double cost = (double)outputs * (3 + 0.6 * (double)fovea_walk_count(&plan.reduced));
    fovea_parallel_for(outputs, cost, run_argmax, &plan);
}
