import Dispatch
import Glibc
public import Imaging

/// How much activity each structure of a synthetic patient holds, and how unevenly.
///
/// - Units: Bq/mL.
public struct UptakePattern: Sendable {
    /// How uptake varies inside an organ.
    public struct Texture: Sendable, Equatable {
        /// Standard deviation inside an organ, as part of the organ's mean.
        public var deviation = 0.12
        /// Length over which the uptake changes, in millimetres; each organ draws its own.
        public var lengthMillimetres: ClosedRange<Double> = 20...50
        /// Concentration in a kidney's cortex over that in its medulla; the reciprocal is drawn evenly.
        public var cortexToMedulla: ClosedRange<Double> = 1 / 0.7...1 / 0.35

        public init() {}
    }

    /// Mean concentration of each organ; organs that are missing have none.
    public internal(set) var concentrations: [Organ: Double]
    public internal(set) var lesionConcentrations: [Double]
    /// Uptake of a kidney's medulla as part of its cortex's.
    let medullaShare: Double
    private let unevenness: [Organ: WaveField]

    init(
        levels: UptakeLevels, means: UptakeLevels.Means, texture: Texture, _ generator: inout SeededGenerator
    ) {
        concentrations = means.organs.reduce(into: [:]) { $0[$1.key] = $1.value * (levels.organs[$1.key] ?? 1) }
        lesionConcentrations = levels.lesions.map { $0 * means.lesion }
        let ratios = texture.cortexToMedulla
        medullaShare = generator.uniform(1 / ratios.upperBound...1 / ratios.lowerBound)
        var unevenness: [Organ: WaveField] = [:]
        for organ in Organ.allCases {
            let length = generator.uniform(texture.lengthMillimetres)
            unevenness[organ] = WaveField(deviation: texture.deviation, lengthMillimetres: length, &generator)
        }
        self.unevenness = unevenness
    }

    /// The activity of every voxel.
    ///
    /// - Units: Bq/mL.
    public func activity(of labels: Volume<StructureLabel>) -> Volume<Float> {
        let grid = labels.grid
        var result = Volume<Float>(grid: grid, repeating: 0)
        result.voxels.withUnsafeMutableBufferPointer { voxels in
            // Each iteration writes its own slice only.
            nonisolated(unsafe) let voxels = voxels
            DispatchQueue.concurrentPerform(iterations: grid.slices) { z in
                for y in 0..<grid.rows {
                    let row = grid.offset(x: 0, y: y, z: z)
                    self.fill(labels, row: row, at: grid.position(x: 0, y: Double(y), z: Double(z)), voxels)
                }
            }
        }
        return result
    }

    /// One row of voxels, run by run of one label.
    private func fill(
        _ labels: Volume<StructureLabel>, row: Int, at start: SIMD3<Double>, _ result: UnsafeMutableBufferPointer<Float>
    ) {
        let (columns, step) = (labels.grid.columns, labels.grid.spacing.x)
        var x = 0
        while x < columns {
            let label = labels.voxels[row + x]
            var end = x + 1
            while end < columns, labels.voxels[row + end] == label { end += 1 }
            let mean = concentration(of: label)
            if let organ = label.organ, let field = unevenness[organ], field.amplitude > 0 {
                var line = field.line(from: start + SIMD3(Double(x) * step, 0, 0), step: step)
                for voxel in x..<end { result[row + voxel] = Float(mean * line.next()) }
            } else {
                for voxel in x..<end { result[row + voxel] = Float(mean) }
            }
            x = end
        }
    }

    private func concentration(of label: StructureLabel) -> Double {
        if let lesion = label.lesion { return lesion < lesionConcentrations.count ? lesionConcentrations[lesion] : 0 }
        guard let organ = label.organ else { return 0 }
        let mean = concentrations[organ] ?? 0
        return label.isMedulla ? mean * medullaShare : mean
    }
}
