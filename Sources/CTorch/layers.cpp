#include "guard.h"

#if defined(__x86_64__)
// As the library was built: its table of kernels has a place for each.
#define HAVE_AVX2_CPU_DEFINITION
#define HAVE_AVX512_CPU_DEFINITION
#endif
#include <ATen/autocast_mode.h>
#include <ATen/native/ConvUtils.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <stdexcept>

using namespace ctorch;

namespace {

#if defined(__x86_64__)

// libtorch leaves convolutions of single-precision images to oneDNN only where channels, depth and height make more than
// 20480 (ATen/native/Convolution.cpp, `use_mkldnn`); below it unfolds the image and multiplies matrices, several times as slow.
// This one is oneDNN's for every size, forward and backward.
struct OneDNNConvolution : torch::autograd::Function<OneDNNConvolution> {
    using Context = torch::autograd::AutogradContext;
    using Tensors = torch::autograd::variable_list;

    static at::Tensor forward(
        Context *context, const at::Tensor &input, const at::Tensor &weight, const std::optional<at::Tensor> &bias,
        std::vector<int64_t> stride, std::vector<int64_t> padding, int64_t groups) {
        context->save_for_backward({input, weight});
        context->saved_data["stride"] = stride;
        context->saved_data["padding"] = padding;
        context->saved_data["groups"] = groups;
        context->saved_data["has_bias"] = bias.has_value();
        at::AutoDispatchBelowADInplaceOrView below;
        return at::mkldnn_convolution(input, weight, bias, padding, stride, at::IntArrayRef{1, 1, 1}, groups);
    }

    static Tensors backward(Context *context, Tensors gradients) {
        auto saved = context->get_saved_variables();
        auto stride = context->saved_data["stride"].toIntVector();
        auto padding = context->saved_data["padding"].toIntVector();
        std::array<bool, 3> needed{
            context->needs_input_grad(0), context->needs_input_grad(1),
            context->saved_data["has_bias"].toBool() && context->needs_input_grad(2)};
        auto format = saved[0].suggest_memory_format();
        auto [input, weight, bias] = at::native::mkldnn_convolution_backward_stub(
            at::kCPU, saved[0], gradients[0].contiguous(format), saved[1], padding, stride, at::IntArrayRef{1, 1, 1},
            context->saved_data["groups"].toInt(), needed);
        return {input, weight, bias, {}, {}, {}};
    }
};

#endif

thread_local bool has_usual_convolutions = false;

#if defined(__x86_64__)

bool is_single_precision(const at::Tensor &input, const at::Tensor &weight) {
    return !has_usual_convolutions && input.is_cpu() && input.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat &&
           !at::autocast::is_autocast_enabled(at::kCPU) && input.dim() == 5 && at::hasMKLDNN() && at::globalContext().userEnabledMkldnn();
}

#endif

} // namespace

bool ctorch_set_usual_convolutions(bool enabled) {
    auto previous = has_usual_convolutions;
    has_usual_convolutions = enabled;
    return previous;
}

ctorch_tensor *ctorch_conv3d(
    const ctorch_tensor *input, const ctorch_tensor *weight, const ctorch_tensor *bias, ctorch_convolution settings) {
    return made([&] {
#if defined(__x86_64__)
        if (is_single_precision(input->value, weight->value)) {
            return OneDNNConvolution::apply(
                input->value, weight->value, optional(bias), list(settings.stride, 3).vec(),
                list(settings.padding, 3).vec(), settings.groups);
        }
#endif
        return at::conv3d(
            input->value, weight->value, optional(bias), list(settings.stride, 3), list(settings.padding, 3),
            at::IntArrayRef{1, 1, 1}, settings.groups);
    });
}

ctorch_tensor *ctorch_conv_transpose3d(
    const ctorch_tensor *input, const ctorch_tensor *weight, const ctorch_tensor *bias, ctorch_convolution settings,
    const int64_t output_padding[3]) {
    return made([&] {
        return at::conv_transpose3d(
            input->value, weight->value, optional(bias), list(settings.stride, 3), list(settings.padding, 3),
            list(output_padding, 3), settings.groups, at::IntArrayRef{1, 1, 1});
    });
}

ctorch_tensor *ctorch_linear(const ctorch_tensor *input, const ctorch_tensor *weight, const ctorch_tensor *bias) {
    return made([&] { return at::linear(input->value, weight->value, optional(bias)); });
}

ctorch_tensor *ctorch_group_norm(
    const ctorch_tensor *input, int64_t groups, const ctorch_tensor *weight, const ctorch_tensor *bias,
    double epsilon) {
    return made([&] { return at::group_norm(input->value, groups, optional(weight), optional(bias), epsilon); });
}

ctorch_tensor *ctorch_instance_norm(
    const ctorch_tensor *input, const ctorch_tensor *weight, const ctorch_tensor *bias, double epsilon) {
    return made([&] {
        // The statistics are the input's own, so running ones and their momentum are unused.
        return at::instance_norm(input->value, optional(weight), optional(bias), {}, {}, true, 0.1, epsilon, false);
    });
}

ctorch_tensor *ctorch_prelu(const ctorch_tensor *input, const ctorch_tensor *slope) {
    return made([&] { return at::prelu(input->value, slope->value.to(input->value.scalar_type())); });
}

ctorch_tensor *ctorch_leaky_relu(const ctorch_tensor *input, double slope) {
    return made([&] { return at::leaky_relu(input->value, slope); });
}

ctorch_tensor *ctorch_upsample_nearest3d(const ctorch_tensor *input, const int64_t size[3]) {
    return made([&] { return at::upsample_nearest3d(input->value, list(size, 3)); });
}

ctorch_tensor *ctorch_pixel_shuffle3d(const ctorch_tensor *input, const int64_t factor[3]) {
    return made([&] {
        const auto &x = input->value;
        auto cells = factor[0] * factor[1] * factor[2];
        if (x.dim() != 5 || x.size(1) % cells) {
            throw std::invalid_argument("pixel shuffle takes five dimensions, channels a multiple of the factor");
        }
        auto n = x.size(0), c = x.size(1) / cells, d = x.size(2), h = x.size(3), w = x.size(4);
        return x.reshape({n, c, factor[0], factor[1], factor[2], d, h, w})
            .permute({0, 1, 5, 2, 6, 3, 7, 4})
            .reshape({n, c, d * factor[0], h * factor[1], w * factor[2]});
    });
}
