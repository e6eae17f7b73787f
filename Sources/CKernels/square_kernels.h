// Squares of 16 by 16 numbers. Included by the files that compile the kernels for one kind of CPU.
#ifndef FOVEA_SQUARE_KERNELS_H
#define FOVEA_SQUARE_KERNELS_H
#include "vector_math.h"

// Exchanges rows and columns: first within pairs of lanes, then within fours and so on.
INLINE void transpose(floats rows[fovea_lane_group]) {
#define EXCHANGE(step, upper, lower)                            \
    UNROLLED for (int i = 0; i < fovea_lane_group; i++) {       \
        if (i & step) continue;                                 \
        floats a = rows[i], b = rows[i + step];                 \
        rows[i] = __builtin_shufflevector(a, b, upper);         \
        rows[i + step] = __builtin_shufflevector(a, b, lower);  \
    }
#define LIST(...) __VA_ARGS__
    EXCHANGE(1, LIST(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
             LIST(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
    EXCHANGE(2, LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
             LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    EXCHANGE(4, LIST(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
             LIST(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    EXCHANGE(8, LIST(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
             LIST(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#undef LIST
#undef EXCHANGE
}

#endif
