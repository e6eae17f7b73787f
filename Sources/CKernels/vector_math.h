// Vectors of 16 lanes and the mathematical functions over them. Included by the files that compile the kernels for
// one kind of CPU; the compiler splits a vector where the CPU's registers are narrower.
#ifndef FOVEA_VECTOR_MATH_H
#define FOVEA_VECTOR_MATH_H
#include <math.h>
#include <stdint.h>
#include <string.h>

// Every function that takes a vector is inlined, so how one would be passed does not matter.
#pragma clang diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")

typedef float floats __attribute__((vector_size(64)));
typedef int32_t ints __attribute__((vector_size(64)));
typedef uint32_t uints __attribute__((vector_size(64)));
typedef uint64_t longs __attribute__((vector_size(64)));
typedef double doubles __attribute__((vector_size(64)));
typedef int64_t long_ints __attribute__((vector_size(64)));
typedef float half_floats __attribute__((vector_size(32)));
typedef int32_t half_ints __attribute__((vector_size(32)));
typedef floats unaligned_floats __attribute__((aligned(4)));
typedef ints unaligned_ints __attribute__((aligned(4)));

INLINE floats load_floats(const void *p) { return *(const unaligned_floats *)p; }
INLINE ints load_ints(const void *p) { return *(const unaligned_ints *)p; }
INLINE void store_floats(void *p, floats x) { *(unaligned_floats *)p = x; }
INLINE void store_ints(void *p, ints x) { *(unaligned_ints *)p = x; }

// Lanes at the end of a row that do not fill a vector are moved through a buffer.
INLINE floats load_some_floats(const float *p, int64_t count) {
    if (count >= 16) return load_floats(p);
    float lanes[16] = {0};
    memcpy(lanes, p, (size_t)count * sizeof(float));
    return load_floats(lanes);
}
INLINE void store_some_floats(float *p, floats x, int64_t count) {
    if (count >= 16) {
        store_floats(p, x);
    } else {
        memcpy(p, &x, (size_t)count * sizeof(float));
    }
}

INLINE floats splat(float x) { return x - (floats){0}; }
INLINE ints splat_int(int32_t x) { return x - (ints){0}; }
INLINE floats choose(ints mask, floats yes, floats no) {
    return (floats)((mask & (ints)yes) | (~mask & (ints)no));
}
INLINE ints choose_int(ints mask, ints yes, ints no) { return (mask & yes) | (~mask & no); }
INLINE int any(ints mask) { return __builtin_reduce_or(mask) != 0; }

