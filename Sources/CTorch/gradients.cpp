#include "guard.h"

#include <c10/core/GradMode.h>

#include <ATen/autocast_mode.h>
#include <ATen/core/custom_class.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <stdexcept>
#include <vector>

using namespace ctorch;

int32_t ctorch_set_requires_gradient(ctorch_tensor *tensor, bool required) {
    return succeeds([&] { tensor->value.set_requires_grad(required); });
}

bool ctorch_requires_gradient(const ctorch_tensor *tensor) { return tensor->value.requires_grad(); }

ctorch_tensor *ctorch_detach(const ctorch_tensor *tensor) {
    return made([&] { return tensor->value.detach(); });
}

int32_t ctorch_backward(const ctorch_tensor *scalar) {
    return succeeds([&] { torch::autograd::backward({scalar->value}, {}); });
}

ctorch_tensor *ctorch_gradient(const ctorch_tensor *tensor) {
    last_error().clear();
    return tensor->value.grad().defined() ? made([&] { return tensor->value.grad(); }) : nullptr;
}

void ctorch_forget_gradient(ctorch_tensor *tensor) { tensor->value.mutable_grad().reset(); }

int32_t
ctorch_gradients(const ctorch_tensor *scalar, ctorch_tensor *const *inputs, int64_t count, ctorch_tensor **results) {
    std::vector<ctorch_tensor *> handles;
    auto status = succeeds([&] {
        torch::autograd::variable_list variables;
        for (int64_t index = 0; index < count; ++index) {
            variables.push_back(inputs[index]->value);
        }
        auto gradients = torch::autograd::grad({scalar->value}, variables, {}, std::nullopt, false, true);
        for (size_t index = 0; index < variables.size(); ++index) {
            auto &gradient = gradients[index];
            handles.push_back(new ctorch_tensor{gradient.defined() ? gradient : at::zeros_like(variables[index])});
        }
    });
    for (size_t index = 0; index < handles.size(); ++index) {
        if (status) {
            results[index] = handles[index];
        } else {
            delete handles[index];
        }
    }
    return status;
}

bool ctorch_set_gradient_mode(bool enabled) {
    bool previous = at::GradMode::is_enabled();
    at::GradMode::set_enabled(enabled);
    return previous;
}

int32_t ctorch_autocast_enter(ctorch_device device, ctorch_dtype dtype) {
    return succeeds([&] {
        if (at::autocast::is_autocast_enabled(device_type(device))) {
            throw std::logic_error("autocast scopes do not nest");
        }
        at::autocast::set_autocast_dtype(device_type(device), scalar_type(dtype));
        at::autocast::set_autocast_enabled(device_type(device), true);
        at::autocast::increment_nesting();
    });
}

void ctorch_autocast_leave(ctorch_device device) {
    succeeds([&] {
        if (at::autocast::decrement_nesting() == 0) {
            at::autocast::clear_cache();
        }
        at::autocast::set_autocast_enabled(device_type(device), false);
    });
}

namespace {

// Owns the caller's context for as long as a graph can still ask for the adjoint.
struct LinearMap : torch::CustomClassHolder {
    explicit LinearMap(ctorch_linear_map callbacks) : callbacks(callbacks) {}
    ~LinearMap() override { callbacks.release(callbacks.context); }
    LinearMap(const LinearMap &) = delete;
    LinearMap &operator=(const LinearMap &) = delete;

    at::Tensor apply(const at::Tensor &input, at::IntArrayRef shape, bool adjoint) const {
        auto from = adjoint ? callbacks.output_count : callbacks.input_count;
        auto to = adjoint ? callbacks.input_count : callbacks.output_count;
        auto source = input.to(at::kFloat).contiguous();
        auto result = at::empty(shape, at::kFloat);
        if (from <= 0 || source.numel() % from || source.numel() / from * to != result.numel()) {
            throw std::invalid_argument("the shapes do not fit the linear map");
        }
        for (int64_t item = 0; item < source.numel() / from; ++item) {
            auto read = source.data_ptr<float>() + item * from;
            auto write = result.data_ptr<float>() + item * to;
            auto run = adjoint ? callbacks.adjoint : callbacks.forward;
            if (run(callbacks.context, read, write) != 0) {
                throw std::runtime_error("the linear map failed");
            }
        }
        return result;
    }

    ctorch_linear_map callbacks;
};

struct LinearMapFunction : torch::autograd::Function<LinearMapFunction> {
    static at::Tensor forward(
        torch::autograd::AutogradContext *context, const at::Tensor &input, const c10::intrusive_ptr<LinearMap> &map,
        const std::vector<int64_t> &shape) {
        context->saved_data["map"] = c10::IValue::make_capsule(map);
        context->saved_data["shape"] = input.sizes().vec();
        return map->apply(input, shape, false);
    }

    static torch::autograd::variable_list
    backward(torch::autograd::AutogradContext *context, const torch::autograd::variable_list &gradients) {
        auto capsule = context->saved_data["map"].toCapsule();
        auto shape = context->saved_data["shape"].toIntVector();
        auto gradient = static_cast<LinearMap *>(capsule.get())->apply(gradients[0], shape, true);
        return {gradient, at::Tensor(), at::Tensor()};
    }
};

} // namespace

ctorch_tensor *
ctorch_apply_linear_map(ctorch_linear_map map, const ctorch_tensor *input, const int64_t *output_shape, int64_t rank) {
    return made([&] {
        auto owner = c10::make_intrusive<LinearMap>(map);
        // The callbacks run on the CPU; the copies to it and back are nodes of the graph themselves.
        auto result = LinearMapFunction::apply(input->value.to(at::kCPU), owner, list(output_shape, rank).vec());
        return result.to(input->value.device());
    });
}
