internal import Foundation

/// What a server is started with.
public struct Configuration: Sendable {
    /// A numeric address: `127.0.0.1`, `0.0.0.0`, or `::` for IPv4 and IPv6 together.
    public var host: String
    /// 0 lets the kernel choose; ``Server/start()`` returns the choice.
    public var port: UInt16
    /// Event loops; one per core is enough, because none ever waits.
    public var loopCount = ProcessInfo.processInfo.activeProcessorCount
    public var limits = Limits()
    public var tls: TLSConfiguration?
    /// Called on the event loop after each exchange; must not block.
    public var accessLog: (@Sendable (AccessRecord) -> Void)?

    public init(host: String = "127.0.0.1", port: UInt16 = 0) {
        self.host = host
        self.port = port
    }
}
