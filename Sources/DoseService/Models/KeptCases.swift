import Foundation
import Imaging
import Learning
import Reconstruction
import Tomography

/// Solved cases of sampled people in a folder: what Stage 0 took seconds for serves every training over the same people.
///
/// A file is named by the digest of everything that the case follows from; no other is ever taken for it.
struct KeptCases {
    let folder: String
    /// Which people, and how they are seen.
    let recipe: String

    private static let identityKey = "case"
    private static let headsKey = "heads"

    func draw(
        _ dataset: PersonalDataset, person: UInt64, seed: UInt64
    ) throws(ReconstructionError) -> DrawnCase {
        let identity = "\(recipe) \(Version.number) \(person) \(seed)"
        let path = "\(folder)/\(Digest.hex(of: Array(identity.utf8)).prefix(32)).case"
        if let scan = read(path, identity, dataset.camera.attenuation) {
            return (dataset.makeCase(seed: seed, scan: scan), dataset.patient)
        }
        let drawn = try dataset.draw(seed: seed)
        write(drawn.training.scan, to: path, identity)
        return drawn
    }

    private func write(_ scan: PlanarScan, to path: String, _ identity: String) {
        var file = Safetensors(
            metadata: [Self.identityKey: identity, Self.headsKey: JSONText.encode(scan.projector.heads)], tensors: [:])
        for (name, values) in [("counts", scan.counts), ("scatter", scan.scatter), ("initial", scan.initial.voxels)] {
            file.tensors[name] = StoredTensor(floats: values, shape: [values.count])
        }
        // A case that cannot be kept is solved again.
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? DurableFile.write(file.encoded(), to: path)
    }

    /// nil for a file that does not hold the whole of this case.
    private func read(_ path: String, _ identity: String, _ attenuation: Volume<Float>) -> PlanarScan? {
        guard let data = FileManager.default.contents(atPath: path), let file = try? Safetensors(decoding: Array(data)),
            file.metadata[Self.identityKey] == identity,
            let heads = try? JSONDecoder().decode(
                [CameraHead].self, from: Data((file.metadata[Self.headsKey] ?? "").utf8)),
            let projector = try? OpposedViewProjector(
                heads: heads,
                attenuation: Dictionary(heads.map { ($0.energy, attenuation) }, uniquingKeysWith: { first, _ in first })
            ),
            let counts = file.tensors["counts"]?.floats(), counts.count == projector.rangeCount,
            let scatter = file.tensors["scatter"]?.floats(), scatter.count == projector.rangeCount,
            let initial = file.tensors["initial"]?.floats(), initial.count == attenuation.voxels.count
        else { return nil }
        var map = attenuation
        map.voxels = initial
        return PlanarScan(projector: projector, counts: counts, scatter: scatter, initial: map)
    }
}
