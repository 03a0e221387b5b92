import CTorch
public import Imaging

/// An array of numbers that libtorch holds, with the graph of what made it.
///
/// A tensor is a reference: layers, optimiser and average share their parameters through it. It frees its memory when
/// the last reference goes. Tensors are confined to the task that made them, unless
/// nothing writes to them any more.
///
/// - Shape: row-major; images are `[batch, channel, z, y, x]`, x fastest.
public final class Tensor {
    let handle: OpaquePointer

    /// Takes over a handle that the C layer has just returned.
    init(_ handle: OpaquePointer?, from operation: String) throws(LearningError) {
        guard let handle else { throw LearningError.lastFailure(of: operation) }
        self.handle = handle
    }

    deinit { ctorch_free(handle) }

    public var shape: [Int] { (0..<ctorch_rank(handle)).map { Int(ctorch_extent(handle, $0)) } }
    public var rank: Int { Int(ctorch_rank(handle)) }
    public var count: Int { Int(ctorch_element_count(handle)) }
    public var dataType: DataType { DataType(ctorch_dtype_of(handle)) }
    public var device: Device { Device(ctorch_device_of(handle)) }

    /// - Throws: ``LearningError/valueCountMismatch(expected:found:)``.
    public convenience init(_ values: [Float], shape: [Int], device: Device = .cpu) throws(LearningError) {
        let expected = shape.reduce(1, *)
        guard values.count == expected, shape.allSatisfy({ $0 >= 0 }) else {
            throw .valueCountMismatch(expected: expected, found: values.count)
        }
        try self.init(
            ctorch_from_floats(values, shape.extents, Int64(shape.count), device.code), from: "from floats")
    }

    /// A scalar.
    public convenience init(_ value: Float, device: Device = .cpu) throws(LearningError) {
        try self.init([value], shape: [], device: device)
    }

    /// - Shape: `[1, 1, z, y, x]`.
    public convenience init(_ volume: Volume<Float>, device: Device = .cpu) throws(LearningError) {
        let grid = volume.grid
        try self.init(volume.voxels, shape: [1, 1, grid.slices, grid.rows, grid.columns], device: device)
    }

    public static func full(_ value: Float, _ shape: [Int], device: Device = .cpu) throws(LearningError) -> Tensor {
        try Tensor(ctorch_full(value, shape.extents, Int64(shape.count), device.code), from: "full")
    }

    public static func zeros(_ shape: [Int], device: Device = .cpu) throws(LearningError) -> Tensor {
        try full(0, shape, device: device)
    }

    /// The values in row-major order, as float32 whatever the tensor holds.
    public func floats() throws(LearningError) -> [Float] {
        let count = count
        var status: Int32 = 0
        let values = [Float](unsafeUninitializedCapacity: count) { buffer, written in
            status = ctorch_read_floats(handle, buffer.baseAddress, Int64(count))
            written = status == 1 ? count : 0
        }
        guard status == 1 else { throw LearningError.lastFailure(of: "read floats") }
        return values
    }

    /// The value of a tensor with one element.
    public var scalar: Float {
        get throws(LearningError) {
            guard count == 1 else { throw .valueCountMismatch(expected: 1, found: count) }
            return try floats()[0]
        }
    }

    /// One batch item and channel as a volume.
    ///
    /// - Throws: ``LearningError/shapeMismatch(expected:found:)`` unless the last three extents are the grid's.
    public func volume(on grid: VoxelGrid, item: Int = 0, channel: Int = 0) throws(LearningError) -> Volume<Float> {
        let expected = [grid.slices, grid.rows, grid.columns]
        guard rank == 5, Array(shape.suffix(3)) == expected else {
            throw .shapeMismatch(expected: expected, found: shape)
        }
        let values = try slice(0, item..<item + 1).slice(1, channel..<channel + 1).floats()
        var volume = Volume(grid: grid, repeating: Float(0))
        volume.voxels = values
        return volume
    }

    /// Overwrites the content; no gradient flows through it.
    public func assign(_ source: Tensor) throws(LearningError) {
        try check(ctorch_assign(handle, source.handle), "assign")
    }

    /// Moves the content by `weight` of the way to `target`; no gradient flows through it.
    public func interpolate(towards target: Tensor, by weight: Double) throws(LearningError) {
        try check(ctorch_interpolate(handle, target.handle, weight), "interpolate")
    }

    public func converted(to type: DataType) throws(LearningError) -> Tensor {
        try Tensor(ctorch_to_dtype(handle, type.code), from: "convert")
    }

    public func moved(to device: Device) throws(LearningError) -> Tensor {
        try Tensor(ctorch_to_device(handle, device.code), from: "move")
    }

    /// The same values with the channels innermost in memory, the order oneDNN's convolutions read without a copy.
    public func channelsLast() throws(LearningError) -> Tensor {
        try Tensor(ctorch_channels_last(handle), from: "channels last")
    }
}

func check(_ status: Int32, _ operation: String) throws(LearningError) {
    guard status == 1 else { throw LearningError.lastFailure(of: operation) }
}

extension LearningError {
    static func lastFailure(of operation: String) -> LearningError {
        .tensorOperation(name: operation, reason: String(cString: ctorch_error()))
    }
}

extension Array where Element == Int {
    var extents: [Int64] { map(Int64.init) }
}
