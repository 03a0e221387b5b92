/// Named regions as closed polygons on axial planes, as an RT Structure Set holds them.
///
/// - Units: millimetres, patient coordinates.
/// - Source: DICOM PS3.3 C.8.8.6, ROI Contour Module.
public struct StructureSet: Equatable, Sendable {
    /// A region: a point lies inside when an odd number of its polygons on that plane surround it.
    public struct Region: Equatable, Sendable {
        public let name: String
        public let contours: [[SIMD3<Double>]]

        public init(name: String, contours: [[SIMD3<Double>]]) {
            (self.name, self.contours) = (name, contours)
        }
    }

    public let regions: [Region]

    public init(regions: [Region]) { self.regions = regions }
}
