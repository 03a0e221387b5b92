import Anatomy
import Imaging
import Testing

@Suite struct StylisedPhantomTests {
    /// - Source: ORNL/TM-8381, volumes of the adult's organs in mL; the tolerance is that of 4 mm voxels.
    @Test(arguments: [
        (Organ.liver, 1840.0, 0.03), (.kidneyLeft, 145, 0.05), (.kidneyRight, 145, 0.05), (.spleen, 176, 0.05),
        (.bladder, 203, 0.05),
    ])
    func organsHaveTheirPublishedVolume(organ: Organ, millilitres: Double, tolerance: Double) throws {
        let grid = try VoxelGrid(
            columns: 110, rows: 60, slices: 140, spacing: SIMD3(repeating: 4), origin: SIMD3(-218, -118, 0))
        let labels = StylisedPhantom().labels(on: grid)
        let volume = Double(labels.voxels.count { $0.organ == organ }) * grid.voxelMillilitres
        #expect(abs(volume / millilitres - 1) < tolerance)
    }

    @Test func theSameSeedIsTheSamePersonAndAnotherIsNot() throws {
        let grid = try VoxelGrid(
            columns: 40, rows: 24, slices: 90, spacing: SIMD3(repeating: 12), origin: SIMD3(-234, -138, -150))
        let first = StylisedPhantom(seed: 5).labels(on: grid)
        #expect(first == StylisedPhantom(seed: 5).labels(on: grid))
        let differing = zip(first.voxels, StylisedPhantom(seed: 6).labels(on: grid).voxels).count { $0 != $1 }
        #expect(differing > 100)
    }

    @Test(arguments: [
        ("Kidney_L", Organ.kidneyLeft), ("LEFT KIDNEY", .kidneyLeft), ("Glnd_Submand_R", .submandibularRight),
        ("Leber", .liver), ("kidney_right", .kidneyRight),
    ])
    func knowsTheNamesThatHospitalsUse(name: String, organ: Organ) {
        #expect(Organ(contourName: name) == organ)
    }

    @Test func anUnknownNameIsNoOrgan() {
        #expect(Organ(contourName: "PTV 60") == nil)
    }
}
