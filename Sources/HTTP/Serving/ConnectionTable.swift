/// The connections of one loop, found by their identity in constant time.
struct ConnectionTable {
    private var slots: [Connection?] = []
    private var generations: [UInt32] = []
    private var free: [UInt32] = []

    var count: Int { slots.count - free.count }

    subscript(id: ConnectionID) -> Connection? {
        let slot = Int(id.slot)
        guard slot < slots.count, generations[slot] == id.generation else { return nil }
        return slots[slot]
    }

    mutating func reserve() -> ConnectionID {
        if let slot = free.popLast() { return ConnectionID(slot: slot, generation: generations[Int(slot)]) }
        slots.append(nil)
        generations.append(0)
        return ConnectionID(slot: UInt32(slots.count - 1), generation: 0)
    }

    mutating func insert(_ connection: Connection) {
        slots[Int(connection.id.slot)] = connection
    }

    mutating func remove(_ id: ConnectionID) {
        let slot = Int(id.slot)
        slots[slot] = nil
        generations[slot] &+= 1
        free.append(id.slot)
    }

    /// All of them at this moment; a visitor may remove what it visits.
    var all: [Connection] { slots.compactMap { $0 } }
}
