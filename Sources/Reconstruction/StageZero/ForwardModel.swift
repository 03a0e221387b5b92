import Dispatch
import Glibc
import Imaging
import Tomography

/// Expected counts of all heads as a function of the fit's parameters, and their derivatives.
///
/// `m_h = e_h L_h tails( move( P_h sum_k s_k T_k(form_k) ) ) + c_h S_h + r_h B_h`: the projections of the regions' forms,
/// moved in the camera's plane, a part of them in wide tails as septa let through, times the head's sensitivity and live
/// time, plus scatter and what the estimate of it missed.
///
/// - Shape: images are `[head][z, x]` on the measurement's pixels.
package struct ForwardModel {
    let templates: [RegionTemplate]
    package let parameters: FitParameters
    let measurement: PlanarMeasurement
    let grid: VoxelGrid
    /// Heads whose pixels lie where the registration put them, with a margin for what the motion brings in.
    let wideHeads: [CameraHead]
    private let nominal: OpposedViewProjector

    /// Pixels around the measured ones.
    static let margin = 6

    /// - Parameter offset: millimetres that the registration adds to the image's coordinates.
    init(
        templates: [RegionTemplate], parameters: FitParameters, measurement: PlanarMeasurement,
        attenuation: [Double: Volume<Float>], grid: VoxelGrid, offset: SIMD2<Double>
    ) throws(ReconstructionError) {
        (self.templates, self.parameters, self.measurement) = (templates, parameters, measurement)
        self.grid = grid
        wideHeads = measurement.heads.map { head in
            let margin = Double(Self.margin)
            let detector = head.detector
            return head.with(
                detector: DetectorGrid(
                    columns: detector.columns + 2 * Self.margin, rows: detector.rows + 2 * Self.margin,
                    spacing: detector.spacing, origin: detector.origin + offset - margin * detector.spacing))
        }
        do { nominal = try OpposedViewProjector(heads: wideHeads, attenuation: attenuation) } catch {
            throw .tomography
        }
    }

    // MARK: Parameters by name

    func form(_ region: Int, _ value: [Double]) -> RegionTemplate.Form {
        var form = RegionTemplate.Form()
        for axis in 0..<3 { form.shift[axis] = self.value(.shift(region: region, axis: axis), value) }
        form.modes = templates[region].modes.indices.map { self.value(.mode(region: region, index: $0), value) }
        form.texture = self.value(.texture(region: region), value)
        return form
    }

    func level(_ region: Int, _ value: [Double]) -> Double { exp(self.value(.level(region: region), value)) }

    func motion(_ value: [Double]) -> ImageMotion {
        ImageMotion(
            shift: SIMD2(self.value(.offset(axis: 0), value), self.value(.offset(axis: 1), value)),
            rotation: self.value(.rotation, value))
    }

    /// A parameter's value; one that the fit does not have keeps the value that changes nothing.
    func value(_ parameter: FitParameter, _ value: [Double]) -> Double {
        indices[parameter].map { value[$0] } ?? 0
    }

    private var indices: [FitParameter: Int] { parameters.indices }

    // MARK: Activity

    /// Every region's form, the backgrounds where the organs have left them room.
    func boxes(_ value: [Double]) -> [VoxelBox] {
        let forms = templates.indices.map { form($0, value) }
        var boxes = templates.indices.map { templates[$0].box(forms[$0], in: grid) }
        let moved = templates.indices.filter {
            templates[$0].kind != .background && templates[$0].freedom.isMovable && forms[$0].shift != .zero
        }
        guard !moved.isEmpty else { return boxes }
        // Where organs have come in the background gives way; where they have left the remainder comes in.
        let (before, after) = organCoverage(forms)
        for region in templates.indices where templates[region].kind == .background {
            let takesRoom = templates[region].organ == .remainder
            let coverage = templates[region].coverage
            boxes[region].forEachRow(of: grid) { inGrid, inBox in
                for x in 0..<coverage.columns.count {
                    let (old, new) = (before.voxels[inGrid + x], after.voxels[inGrid + x])
                    if new > old {
                        boxes[region].values[inBox + x] *= old < Self.covered ? max(0, 1 - new) / (1 - old) : 1
                    } else if new < old, takesRoom {
                        boxes[region].values[inBox + x] += old - new
                    }
                }
            }
        }
        return boxes
    }

    /// What all organs and lesions cover together, where the CT has them and where the forms have moved them.
    private func organCoverage(_ forms: [RegionTemplate.Form]) -> (before: Volume<Float>, after: Volume<Float>) {
        var before = Volume<Float>(grid: grid, repeating: 0)
        var after = before
        for region in templates.indices where templates[region].kind != .background {
            add(templates[region].coverage, to: &before)
            add(templates[region].coverage(forms[region], in: grid), to: &after)
        }
        return (before, after)
    }

    /// The concentration that gives way where an organ comes in, and comes in where one leaves: the derivative of what
    /// ``boxes(_:)`` leaves of the backgrounds.
    func backgroundAround(_ value: [Double]) -> Volume<Float> {
        let (before, after) = organCoverage(templates.indices.map { form($0, value) })
        var around = Volume<Float>(grid: grid, repeating: 0)
        for region in templates.indices where templates[region].kind == .background {
            let level = Float(self.level(region, value))
            let isRemainder = templates[region].organ == .remainder
            let box = templates[region].box(form(region, value), in: grid)
            box.forEachRow(of: grid) { inGrid, inBox in
                for x in 0..<box.columns.count {
                    let (old, new) = (before.voxels[inGrid + x], after.voxels[inGrid + x])
                    if old < Self.covered, new >= old {
                        around.voxels[inGrid + x] += level * box.values[inBox + x] / (1 - old)
                    } else if isRemainder {
                        around.voxels[inGrid + x] = level
                    }
                }
            }
        }
        return around
    }

    /// A voxel with less than a hundredth of room is an organ's.
    private static let covered: Float = 0.99

    /// The activity map.
    ///
    /// - Units: those of the levels.
    func activity(_ value: [Double]) -> Volume<Float> { activity(boxes(value), value) }

    /// The activity map of regions in these forms.
    func activity(_ forms: [VoxelBox], _ value: [Double]) -> Volume<Float> {
        var map = Volume<Float>(grid: grid, repeating: 0)
        for (region, box) in forms.enumerated() { add(box, times: Float(level(region, value)), to: &map) }
        return map
    }

    func add(_ box: VoxelBox, times factor: Float = 1, to map: inout Volume<Float>) {
        map.voxels.withUnsafeMutableBufferPointer { voxels in
            box.values.withUnsafeBufferPointer { values in
                box.forEachRow(of: grid) { inGrid, inBox in
                    for x in 0..<box.columns.count { voxels[inGrid + x] += factor * values[inBox + x] }
                }
            }
        }
    }

    // MARK: Counts

    /// Expected counts.
    package func expected(_ value: [Double]) throws(ReconstructionError) -> [Float] {
        try expected(of: activity(value), value)
    }

    /// Expected counts of any activity map under the camera of these parameters, scatter included.
    func expected(of map: Volume<Float>, _ value: [Double]) throws(ReconstructionError) -> [Float] {
        withScatter(path(value).primary(try projector(value).forward(map.voxels)), value)
    }

    /// The camera of these parameters as a linear operator from activity to primary counts without motion, and the image
    /// motion that follows it.
    func projector(_ value: [Double]) throws(ReconstructionError) -> OpposedViewProjector {
        let factor = exp(self.value(.attenuation, value))
        do { return try nominal.withHeads(heads(value), attenuatedBy: factor) } catch { throw .tomography }
    }

    /// The wide heads where these parameters have them.
    func heads(_ value: [Double]) -> [CameraHead] {
        let faces = ViewDirection.allCases.map { self.value(.face($0), value) }
        return wideHeads.map { head in
            let move = faces[head.direction == .anterior ? 0 : 1]
            return head.withdrawn(by: max(move, -room(before: head)))
        }
    }

    /// How far a head could come nearer before it stood in the voxels.
    private func room(before head: CameraHead) -> Double {
        let half = grid.spacing.y / 2
        let front = grid.origin.y - half
        let back = grid.position(x: 0, y: Double(grid.rows - 1), z: 0).y + half
        return max(0, head.direction == .anterior ? front - head.facePosition : head.facePosition - back)
    }

    /// The way from the projector's wide images to the measured pixels.
    func path(_ value: [Double]) -> DetectorPath {
        DetectorPath(
            heads: wideHeads, measurement: measurement, motion: motion(value), tails: Float(self.value(.tails, value)),
            gains: wideHeads.map { Float(exp(self.value(.sensitivity($0.direction), value))) })
    }

    private func withScatter(_ primary: [Float], _ value: [Double]) -> [Float] {
        var counts = primary
        let offsets = measurement.offsets
        for head in measurement.heads.indices {
            let factor = Float(exp(self.value(.scatter(head: head), value)))
            let missed = Float(self.value(.missedScatter(head: head), value))
            for pixel in offsets[head]..<offsets[head + 1] {
                counts[pixel] += factor * measurement.scatter[pixel] + missed * measurement.broad[pixel]
            }
        }
        return counts
    }
}
