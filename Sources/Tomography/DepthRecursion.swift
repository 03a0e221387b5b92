/// One step of the blur between two neighbouring coronal planes, on one plane of numbers.
///
/// Widths add as variances: the plane furthest from the camera is blurred from depth to depth by the small difference
/// of two Gaussians' variances, so each step needs three taps per axis, `[v/2, 1-v, v/2]` with `v` the variance in
/// squared voxels. The chain has the variance of the Gaussian that it stands for at every depth, and as a product of
/// symmetric steps it is its own adjoint.
///
/// - Shape: planes are `[z, x]`, x fastest, `slices * columns`.
struct DepthRecursion {
    let columns, slices: Int
    /// Distance in elements between two slices of one coronal plane in a volume `[z, y, x]`.
    let sliceStride: Int
    private let plane: UnsafeMutablePointer<Float>
    private let lines: UnsafeMutablePointer<Float>

    /// Above this many squared voxels one step of three taps is no longer a Gaussian: it is split.
    static let stepVarianceLimit: Float = 0.4

    init(columns: Int, slices: Int, rows: Int) {
        (self.columns, self.slices) = (columns, slices)
        sliceStride = rows * columns
        plane = .allocate(capacity: columns * slices)
        plane.initialize(repeating: 0, count: columns * slices)
        lines = .allocate(capacity: 4 * columns)
        lines.initialize(repeating: 0, count: 4 * columns)
    }

    func deallocate() {
        plane.deallocate()
        lines.deallocate()
    }

    var current: UnsafeMutablePointer<Float> { plane }

    /// `plane = B plane + activity * transmission`
    func blurThenAdd(
        variance: (x: Float, z: Float), activity: UnsafePointer<Float>, transmission: UnsafePointer<Float>
    ) {
        blur(variance)
        for slice in 0..<slices {
            let target = plane + slice * columns
            let source = activity + slice * sliceStride
            let factor = transmission + slice * sliceStride
            for x in 0..<columns { target[x] += source[x] * factor[x] }
        }
    }

    /// Adds `activity * transmission` to a part of the plane.
    ///
    /// - Parameters:
    ///   - stride: elements between two slices of the activity, and of the transmission.
    ///   - corner: the part's first column and slice in the plane.
    func add(
        _ activity: UnsafePointer<Float>, stride: Int, transmission: UnsafePointer<Float>, transmissionStride: Int,
        at corner: (x: Int, z: Int), columns partColumns: Int, slices partSlices: Int
    ) {
        for slice in 0..<partSlices {
            let target = plane + (corner.z + slice) * columns + corner.x
            let source = activity + slice * stride
            let factor = transmission + slice * transmissionStride
            for x in 0..<partColumns { target[x] += source[x] * factor[x] }
        }
    }

    /// `volume (+)= plane * transmission`, then `plane = B plane`
    func spreadThenBlur(
        variance: (x: Float, z: Float), transmission: UnsafePointer<Float>, volume: UnsafeMutablePointer<Float>,
        adding: Bool
    ) {
        for slice in 0..<slices {
            let source = plane + slice * columns
            let target = volume + slice * sliceStride
            let factor = transmission + slice * sliceStride
            if adding {
                for x in 0..<columns { target[x] += source[x] * factor[x] }
            } else {
                for x in 0..<columns { target[x] = source[x] * factor[x] }
            }
        }
        blur(variance)
    }

    func blur(_ variance: (x: Float, z: Float)) {
        let largest = max(variance.x, variance.z)
        guard largest > 0 else { return }
        let steps = Int((largest / Self.stepVarianceLimit).rounded(.up))
        for _ in 0..<steps { step(variance.x / Float(steps), variance.z / Float(steps)) }
    }

    private func step(_ varianceX: Float, _ varianceZ: Float) {
        var before = lines
        var here = lines + columns
        var after = lines + 2 * columns
        for x in 0..<columns { before[x] = 0 }
        blurLine(plane, into: here, varianceX)
        let centre = 1 - varianceZ
        let side = varianceZ / 2
        for slice in 0..<slices {
            if slice + 1 < slices {
                blurLine(plane + (slice + 1) * columns, into: after, varianceX)
            } else {
                for x in 0..<columns { after[x] = 0 }
            }
            let target = plane + slice * columns
            for x in 0..<columns { target[x] = centre * here[x] + side * (before[x] + after[x]) }
            (before, here, after) = (here, after, before)
        }
    }

    @inline(__always)
    private func blurLine(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, _ variance: Float) {
        let centre = 1 - variance
        let side = variance / 2
        let last = columns - 1
        guard last > 0 else {
            target[0] = centre * source[0]
            return
        }
        target[0] = centre * source[0] + side * source[1]
        for x in 1..<last { target[x] = centre * source[x] + side * (source[x - 1] + source[x + 1]) }
        target[last] = centre * source[last] + side * source[last - 1]
    }
}
