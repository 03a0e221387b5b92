import Dispatch

/// Convolution of a volume with a kernel that is even along every axis, by Fourier transforms on a grid large enough
/// that nothing comes back in from the other side.
///
/// The kernel's spectrum is real, and is kept. Transforms of what is known to be nothing, the padding, and of what
/// nobody asks for are left out: along x only rows of the volume are transformed, along y only its slices, and along
/// z each line is transformed, multiplied and transformed back while it lies in the cache.
///
/// - Shape: volumes are `[z, y, x]`, x fastest.
struct FourierConvolution {
    private typealias Lanes = LaneTransform.Lanes
    private static let lanes = LaneTransform.laneCount

    let size: SIMD3<Int>
    private let padded: SIMD3<Int>
    /// Frequencies along x, and the same rounded up to whole vectors.
    private let frequencies, pitch: Int
    private let alongX, alongY, alongZ: LaneTransform
    /// `[y, z, x]` of the lower halves along y and z; the upper ones mirror them.
    private let spectrum: [Float]

    init(size: SIMD3<Int>, kernel: VoxelKernel.Octant) {
        self.size = size
        padded = SIMD3((0..<3).map { LaneTransform.length(atLeast: size[$0] + kernel.reach[$0]) })
        frequencies = padded.x / 2 + 1
        pitch = (frequencies + Self.lanes - 1) / Self.lanes * Self.lanes
        (alongX, alongY, alongZ) = (
            LaneTransform(length: padded.x), LaneTransform(length: padded.y), LaneTransform(length: padded.z)
        )
        spectrum = Self.spectrum(of: kernel, padded: padded, frequencies: frequencies, pitch: pitch)
    }

