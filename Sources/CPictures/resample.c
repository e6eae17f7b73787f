#include "CPictures.h"

// Compiled for AVX2 too and chosen when the program is loaded.
#if defined(__x86_64__)
#define FOVEA_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define FOVEA_CLONES
#endif

enum { weight_bits = 22, half = 1 << (weight_bits - 1), chunk = 64 };

static inline uint8_t rounded(int32_t sum) {
    sum >>= weight_bits;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static inline __attribute__((always_inline)) void resample_rows(const uint8_t *input, uint8_t *output, int32_t height,
                                                                int32_t input_width, const int32_t channels,
                                                                const fovea_resampling *resampling) {
    for (int32_t y = 0; y < height; y++) {
        const uint8_t *row = input + (size_t)y * (size_t)input_width * (size_t)channels;
        for (int32_t x = 0; x < resampling->output_count; x++) {
            const int32_t *weights = resampling->weights + (size_t)x * (size_t)resampling->stride;
            const uint8_t *pixel = row + (size_t)resampling->starts[x] * (size_t)channels;
            int32_t sums[3] = {half, half, half};
            for (int32_t k = 0; k < resampling->counts[x]; k++) {
                for (int32_t c = 0; c < channels; c++) sums[c] += pixel[k * channels + c] * weights[k];
            }
            for (int32_t c = 0; c < channels; c++) *output++ = rounded(sums[c]);
        }
    }
}

FOVEA_CLONES
void fovea_resample_rows(const uint8_t *input, uint8_t *output, int32_t height, int32_t input_width, int32_t channels,
                         const fovea_resampling *resampling) {
    if (channels == 1) {
        resample_rows(input, output, height, input_width, 1, resampling);
    } else {
        resample_rows(input, output, height, input_width, 3, resampling);
    }
}

FOVEA_CLONES
void fovea_resample_columns(const uint8_t *input, uint8_t *output, int32_t row_length,
                            const fovea_resampling *resampling) {
    for (int32_t y = 0; y < resampling->output_count; y++) {
        const int32_t *weights = resampling->weights + (size_t)y * (size_t)resampling->stride;
        const uint8_t *rows = input + (size_t)resampling->starts[y] * (size_t)row_length;
        int32_t count = resampling->counts[y];
        int32_t x = 0;
        for (; x + chunk <= row_length; x += chunk) {
            int32_t sums[chunk];
            for (int32_t i = 0; i < chunk; i++) sums[i] = half;
            for (int32_t k = 0; k < count; k++) {
                const uint8_t *row = rows + (size_t)k * (size_t)row_length + x;
                for (int32_t i = 0; i < chunk; i++) sums[i] += row[i] * weights[k];
            }
            for (int32_t i = 0; i < chunk; i++) output[x + i] = rounded(sums[i]);
        }
        for (; x < row_length; x++) {
            int32_t sum = half;
            for (int32_t k = 0; k < count; k++) sum += rows[(size_t)k * (size_t)row_length + x] * weights[k];
            output[x] = rounded(sum);
        }
        output += row_length;
    }
}
