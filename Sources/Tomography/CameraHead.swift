public import Imaging

/// The pixels of a planar image, in patient coordinates.
///
/// - Shape: images are `[z, x]`, x fastest.
/// - Units: millimetres.
public struct DetectorGrid: Equatable, Sendable, Codable {
    public let columns, rows: Int
    /// Distance between pixel centres along x and z.
    public let spacing: SIMD2<Double>
    /// x and z of the first pixel's centre.
    public let origin: SIMD2<Double>

    public init(columns: Int, rows: Int, spacing: SIMD2<Double>, origin: SIMD2<Double>) {
        (self.columns, self.rows) = (columns, rows)
        (self.spacing, self.origin) = (spacing, origin)
    }

    public var pixelCount: Int { columns * rows }

    /// The same pixels, moved.
    public func moved(by offset: SIMD2<Double>) -> DetectorGrid {
        DetectorGrid(columns: columns, rows: rows, spacing: spacing, origin: origin + offset)
    }
}

/// One camera head as the projector sees it.
///
/// - Units: millimetres, patient coordinates; keV; `gain` in counts per unit of activity concentration in one voxel
///   when nothing attenuates.
public struct CameraHead: Equatable, Sendable, Codable {
    public let direction: ViewDirection
    /// y of the collimator's face.
    public let facePosition: Double
    public let detector: DetectorGrid
    public let collimator: Collimator
    public let energy: Double
    public let gain: Double

    public init(
        direction: ViewDirection, facePosition: Double, detector: DetectorGrid, collimator: Collimator,
        energy: Double, gain: Double
    ) {
        (self.direction, self.facePosition, self.detector) = (direction, facePosition, detector)
        (self.collimator, self.energy, self.gain) = (collimator, energy, gain)
    }

    /// The same head with other pixels.
    public func with(detector: DetectorGrid) -> CameraHead {
        CameraHead(
            direction: direction, facePosition: facePosition, detector: detector, collimator: collimator,
            energy: energy, gain: gain)
    }

    /// The same head with another gain.
    public func with(gain: Double) -> CameraHead {
        CameraHead(
            direction: direction, facePosition: facePosition, detector: detector, collimator: collimator,
            energy: energy, gain: gain)
    }

    /// The same head further from the patient, or nearer.
    public func withdrawn(by millimetres: Double) -> CameraHead {
        CameraHead(
            direction: direction, facePosition: facePosition + (direction == .anterior ? -millimetres : millimetres),
            detector: detector, collimator: collimator, energy: energy, gain: gain)
    }

    func distance(ofPlane y: Double) -> Double {
        direction == .anterior ? y - facePosition : facePosition - y
    }
}
