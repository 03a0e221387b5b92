import Foundation
import Testing

/// Leases count by the database's clock and by the worker's monotonic one: whoever sets the time of a machine moves none.
@Suite struct ClockTests {
    @Test(arguments: ["Jobs", "Postgres"])
    func readsNoWallClock(module: String) throws {
        let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Sources/\(module)").standardized
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        #expect(names.count > 10)
        let clocks = ["Date(", "Date.now", "CLOCK_REALTIME", "gettimeofday", "DispatchWallTime", "time(nil)"]
        for name in names {
            let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            for clock in clocks { #expect(!text.contains(clock), "\(name) uses \(clock)") }
        }
    }
}
