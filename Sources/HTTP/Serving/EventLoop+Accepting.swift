internal import CSockets
import Glibc

/// The listening socket, and the loops that its connections are dealt to in turn.
struct Listener {
    let descriptor: Int32
    let loops: [EventLoop]
    var next = 0
}

extension EventLoop {
    func listen(on descriptor: Int32, among loops: [EventLoop]) {
        listener = Listener(descriptor: descriptor, loops: loops)
        _ = sockets_watch(epoll, descriptor, sockets_readable | sockets_edge_triggered, ConnectionID.listener.token)
        acceptAll()
    }

    /// Accepts until there is none. Edge-triggered, so when descriptors have run out this stops without spinning and
    /// goes on with the next look at the deadlines.
    func acceptAll() {
        while let listener {
            var raw = sockets_peer()
            let descriptor = sockets_accept(listener.descriptor, &raw)
            if descriptor == -ECONNABORTED || descriptor == -EINTR { continue }
            guard descriptor >= 0 else { return }
            let peer = PeerAddress(raw)
            guard service.gate.admit(peer) else {
                refuse(descriptor)
                continue
            }
            let chosen = listener.loops[listener.next % listener.loops.count]
            self.listener?.next = (listener.next + 1) % listener.loops.count
            if chosen === self {
                adopt(descriptor, peer)
            } else {
                chosen.enqueue { $0.adopt(descriptor, peer) }
            }
        }
    }

    /// Says why when it can be said without a handshake; whoever does not read it is owed nothing.
    private func refuse(_ descriptor: Int32) {
        counters.refused += 1
        if service.configuration.tls == nil {
            _ = Self.refusal.withUnsafeBytes { sockets_send(descriptor, $0.baseAddress, $0.count, 0) }
            sockets_end_sending(descriptor)
        }
        Glibc.close(descriptor)
    }

    private static let refusal = Array(
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)

    func closeListener() {
        guard let listener else { return }
        Glibc.close(listener.descriptor)
        self.listener = nil
    }
}
