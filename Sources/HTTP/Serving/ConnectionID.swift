/// Names a connection of one loop. A slot is used again, so its generation tells the next tenant from the last.
struct ConnectionID: Sendable, Hashable {
    let slot: UInt32
    let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// The form in which epoll carries it.
    init(token: UInt64) {
        self.init(slot: UInt32(truncatingIfNeeded: token), generation: UInt32(truncatingIfNeeded: token >> 32))
    }

    var token: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

    /// No connection has this slot: it stands for the listening socket.
    static let listener = ConnectionID(slot: .max, generation: 0)
    /// Nor this one: it stands for the wake-up of a loop that waits.
    static let wakeup = ConnectionID(slot: .max, generation: 1)
}
