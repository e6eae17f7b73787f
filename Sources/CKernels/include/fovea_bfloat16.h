// Convolutions and matrix products of float32 numbers on the CPU's bfloat16 units.
//
// Each number is the sum of one, two or three bfloat16 numbers: x rounded, what that leaves over rounded, and so on. Each
// term adds 8 bits, so three hold all 24 of a float32 number. Of the products of two such sums those that matter are
// summed in float32: one, three or six, with errors of about 2^-8, 2^-16 and 2^-24 of a product, the last no more than
// float32 arithmetic has itself. On CPUs with matrix tiles (AMX) six bfloat16 products take less time than one of float32.
#ifndef FOVEA_BFLOAT16_H
#define FOVEA_BFLOAT16_H
#include <stddef.h>
#include <stdint.h>

// The unit in use: "amx", "avx512_bf16" (dot products of pairs), or "none"; and a way for tests to choose another, which
// returns 0 when this CPU does not have it.
const char *fovea_bfloat16_unit(void);
int32_t fovea_set_bfloat16_unit(const char *name);

// A convolution. Images and output are [batch, channels / 16, height, width, 16] with channels and filters multiples of 16;
// kernels are [window rows, window columns, channels, filters].
typedef struct {
    int32_t terms;    // of each number: 1, 2 or 3
    int32_t workers;  // parts that run in parallel; sums over a batch depend on how many
    int64_t batch, height, width, channels, filters;
    int64_t window[2], strides[2], dilations[2], padding[2];  // rows, columns; padding before the first
    int64_t output_height, output_width;
    int32_t relu;   // negative outputs become zero
    float ceiling;  // with `relu`: larger outputs become this; 0 for none
} fovea_bfloat16_convolution;

// Kernels are packed for each use: forward, and turned around for input gradients. Memory for them and for scratch is 64-byte
// aligned.
typedef enum {
    FOVEA_PACK,           // for this call only
    FOVEA_PACK_AND_KEEP,  // for later calls too
    FOVEA_PACKED,         // by an earlier call, from the same kernel
} fovea_packing;

// Whether these kernels do a convolution or one of its gradients, and well: strides and dilations need a batch that fills
// tiles, and forward, or with a window of one place, more than 16 channels.
int32_t fovea_bfloat16_suits(const fovea_bfloat16_convolution *convolution, int32_t is_forward);

size_t fovea_bfloat16_forward_kernel_bytes(const fovea_bfloat16_convolution *convolution);
size_t fovea_bfloat16_input_gradient_kernel_bytes(const fovea_bfloat16_convolution *convolution);

size_t fovea_bfloat16_forward_scratch(const fovea_bfloat16_convolution *convolution);
size_t fovea_bfloat16_input_gradient_scratch(const fovea_bfloat16_convolution *convolution);
size_t fovea_bfloat16_kernel_gradient_scratch(const fovea_bfloat16_convolution *convolution);

// `bias` [filters] may be NULL.
void fovea_bfloat16_forward(const fovea_bfloat16_convolution *convolution, const float *images, const float *kernel,
                            void *packed_kernel, fovea_packing packing, const float *bias, float *output,
                            void *scratch);
void fovea_bfloat16_input_gradient(const fovea_bfloat16_convolution *convolution, const float *upstream,
                                   const float *kernel, void *packed_kernel, fovea_packing packing, float *gradient,
                                   void *scratch);
// Also the bias's gradient, the sum of `upstream` over batch and places, unless `bias_gradient` is NULL.
void fovea_bfloat16_kernel_gradient(const fovea_bfloat16_convolution *convolution, const float *images,
                                    const float *upstream, float *gradient, float *bias_gradient, void *scratch);

// c = a b (+ bias) (rectified): a [rows, inner], b [inner, columns], c [rows, columns] row-major.
typedef struct {
    int32_t terms, workers;
    int64_t rows, inner, columns;
    int64_t a_strides[2], b_strides[2];  // elements from row to row and from column to column, one of them 1
    int32_t relu;
} fovea_bfloat16_matmul;

size_t fovea_bfloat16_matmul_scratch(const fovea_bfloat16_matmul *matmul);
void fovea_bfloat16_multiply(const fovea_bfloat16_matmul *matmul, const float *a, const float *b, const float *bias,
                             float *c, void *scratch);

#endif
