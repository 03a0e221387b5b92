import COpenBLAS
import Dispatch

/// What this machine's memory and processors reach at best, measured.
struct MachinePeaks {
    static let threadCount = 2

    /// - Units: GB/s (10^9 bytes).
    let bandwidth: Double
    /// - Units: GFLOP/s (10^9 operations).
    let matrixProduct: Double

    /// Memory: `a = b + s c` over three arrays of 128 MiB on two threads, 12 bytes counted per element as STREAM does.
    ///
    /// - Source: McCalpin, STREAM: Sustainable Memory Bandwidth in High Performance Computers, triad.
    final class Triad {
        private static let count = 32 << 20
        private let arrays = (0..<3).map { _ in UnsafeMutablePointer<Float>.allocate(capacity: count) }

        init() { arrays.forEach { $0.initialize(repeating: 1, count: Self.count) } }
        deinit { arrays.forEach { $0.deallocate() } }

        /// - Units: GB/s.
        func measure() -> Double {
            // Each iteration touches its own part only.
            nonisolated(unsafe) let (a, b, c) = (arrays[0], arrays[1], arrays[2])
            let part = Self.count / threadCount
            let seconds = Timing.seconds {
                DispatchQueue.concurrentPerform(iterations: threadCount) { thread in
                    for index in thread * part..<(thread + 1) * part { a[index] = b[index] + 3 * c[index] }
                }
            }
            return Double(Self.count) * 12 / seconds / 1e9
        }
    }

    /// Matrix product: OpenBLAS `sgemm` of two square matrices on two threads, `2 n^3` operations.
    final class Product {
        private static let size = 1536
        private let a = [Float](repeating: 1, count: size * size)
        private let b = [Float](repeating: 0.5, count: size * size)
        private var c = [Float](repeating: 0, count: size * size)

        /// - Units: GFLOP/s.
        func measure() -> Double {
            let threads = openblas_get_num_threads()
            openblas_set_num_threads(Int32(threadCount))
            defer { openblas_set_num_threads(threads) }
            let size = Int32(Self.size)
            let seconds = Timing.seconds {
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1, a, size, b, size, 0, &c, size)
            }
            let n = Double(Self.size)
            return 2 * n * n * n / seconds / 1e9
        }
    }
}
