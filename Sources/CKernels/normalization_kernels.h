// Chunks of batch normalisation. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_NORMALIZATION_KERNELS_H
#define FOVEA_NORMALIZATION_KERNELS_H
#include "normalization.h"
#include "vector_math.h"

enum { normalization_sums_at_once = 2 };

// Sums in double: where a normalisation follows another one, what is left of a gradient is small beside its parts.
typedef struct {
    doubles lower[normalization_sums_at_once], upper[normalization_sums_at_once];
} normalization_sum;

typedef struct {
    doubles lower, upper;
} wide_floats;

INLINE wide_floats widened(floats x) { return (wide_floats){lower_half(x), upper_half(x)}; }
INLINE wide_floats difference(wide_floats a, wide_floats b) { return (wide_floats){a.lower - b.lower, a.upper - b.upper}; }

INLINE void add(normalization_sum *sum, int32_t k, wide_floats x) {
    sum->lower[k] += x.lower;
    sum->upper[k] += x.upper;
}
INLINE void add_product(normalization_sum *sum, int32_t k, wide_floats a, wide_floats b) {
    sum->lower[k] += a.lower * b.lower;
    sum->upper[k] += a.upper * b.upper;
}
INLINE void store_sum(double *sums, const normalization_sum *sum) {
    const doubles lower = sum->lower[0] + sum->lower[1], upper = sum->upper[0] + sum->upper[1];
    memcpy(sums, &lower, sizeof(lower));
    memcpy(sums + fovea_lane_group / 2, &upper, sizeof(upper));
}

// The first numbers of a vector, and behind them those of another one.
INLINE floats load_floats_or(const float *p, int64_t count, floats others) {
    if (count >= fovea_lane_group) return load_floats(p);
    const ints number = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return choose(number < (int32_t)count, load_some_floats(p, count), others);
}

#define FOR_EACH_LANE_GROUP for (int64_t lane = 0; lane < chunk->lanes; lane += fovea_lane_group)
// Runs a statement for each vector of a group of lanes, with its place in memory `at`, its numbers' count `width` and the number
// `k` of a sum.
#define FOR_EACH_VECTOR(statement)                                                                           \
    for (int64_t image = 0; image < chunk->images; image++) {                                                \
        int64_t at = image * chunk->image_stride + lane, row = 0, width = fovea_lane_group;                  \
        for (; row + normalization_sums_at_once <= chunk->rows; row += normalization_sums_at_once) {         \
            UNROLLED for (int32_t k = 0; k < normalization_sums_at_once; k++) {                              \
                statement;                                                                                   \
                at += chunk->lanes;                                                                          \
            }                                                                                                \
        }                                                                                                    \
        const int32_t k = 0;                                                                                 \
        for (; row < chunk->rows; row++, at += chunk->lanes) statement;                                      \
        width = chunk->tail - lane < fovea_lane_group ? chunk->tail - lane : fovea_lane_group;               \
        if (width > 0) statement;                                                                            \
    }

// Sums of the deviations from terms.mean, which here need not be the mean, and of their squares.
static void normalization_moments(const normalization_chunk *chunk, const float *x, normalization_terms terms, double *sums) {
    FOR_EACH_LANE_GROUP {
        const floats mean = load_floats(terms.mean + lane);
        const wide_floats center = widened(mean);
        normalization_sum deviations = {0}, squares = {0};
        FOR_EACH_VECTOR({
            const wide_floats deviation = difference(widened(load_floats_or(x + at, width, mean)), center);
            add(&deviations, k, deviation);
            add_product(&squares, k, deviation, deviation);
        })
        store_sum(sums + lane, &deviations);
        store_sum(sums + chunk->lanes + lane, &squares);
    }
}

