#include "fovea_cpu.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [FOVEA_CPU_ALL] = "", [FOVEA_CPU_AVX512] = "avx512", [FOVEA_CPU_AVX2] = "avx2", [FOVEA_CPU_BASELINE] = "baseline"};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static fovea_cpu_limit limit;
static const char *unknown;

static void read_limit(void) {
    const char *text = getenv("FOVEA_CPU");
    if (!text) return;
    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            limit = (fovea_cpu_limit)i;
            return;
        }
    }
    unknown = strdup(text);
}

fovea_cpu_limit fovea_limit_of_cpu(void) {
    pthread_once(&once, read_limit);
    return limit;
}

const char *fovea_unknown_limit_of_cpu(void) {
    pthread_once(&once, read_limit);
    return unknown;
}
