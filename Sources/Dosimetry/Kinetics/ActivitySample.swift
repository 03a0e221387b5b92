/// The activity of a region at one time.
///
/// - Units: hours after the administration; value and deviation in one unit of the caller's.
public struct ActivitySample: Equatable, Sendable, Codable {
    public let hours, value: Double
    /// One standard deviation of what differs from sample to sample; what all samples share is no part of it.
    public let deviation: Double

    public init(hours: Double, value: Double, deviation: Double) {
        (self.hours, self.value, self.deviation) = (hours, value, deviation)
    }

    /// - Throws: ``DosimetryError/noSamples``, ``DosimetryError/timesOutOfOrder``,
    ///   ``DosimetryError/notASample(index:)``.
    static func check(_ samples: [ActivitySample]) throws(DosimetryError) {
        guard let first = samples.first else { throw .noSamples }
        guard first.hours > 0, zip(samples, samples.dropFirst()).allSatisfy({ $0.hours < $1.hours }) else {
            throw .timesOutOfOrder
        }
        for (index, sample) in samples.enumerated() {
            guard sample.value.isFinite, sample.value > 0, sample.deviation.isFinite, sample.deviation > 0,
                sample.hours.isFinite
            else { throw .notASample(index: index) }
        }
    }
}
