/// Which of a patient's instances make a case, and what is missing.
package struct CaseContent: Equatable {
    /// One instance as the index knows it.
    package struct Instance: Equatable {
        package let id: Int64
        package let modality: String
        package let series: String
        package let frameOfReference: String?

        package init(id: Int64, modality: String, series: String, frameOfReference: String?) {
            (self.id, self.modality, self.series) = (id, modality, series)
            self.frameOfReference = frameOfReference
        }
    }

    package let instances: [Int64]
    /// Equal when the same instances were chosen.
    package let key: String
    /// What a reconstruction still needs: a stable code and the fields asked for.
    package let missing: (code: String, fields: [String])?

    /// Takes all planar instances, the latest PET series, the CT series of its frame of reference with most slices and the
    /// latest contours on it.
    package init(choosingFrom all: [Instance]) {
        let planar = all.filter { $0.modality == "NM" }
        let pet = Self.latestSeries(all.filter { $0.modality == "PT" })
        let frame = pet.first?.frameOfReference
        let fitting = all.filter { $0.modality == "CT" && $0.frameOfReference == frame }
        let ct = Dictionary(grouping: fitting, by: \.series).values.max {
            ($0.count, $0.last?.id ?? 0) < ($1.count, $1.last?.id ?? 0)
        }
        let contours = all.last { ["RTSTRUCT", "SEG"].contains($0.modality) && $0.frameOfReference ?? frame == frame }
        let chosen = planar + (ct ?? []) + pet + (contours.map { [$0] } ?? [])
        instances = chosen.map(\.id).sorted()
        key = Digest.hex(of: Array(instances.map(String.init).joined(separator: ",").utf8))
        missing =
            if planar.isEmpty {
                ("nm-missing", ["nm"])
            } else if pet.isEmpty {
                ("pt-missing", ["pt"])
            } else if ct == nil {
                ("ct-missing", ["ct"])
            } else {
                nil
            }
    }

    private static func latestSeries(_ instances: [Instance]) -> [Instance] {
        guard let latest = instances.last?.series else { return [] }
        return instances.filter { $0.series == latest }
    }

    package static func == (left: CaseContent, right: CaseContent) -> Bool { left.key == right.key }
}
