/// Who may connect to a listener, and under which AE title.
public enum AccessPolicy: Equatable, Sendable {
    /// Everybody.
    case open
    /// Those whom a rule names.
    case peers([PeerRule])

    /// Whether anybody at this address could be let in.
    func admits(address: String) -> Bool {
        switch self {
        case .open: true
        case .peers(let rules): rules.contains { $0.admits(address: address) }
        }
    }

    func admits(title: String, from address: String) -> Bool {
        switch self {
        case .open: true
        case .peers(let rules): rules.contains { $0.admits(title: title, from: address) }
        }
    }
}

/// An AE title and the addresses from which it may call.
public struct PeerRule: Equatable, Sendable {
    /// Nil means any title.
    public let title: String?
    /// None means any address.
    public let addresses: [AddressRange]

    public init(title: String? = nil, addresses: [AddressRange] = []) {
        (self.title, self.addresses) = (title, addresses)
    }

    func admits(address: String) -> Bool {
        addresses.isEmpty || addresses.contains { $0.contains(address) }
    }

    func admits(title: String, from address: String) -> Bool {
        (self.title == nil || self.title == title) && admits(address: address)
    }
}
