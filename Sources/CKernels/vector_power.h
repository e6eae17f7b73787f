// x to the power y over 16 lanes.
#ifndef FOVEA_VECTOR_POWER_H
#define FOVEA_VECTOR_POWER_H
#include "vector_math.h"

// 2^t, |t| <= 126, as floats.
INLINE half_floats wide_exp2(doubles t) {
    doubles shifted = t + 6755399441055744.0;
    long_ints n = (long_ints)shifted - 0x4338000000000000;
    doubles r = (t - (shifted - 6755399441055744.0)) * 0.693147180559945309;
    doubles p = r * (1.0 / 40320) + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    return __builtin_convertvector(p * (doubles)((n + 1023) << 52), half_floats);
}

// k + log2(1 + f), 1 + f within [sqrt 1/2, sqrt 2), by the series of 2 artanh(f / (2 + f)).
INLINE doubles wide_log2(doubles k, doubles f) {
    doubles s = f / (f + 2.0), z = s * s;
    doubles p = z * (1.0 / 13) + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    p = p * z + 1.0;
    return p * s * 2.88539008177792681 + k;
}

// 2^(y log2 x) in double precision where x is positive and normal and so is the result; a group of lanes with
// anything else goes to the C library.
INLINE floats vector_power(floats x, floats y) {
    ints bits = (ints)x - 0x3f3504f3;
    floats k = __builtin_convertvector(bits >> 23, floats);
    floats f = (floats)((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
    doubles low = wide_log2(lower_half(k), lower_half(f)) * lower_half(y);
    doubles high = wide_log2(upper_half(k), upper_half(f)) * upper_half(y);
    long_ints large = ~((low < 126.0) & (low > -126.0) & (high < 126.0) & (high > -126.0));
    ints regular = (x >= 1.17549435e-38f) & (x < INFINITY);
    if (__builtin_reduce_or(large) != 0 || any(~regular)) {
        for (int i = 0; i < 16; i++) x[i] = powf(x[i], y[i]);
        return x;
    }
    half_floats a = wide_exp2(low), b = wide_exp2(high);
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

#endif
