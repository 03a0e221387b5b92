import Anatomy
import Imaging
import Reconstruction
import Testing

/// Regions that come from the PET because no contour did.
@Suite(.serialized) struct UptakeRegionTests {
    private static func patient(_ seed: UInt64) throws -> SyntheticPatient {
        var recipe = SyntheticPatient.Recipe(seed: seed, difficulty: .matched)
        recipe.resolution = .init(ct: 2.34375, simulation: SIMD3(repeating: 6), pixel: 9.6)
        recipe.field = .oneBed(centreMillimetres: 340)
        return try SyntheticPatient(recipe)
    }

    /// Overlap of an organ with the union of the uptake regions that lie in it for the most part.
    ///
    /// - Source: Dice, Ecology 26 (1945) 297.
    private static func dice(_ organ: Region, _ uptake: [Region]) -> Double {
        var union = [Float](repeating: 0, count: organ.coverage.voxels.count)
        for region in uptake {
            let inside = zip(region.coverage.voxels, organ.coverage.voxels).reduce(0) { $0 + min($1.0, $1.1) }
            guard inside > 0.5 * region.coverage.voxels.reduce(0, +) else { continue }
            for voxel in union.indices { union[voxel] += region.coverage.voxels[voxel] }
        }
        let common = zip(union, organ.coverage.voxels).reduce(0) { $0 + Double(min($1.0, $1.1)) }
        let sum = zip(union, organ.coverage.voxels).reduce(0) { $0 + Double($1.0 + $1.1) }
        return 2 * common / sum
    }

    /// Measured: kidneys 0.90 to 0.93, liver 0.95 to 0.97, spleen 0.92 to 0.94, glands 0.86 to 0.90.
    @Test(arguments: [UInt64(3), 4, 8])
    func coverTheOrgansThatTakeUpTheTracer(seed: UInt64) throws {
        let patient = try Self.patient(seed)
        let contoured = try patient.anatomy()
        let found = try patient.anatomy(withContours: false)
        #expect(found.findings.contains("no-contours") && !contoured.findings.contains("no-contours"))
        #expect(found.grid == contoured.grid)
        let uptake = found.regions.filter { $0.name.hasPrefix("uptake-") }
        let wanted = [
            ("kidney_left", 0.87), ("kidney_right", 0.87), ("liver", 0.92), ("spleen", 0.87), ("parotid_left", 0.8),
        ]
        for (name, least) in wanted {
            let organ = try #require(contoured.regions.first { $0.name == name })
            #expect(Self.dice(organ, uptake) > least, "\(name) of seed \(seed)")
        }
    }

    @Test func areDisjointAndNamedByActivity() throws {
        let anatomy = try Self.patient(3).anatomy(withContours: false)
        var sum = [Float](repeating: 0, count: anatomy.grid.voxelCount)
        for region in anatomy.regions {
            for voxel in sum.indices { sum[voxel] += region.coverage.voxels[voxel] }
        }
        for voxel in sum.indices { #expect(abs(sum[voxel] - (anatomy.body.voxels[voxel] ? 1 : 0)) < 1e-5) }
        let uptake = anatomy.regions.filter { $0.name.hasPrefix("uptake-") }
        let activities = (1...uptake.count).compactMap { number in
            uptake.first { $0.name == "uptake-\(number)" }.map { region in
                zip(region.coverage.voxels, anatomy.pet.voxels).reduce(0) { $0 + Double($1.0 * $1.1) }
            }
        }
        #expect(activities.count == uptake.count)
        #expect(activities == activities.sorted(by: >))
        // Large ones are organs, small ones lesions or glands; lesions come first.
        for region in uptake { #expect((region.kind == .lesion) == (region.millilitres <= 41), "\(region.name)") }
        let kinds = anatomy.regions.map(\.kind)
        #expect(kinds == kinds.sorted { order($0) < order($1) })
    }

    private func order(_ kind: Region.Kind) -> Int {
        switch kind {
        case .lesion: 0
        case .organ: 1
        case .background: 2
        }
    }

    @Test func aLesionThatNobodyContouredIsARegionOfItsOwn() throws {
        let patient = try Self.patient(3)
        let lesion = try #require(patient.lesions.max { $0.millilitres < $1.millilitres })
        let all = patient.masks().map { PatientAnatomy.Contour(name: $0.name, mask: $0.mask) }
        func anatomy(_ contours: [PatientAnatomy.Contour]) throws -> PatientAnatomy {
            try PatientAnatomy(hounsfield: patient.hounsfield, pet: patient.pet, contours: contours)
        }
        let complete = try anatomy(all)
        #expect(!complete.regions.contains { $0.name.hasPrefix("uptake-") })
        #expect(!complete.findings.contains("uptake-outside-contours"))
        let lacking = try anatomy(all.filter { $0.name != lesion.name })
        #expect(lacking.findings.contains("uptake-outside-contours"))
        #expect(!lacking.findings.contains("no-contours"))
        let uptake = lacking.regions.filter { $0.name.hasPrefix("uptake-") }
        try #require(uptake.count == 1)
        let drawn = try #require(complete.regions.first { $0.name == lesion.name })
        #expect(uptake[0].kind == .lesion)
        #expect(Self.dice(drawn, uptake) > 0.75)
    }
}
