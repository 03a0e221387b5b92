/// Asks a service on this machine how it is.
public struct HealthProbe: Sendable {
    private let port: UInt16

    public init(port: UInt16) { self.port = port }

    /// Whether the answer is 200.
    public func isHealthy(path: String) async -> Bool {
        let port = port
        return await Service.onThread { LocalRequest(port: port, deadlineSeconds: 3).get(path)?.status == 200 }
    }
}
