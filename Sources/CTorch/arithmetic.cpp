#include "guard.h"

#include <stdexcept>

using namespace ctorch;

namespace {

at::Tensor unary(ctorch_unary_operation operation, const at::Tensor &x) {
    switch (operation) {
    case CTORCH_NEGATE:
        return x.neg();
    case CTORCH_EXP:
        return x.exp();
    case CTORCH_LOG:
        return x.log();
    case CTORCH_SQRT:
        return x.sqrt();
    case CTORCH_ABSOLUTE:
        return x.abs();
    case CTORCH_SQUARE:
        return x.square();
    case CTORCH_RECIPROCAL:
        return x.reciprocal();
    case CTORCH_SINE:
        return x.sin();
    case CTORCH_COSINE:
        return x.cos();
    case CTORCH_TANH:
        return x.tanh();
    case CTORCH_SOFTPLUS:
        return at::softplus(x);
    case CTORCH_RELU:
        return x.relu();
    case CTORCH_SILU:
        return at::silu(x);
    }
    throw std::invalid_argument("no such operation on one tensor");
}

at::Tensor binary(ctorch_binary_operation operation, const at::Tensor &left, const at::Tensor &right) {
    switch (operation) {
    case CTORCH_ADD:
        return left + right;
    case CTORCH_SUBTRACT:
        return left - right;
    case CTORCH_MULTIPLY:
        return left * right;
    case CTORCH_DIVIDE:
        return left / right;
    case CTORCH_MATMUL:
        return at::matmul(left, right);
    }
    throw std::invalid_argument("no such operation on two tensors");
}

at::Tensor reduced(ctorch_reduction reduction, const at::Tensor &x, at::IntArrayRef dimensions, bool keep) {
    switch (reduction) {
    case CTORCH_SUM:
        return dimensions.empty() ? x.sum() : x.sum(dimensions, keep);
    case CTORCH_MEAN:
        return dimensions.empty() ? x.mean() : x.mean(dimensions, keep);
    }
    throw std::invalid_argument("no such reduction");
}

} // namespace

ctorch_tensor *ctorch_unary(ctorch_unary_operation operation, const ctorch_tensor *tensor) {
    return made([&] { return unary(operation, tensor->value); });
}

ctorch_tensor *ctorch_binary(ctorch_binary_operation operation, const ctorch_tensor *left, const ctorch_tensor *right) {
    return made([&] { return binary(operation, left->value, right->value); });
}

ctorch_tensor *ctorch_affine(const ctorch_tensor *tensor, double scale, double shift) {
    return made([&] {
        auto scaled = scale == 1 ? tensor->value : tensor->value * scale;
        return shift == 0 ? scaled : scaled + shift;
    });
}

ctorch_tensor *ctorch_clamp(const ctorch_tensor *tensor, float lower, float upper) {
    return made([&] { return tensor->value.clamp(lower, upper); });
}

ctorch_tensor *ctorch_reduce(
    ctorch_reduction reduction, const ctorch_tensor *tensor, const int64_t *dimensions, int64_t count, bool keep) {
    return made([&] { return reduced(reduction, tensor->value, list(dimensions, count), keep); });
}
