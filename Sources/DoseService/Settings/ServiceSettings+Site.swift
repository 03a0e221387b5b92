import DICOM

extension ServiceSettings {
    /// Takes over what a site's configuration says; what it does not say stays.
    ///
    /// - Throws: ``ServiceError/configuration(_:)`` with everything that is wrong.
    public mutating func apply(_ site: SiteConfiguration) throws(ServiceError) {
        guard site.problems.isEmpty else { throw .configuration(site.problems) }
        title = site.title ?? title
        dicomAddress = site.listener.address ?? dicomAddress
        dicomPort = site.listener.port ?? dicomPort
        quietTime = site.quietTime ?? quietTime
        hardDeadline = site.hardDeadline ?? hardDeadline
        diskReserveBytes = site.diskReserveBytes ?? diskReserveBytes
        retention = site.retention ?? retention
        dosePolicy = site.dosePolicy ?? dosePolicy
        networks = site.networks ?? networks
        acknowledgesConflicts = acknowledgesConflicts || site.acknowledgesConflicts
        auditReceiver = site.auditReceiver ?? auditReceiver
        peers += site.peers
        rules += site.rules
        sites += site.cameras
        isOpen = isOpen || site.listener.isOpen
        apply(site.listener)
        if let files = site.listener.security {
            let role = TransportSecurity.Role.server(requiresPeerCertificate: site.listener.requiresPeerCertificate)
            do throws(NetworkError) { listening.security = try TransportSecurity(files, role: role) } catch {
                throw .listener(error)
            }
        }
        for peer in site.peers {
            guard let address = peer.address, !peer.outputs.isEmpty else { continue }
            destinations.append(
                Destination(
                    name: peer.name, peer: address, outputs: peer.outputs, verification: peer.verification))
        }
    }

    private mutating func apply(_ listener: SiteConfiguration.Listener) {
        listening.associationLimit = listener.associationLimit ?? listening.associationLimit
        listening.associationsPerPeerLimit = listener.associationsPerPeerLimit ?? listening.associationsPerPeerLimit
        listening.connectionLimit = listener.connectionLimit ?? listening.connectionLimit
        listening.connectionsPerPeerLimit = listener.connectionsPerPeerLimit ?? listening.connectionsPerPeerLimit
        listening.idleDeadline = listener.idleDeadline ?? listening.idleDeadline
        listening.requestDeadline = listener.requestDeadline ?? listening.requestDeadline
        listening.pduDeadline = listener.pduDeadline ?? listening.pduDeadline
        listening.objectDeadline = listener.objectDeadline ?? listening.objectDeadline
    }

    /// Who may call: whoever is on this machine, and the peers that may.
    var access: AccessPolicy {
        guard !isOpen else { return .open }
        let rules = peers.filter(\.mayCall).map { PeerRule(title: $0.title, addresses: $0.callsFrom) }
        // A destination that no peer describes calls from where it listens.
        let described = Set(peers.map(\.name))
        let others = destinations.filter { !described.contains($0.name) }.map { destination in
            PeerRule(
                title: destination.peer.calledTitle,
                addresses: AddressRange(destination.peer.host).map { [$0] } ?? [])
        }
        return .peers([PeerRule(addresses: AddressRange.loopback)] + rules + others)
    }

    /// The listener's configuration, complete.
    var listenerConfiguration: ListenerConfiguration {
        var configuration = listening
        (configuration.address, configuration.port) = (dicomAddress, dicomPort)
        configuration.calledTitles = [title]
        configuration.access = access
        return configuration
    }

    /// The peers of the site's description, and destinations that no peer describes.
    var everyPeer: [GatewayPeer] {
        let described = Set(peers.map(\.name))
        return peers
            + destinations.filter { !described.contains($0.name) }.map { destination in
                var peer = GatewayPeer(name: destination.name, title: destination.peer.calledTitle)
                (peer.address, peer.outputs) = (destination.peer, destination.outputs)
                peer.verification = destination.verification
                return peer
            }
    }

    /// Those who are asked for what is missing.
    var archives: [GatewayPeer] { peers.filter { $0.isAsked && $0.address != nil } }
}
