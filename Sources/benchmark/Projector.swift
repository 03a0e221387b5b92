import ArgumentParser
import Imaging
import Tomography

/// Forward projection and adjoint of both views, beside what memory and processors could do at best.
struct Projector: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Forward and adjoint projection of both views on 128x128x128 voxels.")

    @Option(help: "Voxels along each axis.") var size = 128
    @Option(help: "Rounds, alternating with the yardsticks.") var rounds = 9
    @OptionGroup var output: OutputOptions

    private static let energy = 208.37
    private static let spacing = 4.8

    func run() throws {
        let projector = try makeProjector()
        let activity = (0..<projector.domainCount).map { Float($0 % 17) }
        let triad = MachinePeaks.Triad()
        let product = MachinePeaks.Product()
        var forward: [Double] = []
        var adjoint: [Double] = []
        var bandwidth: [Double] = []
        var matrixProduct: [Double] = []
        var views = projector.forward(activity)
        _ = projector.adjoint(views)
        for _ in 0..<rounds {
            forward.append(Timing.seconds { views = projector.forward(activity) })
            adjoint.append(Timing.seconds { _ = projector.adjoint(views) })
            bandwidth.append(triad.measure())
            matrixProduct.append(product.measure())
        }
        try report(
            forward: Timing.median(forward), adjoint: Timing.median(adjoint),
            together: Timing.median(zip(forward, adjoint).map(+)), bandwidth: Timing.median(bandwidth),
            matrixProduct: Timing.median(matrixProduct)
        ).print(as: output)
    }

    private func report(
        forward: Double, adjoint: Double, together: Double, bandwidth: Double, matrixProduct: Double
    ) -> Report {
        let cost = Cost(size: size)
        let floor = max(cost.bytes / bandwidth, cost.operations / matrixProduct) * 1e-9
        var report = Report("projector")
        report.add(
            Figure(
                "forward + adjoint, both views, \(size)^3", together * 1e3, "ms",
                beside: "the same bytes and operations at the peaks", floor * 1e3))
        report.add(Figure("forward", forward * 1e3, "ms", beside: "adjoint", adjoint * 1e3))
        report.add(
            Figure(
                "memory traffic", cost.bytes / together / 1e9, "GB/s", beside: "triad, 2 threads, 384 MiB", bandwidth))
        report.add(
            Figure(
                "arithmetic", cost.operations / together / 1e9, "GFLOP/s", beside: "sgemm 1536^3, 2 threads",
                matrixProduct))
        report.note("Limits: 60 ms for the first release, 25 ms once the projector is tuned.")
        report.note(
            "Bytes: float32 volumes read or written once per head: 8 per voxel forward, 10 adjoint; planes stay in cache."
        )
        report.note(
            "Operations: per voxel and head 10 each way (two blurs of three taps, one multiply-add), and the detectors' "
                + "eight matrix products.")
        return report
    }

    /// What one forward and one adjoint projection must move and compute.
    private struct Cost {
        let bytes, operations: Double

        init(size: Int) {
            let voxels = Double(size * size * size)
            let headCount = 2.0
            // Forward reads activity and transmission. The adjoint reads transmission, and of the volume it writes the
            // first half of the planes and reads and writes the second.
            bytes = headCount * voxels * (8 + 4 + 6)
            // One axis of three taps: two additions, two multiplications.
            let recursion = headCount * voxels * 2 * (2 * 4 + 2)
            operations = recursion + headCount * 4 * 2 * voxels
        }
    }

    private func makeProjector() throws -> OpposedViewProjector {
        let spacing = Self.spacing
        let half = Double(size - 1) / 2 * spacing
        let grid = try VoxelGrid(
            columns: size, rows: size, slices: size, spacing: SIMD3(repeating: spacing), origin: SIMD3(-half, -half, 0))
        let detector = DetectorGrid(
            columns: size, rows: size, spacing: SIMD2(repeating: spacing), origin: SIMD2(-half, 0))
        let face = half + spacing * 5
        let heads = [(ViewDirection.anterior, -face), (.posterior, face)].map { direction, position in
            CameraHead(
                direction: direction, facePosition: position, detector: detector, collimator: .siemensMediumEnergy,
                energy: Self.energy, gain: 1)
        }
        // Soft tissue at this energy, everywhere.
        let attenuation = Volume<Float>(grid: grid, repeating: 0.135)
        return try OpposedViewProjector(heads: heads, attenuation: [Self.energy: attenuation])
    }
}
