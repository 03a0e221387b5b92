package import DICOM

/// Which reconstructed planar studies of a patient follow one administration, and what is missing for a dose.
package enum CycleContent {
    /// A reconstructed planar study.
    package struct Point: Equatable {
        package let result: Int64
        package let acquisition: ResultSummary.Acquisition
        package let isCalibrated: Bool

        package init(result: Int64, acquisition: ResultSummary.Acquisition, isCalibrated: Bool) {
            (self.result, self.acquisition, self.isCalibrated) = (result, acquisition, isCalibrated)
        }
    }

    /// An administration that is known, or whose time nobody has said yet.
    package struct Cycle: Equatable {
        /// Nil for one that is new.
        package var id: Int64?
        package let radionuclide: String
        package var administeredAt: LocalTimestamp?
        package var megabecquerel: Double?
        /// A person has said so: images that say nothing of an administration may follow it.
        package var isStated = false
        package var points: [Point] = []

        package init(
            id: Int64?, radionuclide: String, administeredAt: LocalTimestamp?, megabecquerel: Double?, isStated: Bool
        ) {
            (self.id, self.radionuclide, self.administeredAt) = (id, radionuclide, administeredAt)
            (self.megabecquerel, self.isStated) = (megabecquerel, isStated)
        }
    }

    /// Times of one administration as several files say them differ by no more than this.
    package static let windowSeconds = 6 * 3600.0
    /// Nobody takes a planar image of an administration later than this.
    package static let followUpSeconds = 21 * 86_400.0
    /// Activities of one administration as several files say them agree within this part.
    fileprivate static let agreement = 0.01

    /// - Parameter known: the patient's cycles so far; their points are found anew.
    /// - Returns: those that have points now, new ones among them.
    package static func cycles(of points: [Point], known: [Cycle]) -> [Cycle] {
        var cycles = known
        for index in cycles.indices { cycles[index].points = [] }
        for point in points.sorted(by: { $0.acquisition.acquiredAt < $1.acquisition.acquiredAt }) {
            if let index = place(of: point.acquisition, in: cycles) {
                cycles[index].points.append(point)
                continue
            }
            var cycle = Cycle(
                id: nil, radionuclide: point.acquisition.radionuclide,
                administeredAt: point.acquisition.administeredAt, megabecquerel: nil, isStated: false)
            cycle.points = [point]
            cycles.append(cycle)
        }
        return cycles.filter { !$0.points.isEmpty }
    }

    private static func place(of image: ResultSummary.Acquisition, in cycles: [Cycle]) -> Int? {
        let fitting = cycles.indices.filter { cycles[$0].radionuclide == image.radionuclide }
        if let given = image.administeredAt {
            let near = fitting.compactMap { index in
                cycles[index].administeredAt.map { (index, abs($0.seconds(since: given))) }
            }
            return near.filter { $0.1 <= windowSeconds }.min { $0.1 < $1.1 }?.0
        }
        let before = fitting.compactMap { index -> (Int, Double)? in
            guard cycles[index].isStated, let given = cycles[index].administeredAt else { return nil }
            return (index, image.acquiredAt.seconds(since: given))
        }
        let followed = before.filter { 0 < $0.1 && $0.1 <= followUpSeconds }.min { $0.1 < $1.1 }?.0
        return followed ?? fitting.first { cycles[$0].administeredAt == nil }
    }
}

extension CycleContent.Cycle {
    /// Those that a dose can be computed from.
    package var usable: [CycleContent.Point] { points.filter(\.isCalibrated) }

    /// What was administered, as a person or all files say it.
    package var administeredMegabecquerel: Double? {
        if let megabecquerel { return megabecquerel }
        let stated = points.compactMap(\.acquisition.administeredMegabecquerel)
        guard let least = stated.min(), let most = stated.max() else { return nil }
        return most <= least * (1 + CycleContent.agreement) ? stated[0] : nil
    }

    /// A stable code and the fields asked for; nil when a dose can be computed.
    package var missing: (code: String, fields: [String])? {
        var fields: [String] = []
        if administeredAt == nil { fields.append("administered_at") }
        if administeredMegabecquerel == nil { fields.append("administered_mbq") }
        let differ = points.contains { $0.acquisition.administeredMegabecquerel != nil }
        if fields == ["administered_mbq"], differ { return ("administration-ambiguous", fields) }
        if !fields.isEmpty { return ("administration-missing", fields) }
        return usable.isEmpty ? ("activity-uncalibrated", ["site.calibration"]) : nil
    }

    /// Equal when a dose would be computed from the same.
    ///
    /// - Parameter tomographies: instances of reconstructed SPECT images that may set its levels.
    package func key(earlier: [Int64], tomographies: [Int64] = []) -> String {
        let given = administeredAt.map { $0.dicomDate + $0.dicomTime } ?? ""
        let anchors = tomographies.isEmpty ? [] : ["by"] + tomographies.map(String.init)
        let parts =
            usable.map { String($0.result) } + [given, administeredMegabecquerel.map { "\($0)" } ?? "", radionuclide]
            + ["after"] + earlier.map(String.init) + anchors + [missing?.code ?? ""]
        return Digest.hex(of: Array(parts.joined(separator: " ").utf8))
    }
}
