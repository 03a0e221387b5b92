import Foundation
import Glibc

/// Tells systemd how the service stands, when systemd has started it.
///
/// - Source: sd_notify(3), sd_watchdog_enabled(3).
struct SystemdNotifier: Sendable {
    private let address: String
    /// Half of what systemd waits for a sign of life; nil when it does not wait.
    let watchdogPeriod: Duration?

    /// Nil when nobody wants to be told.
    init?(environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let address = environment["NOTIFY_SOCKET"], address.hasPrefix("/") || address.hasPrefix("@"),
            address.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return nil }
        self.address = address
        let isForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        let microseconds = isForUs ? environment["WATCHDOG_USEC"].flatMap { Int64($0) } : nil
        watchdogPeriod = microseconds.flatMap { $0 > 0 ? .microseconds($0) / 2 : nil }
    }

    /// Sends one state, such as `READY=1`; nobody waits for an answer.
    func send(_ state: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        // An abstract name begins with a zero octet instead of the at sign.
        let path = address.hasPrefix("@") ? [0] + Array(address.utf8.dropFirst()) : Array(address.utf8)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bytes = Array(state.utf8)
        _ = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }

    /// Shows that tasks still run, until the task is cancelled.
    func showLife() async {
        guard let watchdogPeriod else { return }
        while !Task.isCancelled {
            send("WATCHDOG=1")
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: watchdogPeriod)
        }
    }
}
