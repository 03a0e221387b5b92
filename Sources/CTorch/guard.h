// What every source file of this module shares: the handle, and the wall that exceptions do not pass.
#pragma once

#include "CTorch.h"

#include <ATen/ATen.h>

#include <exception>
#include <string>
#include <utility>

struct ctorch_tensor {
    at::Tensor value;
};

namespace ctorch {

inline std::string &last_error() {
    thread_local std::string message;
    return message;
}

inline void remember(const char *message) noexcept {
    try {
        last_error() = message;
    } catch (...) {
        last_error().clear();
    }
}

// Runs `body`; 1 when it returned, 0 when it threw.
template <typename Body> int32_t succeeds(Body &&body) noexcept {
    try {
        last_error().clear();
        body();
        return 1;
    } catch (const c10::Error &error) {
        remember(error.what_without_backtrace());
    } catch (const std::exception &error) {
        remember(error.what());
    } catch (...) {
        remember("an exception of unknown type");
    }
    return 0;
}

// The tensor that `body` computes, in a handle the caller owns; NULL when it threw.
template <typename Body> ctorch_tensor *made(Body &&body) noexcept {
    ctorch_tensor *result = nullptr;
    succeeds([&] { result = new ctorch_tensor{body()}; });
    return result;
}

inline at::ScalarType scalar_type(ctorch_dtype dtype) {
    switch (dtype) {
    case CTORCH_FLOAT16:
        return at::kHalf;
    case CTORCH_BFLOAT16:
        return at::kBFloat16;
    case CTORCH_FLOAT32:
        break;
    }
    return at::kFloat;
}

inline at::DeviceType device_type(ctorch_device device) { return device == CTORCH_CUDA ? at::kCUDA : at::kCPU; }

inline at::IntArrayRef list(const int64_t *values, int64_t count) {
    return at::IntArrayRef(values, static_cast<size_t>(count));
}

inline std::optional<at::Tensor> optional(const ctorch_tensor *tensor) {
    return tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt;
}

} // namespace ctorch
