import Glibc

/// What one thread of a convolution needs: a bundle of lines with its scratch, and one plane of the half transformed
/// volume.
struct Workspace {
    typealias Lanes = LaneTransform.Lanes

    let real, imaginary: UnsafeMutablePointer<Lanes>
    let scratch: (UnsafeMutablePointer<Lanes>, UnsafeMutablePointer<Lanes>)
    let planeReal, planeImaginary: UnsafeMutablePointer<Float>

    /// - Parameters:
    ///   - length: vectors in a bundle of lines.
    ///   - plane: numbers in the plane; the last columns of its rows are never written and start as nothing.
    init(length: Int, plane: Int) {
        let lines = UnsafeMutablePointer<Lanes>.allocate(capacity: 4 * length)
        (real, imaginary, scratch) = (lines, lines + length, (lines + 2 * length, lines + 3 * length))
        let vectors = (plane + LaneTransform.laneCount - 1) / LaneTransform.laneCount
        let memory = UnsafeMutablePointer<Lanes>.allocate(capacity: 2 * vectors)
        memory.initialize(repeating: .zero, count: 2 * vectors)
        planeReal = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Float.self)
        planeImaginary = planeReal + vectors * LaneTransform.laneCount
    }

    func free() {
        real.deallocate()
        planeReal.deallocate()
    }

    func flat(_ lines: UnsafeMutablePointer<Lanes>) -> UnsafeMutablePointer<Float> {
        UnsafeMutableRawPointer(lines).assumingMemoryBound(to: Float.self)
    }

    func vector(_ plane: UnsafeMutablePointer<Float>, _ index: Int) -> UnsafeMutablePointer<Lanes> {
        UnsafeMutableRawPointer(plane + index).assumingMemoryBound(to: Lanes.self)
    }
}

/// Cosines of parts of a whole turn.
enum Turn {
    static func cosine(_ part: Double) -> Double { cos(2 * .pi * part) }
}
