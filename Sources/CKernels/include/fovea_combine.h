// Two arrays made one, and one rectified or looked through. NaN stays NaN.
#ifndef FOVEA_COMBINE_H
#define FOVEA_COMBINE_H
#include <stdint.h>

#include "fovea_elementwise.h"

// c = a + b (FOVEA_OP_ADD), a * b (FOVEA_OP_MULTIPLY) or the larger of both (FOVEA_OP_MAXIMUM), `count` elements;
// with `relu` negative results become zero.
void fovea_combine(fovea_opcode kind, int32_t relu, int64_t count, const float *a, const float *b, float *c);

// Negative elements become zero.
void fovea_rectify(int64_t count, float ceiling, float *x);

// 1 if no element is NaN or larger than 2^48, so that sums of up to 2^24 products of two such numbers cannot overflow.
int32_t fovea_is_bounded(int64_t count, const float *x);

#endif
