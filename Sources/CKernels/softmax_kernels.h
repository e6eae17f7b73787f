// Lines of softmax. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_SOFTMAX_KERNELS_H
#define FOVEA_SOFTMAX_KERNELS_H
#include <string.h>

#include "fold_kernels.h"
#include "fovea_softmax.h"
#include "kernel_table.h"
#include "vector_math.h"

// NaN loses: the sum takes it up.
INLINE floats larger(floats x, floats y) { return choose(x > y, x, y); }

// What is subtracted from each element: the largest, or NaN where a line has no softmax.
INLINE floats shift_of(floats largest) {
    return choose(absolute(largest) < INFINITY, largest, splat(NAN));
}

// Up to sixteen lines side by side, one in each lane, with `step` floats from element to element.
INLINE void softmax_lanes(const fovea_softmax *softmax, const float *x, float *y, int64_t step, const int64_t count) {
    const int64_t extent = softmax->extent;
    floats largest = splat(-INFINITY);
    for (int64_t i = 0; i < extent; i++) largest = larger(load_some_floats(x + i * step, count), largest);
    floats shift = shift_of(largest);
    doubles lower = {0}, upper = {0};
    for (int64_t i = 0; i < extent; i++) {
        floats power = vector_exp(load_some_floats(x + i * step, count) - shift);
        lower += lower_half(power);
        upper += upper_half(power);
        if (!softmax->is_logarithmic) store_some_floats(y + i * step, power, count);
    }
    if (softmax->is_logarithmic) {
        floats logarithm = vector_log1p(narrowed(lower - 1.0, upper - 1.0));
        for (int64_t i = 0; i < extent; i++) {
            floats result = load_some_floats(x + i * step, count) - shift - logarithm;
            store_some_floats(y + i * step, result, count);
        }
    } else {
        floats scale = 1.0f / narrowed(lower, upper);
        for (int64_t i = 0; i < extent; i++) {
            store_some_floats(y + i * step, load_some_floats(y + i * step, count) * scale, count);
        }
    }
}

// Groups first..<last of lines whose first elements are neighbours.
static void softmax_across(const fovea_softmax *softmax, const float *x, float *y, int64_t first, int64_t last) {
    int64_t groups = (softmax->inner + fovea_lane_group - 1) / fovea_lane_group;
    for (int64_t group = first; group < last; group++) {
        int64_t inner = group % groups * fovea_lane_group, rest = softmax->inner - inner;
        int64_t place = group / groups * softmax->extent * softmax->inner + inner;
        if (rest >= fovea_lane_group) {
            softmax_lanes(softmax, x + place, y + place, softmax->inner, fovea_lane_group);
        } else {
            softmax_lanes(softmax, x + place, y + place, softmax->inner, rest);
        }
    }
}

// Groups first..<last of lines of at most a group of elements, which are brought side by side first.
static void softmax_short(const fovea_softmax *softmax, const float *x, float *y, int64_t first, int64_t last) {
    const int64_t extent = softmax->extent, inner = softmax->inner, lines = softmax->outer * inner;
    float lanes[fovea_lane_group * fovea_lane_group];
    for (int64_t group = first; group < last; group++) {
        int64_t line = group * fovea_lane_group, rest = lines - line, places[fovea_lane_group];
        int64_t count = rest < fovea_lane_group ? rest : fovea_lane_group;
        for (int64_t lane = 0; lane < count; lane++, line++) {
            places[lane] = line / inner * extent * inner + line % inner;
            for (int64_t i = 0; i < extent; i++) lanes[i * fovea_lane_group + lane] = x[places[lane] + i * inner];
        }
        // Lanes without a line compute what nobody reads.
        for (int64_t lane = count; lane < fovea_lane_group; lane++) {
            for (int64_t i = 0; i < extent; i++) lanes[i * fovea_lane_group + lane] = 0;
        }
        softmax_lanes(softmax, lanes, lanes, fovea_lane_group, fovea_lane_group);
        for (int64_t lane = 0; lane < count; lane++) {
            for (int64_t i = 0; i < extent; i++) y[places[lane] + i * inner] = lanes[i * fovea_lane_group + lane];
        }
    }
}

// The largest of all lanes, in each lane.
INLINE floats largest_lane(floats x) {
    x = larger(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    x = larger(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
    x = larger(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
    return larger(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
}

INLINE double sum_of_lanes(doubles x) {
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

// Lines first..<last whose elements are neighbours and more than a group.
static void softmax_along(const fovea_softmax *softmax, const float *x, float *y, int64_t first, int64_t last) {
    const int64_t extent = softmax->extent, whole = extent / fovea_lane_group * fovea_lane_group;
    const int64_t end = extent - fovea_lane_group;
    // The last group overlaps the one before; its lanes that are not there already are new.
    const ints order = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const ints is_new = order >= (int32_t)(whole - end);
    for (int64_t line = first; line < last; line++) {
        const float *source = x + line * extent;
        float *destination = y + line * extent;
        floats ending = load_floats(source + end), largest = ending;
        for (int64_t i = 0; i < whole; i += fovea_lane_group) largest = larger(load_floats(source + i), largest);
        floats shift = shift_of(largest_lane(largest)), last_power = vector_exp(ending - shift);
        floats power = choose(is_new, last_power, splat(0.0f));
        doubles lower = lower_half(power), upper = upper_half(power);
        for (int64_t i = 0; i < whole; i += fovea_lane_group) {
            power = vector_exp(load_floats(source + i) - shift);
            lower += lower_half(power);
            upper += upper_half(power);
            if (!softmax->is_logarithmic) store_floats(destination + i, power);
        }
        double sum = sum_of_lanes(lower + upper);
        if (softmax->is_logarithmic) {
            floats logarithm = vector_log1p(splat((float)(sum - 1.0)));
            for (int64_t i = 0; i < whole; i += fovea_lane_group) {
                store_floats(destination + i, load_floats(source + i) - shift - logarithm);
            }
            store_floats(destination + end, ending - shift - logarithm);
        } else {
            floats scale = splat(1.0f / (float)sum);
            for (int64_t i = 0; i < whole; i += fovea_lane_group) {
                store_floats(destination + i, load_floats(destination + i) * scale);
            }
            store_floats(destination + end, last_power * scale);
        }
    }
}

#endif
