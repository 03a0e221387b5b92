import Anatomy
import ArgumentParser
import Imaging
import Reconstruction
import Tomography

/// Stage 0 of one patient, beside the projections that it could make in that time.
struct PhysicsFit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stage0", abstract: "Stage 0 of sampled scans of one patient, all ingredients.")

    @Option(help: "Voxels along x, y and z, separated by commas.") var grid = "84,52,125"
    @Option(help: "Scans.") var rounds = 5
    @OptionGroup var output: OutputOptions

    private var extents: [Int] { grid.split(separator: ",").compactMap { Int($0) } }

    func validate() throws {
        guard extents.count == 3, extents.allSatisfy({ $0 > 8 }), rounds > 0 else {
            throw ValidationError("--grid takes three numbers above 8, --rounds a positive one")
        }
    }

    func run() throws {
        let patient = try SampledPatient(columns: extents[0], rows: extents[1], slices: extents[2])
        let anatomy = try PatientAnatomy(
            regions: patient.regions, pet: patient.pet, hounsfield: patient.hounsfield)
        let study = try PersonalDataset(anatomy: anatomy, site: .phantom)
        let camera = try AcquisitionSampler(hounsfield: patient.hounsfield, body: patient.body, site: .phantom)
        let sample = try UptakeSampler(regions: patient.regions, pet: patient.pet).sample(seed: 0)
        let projector = try camera.assumedProjector(for: try camera.acquire(sample, seed: 0))
        var (fits, pairs): ([Double], [Double]) = ([], [])
        for round in 1...rounds {
            Progress.step("scan \(round) of \(rounds)")
            let scan = try study.scan(seed: UInt64(round))
            fits.append(try Timing.seconds { _ = try study.stage.reconstruct(scan) })
            pairs.append(Timing.seconds { _ = projector.adjoint(projector.forward(sample.activity.voxels)) })
        }
        var report = Report("stage0")
        report.add(
            Figure(
                "Stage 0 of a sampled scan, median", Timing.median(fits), "s",
                beside: "forward + adjoint of both views", Timing.median(pairs)))
        report.add(
            Figure(
                "Stage 0 of a sampled scan, slowest", fits.max() ?? 0, "s",
                beside: "forward + adjoint of both views", Timing.median(pairs)))
        report.note(
            "Grid \(grid) at \(SampledPatient.spacing) mm, \(patient.regions.count) regions; motion, unevenness, new lesions and a "
                + "mismatched camera; \(MachinePeaks.threadCount) threads. Asked for: at most 20 s over 40 x 25 x 60 cm."
        )
        try report.print(as: output)
    }
}
