import Glibc

/// Wakes a thread that waits in `poll`, once and for good.
package final class WakeupPipe: Sendable {
    private let readEnd: Int32
    private let writeEnd: Int32

    package init() throws(PostgresError) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw .connectionFailed(reason: "no file descriptors left") }
        (readEnd, writeEnd) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(writeEnd, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    package func signal() {
        var byte: UInt8 = 1
        // A full pipe means that it has been signalled before.
        _ = write(writeEnd, &byte, 1)
    }

    package var isSignalled: Bool {
        var descriptor = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) > 0
    }

    /// What to wait for in a `poll` of several descriptors.
    package var descriptor: Int32 { readEnd }

    /// - Returns: false when nothing happened in time.
    @discardableResult
    package func wait(atMost limit: Duration, orReadable other: Int32 = -1) -> Bool {
        // poll ignores negative descriptors.
        var descriptors = [readEnd, other].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        return poll(&descriptors, 2, Int32(clamping: limit.milliseconds)) != 0
    }
}
