import Anatomy
import Imaging
import Reconstruction

/// The stylised adult on a grid of the wanted size.
struct SampledPatient {
    /// Millimetres: the body of the phantom fills 96 x 64 x 128 voxels.
    static let spacing = 4.8

    let regions: [Region]
    let pet, hounsfield: Volume<Float>
    let body: Volume<Bool>

    init(columns: Int, rows: Int, slices: Int) throws {
        let half = SIMD3(Double(columns - 1), Double(rows - 1), 0) / 2 * Self.spacing
        let grid = try VoxelGrid(
            columns: columns, rows: rows, slices: slices, spacing: SIMD3(repeating: Self.spacing),
            origin: SIMD3(-half.x, -half.y, 80))
        let phantom = StylisedPhantom(seed: 1)
        let labels = phantom.labels(on: grid)
        hounsfield = StylisedPhantom.hounsfield(of: labels)
        body = labels.map { $0 != .air }
        let uptake = UptakePair(seed: 1, lesions: phantom.lesions, seenCount: phantom.lesions.count)
        pet = uptake.pet.activity(of: labels)
        let lesions = phantom.lesions.indices.map { index in
            Region(
                name: "lesion_\(index + 1)", organ: nil, kind: .lesion,
                coverage: labels.map { $0 == .lesion(index) ? 1 : 0 })
        }
        let organs = Organ.allCases.map { organ in
            Region(
                name: organ.rawValue, organ: organ,
                kind: [.lungs, .bone, .remainder].contains(organ) ? .background : .organ,
                coverage: labels.map { $0.organ == organ ? 1 : 0 })
        }
        regions = lesions + organs
    }
}
