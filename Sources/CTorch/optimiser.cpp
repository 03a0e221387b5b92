#include "guard.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <stdexcept>
#include <vector>

using namespace ctorch;

int32_t ctorch_adamw_step(
    ctorch_adamw settings, ctorch_tensor *const *parameters, ctorch_tensor *const *first_moments,
    ctorch_tensor *const *second_moments, int64_t count) {
    return succeeds([&] {
        c10::NoGradGuard guard;
        std::vector<at::Tensor> values, gradients, firsts, seconds, steps;
        for (int64_t index = 0; index < count; ++index) {
            const auto &value = parameters[index]->value;
            if (!value.grad().defined()) {
                throw std::logic_error("a parameter has no gradient");
            }
            values.push_back(value);
            gradients.push_back(value.grad().contiguous());
            firsts.push_back(first_moments[index]->value);
            seconds.push_back(second_moments[index]->value);
            steps.push_back(at::full({}, static_cast<double>(settings.step), value.options()));
        }
        at::_fused_adamw_(
            values, gradients, firsts, seconds, {}, steps, settings.learning_rate, settings.beta1, settings.beta2,
            settings.weight_decay, settings.epsilon, false, false);
    });
}

int32_t ctorch_clip_gradients(ctorch_tensor *const *parameters, int64_t count, double limit, double *norm) {
    return succeeds([&] {
        c10::NoGradGuard guard;
        double sum = 0;
        for (int64_t index = 0; index < count; ++index) {
            const auto &gradient = parameters[index]->value.grad();
            if (gradient.defined()) {
                auto length = gradient.norm().item<double>();
                sum += length * length;
            }
        }
        *norm = std::sqrt(sum);
        if (!(*norm > limit)) {
            return;
        }
        for (int64_t index = 0; index < count; ++index) {
            auto &gradient = parameters[index]->value.mutable_grad();
            if (gradient.defined()) {
                gradient.mul_(limit / *norm);
            }
        }
    });
}
