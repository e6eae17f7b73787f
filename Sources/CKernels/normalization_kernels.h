// Chunks of batch normalisation. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_NORMALIZATION_KERNELS_H
#define FOVEA_NORMALIZATION_KERNELS_H
#include "normalization.h"
#include "vector_math.h"

// Of blocks of 8 channels a vector has those of two pixels; the last pixel of an odd number has half a vector.
enum { normalization_narrow = 8, normalization_sums_at_once = 4 };

typedef struct {
    int64_t vectors, stride;  // of an image
    int32_t has_half;
} normalization_walk;

INLINE normalization_walk walk_of(const normalization_chunk *chunk) {
    if (chunk->lanes != normalization_narrow) return (normalization_walk){chunk->pixels, chunk->lanes, 0};
    return (normalization_walk){chunk->pixels / 2, 2 * normalization_narrow, chunk->pixels % 2 != 0};
}

// Numbers of sixteen channels, or those of eight twice.
INLINE floats load_channels(const normalization_chunk *chunk, const float *p) {
    if (chunk->lanes != normalization_narrow) return load_floats(p);
    float lanes[2 * normalization_narrow];
    memcpy(lanes, p, normalization_narrow * sizeof(float));
    memcpy(lanes + normalization_narrow, p, normalization_narrow * sizeof(float));
    return load_floats(lanes);
}
INLINE void store_channels(const normalization_chunk *chunk, float *p, floats x) {
    store_some_floats(p, x, chunk->lanes == normalization_narrow ? normalization_narrow : fovea_lane_group);
}
INLINE floats sum_of_channels(const normalization_chunk *chunk, floats x) {
    if (chunk->lanes != normalization_narrow) return x;
    return x + __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
}
INLINE floats first_half(floats x) {
    const ints half = {-1, -1, -1, -1, -1, -1, -1, -1};
    return (floats)((ints)x & half);
}

// Runs a statement for each vector of a group of lanes, with its place in memory and the number of a sum, and another for half a
// vector.
#define FOR_EACH_VECTOR(statement, half_statement)                                                         \
    for (int64_t image = 0; image < chunk->images; image++) {                                              \
        int64_t at = image * chunk->image_stride + lane, vector = 0;                                       \
        for (; vector + normalization_sums_at_once <= walk.vectors; vector += normalization_sums_at_once) { \
            _Pragma("clang loop unroll(full)") for (int32_t k = 0; k < normalization_sums_at_once; k++) {  \
                statement;                                                                                 \
                at += walk.stride;                                                                         \
            }                                                                                              \
        }                                                                                                  \
        for (const int32_t k = 0; vector < walk.vectors; vector++, at += walk.stride) statement;           \
        if (walk.has_half) {                                                                               \
            const int32_t k = 0;                                                                           \
            half_statement;                                                                                \
        }                                                                                                  \
    }

