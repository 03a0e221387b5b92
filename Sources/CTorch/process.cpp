#include "guard.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/cpu/Utils.h>

#include <dlfcn.h>

using namespace ctorch;

int32_t ctorch_configure(int32_t threads, bool deterministic) {
    return succeeds([&] {
        at::set_num_threads(threads);
        at::globalContext().setDeterministicAlgorithms(deterministic, false);
        at::globalContext().setDeterministicCuDNN(deterministic);
        at::globalContext().setBenchmarkCuDNN(false);
        // Filling fresh memory guards against reads of it, costs a pass over every output, and nothing here reads it.
        at::globalContext().setDeterministicFillUninitializedMemory(false);
    });
}

int32_t ctorch_thread_count(void) {
    int32_t count = 1;
    succeeds([&] { count = at::get_num_threads(); });
    return count;
}

void ctorch_set_thread_count(int32_t threads) {
    succeeds([&] { at::set_num_threads(threads); });
}

bool ctorch_cuda_available(void) {
    bool available = false;
    succeeds([&] {
        // Only the CUDA build of libtorch has this library, and only loading it registers the device.
        static void *library = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
        available = library != nullptr && at::globalContext().hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0;
    });
    return available;
}

bool ctorch_cpu_multiplies_bfloat16(void) {
    static const bool supported = [] {
        bool found = false;
        succeeds([&] {
            auto capabilities = at::cpu::get_cpu_capabilities();
            for (const char *name : {"avx512_bf16", "amx_bf16"}) {
                auto entry = capabilities.find(name);
                found = found || (entry != capabilities.end() && entry->second.isBool() && entry->second.toBool());
            }
        });
        return found;
    }();
    return supported;
}
