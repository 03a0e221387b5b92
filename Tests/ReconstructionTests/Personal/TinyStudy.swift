import Anatomy
import Imaging
import Learning
import Reconstruction
import TestSupport

/// A patient and networks so small that a training takes seconds.
enum TinyStudy {
    static let configured: Bool = (try? Device.configure(threadCount: 2)) != nil

    static func dataset(
        _ world: UptakeWorld = .full.registered, _ acquisition: AcquisitionWorld = .mismatched
    ) throws -> PersonalDataset {
        let patient = try SmallPatient(spacing: 12)
        let anatomy = try PatientAnatomy(regions: patient.regions, pet: patient.pet, hounsfield: patient.hounsfield)
        return try PersonalDataset(anatomy: anatomy, site: .phantom, world: world, acquisition: acquisition)
    }

    static func shrink(_ network: inout ResidualUNetConfiguration) {
        (network.channels, network.groups) = ([16, 32], 4)
        (network.encoderBlocks, network.decoderBlocks) = ([1, 1], [1])
    }

    static func stageOne(seed: UInt64 = 1) throws -> StageOne {
        var settings = StageOne.Settings(.small)
        shrink(&settings.network)
        settings.precision = .float32
        return try StageOne(settings, seed: seed)
    }

    static func error(_ found: Volume<Float>, _ truth: Volume<Float>) -> Double {
        let difference = zip(found.voxels, truth.voxels).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) }
        return difference / truth.voxels.reduce(0.0) { $0 + Double($1) }
    }
}
