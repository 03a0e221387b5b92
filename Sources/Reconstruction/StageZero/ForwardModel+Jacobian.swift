import Dispatch
import Imaging
import Tomography
import Glibc

extension ForwardModel {
    /// The Jacobian of the expected counts, one column a parameter.
    package func columns(_ value: [Double]) throws(ReconstructionError) -> [[Float]] {
        let projector = try projector(value)
        var columns = [[Float]](repeating: [], count: parameters.count)
        var boxes: [VoxelBox] = []
        var owners: [(column: Int, factor: Float)] = []
        let forms = self.boxes(value)
        let around = backgroundAround(value)
        let slopes = templates.indices.map { templates[$0].slope(form($0, value)) }
        for (column, parameter) in parameters.list.enumerated() {
            guard let (region, box) = derivative(parameter, forms, slopes, around, value) else { continue }
            boxes.append(box)
            owners.append((column, Float(level(region, value))))
        }
        for (owner, view) in zip(owners, projector.forward(boxes)) {
            let factor = owner.factor
            columns[owner.column] = view.map { $0 * factor }
        }
        let path = path(value)
        columns.withUnsafeMutableBufferPointer { columns in
            // Each iteration writes its own element only.
            nonisolated(unsafe) let columns = columns
            let owned = owners.map(\.column)
            DispatchQueue.concurrentPerform(iterations: owned.count) {
                columns[owned[$0]] = path.primary(columns[owned[$0]])
            }
        }
        let map = activity(forms, value)
        let raw = projector.forward(map.voxels)
        for (column, parameter) in parameters.list.enumerated() where columns[column].isEmpty {
            columns[column] = try cameraColumn(parameter, column, projector, raw, map, value)
        }
        return columns
    }

    /// What a region's parameter changes in the activity, per unit of its level.
    private func derivative(
        _ parameter: FitParameter, _ forms: [VoxelBox], _ slopes: [VoxelBox?], _ around: Volume<Float>,
        _ value: [Double]
    ) -> (region: Int, box: VoxelBox)? {
        switch parameter {
        case .level(let region): return (region, forms[region])
        case .shift(let region, let axis):
            let form = form(region, value)
            var moving = templates[region].shiftDerivative(form, axis: axis, in: grid)
            // Where the organ leaves the rest of the body comes in, and gives way where the organ comes.
            let edges = templates[region].coverageDerivative(form, axis: axis, in: grid).multiplied(by: around)
            moving.add(edges, factor: -Float(1 / level(region, value)))
            return (region, moving)
        case .texture(let region):
            return templates[region].textureDerivative(form(region, value), slope: slopes[region], in: grid).map {
                (region, $0)
            }
        case .mode(let region, let index):
            return (
                region,
                templates[region].modeDerivative(form(region, value), mode: index, slope: slopes[region], in: grid)
            )
        default: return nil
        }
    }

    /// Derivatives by what belongs to the camera, by differences where they have no closed form.
    private func cameraColumn(
        _ parameter: FitParameter, _ column: Int, _ projector: OpposedViewProjector, _ raw: [Float],
        _ map: Volume<Float>,
        _ value: [Double]
    ) throws(ReconstructionError) -> [Float] {
        let offsets = measurement.offsets
        switch parameter {
        case .offset, .rotation:
            let step = parameter == .rotation ? 2e-3 : 0.5
            return difference(column, step, value) { path($0).primary(raw) }
        case .sensitivity(let direction):
            var image = path(value).primary(raw)
            for head in measurement.heads.indices where measurement.heads[head].direction != direction {
                for pixel in offsets[head]..<offsets[head + 1] { image[pixel] = 0 }
            }
            return image
        case .tails: return path(value).tailColumn(raw)
        case .scatter(let head):
            let factor = Float(exp(value[column]))
            return measurement.scatter.indices.map {
                offsets[head]..<offsets[head + 1] ~= $0 ? factor * measurement.scatter[$0] : 0
            }
        case .missedScatter(let head):
            return measurement.broad.indices.map {
                offsets[head]..<offsets[head + 1] ~= $0 ? measurement.broad[$0] : 0
            }
        default:
            let step = parameter == .attenuation ? 0.02 : 4.0
            var images: [[Float]] = []
            for sign in [step, -step] {
                var shifted = value
                shifted[column] += sign
                let camera: OpposedViewProjector
                do {
                    camera =
                        parameter == .attenuation
                        ? try self.projector(shifted) : try projector.withHeads(heads(shifted))
                } catch { throw .tomography }
                images.append(path(value).primary(camera.forward(map.voxels)))
            }
            return zip(images[0], images[1]).map { ($0 - $1) / Float(2 * step) }
        }
    }

    private func difference(
        _ column: Int, _ step: Double, _ value: [Double], _ image: ([Double]) -> [Float]
    ) -> [Float] {
        var (ahead, behind) = (value, value)
        ahead[column] += step
        behind[column] -= step
        let scale = Float(1 / (2 * step))
        return zip(image(ahead), image(behind)).map { ($0 - $1) * scale }
    }
}
