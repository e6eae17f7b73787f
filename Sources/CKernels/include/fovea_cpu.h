// Holds all kernels, oneDNN's among them, to fewer instructions than this CPU has: how other kinds of CPU compute can be tried.
#ifndef FOVEA_CPU_H
#define FOVEA_CPU_H

// What the environment's FOVEA_CPU names, worst last: nothing; "avx512", without matrix tiles; "avx2"; "baseline", what every
// CPU has (oneDNN's own least is SSE4.1). Read once.
typedef enum { FOVEA_CPU_ALL, FOVEA_CPU_AVX512, FOVEA_CPU_AVX2, FOVEA_CPU_BASELINE } fovea_cpu_limit;

fovea_cpu_limit fovea_limit_of_cpu(void);

// What FOVEA_CPU says where that is none of these, or NULL. There is no limit then.
const char *fovea_unknown_limit_of_cpu(void);

#endif
