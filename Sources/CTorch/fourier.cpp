#include "guard.h"

#include <c10/core/GradMode.h>

#include <vector>

using namespace ctorch;

ctorch_tensor *ctorch_spectrum(const ctorch_tensor *volume, const int64_t *padded) {
    return made([&] {
        const c10::NoGradGuard guard;
        const std::vector<int64_t> extents(padded, padded + 3);
        return at::fft_rfftn(volume->value, extents);
    });
}

ctorch_tensor *ctorch_filter(const ctorch_tensor *volume, const ctorch_tensor *spectrum, const int64_t *padded) {
    return made([&] {
        const c10::NoGradGuard guard;
        const std::vector<int64_t> extents(padded, padded + 3);
        const at::Tensor &own = volume->value;
        at::Tensor filtered = at::fft_irfftn(at::fft_rfftn(own, extents).mul_(spectrum->value), extents);
        for (int64_t axis = 0; axis < 3; ++axis) filtered = filtered.narrow(axis, 0, own.size(axis));
        return filtered.contiguous();
    });
}
