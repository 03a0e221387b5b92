// libtorch behind C: no C++ type and no C++ exception crosses this header.
//
// Every function that can fail returns NULL, or a status of 0, and leaves its reason with ctorch_error. A tensor
// that is returned belongs to the caller, who gives it to ctorch_free once. Shapes are int64_t arrays of `rank`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ctorch_tensor ctorch_tensor;

typedef enum { CTORCH_FLOAT32, CTORCH_FLOAT16, CTORCH_BFLOAT16 } ctorch_dtype;
typedef enum { CTORCH_CPU, CTORCH_CUDA } ctorch_device;

// The reason of this thread's last failure; valid until its next call.
const char *ctorch_error(void);

// Process

// Fixes the number of threads and whether only algorithms that repeat bit for bit may be used.
int32_t ctorch_configure(int32_t threads, bool deterministic);
// Threads of one operation that this thread begins.
int32_t ctorch_thread_count(void);
void ctorch_set_thread_count(int32_t threads);
bool ctorch_cuda_available(void);
// Whether the CPU multiplies bfloat16 in hardware (AVX512-BF16 or AMX).
bool ctorch_cpu_multiplies_bfloat16(void);

// Lifetime and content

void ctorch_free(ctorch_tensor *tensor);
int64_t ctorch_rank(const ctorch_tensor *tensor);
int64_t ctorch_extent(const ctorch_tensor *tensor, int64_t dimension);
int64_t ctorch_element_count(const ctorch_tensor *tensor);
ctorch_dtype ctorch_dtype_of(const ctorch_tensor *tensor);
ctorch_device ctorch_device_of(const ctorch_tensor *tensor);
ctorch_tensor *ctorch_from_floats(const float *values, const int64_t *shape, int64_t rank, ctorch_device device);
ctorch_tensor *ctorch_full(float value, const int64_t *shape, int64_t rank, ctorch_device device);
int32_t ctorch_read_floats(const ctorch_tensor *tensor, float *values, int64_t count);
// Copies `source` into the storage of `destination`; no gradient flows through it.
int32_t ctorch_assign(ctorch_tensor *destination, const ctorch_tensor *source);
// destination += weight (source - destination), without a gradient.
int32_t ctorch_interpolate(ctorch_tensor *destination, const ctorch_tensor *source, double weight);
ctorch_tensor *ctorch_to_dtype(const ctorch_tensor *tensor, ctorch_dtype dtype);
ctorch_tensor *ctorch_to_device(const ctorch_tensor *tensor, ctorch_device device);
// The same values with the channels of [n, c, d, h, w] innermost in memory.
ctorch_tensor *ctorch_channels_last(const ctorch_tensor *tensor);

// Shape

ctorch_tensor *ctorch_reshape(const ctorch_tensor *tensor, const int64_t *shape, int64_t rank);
ctorch_tensor *ctorch_permute(const ctorch_tensor *tensor, const int64_t *order, int64_t rank);
ctorch_tensor *ctorch_expand(const ctorch_tensor *tensor, const int64_t *shape, int64_t rank);
ctorch_tensor *ctorch_slice(const ctorch_tensor *tensor, int64_t dimension, int64_t start, int64_t count);
ctorch_tensor *ctorch_concatenate(const ctorch_tensor *const *tensors, int64_t count, int64_t dimension);
// `amounts` holds before and after for the last dimension, then for the one before it, and so on.
ctorch_tensor *ctorch_pad(const ctorch_tensor *tensor, const int64_t *amounts, int64_t count, float value);

// Arithmetic, broadcasting as NumPy does

typedef enum {
    CTORCH_NEGATE,
    CTORCH_EXP,
    CTORCH_LOG,
    CTORCH_SQRT,
    CTORCH_ABSOLUTE,
    CTORCH_SQUARE,
    CTORCH_RECIPROCAL,
    CTORCH_SINE,
    CTORCH_COSINE,
    CTORCH_TANH,
    CTORCH_SOFTPLUS,
    CTORCH_RELU,
    CTORCH_SILU
} ctorch_unary_operation;
typedef enum {
    CTORCH_ADD,
    CTORCH_SUBTRACT,
    CTORCH_MULTIPLY,
    CTORCH_DIVIDE,
    CTORCH_MATMUL
} ctorch_binary_operation;
typedef enum { CTORCH_SUM, CTORCH_MEAN } ctorch_reduction;

ctorch_tensor *ctorch_unary(ctorch_unary_operation operation, const ctorch_tensor *tensor);
ctorch_tensor *ctorch_binary(ctorch_binary_operation operation, const ctorch_tensor *left, const ctorch_tensor *right);
// tensor * scale + shift
ctorch_tensor *ctorch_affine(const ctorch_tensor *tensor, double scale, double shift);
ctorch_tensor *ctorch_clamp(const ctorch_tensor *tensor, float lower, float upper);
// Over all dimensions when `count` is 0.
ctorch_tensor *ctorch_reduce(
    ctorch_reduction reduction, const ctorch_tensor *tensor, const int64_t *dimensions, int64_t count, bool keep);

