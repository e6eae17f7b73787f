// What becomes of a convolution's outputs before they are stored. Included by the files that compile the kernels for one kind of
// CPU.
#ifndef FOVEA_OUTPUT_FINISH_H
#define FOVEA_OUTPUT_FINISH_H
#include "vector_math.h"

// The bounds of results: infinite where there are none.
typedef struct {
    floats least, most;
    int is_bounded;
} output_finish;

INLINE output_finish finish_with(int32_t relu, float ceiling) {
    return (output_finish){splat(relu ? 0.0f : -INFINITY), splat(relu && ceiling > 0 ? ceiling : INFINITY), relu};
}

// Without branches, of which many results would need many. NaN stays.
INLINE floats finish_output(output_finish finish, floats x) {
    x = choose(x < finish.least, finish.least, x);
    return choose(x > finish.most, finish.most, x);
}

#endif
