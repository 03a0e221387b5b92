import Dispatch
import Glibc
public import Imaging

/// How much activity each structure of a synthetic patient holds, and how unevenly.
///
/// - Units: Bq/mL.
public struct UptakePattern: Sendable {
    /// Mean concentration of each organ; organs that are missing have none.
    public let concentrations: [Organ: Double]
    public let lesionConcentrations: [Double]
    /// Uptake of a kidney's medulla as part of its cortex's.
    let medullaShare: Double
    private let unevenness: [Organ: Waves]

    /// A smooth random field with mean one: a sum of waves.
    struct Waves: Sendable {
        let waves: [(vector: SIMD3<Double>, phase: Double)]
        let amplitude: Double

        init(deviation: Double, lengthMillimetres: Double, _ generator: inout SeededGenerator) {
            waves = (0..<8).map { _ in
                let wave = 2.2 / lengthMillimetres
                let vector = SIMD3(
                    generator.normal(deviation: wave), generator.normal(deviation: wave),
                    generator.normal(deviation: wave))
                return (vector, generator.uniform(0...(2 * .pi)))
            }
            amplitude = deviation * (2 / Double(waves.count)).squareRoot()
        }

        func value(at position: SIMD3<Double>) -> Double {
            let sum = waves.reduce(0) { $0 + cos(($1.vector * position).sum() + $1.phase) }
            return max(1 + amplitude * sum, 0.15)
        }
    }

    private init(
        concentrations: [Organ: Double], lesions: [Double], medullaShare: Double, deviation: Double,
        _ generator: inout SeededGenerator
    ) {
        self.concentrations = concentrations
        lesionConcentrations = lesions
        self.medullaShare = medullaShare
        var unevenness: [Organ: Waves] = [:]
        for organ in Organ.allCases {
            let length = generator.uniform(20...50)
            unevenness[organ] = Waves(deviation: deviation, lengthMillimetres: length, &generator)
        }
        self.unevenness = unevenness
    }

    /// 177Lu-PSMA about a day after 7.4 GBq.
    ///
    /// - Source: ranges of published organ concentrations at 24 h (kidney 0.25-0.40, salivary glands 0.35-0.56,
    ///   liver 0.054, tumour 0.22-0.65 MBq/mL); the other values make the whole body about a tenth of what was injected.
    public static func lutetiumPSMA(seed: UInt64, lesionCount: Int, deviation: Double = 0.12) -> UptakePattern {
        var generator = SeededGenerator(seed: seed, purpose: "uptake-177Lu")
        return UptakePattern(
            means: [
                .kidneyLeft: 310_000, .liver: 54_000, .spleen: 70_000, .bladder: 120_000, .stomach: 9_000,
                .smallIntestine: 25_000, .pancreas: 12_000, .parotidLeft: 420_000, .submandibularLeft: 380_000,
                .lacrimalLeft: 250_000, .lungs: 2_500, .bone: 7_000, .remainder: 3_500,
            ],
            lesionMedian: 330_000, spread: 0.3, lesionCount: lesionCount, deviation: deviation, &generator)
    }

    /// A PSMA PET an hour after the injection.
    ///
    /// - Source: standardised uptake values of the usual size (kidney 45, parotid 16, liver 5, spleen 8) times
    ///   1.2 kBq/mL.
    public static func psmaPET(seed: UInt64, lesionCount: Int, deviation: Double = 0.12) -> UptakePattern {
        var generator = SeededGenerator(seed: seed, purpose: "uptake-PET")
        return UptakePattern(
            means: [
                .kidneyLeft: 54_000, .liver: 6_000, .spleen: 9_600, .bladder: 24_000, .stomach: 2_400,
                .smallIntestine: 8_000, .pancreas: 3_000, .parotidLeft: 19_000, .submandibularLeft: 18_000,
                .lacrimalLeft: 9_000, .lungs: 500, .bone: 1_100, .remainder: 800,
            ],
            lesionMedian: 24_000, spread: 0.35, lesionCount: lesionCount, deviation: deviation, &generator)
    }

    /// Draws this patient's levels around the means; pairs of organs go together.
    private init(
        means: [Organ: Double], lesionMedian: Double, spread: Double, lesionCount: Int, deviation: Double,
        _ generator: inout SeededGenerator
    ) {
        let pairs: [(Organ, Organ)] = [
            (.kidneyLeft, .kidneyRight), (.parotidLeft, .parotidRight), (.submandibularLeft, .submandibularRight),
            (.lacrimalLeft, .lacrimalRight),
        ]
        var drawn: [Organ: Double] = [:]
        for organ in Organ.allCases {
            guard let mean = means[organ] else { continue }
            drawn[organ] = generator.logNormal(median: mean, deviation: spread)
        }
        for (left, right) in pairs {
            guard let value = drawn[left] else { continue }
            drawn[right] = generator.logNormal(median: value, deviation: 0.1)
        }
        let lesions = (0..<lesionCount).map { _ in generator.logNormal(median: lesionMedian, deviation: 0.5) }
        self.init(
            concentrations: drawn, lesions: lesions, medullaShare: generator.uniform(0.35...0.7),
            deviation: deviation, &generator)
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
                    for x in 0..<grid.columns {
                        let offset = grid.offset(x: x, y: y, z: z)
                        let label = labels.voxels[offset]
                        if label == .air { continue }
                        let position = grid.position(x: Double(x), y: Double(y), z: Double(z))
                        voxels[offset] = Float(self.concentration(label, at: position))
                    }
                }
            }
        }
        return result
    }

    private func concentration(_ label: StructureLabel, at position: SIMD3<Double>) -> Double {
        if let lesion = label.lesion { return lesion < lesionConcentrations.count ? lesionConcentrations[lesion] : 0 }
        guard let organ = label.organ else { return 0 }
        let mean = (concentrations[organ] ?? 0) * (unevenness[organ]?.value(at: position) ?? 1)
        return label.isMedulla ? mean * medullaShare : mean
    }
}
