/// Tells a slow peer from a stalling one: so many octets in each window of time, or it is cut.
///
/// An average over the whole transfer would let a peer that began fast stand still for hours.
struct ProgressWindow {
    private var start: ContinuousClock.Instant
    private var bytes = 0

    init(start: ContinuousClock.Instant) {
        self.start = start
    }

    mutating func add(_ count: Int) { bytes += count }

    /// Whether the window is over without enough progress; begins the next when it is over.
    mutating func hasStalled(at now: ContinuousClock.Instant, length: Duration, bytesPerSecond: Int) -> Bool {
        guard now - start >= length else { return false }
        let needed = Double(bytesPerSecond) * (length / .seconds(1))
        if Double(bytes) < needed { return true }
        start = now
        bytes = 0
        return false
    }
}
