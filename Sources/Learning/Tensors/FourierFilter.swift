import CTorch

/// Convolution of volumes with one kernel by the library's Fourier transforms; the kernel's spectrum is kept.
///
/// - Shape: volumes are `[z, y, x]`.
public struct FourierFilter {
    private let spectrum: Tensor
    private let padded: [Int]

    /// - Parameter kernel: of the padded extents, its centre at the first element and what lies before it at the ends.
    public init(kernel: Tensor) throws(LearningError) {
        precondition(kernel.rank == 3)
        padded = kernel.shape
        spectrum = try Tensor(ctorch_spectrum(kernel.handle, padded.extents), from: "spectrum")
    }

    public func callAsFunction(_ volume: Tensor) throws(LearningError) -> Tensor {
        precondition(volume.rank == 3)
        return try Tensor(ctorch_filter(volume.handle, spectrum.handle, padded.extents), from: "filter")
    }
}
