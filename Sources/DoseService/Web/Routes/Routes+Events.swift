import HTTP
import Postgres

extension Routes {
    /// A stream sends at most so often, and reads so many rows at a time.
    private static let pause = Duration.milliseconds(100)
    private static let batch = 500

    func addEvents(_ router: inout Router) {
        add(.get, "/v1/events", .reader, to: &router) { request, _ in
            let last = request.header("Last-Event-ID")
            var cursor: EventCursor?
            if let last {
                cursor = EventCursor(last)
                if cursor == nil { throw Problem.invalid("Last-Event-ID", "is no event's") }
            }
            let subscription = try changes.subscribe(.everything)
            let start = if let cursor { cursor } else { try await now() }
            return .events { writer in try await send(after: start, request, subscription, writer) }
        }
    }

    private func now() async throws -> EventCursor {
        try await pool.run { (connection) throws(PostgresError) in try EventCursor.now(connection) }
    }

    private func send(
        after start: EventCursor, _ request: Request, _ subscription: Changes.Subscription, _ writer: EventWriter
    ) async throws {
        var cursor = start
        while !Task.isCancelled {
            // A key that has ended meanwhile ends what it opened.
            _ = try await gatekeeper.principal(of: request, atLeast: .reader)
            let from = cursor
            let events = try await pool.run { (connection) throws(PostgresError) in
                try FlowEvent.list(after: from, limit: Self.batch, connection)
            }
            for event in events {
                try await writer.send(ServerSentEvent(data: event.data, name: event.name, id: "\(event.cursor)"))
                cursor = event.cursor
            }
            guard events.count < Self.batch else { continue }
            await subscription.next(atMost: .seconds(2))
            // Ends early only by cancellation, which the loop's condition sees.
            try? await Task.sleep(for: Self.pause)
        }
    }
}
