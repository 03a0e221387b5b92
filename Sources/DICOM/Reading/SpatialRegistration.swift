import Imaging

/// A rigid transform between patient coordinates, in millimetres.
///
/// - Units: `rotation` has the images of the axes as its columns.
public struct RigidTransform: Equatable, Sendable {
    public let rotation: [SIMD3<Double>]
    public let translation: SIMD3<Double>

    public static let identity = RigidTransform(
        rotation: [SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)], translation: .zero)

    /// How far columns may be from unit vectors at right angles.
    static let tolerance = 1e-3

    init(rotation: [SIMD3<Double>], translation: SIMD3<Double>) {
        (self.rotation, self.translation) = (rotation, translation)
    }

    /// Reads 16 numbers row by row; nil when they scale, shear or mirror.
    init?(_ matrix: [Double]) {
        guard matrix.count == 16, matrix.allSatisfy(\.isFinite), Array(matrix[12...]) == [0, 0, 0, 1] else {
            return nil
        }
        let columns = (0..<3).map { SIMD3(matrix[$0], matrix[4 + $0], matrix[8 + $0]) }
        for (index, column) in columns.enumerated() {
            for (other, next) in columns.enumerated() {
                let expected = index == other ? 1.0 : 0
                guard abs((column * next).sum() - expected) <= Self.tolerance else { return nil }
            }
        }
        let (a, b, c) = (columns[0], columns[1], columns[2])
        let cross = SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
        guard (cross * c).sum() > 0 else { return nil }
        self.init(rotation: columns, translation: SIMD3(matrix[3], matrix[7], matrix[11]))
    }

    public func callAsFunction(_ point: SIMD3<Double>) -> SIMD3<Double> {
        rotation[0] * point.x + rotation[1] * point.y + rotation[2] * point.z + translation
    }

    public var inverse: RigidTransform {
        let rows = (0..<3).map { SIMD3(rotation[0][$0], rotation[1][$0], rotation[2][$0]) }
        let turned = RigidTransform(rotation: rows, translation: .zero)
        return RigidTransform(rotation: rows, translation: -turned(translation))
    }

    /// This transform after another one.
    func after(_ first: RigidTransform) -> RigidTransform {
        let turn = RigidTransform(rotation: rotation, translation: .zero)
        return RigidTransform(rotation: first.rotation.map { turn($0) }, translation: self(first.translation))
    }
}

/// How frames of reference lie to each other, as somebody has registered them.
///
/// - Source: DICOM PS3.3 C.20.2, Spatial Registration Module.
public struct SpatialRegistration: Equatable, Sendable {
    /// From each frame of reference to the one that the object itself has.
    let toRegistered: [String: RigidTransform]
    public let source: SourceReference
    public let createdAt: LocalTimestamp?

    /// - Throws: ``DICOMReadingError`` with ``Refusal/registrationNotRigid`` when a matrix is anything but a rotation and
    ///   a shift, ``Refusal/valueMalformed(_:)``.
    public init(fileAt path: String) throws(DICOMReadingError) {
        let dataset = try Dataset(contentsOf: path)
        try dataset.require(.spatialRegistration)
        source = try SourceReference(dataset)
        createdAt = dataset.timestamp((.contentDate, .contentTime), (.seriesDate, .seriesTime))
        let registered = try dataset.requiredText(.frameOfReferenceUID)
        var found = [registered: RigidTransform.identity]
        for item in dataset.items(.registrationSequence) {
            // One that names images instead of a frame says nothing of other images.
            guard let frame = item.text(.frameOfReferenceUID) else { continue }
            var whole = RigidTransform.identity
            for step in item.items(.matrixRegistrationSequence).flatMap({ $0.items(.matrixSequence) }) {
                let numbers = try step.decimals(.frameOfReferenceTransformationMatrix)
                guard numbers.count == 16 else {
                    throw .refused(.valueMalformed(.frameOfReferenceTransformationMatrix))
                }
                guard let transform = RigidTransform(numbers) else { throw .refused(.registrationNotRigid) }
                whole = transform.after(whole)
            }
            found[frame] = whole
        }
        toRegistered = found
    }

    /// Takes a point of one frame of reference to the same of another; nil when the object does not join the two.
    public func transform(from source: String, to target: String) -> RigidTransform? {
        guard let first = toRegistered[source], let second = toRegistered[target] else { return nil }
        return second.inverse.after(first)
    }
}

extension PETSeries {
    /// The same series in another frame of reference, on voxels of the same size along that frame's axes.
    ///
    /// - Parameter transform: from the series' own frame to the other one.
    /// - Throws: ``DICOMReadingError`` when the turned volume has no sensible grid.
    public func moved(by transform: RigidTransform, into frame: String) throws(DICOMReadingError) -> PETSeries {
        let grid = volume.grid
        let last = SIMD3(Double(grid.columns - 1), Double(grid.rows - 1), Double(grid.slices - 1))
        let corners = (0..<8).map { corner in
            transform(
                grid.position(
                    x: corner & 1 == 0 ? 0 : last.x, y: corner & 2 == 0 ? 0 : last.y, z: corner & 4 == 0 ? 0 : last.z))
        }
        let lower = corners.dropFirst().reduce(corners[0]) { pointwiseMin($0, $1) }
        let upper = corners.dropFirst().reduce(corners[0]) { pointwiseMax($0, $1) }
        let counts = (0..<3).map { Int(((upper[$0] - lower[$0]) / grid.spacing[$0]).rounded(.up)) + 1 }
        let count = counts.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        // A grid that cannot be made is refused with its numbers.
        guard count > 0, count <= PixelLayout.pixelCountLimit,
            let target = try? VoxelGrid(
                columns: counts[0], rows: counts[1], slices: counts[2], spacing: grid.spacing, origin: lower)
        else {
            throw .refused(.impossibleDimensions(columns: counts[0], rows: counts[1], frames: counts[2]))
        }
        return PETSeries(
            volume: volume.resampled(to: target) { [inverse = transform.inverse] in inverse($0) },
            frameOfReferenceUID: frame, patientPosition: patientPosition, decayCorrection: decayCorrection,
            seriesStartedAt: seriesStartedAt, acquiredAt: acquiredAt, administration: administration,
            halfLifeSeconds: halfLifeSeconds, patientKilograms: patientKilograms, equipment: equipment,
            sources: sources)
    }
}
