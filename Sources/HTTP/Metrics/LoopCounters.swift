/// The counters of one event loop: touched by it alone, so they need no lock and a count costs an addition.
struct LoopCounters {
    private struct RouteCounters {
        var outcomes: [(method: Method?, status: Int, count: Int)] = []
        var durations = DurationHistogram()
    }

    var accepted = 0
    var refused = 0
    private var routes: [RouteCounters]

    /// - Parameter routeCount: one more is kept, for what matched no route.
    init(routeCount: Int) {
        routes = Array(repeating: RouteCounters(), count: routeCount + 1)
    }

    mutating func record(route: Int?, method: Method?, status: Int, duration: Duration) {
        let index = route ?? routes.count - 1
        routes[index].durations.record(duration)
        let known = routes[index].outcomes.firstIndex { $0.status == status && $0.method == method }
        if let known {
            routes[index].outcomes[known].count += 1
        } else {
            routes[index].outcomes.append((method, status, 1))
        }
    }

    func snapshot(patterns: [String], open: Int) -> CountersSnapshot {
        var snapshot = CountersSnapshot()
        snapshot.connectionsOpen = open
        snapshot.connectionsAccepted = accepted
        snapshot.connectionsRefused = refused
        for (index, route) in routes.enumerated() where !route.outcomes.isEmpty {
            let pattern = index < patterns.count ? patterns[index] : ""
            for outcome in route.outcomes {
                let key = CountersSnapshot.Key(
                    routePattern: pattern, method: outcome.method, status: outcome.status)
                snapshot.requests[key, default: 0] += outcome.count
            }
            // GET and POST of one pattern are two routes and one line.
            snapshot.durations[pattern] = (snapshot.durations[pattern] ?? .init()).adding(route.durations)
        }
        return snapshot
    }
}
