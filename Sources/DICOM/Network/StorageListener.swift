import CDCMTK
import Glibc
import Synchronization

/// A storage and verification SCP with an accept loop of its own.
///
/// Every connection gets a plain thread at once, so that a silent one delays nobody. The thread reads the association
/// request itself and only then lets DCMTK see it.
///
/// ```swift
/// let listener = StorageListener(configuration: configuration, handler: intake)
/// let port = try listener.start()
/// …
/// listener.drain(within: .seconds(20))
/// ```
public final class StorageListener: Sendable {
    private enum Phase {
        case idle
        case listening(ListeningSocket)
        case stopped
    }

    private let configuration: ListenerConfiguration
    private let handler: any StorageHandler
    private let registry: ConnectionRegistry
    private let phase = Mutex(Phase.idle)

    public init(configuration: ListenerConfiguration, handler: any StorageHandler) {
        self.configuration = configuration
        self.handler = handler
        registry = ConnectionRegistry(configuration: configuration)
    }

    public var counters: ListenerCounters { registry.counters }

    /// Listens until ``drain(within:)`` or ``stop()``; a listener starts once.
    ///
    /// - Returns: the port, which the system chose when the configuration has 0.
    public func start() throws(NetworkError) -> UInt16 {
        cdcmtk_network_initialize()
        let outcome = phase.withLock { phase -> Result<UInt16, NetworkError> in
            Result { () throws(NetworkError) in
                guard case .idle = phase else { throw .alreadyStarted }
                let socket = try ListeningSocket(
                    address: configuration.address, port: configuration.port, backlog: configuration.backlogLimit)
                guard DetachedThread.start({ self.acceptConnections(from: socket) }) else {
                    close(socket.descriptor)
                    throw .cannotListen(step: .thread, code: EAGAIN)
                }
                phase = .listening(socket)
                return socket.port
            }
        }
        return try outcome.get()
    }

    /// Who may connect and call from now on; open associations go on.
    public func replaceAccess(_ access: AccessPolicy) { registry.access = access }

    /// Lets nobody new in, waits for open associations and interrupts what is left at the deadline. Blocks.
    ///
    /// - Returns: whether everybody was done in time.
    @discardableResult
    public func drain(within limit: Duration) -> Bool {
        registry.beginStopping()
        phase.withLock { phase in
            if case .listening(let socket) = phase { socket.wake() }
            phase = .stopped
        }
        if registry.waitUntilEmpty(within: limit) { return true }
        registry.interruptAll()
        // A handler may still be at work; it is not waited for longer than this.
        let handlerGrace = Duration.seconds(10)
        _ = registry.waitUntilEmpty(within: handlerGrace)
        return false
    }

    /// Interrupts every association and returns when their threads are done with the handler. Blocks.
    public func stop() {
        drain(within: .zero)
    }

    private func acceptConnections(from socket: ListeningSocket) {
        defer { close(socket.descriptor) }
        var number = 0
        while let accepted = socket.accept() {
            number += 1
            let connection = accepted
            let connectionNumber = number
            guard registry.openConnection(connection.descriptor, number: number, peer: connection.peerAddress) else {
                close(connection.descriptor)
                continue
            }
            let isServed = DetachedThread.start {
                self.serve(connection, number: connectionNumber)
            }
            if !isServed {
                registry.closeConnection(number: number, peer: connection.peerAddress)
                registry.count { $0.refusedConnections += 1 }
                close(connection.descriptor)
                registry.leave()
            }
        }
    }

    private func serve(_ connection: ListeningSocket.Connection, number: Int) {
        defer { registry.leave() }
        guard let stream = PeerStream(descriptor: connection.descriptor, security: configuration.security)
        else {
            registry.closeConnection(number: number, peer: connection.peerAddress)
            close(connection.descriptor)
            return
        }
        StorageConnection(
            stream: stream, peerAddress: connection.peerAddress, configuration: configuration, registry: registry,
            handler: handler
        ).run()
        registry.closeConnection(number: number, peer: connection.peerAddress)
        // The socket closes here, after its number was taken off the list of those to interrupt.
        withExtendedLifetime(stream) {}
    }
}
