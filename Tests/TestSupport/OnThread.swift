import Dispatch

/// Runs what blocks for long on a thread of its own, so that it does not hold one of Swift's few cooperative threads,
/// on which other tests wait.
public func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue(label: "test.thread").async {
            continuation.resume(with: Result { try body() })
        }
    }
}

/// Waits until a condition holds by looking again and again.
///
/// - Returns: whether it held within the limit.
public func eventually(
    within limit: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    // On a busy machine the deadline may pass between two looks.
    return try await condition()
}