INLINE floats total_of(const normalization_chunk *chunk, const floats *sums) {
    return sum_of_channels(chunk, (sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// Without differences, of which infinite numbers have none.
INLINE floats plain_mean(const normalization_chunk *chunk, normalization_walk walk, const float *x, int64_t lane) {
    floats sums[normalization_sums_at_once] = {0};
    FOR_EACH_VECTOR(sums[k] += load_floats(x + at), sums[k] += load_some_floats(x + at, normalization_narrow))
    return total_of(chunk, sums) / (float)(chunk->images * chunk->pixels);
}

// Mean and sum of squared deviations, each for all lanes. Sums are of differences from the first pixel, which cost no digits where
// the mean is large beside the deviations.
static void normalization_moments(const normalization_chunk *chunk, const float *x, float *moments) {
    const normalization_walk walk = walk_of(chunk);
    const floats count = splat((float)(chunk->images * chunk->pixels));
    for (int64_t lane = 0; lane < chunk->lanes; lane += fovea_lane_group) {
        const floats first = load_channels(chunk, x + lane);
        floats sums[normalization_sums_at_once] = {0}, squares[normalization_sums_at_once] = {0};
        FOR_EACH_VECTOR(sums[k] += load_floats(x + at) - first,
                        sums[k] += first_half(load_some_floats(x + at, normalization_narrow) - first))
        floats mean = first + total_of(chunk, sums) / count;
        if (any(mean != mean)) mean = choose(mean == mean, mean, plain_mean(chunk, walk, x, lane));
#define ADD_SQUARE(number)               \
    {                                    \
        floats difference = number;      \
        squares[k] += difference * difference; \
    }
        FOR_EACH_VECTOR(ADD_SQUARE(load_floats(x + at) - mean),
                        ADD_SQUARE(first_half(load_some_floats(x + at, normalization_narrow) - mean)))
#undef ADD_SQUARE
        store_channels(chunk, moments + lane, mean);
        store_channels(chunk, moments + chunk->lanes + lane, total_of(chunk, squares));
    }
}

INLINE floats normalized(floats x, floats mean, floats factor, floats offset, int32_t relu) {
    floats y = (x - mean) * factor + offset;
    return relu ? choose(y < 0.0f, splat(0.0f), y) : y;
}

INLINE void normalize_lanes(const normalization_chunk *chunk, const float *x, normalization_terms terms, float *y, int32_t relu) {
    const normalization_walk walk = walk_of(chunk);
    for (int64_t lane = 0; lane < chunk->lanes; lane += fovea_lane_group) {
        const floats mean = load_channels(chunk, terms.mean + lane), factor = load_channels(chunk, terms.factor + lane);
        const floats offset = load_channels(chunk, terms.offset + lane);
        FOR_EACH_VECTOR(
            {
                (void)k;
                store_floats(y + at, normalized(load_floats(x + at), mean, factor, offset, relu));
            },
            {
                (void)k;
                floats one = load_some_floats(x + at, normalization_narrow);
                store_some_floats(y + at, normalized(one, mean, factor, offset, relu), normalization_narrow);
            })
    }
}

static void normalize_chunk(const normalization_chunk *chunk, const float *x, normalization_terms terms, float *y) {
    if (chunk->relu) {
        normalize_lanes(chunk, x, terms, y, 1);
    } else {
        normalize_lanes(chunk, x, terms, y, 0);
    }
}

// What of the gradient passes the ReLU; `deviation` is x - mean.
INLINE floats passing(floats upstream, floats deviation, floats factor, floats offset, int32_t relu) {
    if (!relu) return upstream;
    return (floats)((ints)upstream & (deviation * factor + offset > 0.0f));
}

// Sums of the gradient and of its product with the deviation from the mean.
INLINE void add_gradient_lanes(const normalization_chunk *chunk, const float *x, const float *upstream, normalization_terms terms,
                               float *sums, int32_t relu) {
    const normalization_walk walk = walk_of(chunk);
    for (int64_t lane = 0; lane < chunk->lanes; lane += fovea_lane_group) {
        const floats mean = load_channels(chunk, terms.mean + lane), factor = load_channels(chunk, terms.factor + lane);
        const floats offset = load_channels(chunk, terms.offset + lane);
        floats gradients[normalization_sums_at_once] = {0}, products[normalization_sums_at_once] = {0};
        FOR_EACH_VECTOR(
            {
                floats deviation = load_floats(x + at) - mean;
                floats gradient = passing(load_floats(upstream + at), deviation, factor, offset, relu);
                gradients[k] += gradient;
                products[k] += gradient * deviation;
            },
            {
                floats deviation = load_some_floats(x + at, normalization_narrow) - mean;
                floats gradient = load_some_floats(upstream + at, normalization_narrow);
                gradient = first_half(passing(gradient, deviation, factor, offset, relu));
                gradients[k] += gradient;
                products[k] += first_half(gradient * deviation);
            })
        store_channels(chunk, sums + lane, total_of(chunk, gradients));
        store_channels(chunk, sums + chunk->lanes + lane, total_of(chunk, products));
    }
}

static void normalization_gradient_sums(const normalization_chunk *chunk, const float *x, const float *upstream,
                                        normalization_terms terms, float *sums) {
    if (chunk->relu) {
        add_gradient_lanes(chunk, x, upstream, terms, sums, 1);
    } else {
        add_gradient_lanes(chunk, x, upstream, terms, sums, 0);
    }
}

INLINE void spread_gradient_lanes(const normalization_chunk *chunk, const float *x, const float *upstream,
                                  normalization_terms terms, float *gradient, int32_t relu) {
    const normalization_walk walk = walk_of(chunk);
    for (int64_t lane = 0; lane < chunk->lanes; lane += fovea_lane_group) {
        const floats mean = load_channels(chunk, terms.mean + lane), factor = load_channels(chunk, terms.factor + lane);
        const floats offset = load_channels(chunk, terms.offset + lane), bias = load_channels(chunk, terms.bias + lane);
        const floats slope = load_channels(chunk, terms.slope + lane);
        FOR_EACH_VECTOR(
            {
                (void)k;
                floats deviation = load_floats(x + at) - mean;
                floats passed = passing(load_floats(upstream + at), deviation, factor, offset, relu);
                store_floats(gradient + at, factor * (passed - bias - deviation * slope));
            },
            {
                (void)k;
                floats deviation = load_some_floats(x + at, normalization_narrow) - mean;
                floats passed = load_some_floats(upstream + at, normalization_narrow);
                passed = passing(passed, deviation, factor, offset, relu);
                store_some_floats(gradient + at, factor * (passed - bias - deviation * slope), normalization_narrow);
            })
    }
}

static void normalization_spread_gradient(const normalization_chunk *chunk, const float *x, const float *upstream,
                                          normalization_terms terms, float *gradient) {
    if (chunk->relu) {
        spread_gradient_lanes(chunk, x, upstream, terms, gradient, 1);
    } else {
        spread_gradient_lanes(chunk, x, upstream, terms, gradient, 0);
    }
}

#endif