INLINE void normalize_lanes(const normalization_chunk *chunk, const float *x, normalization_terms terms, float *y, int32_t relu) {
    FOR_EACH_LANE_GROUP {
        const floats mean = load_floats(terms.mean + lane), factor = load_floats(terms.factor + lane);
        const floats offset = load_floats(terms.offset + lane);
        FOR_EACH_VECTOR({
            (void)k;
            floats result = (load_some_floats(x + at, width) - mean) * factor + offset;
            if (relu) result = choose(result < 0.0f, splat(0.0f), result);
            store_some_floats(y + at, result, width);
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

// What of the gradient passes the ReLU: where the same numbers as forward are positive.
INLINE floats passing(floats upstream, floats x, floats mean, floats factor, floats offset, int32_t relu) {
    if (!relu) return upstream;
#ifdef FOVEA_WIDE_REGISTERS
    // Loaded before the mask is known: a load that waits for its mask takes twice the time.
    __asm__("" : "+v"(upstream));
#endif
    return (floats)((ints)upstream & ((x - mean) * factor + offset > 0.0f));
}

// Sums of the gradient, of its product with the deviation from the mean, and of the deviations, of which a rounded mean leaves
// some.
INLINE void add_gradient_lanes(const normalization_chunk *chunk, const float *x, const float *upstream, normalization_terms terms,
                               double *sums, int32_t relu) {
    FOR_EACH_LANE_GROUP {
        const floats mean = load_floats(terms.mean + lane), factor = load_floats(terms.factor + lane);
        const floats offset = load_floats(terms.offset + lane);
        const wide_floats center = widened(mean);
        normalization_sum gradients = {0}, products = {0}, deviations = {0};
        FOR_EACH_VECTOR({
            const floats number = load_floats_or(x + at, width, mean);
            const wide_floats deviation = difference(widened(number), center);
            const floats given = load_some_floats(upstream + at, width);
            const wide_floats gradient = widened(passing(given, number, mean, factor, offset, relu));
            add(&gradients, k, gradient);
            add_product(&products, k, gradient, deviation);
            add(&deviations, k, deviation);
        })
        store_sum(sums + lane, &gradients);
        store_sum(sums + chunk->lanes + lane, &products);
        store_sum(sums + 2 * chunk->lanes + lane, &deviations);
    }
}

static void normalization_gradient_sums(const normalization_chunk *chunk, const float *x, const float *upstream,
                                        normalization_terms terms, double *sums) {
    if (chunk->relu) {
        add_gradient_lanes(chunk, x, upstream, terms, sums, 1);
    } else {
        add_gradient_lanes(chunk, x, upstream, terms, sums, 0);
    }
}

// terms.gain, bias and slope of half a vector.
typedef struct {
    doubles gain, bias, slope;
} gradient_terms;

INLINE gradient_terms gradient_terms_of(normalization_terms terms, int64_t lane) {
    gradient_terms half;
    memcpy(&half.gain, terms.gain + lane, sizeof(doubles));
    memcpy(&half.bias, terms.bias + lane, sizeof(doubles));
    memcpy(&half.slope, terms.slope + lane, sizeof(doubles));
    return half;
}
INLINE doubles spread_half(gradient_terms terms, doubles deviation, doubles gradient) {
    return terms.gain * (gradient - (terms.bias + terms.slope * deviation));
}

INLINE void spread_gradient_lanes(const normalization_chunk *chunk, const float *x, const float *upstream,
                                  normalization_terms terms, float *x_gradient, int32_t relu) {
    FOR_EACH_LANE_GROUP {
        const floats mean = load_floats(terms.mean + lane), factor = load_floats(terms.factor + lane);
        const floats offset = load_floats(terms.offset + lane);
        const wide_floats center = widened(mean);
        const gradient_terms lower = gradient_terms_of(terms, lane);
        const gradient_terms upper = gradient_terms_of(terms, lane + fovea_lane_group / 2);
        FOR_EACH_VECTOR({
            (void)k;
            const floats number = load_some_floats(x + at, width);
            const wide_floats deviation = difference(widened(number), center);
            const floats given = load_some_floats(upstream + at, width);
            const wide_floats gradient = widened(passing(given, number, mean, factor, offset, relu));
            const doubles low = spread_half(lower, deviation.lower, gradient.lower);
            const doubles high = spread_half(upper, deviation.upper, gradient.upper);
            store_some_floats(x_gradient + at, narrowed(low, high), width);
        })
    }
}

static void normalization_spread_gradient(const normalization_chunk *chunk, const float *x, const float *upstream,
                                          normalization_terms terms, float *x_gradient) {
    if (chunk->relu) {
        spread_gradient_lanes(chunk, x, upstream, terms, x_gradient, 1);
    } else {
        spread_gradient_lanes(chunk, x, upstream, terms, x_gradient, 0);
    }
}

#undef FOR_EACH_VECTOR
#undef FOR_EACH_LANE_GROUP
#endif
