/// The room that every receive of a loop goes through first, so that idle connections own none.
final class ReceiveBuffer {
    let room: UnsafeMutableRawBufferPointer

    init(count: Int) {
        room = .allocate(byteCount: count, alignment: 16)
    }

    deinit { room.deallocate() }
}
