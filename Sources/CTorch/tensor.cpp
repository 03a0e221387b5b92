#include "guard.h"

#include <c10/core/GradMode.h>

#include <cstring>
#include <stdexcept>
#include <vector>

using namespace ctorch;

const char *ctorch_error(void) { return last_error().c_str(); }

void ctorch_free(ctorch_tensor *tensor) { delete tensor; }

int64_t ctorch_rank(const ctorch_tensor *tensor) { return tensor->value.dim(); }

int64_t ctorch_extent(const ctorch_tensor *tensor, int64_t dimension) {
    auto sizes = tensor->value.sizes();
    return dimension >= 0 && dimension < static_cast<int64_t>(sizes.size()) ? sizes[dimension] : -1;
}

int64_t ctorch_element_count(const ctorch_tensor *tensor) { return tensor->value.numel(); }

ctorch_dtype ctorch_dtype_of(const ctorch_tensor *tensor) {
    switch (tensor->value.scalar_type()) {
    case at::kHalf:
        return CTORCH_FLOAT16;
    case at::kBFloat16:
        return CTORCH_BFLOAT16;
    default:
        return CTORCH_FLOAT32;
    }
}

ctorch_device ctorch_device_of(const ctorch_tensor *tensor) {
    return tensor->value.is_cuda() ? CTORCH_CUDA : CTORCH_CPU;
}

ctorch_tensor *ctorch_from_floats(const float *values, const int64_t *shape, int64_t rank, ctorch_device device) {
    return made([&] {
        auto tensor = at::empty(list(shape, rank), at::kFloat);
        if (tensor.numel() > 0) {
            std::memcpy(tensor.data_ptr<float>(), values, sizeof(float) * static_cast<size_t>(tensor.numel()));
        }
        return tensor.to(device_type(device));
    });
}

ctorch_tensor *ctorch_full(float value, const int64_t *shape, int64_t rank, ctorch_device device) {
    return made([&] { return at::full(list(shape, rank), value, at::dtype(at::kFloat).device(device_type(device))); });
}

int32_t ctorch_read_floats(const ctorch_tensor *tensor, float *values, int64_t count) {
    return succeeds([&] {
        auto plain = tensor->value.detach().to(at::kCPU, at::kFloat).contiguous();
        if (plain.numel() != count) {
            throw std::invalid_argument("the buffer does not have the size of the tensor");
        }
        if (count > 0) {
            std::memcpy(values, plain.data_ptr<float>(), sizeof(float) * static_cast<size_t>(count));
        }
    });
}

int32_t ctorch_assign(ctorch_tensor *destination, const ctorch_tensor *source) {
    return succeeds([&] {
        c10::NoGradGuard guard;
        destination->value.copy_(source->value);
    });
}

int32_t ctorch_interpolate(ctorch_tensor *destination, const ctorch_tensor *source, double weight) {
    return succeeds([&] {
        c10::NoGradGuard guard;
        destination->value.lerp_(source->value, weight);
    });
}

ctorch_tensor *ctorch_to_dtype(const ctorch_tensor *tensor, ctorch_dtype dtype) {
    return made([&] { return tensor->value.to(scalar_type(dtype)); });
}

ctorch_tensor *ctorch_to_device(const ctorch_tensor *tensor, ctorch_device device) {
    return made([&] { return tensor->value.to(device_type(device)); });
}

ctorch_tensor *ctorch_channels_last(const ctorch_tensor *tensor) {
    return made([&] { return tensor->value.contiguous(at::MemoryFormat::ChannelsLast3d); });
}

ctorch_tensor *ctorch_reshape(const ctorch_tensor *tensor, const int64_t *shape, int64_t rank) {
    return made([&] { return tensor->value.reshape(list(shape, rank)); });
}

ctorch_tensor *ctorch_permute(const ctorch_tensor *tensor, const int64_t *order, int64_t rank) {
    return made([&] { return tensor->value.permute(list(order, rank)); });
}

ctorch_tensor *ctorch_expand(const ctorch_tensor *tensor, const int64_t *shape, int64_t rank) {
    return made([&] { return tensor->value.expand(list(shape, rank)); });
}

ctorch_tensor *ctorch_slice(const ctorch_tensor *tensor, int64_t dimension, int64_t start, int64_t count) {
    return made([&] { return tensor->value.narrow(dimension, start, count); });
}

ctorch_tensor *ctorch_concatenate(const ctorch_tensor *const *tensors, int64_t count, int64_t dimension) {
    return made([&] {
        std::vector<at::Tensor> parts;
        for (int64_t index = 0; index < count; ++index) {
            parts.push_back(tensors[index]->value);
        }
        return at::cat(parts, dimension);
    });
}

ctorch_tensor *ctorch_pad(const ctorch_tensor *tensor, const int64_t *amounts, int64_t count, float value) {
    return made([&] { return at::constant_pad_nd(tensor->value, list(amounts, count), value); });
}