// The halves of a vector in double, and a vector of such halves.
INLINE doubles lower_half(floats x) {
    return __builtin_convertvector(__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7), doubles);
}
INLINE doubles upper_half(floats x) {
    return __builtin_convertvector(__builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15), doubles);
}
INLINE floats narrowed(doubles lower, doubles upper) {
    half_floats a = __builtin_convertvector(lower, half_floats), b = __builtin_convertvector(upper, half_floats);
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

INLINE floats absolute(floats x) { return (floats)((ints)x & 0x7fffffff); }
INLINE floats with_sign_of(floats magnitude, floats sign) {
    return (floats)((ints)magnitude | ((ints)sign & INT32_MIN));
}

#ifdef FOVEA_HAS_RSQRT14
// The bits of the square root instruction in half its time: an estimate of 14 bits, refined once, and the remainder
// divided once more. Compared with the instruction for every float between the bounds, outside of which a step could
// underflow or overflow.
INLINE floats square_root(floats x) {
    const uint32_t smallest = 0x12800000, largest = 0x6c800000;  // 2^-90, 2^90
    if (any((uints)x - smallest > largest - smallest)) return __builtin_elementwise_sqrt(x);
    floats estimate = (floats)_mm512_rsqrt14_ps((__m512)x);
    floats root = x * estimate, half = estimate * 0.5f;
    floats error = __builtin_elementwise_fma(-half, root, splat(0.5f));
    root = __builtin_elementwise_fma(root, error, root);
    half = __builtin_elementwise_fma(half, error, half);
    return __builtin_elementwise_fma(__builtin_elementwise_fma(-root, root, x), half, root);
}
#else
INLINE floats square_root(floats x) { return __builtin_elementwise_sqrt(x); }
#endif

// The nearest integer of |x| < 2^22: adding 1.5 * 2^23 leaves it in the low bits of the sum.
static const float rounding_shift = 12582912.0f;
INLINE floats nearest(floats x, ints *integer) {
    floats shifted = x + rounding_shift;
    *integer = (ints)shifted - 0x4b400000;
    return shifted - rounding_shift;
}

// ln 2 in two parts, the first short enough that its product with an exponent is exact.
static const float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;

// exp x = 2^n exp r, |r| <= ln 2 / 2. Returns exp r - 1.
INLINE floats reduced_expm1(floats x, ints *n) {
    x = choose(x > 89.0f, splat(89.0f), x);
    x = choose(x < -104.0f, splat(-104.0f), x);
    floats whole = nearest(x * 1.44269504f, n);
    floats r = x - whole * ln2_high;
    r = r - whole * ln2_low;
    floats p = splat(1.3951717e-3f);
    p = p * r + 8.3695985e-3f;
    p = p * r + 4.1666187e-2f;
    p = p * r + 0.16666512f;
    p = p * r + 0.5f;
    return p * (r * r) + r;
}

// For -126 <= n <= 127.
INLINE floats power_of_two(ints n) { return (floats)((n + 127) << 23); }

// The scale 2^n is applied in two steps, so that the result can be infinite or subnormal.
INLINE floats vector_exp(floats x) {
    ints n;
    floats p = reduced_expm1(x, &n);
    ints half = n >> 1;
    floats scale = power_of_two(half);
    return (p * scale + scale) * power_of_two(n - half);
}

// exp x - 1 = 2^n (exp r - 1) + (2^n - 1), which is exp r - 1 itself where |x| is small.
INLINE floats vector_expm1(floats x) {
    ints n;
    floats p = reduced_expm1(x, &n);
    ints half = n >> 1, rest = n - half;
    floats scale = power_of_two(half);
    floats y = (p * scale + (scale - power_of_two(-rest))) * power_of_two(rest);
    return choose(x == 0.0f, x, y);
}

// ln x = k ln 2 + ln(1 + f), with 1 + f within [sqrt 1/2, sqrt 2) and, for s = f / (2 + f),
// ln(1 + f) = 2 artanh s = f - s (f - R(s^2)).
INLINE floats vector_log(floats x) {
    ints tiny = x < 1.17549435e-38f;
    floats scaled = choose(tiny, x * 8388608.0f, x);
    ints bits = (ints)scaled - 0x3f3504f3;
    ints exponent = (bits >> 23) - (tiny & 23);
    floats f = (floats)((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
    floats k = __builtin_convertvector(exponent, floats);
    floats s = f / (f + 2.0f), z = s * s;
    floats series = splat(0.2358277f);
    series = series * z + 0.28537279f;
    series = series * z + 0.40000334f;
    series = series * z + 0.66666663f;
    floats y = f - (s * (f - series * z) - k * ln2_low);
    y = y + k * ln2_high;
    y = choose(x == 0.0f, splat(-INFINITY), y);
    y = choose(x < 0.0f, splat(NAN), y);
    return choose((x == INFINITY) | (x != x), x, y);
}

// ln(1 + x) = ln u + (what rounding took from u = 1 + x) / u.
INLINE floats vector_log1p(floats x) {
    floats u = x + 1.0f;
    floats lost = (x - (u - 1.0f)) / u;
    ints plain = (u == 0.0f) | (u == INFINITY);
    floats y = vector_log(u) + choose(plain, splat(0.0f), lost);
    return choose(x == 0.0f, x, y);
}

// An odd polynomial near 0, else 1 - 2 / (exp 2|x| + 1).
INLINE floats vector_tanh(floats x) {
    floats m = absolute(x), z = x * x;
    floats p = splat(-5.6607807e-3f);
    p = p * z + 2.0601999e-2f;
    p = p * z - 5.3729229e-2f;
    p = p * z + 0.13331328f;
    p = p * z - 0.33333278f;
    floats near = (p * z) * x + x;
    floats far = 1.0f - 2.0f / (vector_exp(m + m) + 1.0f);
    return with_sign_of(choose(m < 0.625f, near, far), x);
}

INLINE floats vector_sigmoid(floats x) {
    floats e = vector_exp(-absolute(x));
    return choose(x < 0.0f, e, splat(1.0f)) / (e + 1.0f);
}

// An odd polynomial up to 1, else 1 - exp(P(|x|)) with P fitted to ln erfc.
INLINE floats vector_erf(floats x) {
    floats m = absolute(x), z = x * x;
    floats p = splat(7.889119e-5f);
    p = p * z - 8.0208411e-4f;
    p = p * z + 5.1895352e-3f;
    p = p * z - 2.6854444e-2f;
    p = p * z + 0.112836f;
    p = p * z - 0.37612626f;
    p = p * z + 1.1283791f;
    floats t = choose(m > 4.0f, splat(4.0f), m);
    floats q = splat(-2.168685e-5f);
    q = q * t + 4.4133636e-4f;
    q = q * t - 4.2045619e-3f;
    q = q * t + 2.5208257e-2f;
    q = q * t - 0.10841858f;
    q = q * t - 0.6332199f;
    q = q * t - 1.1295785f;
    q = q * t + 1.8804024e-4f;
    floats far = with_sign_of(1.0f - vector_exp(q), x);
    return choose(m < 1.0f, p * x, far);
}

// sin and cos of r, |r| <= pi / 4.
INLINE floats sine_series(floats r) {
    floats z = r * r, p = splat(2.7557319e-6f);
    p = p * z - 1.9841270e-4f;
    p = p * z + 8.3333333e-3f;
    p = p * z - 0.16666667f;
    return (p * z) * r + r;
}
INLINE floats cosine_series(floats r) {
    floats z = r * r, p = splat(-2.7557319e-7f);
    p = p * z + 2.4801587e-5f;
    p = p * z - 1.3888889e-3f;
    p = p * z + 4.1666667e-2f;
    return (p * z) * z + (1.0f - 0.5f * z);
}

// sin(r + quadrant pi / 2)
INLINE floats rotated_sine(ints quadrant, floats sine, floats cosine) {
    floats y = choose((quadrant & 1) != 0, cosine, sine);
    return (floats)((ints)y ^ ((quadrant & 2) << 30));
}

// Above this the three-part reduction loses digits and the C library takes over.
static const float largest_reduced_angle = 10000.0f;

INLINE floats vector_sine(floats x, int32_t quarter_turns, float (*exact)(float)) {
    if (any(absolute(x) > largest_reduced_angle)) {
        for (int i = 0; i < 16; i++) x[i] = exact(x[i]);
        return x;
    }
    ints n;
    floats whole = nearest(x * 0.63661977f, &n);
    // pi / 2 in three parts, the first two short enough that their products with `whole` are exact.
    floats r = x - whole * 1.5703125f;
    r = r - whole * 4.837512969970703e-4f;
    r = r - whole * 7.549790e-8f;
    return rotated_sine(n + quarter_turns, sine_series(r), cosine_series(r));
}
INLINE floats vector_sin(floats x) { return vector_sine(x, 0, sinf); }
INLINE floats vector_cos(floats x) { return vector_sine(x, 1, cosf); }

#endif
