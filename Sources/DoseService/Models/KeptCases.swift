import Foundation
import Imaging
import Learning
import Reconstruction
import Tomography

/// Solved cases in a folder: what Stage 0 took seconds for serves every training over the same people.
///
/// A file is named by the digest of everything that the case follows from; no other is ever taken for it.
struct KeptCases: Sendable {
    let folder: String
    /// Which people, and how they are seen.
    let recipe: String

    private enum Key {
        static let identity = "case"
        static let heads = "heads"
        static let grid = "grid"
        static let background = "background"
        static let unevenness = "unevenness"
    }

    /// A case of a patient who is known: the scan alone is kept.
    func draw(_ dataset: PersonalDataset, seed: UInt64) throws(ReconstructionError) -> DrawnCase {
        let identity = identity("map \(seed)")
        if let file = read(identity), let scan = Self.scan(in: file, dataset.patient.attenuation) {
            return (dataset.makeCase(seed: seed, scan: scan), dataset.patient)
        }
        let drawn = try dataset.draw(seed: seed)
        write(Self.file(of: drawn.training.scan), identity)
        return drawn
    }

    /// A person of the population: all is kept.
    func person(_ population: TrainingPopulation, seed: UInt64) throws(ReconstructionError) -> DrawnCase {
        let identity = identity("person \(seed)")
        if let file = read(identity), let drawn = Self.person(in: file) { return drawn }
        let drawn = try population.person(seed: seed)
        var file = Self.file(of: drawn.training.scan)
        let truth = drawn.training.truth
        func keep(_ name: String, _ values: [Float]) {
            file.tensors[name] = StoredTensor(floats: values, shape: [values.count])
        }
        file.metadata[Key.grid] = JSONText.encode(drawn.patient.grid)
        file.metadata[Key.background] = JSONText.encode(truth.backgroundOwners.sorted())
        keep("attenuation", drawn.patient.attenuation.voxels)
        keep("patient", try drawn.patient.values())
        keep("body", drawn.patient.body.voxels)
        keep("truth", truth.activity.voxels)
        keep("owners", truth.owners.voxels.map(Float.init))
        write(file, identity)
        return drawn
    }

    private func identity(_ which: String) -> String {
        "\(recipe) \(Version.number).\(PersonalDataset.revision) \(which)"
    }

    private func path(_ identity: String) -> String {
        "\(folder)/\(Digest.hex(of: Array(identity.utf8)).prefix(32)).case"
    }

    private func write(_ file: Safetensors, _ identity: String) {
        var file = file
        file.metadata[Key.identity] = identity
        // A case that cannot be kept is solved again.
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? DurableFile.write(file.encoded(), to: path(identity))
    }

    /// nil for a file of another case.
    private func read(_ identity: String) -> Safetensors? {
        guard let data = FileManager.default.contents(atPath: path(identity)),
            let file = try? Safetensors(decoding: Array(data)), file.metadata[Key.identity] == identity
        else { return nil }
        return file
    }

    private static func file(of scan: PlanarScan) -> Safetensors {
        var file = Safetensors(
            metadata: [
                Key.heads: JSONText.encode(scan.projector.heads), Key.unevenness: JSONText.encode(scan.unevenness),
            ], tensors: [:])
        for (name, values) in [("counts", scan.counts), ("scatter", scan.scatter), ("initial", scan.initial.voxels)] {
            file.tensors[name] = StoredTensor(floats: values, shape: [values.count])
        }
        return file
    }

    private static func decoded<T: Decodable>(_ type: T.Type, _ key: String, in file: Safetensors) -> T? {
        try? JSONDecoder().decode(type, from: Data((file.metadata[key] ?? "").utf8))
    }

    /// nil for a file that does not hold the whole of a scan.
    private static func scan(in file: Safetensors, _ attenuation: Volume<Float>) -> PlanarScan? {
        guard let heads = decoded([CameraHead].self, Key.heads, in: file), heads.count == 2,
            let projector = try? OpposedViewProjector(
                heads: heads,
                attenuation: Dictionary(heads.map { ($0.energy, attenuation) }, uniquingKeysWith: { first, _ in first })
            ),
            let counts = file.tensors["counts"]?.floats(), counts.count == projector.rangeCount,
            let scatter = file.tensors["scatter"]?.floats(), scatter.count == projector.rangeCount,
            let initial = file.tensors["initial"]?.floats(), initial.count == attenuation.voxels.count,
            let unevenness = decoded(Float.self, Key.unevenness, in: file)
        else { return nil }
        var map = attenuation
        map.voxels = initial
        return PlanarScan(projector: projector, counts: counts, scatter: scatter, initial: map, unevenness: unevenness)
    }

    /// nil for a file that does not hold the whole of a person.
    private static func person(in file: Safetensors) -> DrawnCase? {
        guard let grid = decoded(VoxelGrid.self, Key.grid, in: file),
            let background = decoded([UInt8].self, Key.background, in: file)
        else { return nil }
        func volume(_ name: String) -> Volume<Float>? {
            guard let values = file.tensors[name]?.floats(), values.count == grid.voxelCount else { return nil }
            var volume = Volume<Float>(grid: grid, repeating: 0)
            volume.voxels = values
            return volume
        }
        guard let attenuation = volume("attenuation"), let body = volume("body"), let truth = volume("truth"),
            let owners = volume("owners"), let scan = scan(in: file, attenuation),
            let values = file.tensors["patient"]?.floats(),
            let patient = try? PatientChannels(values: values, body: body.voxels, attenuation: attenuation, on: .best)
        else { return nil }
        let map = TrueMap(
            activity: truth, owners: owners.map { UInt8(exactly: $0) ?? 0 }, backgroundOwners: Set(background))
        return (TrainingCase(scan: scan, truth: map), patient)
    }
}
