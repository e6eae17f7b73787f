#include <stdatomic.h>
#include <string.h>

#include "fovea_cpu.h"
#include "kernel_table.h"

static _Atomic(const fovea_kernel_table *) selected;

static int32_t is_supported(const fovea_kernel_table *table) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (table == &fovea_kernels_avx512) {
        return fovea_limit_of_cpu() <= FOVEA_CPU_AVX512
            && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    }
    if (table == &fovea_kernels_avx2) {
        return fovea_limit_of_cpu() <= FOVEA_CPU_AVX2
            && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    }
#endif
    return table == &fovea_kernels_baseline;
}

// Best first.
static const fovea_kernel_table *const tables[] = {
#if defined(__x86_64__)
    &fovea_kernels_avx512,
    &fovea_kernels_avx2,
#endif
    &fovea_kernels_baseline,
};
enum { table_count = sizeof tables / sizeof tables[0] };

const fovea_kernel_table *fovea_kernels(void) {
    const fovea_kernel_table *table = atomic_load_explicit(&selected, memory_order_relaxed);
    if (table) return table;
    int32_t i = 0;
    while (!is_supported(tables[i])) i++;
    // A choice made meanwhile by fovea_set_vector_kind stands.
    const fovea_kernel_table *none = 0;
    atomic_compare_exchange_strong(&selected, &none, tables[i]);
    return none ? none : tables[i];
}

const char *fovea_vector_kind(void) { return fovea_kernels()->name; }

int32_t fovea_set_vector_kind(const char *name) {
    for (int32_t i = 0; i < table_count; i++) {
        if (strcmp(tables[i]->name, name) == 0 && is_supported(tables[i])) {
            atomic_store(&selected, tables[i]);
            return 1;
        }
    }
    return 0;
}
