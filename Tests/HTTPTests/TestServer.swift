import Foundation
import HTTP
import Synchronization
import Testing
import TestSupport

/// Runs a server on a free port for the length of a closure.
func withServer(
    _ router: Router = .sample, limits: Limits = .short, tls: TLSConfiguration? = nil,
    accessLog: (@Sendable (AccessRecord) -> Void)? = nil,
    _ body: (UInt16, Server) async throws -> Void
) async throws {
    var configuration = Configuration()
    configuration.limits = limits
    configuration.tls = tls
    configuration.accessLog = accessLog
    let server = try Server(configuration: configuration, router: router)
    let port = try server.start()
    do {
        try await body(port, server)
    } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

extension Limits {
    /// The defaults with deadlines looked at often, and few threads.
    static var short: Limits {
        var limits = Limits()
        limits.deadlineResolution = .milliseconds(10)
        limits.blockingThreadCount = 2
        return limits
    }
}

extension Router {
    /// Routes of every kind.
    static var sample: Router {
        var router = Router()
        router.inline(.get, "/hello") { _ in .text("hello") }
        router.inline(.get, "/jobs/{id}") { .text($0.parameter("id") ?? "") }
        router.inline(.post, "/jobs") { .bytes($0.bytes, type: "application/octet-stream", status: 201) }
        router.inline(.post, "/small", body: .buffered(limit: 10)) { .text("\($0.bytes.count)") }
        router.inline(.delete, "/jobs/{id}") { _ in Response(204) }
        router.blocking(.get, "/blocking") { _ in .text("blocking") }
        router.asynchronous(.get, "/asynchronous") { request in
            await Task.yield()
            return .text(request.query("q") ?? "asynchronous")
        }
        router.asynchronous(
            .get, "/shortcut",
            shortcut: { request, complete in
                guard request.rawQuery == nil else { return false }
                Thread.detachNewThread { complete(.text("short")) }
                return true
            }
        ) { _ in .text("long") }
        router.blocking(.get, "/problem") { _ in
            throw Problem(409, type: "urn:example:conflict", detail: "a \"quoted\"\n\u{1}text", instance: "/jobs/1")
        }
        router.inline(.get, "/unexpected") { _ in throw HTTPError.disconnected }
        router.inline(.get, "/large") { _ in .bytes(Self.pattern(3_000_000), type: "application/octet-stream") }
        router.inline(.get, "/split") { Response(200, fields: ["X-Echo": $0.query("v") ?? "a\r\nInjected: b"]) }
        return router
    }

    /// Octets whose order can be checked.
    static func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }
}

/// Polls until something holds.
func eventually(within deadline: Duration = .seconds(30), _ holds: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + deadline
    while ContinuousClock.now < end {
        if try await holds() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// A folder of its own, removed at the end.
func withTemporaryFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("http-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer {
        // Nothing to report to when the folder is gone already.
        try? FileManager.default.removeItem(at: folder)
    }
    try await body(folder.path)
}
