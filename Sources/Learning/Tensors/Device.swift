import CTorch

/// Where tensors live and are computed.
public enum Device: String, Sendable {
    case cpu
    case cuda

    /// The GPU when libtorch was built for one and finds it, else the CPU. Asked once, at start, and passed down.
    public static var best: Device { ctorch_cuda_available() ? .cuda : .cpu }

    /// Whether bfloat16 convolutions are faster here than float32 ones: on every GPU, and where the CPU has
    /// AVX512-BF16 or AMX.
    public var multipliesBFloat16: Bool { self == .cuda || ctorch_cpu_multiplies_bfloat16() }

    init(_ code: ctorch_device) { self = code == CTORCH_CUDA ? .cuda : .cpu }
    var code: ctorch_device { self == .cuda ? CTORCH_CUDA : CTORCH_CPU }

    /// Threads of one operation that this thread begins.
    package static var threadCount: Int {
        get { Int(ctorch_thread_count()) }
        set { ctorch_set_thread_count(Int32(newValue)) }
    }

    /// Fixes how libtorch computes in this process; called before a network is made.
    ///
    /// - Parameters:
    ///   - threadCount: threads of one operation. Sums depend on it in their last bit, so results are compared only at
    ///     equal counts.
    ///   - deterministic: refuse algorithms that do not repeat bit for bit.
    public static func configure(threadCount: Int, deterministic: Bool = true) throws(LearningError) {
        try check(ctorch_configure(Int32(threadCount), deterministic), "configure")
    }
}

/// How a tensor stores its numbers.
public enum DataType: String, Codable, Sendable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"

    public var byteCount: Int { self == .float32 ? 4 : 2 }

    /// What convolutions are computed in where this type is asked for. Processors without bfloat16 products take a hundred
    /// times as long for them as for float32 ones.
    public func computed(on device: Device) -> DataType {
        self == .bfloat16 && !device.multipliesBFloat16 ? .float32 : self
    }

    init(_ code: ctorch_dtype) {
        switch code {
        case CTORCH_FLOAT16: self = .float16
        case CTORCH_BFLOAT16: self = .bfloat16
        default: self = .float32
        }
    }

    var code: ctorch_dtype {
        switch self {
        case .float32: CTORCH_FLOAT32
        case .float16: CTORCH_FLOAT16
        case .bfloat16: CTORCH_BFLOAT16
        }
    }
}