// Layers; `bias`, `weight` of a norm may be NULL

typedef struct {
    int64_t stride[3];
    int64_t padding[3];
    int64_t groups;
} ctorch_convolution;

ctorch_tensor *ctorch_conv3d(
    const ctorch_tensor *input, const ctorch_tensor *weight, const ctorch_tensor *bias, ctorch_convolution settings);
ctorch_tensor *ctorch_conv_transpose3d(
    const ctorch_tensor *input, const ctorch_tensor *weight, const ctorch_tensor *bias, ctorch_convolution settings,
    const int64_t output_padding[3]);
ctorch_tensor *ctorch_linear(const ctorch_tensor *input, const ctorch_tensor *weight, const ctorch_tensor *bias);
ctorch_tensor *ctorch_group_norm(
    const ctorch_tensor *input, int64_t groups, const ctorch_tensor *weight, const ctorch_tensor *bias, double epsilon);
ctorch_tensor *ctorch_instance_norm(
    const ctorch_tensor *input, const ctorch_tensor *weight, const ctorch_tensor *bias, double epsilon);
// slope is one number per channel, or one for all.
ctorch_tensor *ctorch_prelu(const ctorch_tensor *input, const ctorch_tensor *slope);
ctorch_tensor *ctorch_leaky_relu(const ctorch_tensor *input, double slope);
ctorch_tensor *ctorch_upsample_nearest3d(const ctorch_tensor *input, const int64_t size[3]);
// [n, c f0 f1 f2, d, h, w] to [n, c, d f0, h f1, w f2].
ctorch_tensor *ctorch_pixel_shuffle3d(const ctorch_tensor *input, const int64_t factor[3]);

// Gradients

int32_t ctorch_set_requires_gradient(ctorch_tensor *tensor, bool required);
bool ctorch_requires_gradient(const ctorch_tensor *tensor);
ctorch_tensor *ctorch_detach(const ctorch_tensor *tensor);
int32_t ctorch_backward(const ctorch_tensor *scalar);
// NULL without an error message when no gradient was accumulated.
ctorch_tensor *ctorch_gradient(const ctorch_tensor *tensor);
void ctorch_forget_gradient(ctorch_tensor *tensor);
// d(scalar)/d(inputs[i]) into results[i]; nothing is accumulated anywhere. Zero where nothing depends on an input.
int32_t
ctorch_gradients(const ctorch_tensor *scalar, ctorch_tensor *const *inputs, int64_t count, ctorch_tensor **results);
// Returns the mode that was set before.
bool ctorch_set_gradient_mode(bool enabled);
// Convolutions and matrix products between enter and leave run in `dtype`.
int32_t ctorch_autocast_enter(ctorch_device device, ctorch_dtype dtype);
void ctorch_autocast_leave(ctorch_device device);

// Whether the library chooses how single-precision convolutions of this thread are computed, as in every other program. Returns
// what was set before.
bool ctorch_set_usual_convolutions(bool enabled);

// A linear map on float buffers, applied to each item of the leading batch. The callbacks return 0 on success.
typedef struct {
    void *context;
    int32_t (*forward)(void *context, const float *input, float *output);
    int32_t (*adjoint)(void *context, const float *input, float *output);
    // Called once, when the last graph that uses the map is gone.
    void (*release)(void *context);
    int64_t input_count;
    int64_t output_count;
} ctorch_linear_map;
// `output_shape` includes the batch. Takes over `map.context` in every case, failure included.
ctorch_tensor *
ctorch_apply_linear_map(ctorch_linear_map map, const ctorch_tensor *input, const int64_t *output_shape, int64_t rank);

// Fourier transforms

// The half spectrum of a real volume [z, y, x] padded with zeros to `padded`; complex, for ctorch_filter only.
ctorch_tensor *ctorch_spectrum(const ctorch_tensor *volume, const int64_t *padded);
// The volume times a kernel's spectrum of the same padding, cut back to the volume's own extents.
ctorch_tensor *ctorch_filter(const ctorch_tensor *volume, const ctorch_tensor *spectrum, const int64_t *padded);

// Optimiser

typedef struct {
    double learning_rate;
    double beta1;
    double beta2;
    double epsilon;
    double weight_decay;
    // 1 for the first step.
    int64_t step;
} ctorch_adamw;

// One fused AdamW step over tensors whose gradients have been accumulated.
int32_t ctorch_adamw_step(
    ctorch_adamw settings, ctorch_tensor *const *parameters, ctorch_tensor *const *first_moments,
    ctorch_tensor *const *second_moments, int64_t count);
// Scales the gradients so that their joint Euclidean norm is at most `limit`; writes the norm they had.
int32_t ctorch_clip_gradients(ctorch_tensor *const *parameters, int64_t count, double limit, double *norm);

#ifdef __cplusplus
}
#endif
