/// From which side a camera head looks at the patient.
public enum ViewDirection: String, Sendable, Codable, CaseIterable {
    case anterior, posterior
}

/// An energy window of the camera.
///
/// - Units: keV.
public struct EnergyWindow: Equatable, Hashable, Sendable, Codable {
    public let lower, upper: Double

    public init(lower: Double, upper: Double) {
        (self.lower, self.upper) = (lower, upper)
    }

    public var width: Double { upper - lower }

    public func contains(_ energy: Double) -> Bool { lower <= energy && energy <= upper }
}

/// One planar image, turned into the patient's axes whichever way the file stored it: the first pixel is at the
/// patient's right and feet, x grows to the patient's left and z to the head, in both views.
///
/// - Shape: `counts` is `[z, x]`, x fastest, `columns * rows` elements.
/// - Units: counts; millimetres; seconds.
public struct PlanarView: Equatable, Sendable {
    public let direction: ViewDirection
    public let window: EnergyWindow
    public let columns, rows: Int
    /// Distance between pixel centres along x and z.
    public let spacing: SIMD2<Double>
    /// Nominal x and z of the first pixel's centre. A planar image's origin along and across the table is not tied to
    /// that of the CT, so this is where an estimate starts, never where it ends.
    public let origin: SIMD2<Double>
    /// Seconds that each point of the patient was looked at.
    public let dwellSeconds: Double
    /// Distance of the collimator's face from the axis of rotation, when the file says it.
    public let radialPositionMillimetres: Double?
    /// y of the collimator's face in the camera's own coordinates, when the file says it.
    public let facePositionMillimetres: Double?
    public var counts: [Float]

    /// - Throws: ``ImagingError`` when the numbers cannot be those of an image.
    public init(
        direction: ViewDirection, window: EnergyWindow, columns: Int, rows: Int, spacing: SIMD2<Double>,
        origin: SIMD2<Double>, dwellSeconds: Double, radialPositionMillimetres: Double? = nil,
        facePositionMillimetres: Double? = nil, counts: [Float]
    ) throws(ImagingError) {
        guard columns > 0, rows > 0 else { throw .impossibleGrid(columns: columns, rows: rows, slices: 1) }
        guard counts.count == columns * rows else {
            throw .voxelCountMismatch(expected: columns * rows, found: counts.count)
        }
        for axis in 0..<2 where !(spacing[axis].isFinite && spacing[axis] > 0) {
            throw .impossibleSpacing(millimetres: spacing[axis])
        }
        self.direction = direction
        self.window = window
        (self.columns, self.rows) = (columns, rows)
        self.spacing = spacing
        self.origin = origin
        self.dwellSeconds = dwellSeconds
        self.radialPositionMillimetres = radialPositionMillimetres
        self.facePositionMillimetres = facePositionMillimetres
        self.counts = counts
    }
}
