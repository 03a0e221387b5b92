import Anatomy
import ArgumentParser
import Imaging
import Reconstruction
import Tomography

/// Possible maps with their planar scans per second, beside forward projections alone.
struct Sampler: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sampled uptake maps with simulated planar scans per second.")

    @Option(help: "Voxels along x, y and z, separated by commas.") var grid = "96,64,128"
    @Option(help: "Samples, each followed by a forward projection alone.") var rounds = 12
    @OptionGroup var output: OutputOptions

    private var extents: [Int] { grid.split(separator: ",").compactMap { Int($0) } }

    func validate() throws {
        guard extents.count == 3, extents.allSatisfy({ $0 > 8 }), rounds > 0 else {
            throw ValidationError("--grid takes three numbers above 8, --rounds a positive one")
        }
    }

    func run() throws {
        let patient = try SampledPatient(columns: extents[0], rows: extents[1], slices: extents[2])
        let full = try UptakeSampler(regions: patient.regions, pet: patient.pet)
        let narrow = try UptakeSampler(regions: patient.regions, pet: patient.pet, world: .narrow)
        let camera = try AcquisitionSampler(hounsfield: patient.hounsfield, body: patient.body, site: .phantom)
        var (whole, maps, narrowMaps, forward): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        let first = try camera.acquire(full.sample(seed: 0), seed: 0)
        let projector = try camera.assumedProjector(for: first)
        for round in 1...rounds {
            Progress.step("sample \(round) of \(rounds)")
            let seed = UInt64(round)
            var sample: UptakeSample?
            let map = Timing.seconds { sample = full.sample(seed: seed) }
            guard let sample else { continue }
            let scan = try Timing.seconds { _ = try camera.acquire(sample, seed: seed) }
            maps.append(map)
            whole.append(map + scan)
            narrowMaps.append(Timing.seconds { _ = narrow.sample(seed: seed) })
            forward.append(Timing.seconds { _ = projector.forward(sample.activity.voxels) })
        }
        var report = Report("sampler")
        let alone = 1 / Timing.median(forward)
        let yardstick = "forward projections alone"
        report.add(
            Figure("maps with planar scans, all ingredients", 1 / Timing.median(whole), "1/s", beside: yardstick, alone)
        )
        report.add(Figure("maps alone, all ingredients", 1 / Timing.median(maps), "1/s", beside: yardstick, alone))
        report.add(Figure("maps alone, narrow world", 1 / Timing.median(narrowMaps), "1/s", beside: yardstick, alone))
        report.note(
            "Grid \(grid) at \(SampledPatient.spacing) mm, \(patient.regions.count) regions; both views, Poisson counts; "
                + "\(MachinePeaks.threadCount) threads. Asked for: 5 maps with scans per second.")
        try report.print(as: output)
    }
}
