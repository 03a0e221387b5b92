import Dispatch

/// Independent pieces of work on several threads.
package enum SideBySide {
    /// Each holds what its operations need, some 150 MB of a sample.
    private static let mostWorkers = 8

    /// What each piece gives, in their order.
    package static func results<Value, Failure: Error>(
        count: Int, workers: Int, _ body: @Sendable (Int) throws(Failure) -> Value
    ) -> [Result<Value, Failure>] {
        var results = [Result<Value, Failure>?](repeating: nil, count: count)
        results.withUnsafeMutableBufferPointer { results in
            // Each worker writes its own elements only.
            nonisolated(unsafe) let results = results
            let workers = min(workers, count)
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                for index in stride(from: worker, to: count, by: workers) {
                    results[index] = Result { () throws(Failure) in try body(index) }
                }
            }
        }
        return results.compactMap { $0 }
    }

    /// What each piece of libtorch's work gives, in their order: as many pieces at once as it has threads, each on one of them. So its
    /// numbers do not depend on how many there are.
    package static func computed<Value, Failure: Error>(
        count: Int, on device: Device, _ body: @Sendable (Int) throws(Failure) -> Value
    ) -> [Result<Value, Failure>] {
        guard device == .cpu else { return results(count: count, workers: 1, body) }
        let threads = Device.threadCount
        // The last word is the caller's: what a thread sets also holds for threads that begin later.
        defer { Device.threadCount = threads }
        return results(count: count, workers: min(threads, mostWorkers)) { index throws(Failure) in
            Device.threadCount = 1
            defer { Device.threadCount = threads }
            return try body(index)
        }
    }
}
