// Softmax and its logarithm.
#ifndef FOVEA_SOFTMAX_H
#define FOVEA_SOFTMAX_H
#include <stdint.h>

// Lines of `extent` elements along the middle axis of row-major [outer, extent, inner].
typedef struct {
    int32_t is_logarithmic;
    int64_t outer, extent, inner;
} fovea_softmax;

// exp(x - m) / (sum of exp(x - m)) for each element x of a line, m being the line's largest, or the logarithm of that.
// The sum is formed in 64 bits, and its logarithm from what exceeds 1, the power of the largest element. So the logarithm
// keeps its digits where one element stands out, and is never above 0. NaN or +infinity in a line, or nothing but
// -infinity, makes all of the line NaN. Results do not depend on the number of threads.
void fovea_run_softmax(const fovea_softmax *softmax, const float *source, float *destination);

#endif
