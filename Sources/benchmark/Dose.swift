import ArgumentParser
import Dosimetry
import Foundation
import Imaging
import Learning

/// Convolution of a dose map beside the same by the library's Fourier transforms.
struct Dose: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Absorbed dose on 128x128x128 voxels with a kernel of 51x51x51, and its accuracy on synthetic patients.")

    @Option(help: "Voxels along each axis.") var size = 128
    @Option(help: "Rounds, alternating with the yardstick.") var rounds = 15
    @Option(help: "Synthetic patients with three time points each; 0 leaves them out.") var patients = 0
    @Flag(help: "Camera and attenuation differ from what is described, by as much as the budget says that they may.")
    var uncertainCamera = false
    @Option(help: "Where the patients' files are put while it runs.") var folder = NSTemporaryDirectory()
    @OptionGroup var output: OutputOptions

    private static let spacing = 4.8
    /// What the first release may take.
    private static let limitMilliseconds = 150.0

    func validate() throws {
        guard (32...256).contains(size), rounds > 0, patients >= 0 else {
            throw ValidationError("--size is from 32 to 256, --rounds positive, --patients not negative")
        }
    }

    func run() throws {
        try Device.configure(threadCount: MachinePeaks.threadCount)
        let kernel = try VoxelKernel(.lutetium177, spacing: SIMD3(repeating: Self.spacing))
        let shape = SIMD3(repeating: size)
        let ours = KernelConvolution(size: shape, kernel: kernel.photons)
        let electrons = KernelConvolution(size: shape, kernel: kernel.electrons)
        let yardstick = try FourierYardstick(size: size, kernel: kernel.photons)
        let activity = (0..<size * size * size).map { Float($0 % 1013) / 1013 }
        let grid = try VoxelGrid(
            columns: size, rows: size, slices: size, spacing: SIMD3(repeating: Self.spacing),
            origin: SIMD3(repeating: 0))
        let calculator = try DoseCalculator(.lutetium177, grid: grid)
        let integrated = try Volume(grid: grid, voxels: activity)
        let density = Volume<Float>(grid: grid, repeating: 1.04)
        var (own, library, near, whole): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        var (mine, theirs): ([Float], [Float]) = ([], [])
        // The first round warms up and is not counted.
        for round in 0...rounds {
            Progress.step("convolution, round \(round) of \(rounds)")
            let times = [
                Timing.seconds { mine = ours(activity) }, try Timing.seconds { theirs = try yardstick(activity) },
                Timing.seconds { _ = electrons(activity) },
                try Timing.seconds { _ = try calculator.dose(integrated: integrated, density: density) },
            ]
            guard round > 0 else { continue }
            own.append(times[0])
            library.append(times[1])
            near.append(times[2])
            whole.append(times[3])
        }
        let largest = theirs.max() ?? 1
        let difference = zip(mine, theirs).map { abs($0 - $1) }.max() ?? 0
        var report = Report("dose")
        let name = "libtorch, Fourier transforms, kept kernel"
        report.add(
            Figure(
                "convolution \(size)^3 by 51^3", Timing.median(own) * 1e3, "ms", beside: name,
                Timing.median(library) * 1e3))
        report.add(
            Figure(
                "convolution \(size)^3 by 51^3", Timing.median(own) * 1e3, "ms", beside: "limit", Self.limitMilliseconds
            ))
        report.add(
            Figure(
                "electrons, direct, 27 taps", Timing.median(near) * 1e3, "ms", beside: name,
                Timing.median(library) * 1e3))
        report.add(
            Figure(
                "absorbed dose, both parts and density", Timing.median(whole) * 1e3, "ms", beside: "limit",
                Self.limitMilliseconds))
        report.add(
            Figure("largest difference", Double(difference / largest), "of the peak", beside: "single precision", 1e-5))
        if patients > 0 {
            let workspace = try Workspace(in: folder)
            defer { workspace.close() }
            try DoseAccuracy(
                patients: patients, isCameraUncertain: uncertainCamera, folder: workspace.folder
            ).add(to: &report)
        }
        report.note(
            "Median of \(rounds) rounds on \(MachinePeaks.threadCount) threads; both keep the kernel's spectrum.")
        try report.print(as: output)
    }
}