    func callAsFunction(_ volume: [Float]) -> [Float] {
        precondition(volume.count == size.x * size.y * size.z)
        let plane = size.z * pitch
        // `[y, z, x]`: what a line along z needs lies together.
        let memory = UnsafeMutablePointer<Lanes>.allocate(capacity: 2 * padded.y * plane / Self.lanes)
        defer { memory.deallocate() }
        let work = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Float.self)
        let field = Field(real: work, imaginary: work + padded.y * plane, plane: plane, pitch: pitch)
        let groups = 2 * max(1, (size.z + 7) / 8)
        return [Float](unsafeUninitializedCapacity: volume.count) { result, count in
            // Pointers to memory of which each group of slices or lines touches its own part only.
            nonisolated(unsafe) let target = result.baseAddress!
            nonisolated(unsafe) let field = field
            volume.withUnsafeBufferPointer { buffer in
                nonisolated(unsafe) let source = buffer.baseAddress!
                DispatchQueue.concurrentPerform(iterations: groups) { group in
                    forward(Self.share(group, of: groups, size.z), source, field)
                }
            }
            DispatchQueue.concurrentPerform(iterations: groups) { group in
                filter(Self.share(group, of: groups, padded.y), field)
            }
            DispatchQueue.concurrentPerform(iterations: groups) { group in
                inverse(Self.share(group, of: groups, size.z), field, target)
            }
            count = volume.count
        }
    }

    /// The transformed volume between the steps.
    private struct Field {
        let real, imaginary: UnsafeMutablePointer<Float>
        let plane, pitch: Int

        func vector(_ parts: UnsafeMutablePointer<Float>, y: Int, z: Int, x: Int) -> UnsafeMutablePointer<Lanes> {
            UnsafeMutableRawPointer(parts + y * plane + z * pitch + x).assumingMemoryBound(to: Lanes.self)
        }
    }

    private static func share(_ group: Int, of groups: Int, _ count: Int) -> Range<Int> {
        count * group / groups..<count * (group + 1) / groups
    }

    // MARK: - The steps

    /// Rows along x, two in each lane, then columns along y.
    private func forward(_ slices: Range<Int>, _ volume: UnsafePointer<Float>, _ field: Field) {
        let work = Workspace(length: max(padded.x, padded.y), plane: padded.y * pitch)
        defer { work.free() }
        for z in slices {
            let slice = volume + z * size.x * size.y
            for first in stride(from: 0, to: size.y, by: 2 * Self.lanes) {
                loadRows(slice, first, work)
                alongX(work.real, work.imaginary, scratch: work.scratch)
                separateRows(first, work)
            }
            for x in stride(from: 0, to: pitch, by: Self.lanes) {
                for y in 0..<padded.y {
                    work.real[y] = y < size.y ? work.vector(work.planeReal, y * pitch + x).pointee : .zero
                    work.imaginary[y] = y < size.y ? work.vector(work.planeImaginary, y * pitch + x).pointee : .zero
                }
                alongY(work.real, work.imaginary, scratch: work.scratch)
                for y in 0..<padded.y {
                    field.vector(field.real, y: y, z: z, x: x).pointee = work.real[y]
                    field.vector(field.imaginary, y: y, z: z, x: x).pointee = work.imaginary[y]
                }
            }
        }
    }

    /// Lines along z: there, times the spectrum, and back.
    private func filter(_ rows: Range<Int>, _ field: Field) {
        let work = Workspace(length: padded.z, plane: 1)
        defer { work.free() }
        let half = padded.z / 2 + 1
        spectrum.withUnsafeBufferPointer { spectrum in
            for y in rows {
                let mirrored = min(y, padded.y - y)
                for x in stride(from: 0, to: pitch, by: Self.lanes) {
                    let (real, imaginary) = (
                        field.vector(field.real, y: y, z: 0, x: x), field.vector(field.imaginary, y: y, z: 0, x: x)
                    )
                    let step = pitch / Self.lanes
                    for z in 0..<padded.z {
                        work.real[z] = z < size.z ? real[z * step] : .zero
                        work.imaginary[z] = z < size.z ? imaginary[z * step] : .zero
                    }
                    alongZ(work.real, work.imaginary, scratch: work.scratch)
                    for z in 0..<padded.z {
                        let place = (mirrored * half + min(z, padded.z - z)) * pitch + x
                        let factor = UnsafeRawPointer(spectrum.baseAddress! + place).loadUnaligned(as: Lanes.self)
                        work.real[z] *= factor
                        work.imaginary[z] *= factor
                    }
                    alongZ(work.imaginary, work.real, scratch: work.scratch)
                    for z in 0..<size.z {
                        real[z * step] = work.real[z]
                        imaginary[z * step] = work.imaginary[z]
                    }
                }
            }
        }
    }

    /// Columns along y back, then rows along x.
    private func inverse(_ slices: Range<Int>, _ field: Field, _ result: UnsafeMutablePointer<Float>) {
        let work = Workspace(length: max(padded.x, padded.y), plane: padded.y * pitch)
        defer { work.free() }
        for z in slices {
            for x in stride(from: 0, to: pitch, by: Self.lanes) {
                for y in 0..<padded.y {
                    work.real[y] = field.vector(field.real, y: y, z: z, x: x).pointee
                    work.imaginary[y] = field.vector(field.imaginary, y: y, z: z, x: x).pointee
                }
                alongY(work.imaginary, work.real, scratch: work.scratch)
                for y in 0..<size.y {
                    work.vector(work.planeReal, y * pitch + x).pointee = work.real[y]
                    work.vector(work.planeImaginary, y * pitch + x).pointee = work.imaginary[y]
                }
            }
            for first in stride(from: 0, to: size.y, by: 2 * Self.lanes) {
                combineRows(first, work)
                alongX(work.imaginary, work.real, scratch: work.scratch)
                storeRows(result + z * size.x * size.y, first, work)
            }
        }
    }

    // MARK: - Rows

    /// Lane n holds row `first + n` as its real part and row `first + n + lanes` as its imaginary one.
    private func loadRows(_ slice: UnsafePointer<Float>, _ first: Int, _ work: Workspace) {
        let (real, imaginary) = (work.flat(work.real), work.flat(work.imaginary))
        for lane in 0..<Self.lanes {
            for (parts, y) in [(real, first + lane), (imaginary, first + lane + Self.lanes)] {
                let row = slice + y * size.x
                let known = y < size.y ? size.x : 0
                for x in 0..<known { parts[x * Self.lanes + lane] = row[x] }
                for x in known..<padded.x { parts[x * Self.lanes + lane] = 0 }
            }
        }
    }

    private func storeRows(_ slice: UnsafeMutablePointer<Float>, _ first: Int, _ work: Workspace) {
        let (real, imaginary) = (work.flat(work.real), work.flat(work.imaginary))
        for lane in 0..<Self.lanes {
            for (parts, y) in [(real, first + lane), (imaginary, first + lane + Self.lanes)] where y < size.y {
                let row = slice + y * size.x
                for x in 0..<size.x { row[x] = parts[x * Self.lanes + lane] }
            }
        }
    }

    /// Takes the spectra of the two rows of a lane apart: `A = (F(k) + F*(-k)) / 2`, `B = (F(k) - F*(-k)) / 2i`.
    private func separateRows(_ first: Int, _ work: Workspace) {
        for x in 0..<frequencies {
            let mirror = x == 0 ? 0 : padded.x - x
            let (r, i, mr, mi) = (work.real[x], work.imaginary[x], work.real[mirror], work.imaginary[mirror])
            scatter((r + mr) * 0.5, (i - mi) * 0.5, row: first, x, work)
            scatter((i + mi) * 0.5, (mr - r) * 0.5, row: first + Self.lanes, x, work)
        }
    }

    @inline(__always)
    private func scatter(_ real: Lanes, _ imaginary: Lanes, row: Int, _ x: Int, _ work: Workspace) {
        for lane in 0..<max(0, min(Self.lanes, size.y - row)) {
            work.planeReal[(row + lane) * pitch + x] = real[lane]
            work.planeImaginary[(row + lane) * pitch + x] = imaginary[lane]
        }
    }

    /// The opposite: `F(k) = A + iB`, `F(-k) = A* + iB*`.
    private func combineRows(_ first: Int, _ work: Workspace) {
        for x in 0..<frequencies {
            var (ar, ai, br, bi) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
            let place = first * pitch + x
            for lane in 0..<min(Self.lanes, size.y - first) {
                ar[lane] = work.planeReal[place + lane * pitch]
                ai[lane] = work.planeImaginary[place + lane * pitch]
            }
            for lane in 0..<min(Self.lanes, max(0, size.y - first - Self.lanes)) {
                br[lane] = work.planeReal[place + (lane + Self.lanes) * pitch]
                bi[lane] = work.planeImaginary[place + (lane + Self.lanes) * pitch]
            }
            work.real[x] = ar - bi
            work.imaginary[x] = ai + br
            if x > 0 {
                work.real[padded.x - x] = ar + bi
                work.imaginary[padded.x - x] = br - ai
            }
        }
    }

    // MARK: - The kernel

    /// The transform of an even kernel is a sum of cosines, axis by axis; the factor of the inverse is put in.
    private static func spectrum(
        of kernel: VoxelKernel.Octant, padded: SIMD3<Int>, frequencies: Int, pitch: Int
    ) -> [Float] {
        func cosines(_ axis: Int) -> [[Double]] {
            let length = padded[axis]
            return (0...length / 2).map { frequency in
                (0...kernel.reach[axis]).map { place in
                    let turn = Double(frequency * place % length) / Double(length)
                    return (place > 0 ? 2 : 1) * Turn.cosine(turn)
                }
            }
        }
        let (cx, cy, cz) = (cosines(0), cosines(1), cosines(2))
        let (rx, ry, rz) = (kernel.reach.x + 1, kernel.reach.y + 1, kernel.reach.z + 1)
        // `[z, y, f]`, then `[z, f, f]`.
        var partial = [Double](repeating: 0, count: rz * ry * cx.count)
        for line in 0..<rz * ry {
            for (f, row) in cx.enumerated() {
                var sum = 0.0
                for x in 0..<rx { sum += row[x] * kernel.values[line * rx + x] }
                partial[line * cx.count + f] = sum
            }
        }
        var spectrum = [Float](repeating: 0, count: cy.count * cz.count * pitch)
        let scale = 1 / Double(padded.x * padded.y * padded.z)
        var plane = [Double](repeating: 0, count: rz * cx.count)
        for (v, yRow) in cy.enumerated() {
            for z in 0..<rz {
                for f in 0..<cx.count {
                    var sum = 0.0
                    for y in 0..<ry { sum += yRow[y] * partial[(z * ry + y) * cx.count + f] }
                    plane[z * cx.count + f] = sum
                }
            }
            for (w, zRow) in cz.enumerated() {
                for f in 0..<frequencies {
                    var sum = 0.0
                    for z in 0..<rz { sum += zRow[z] * plane[z * cx.count + f] }
                    spectrum[(v * cz.count + w) * pitch + f] = Float(sum * scale)
                }
            }
        }
        return spectrum
    }
}
