import DICOM
import Foundation
import TestSupport
import Testing

/// DICOM over TLS, judged by DCMTK's and OpenSSL's clients.
@Suite struct TransportSecurityTests {
    private func files(_ certificates: Certificates, _ name: String = "server") -> TransportSecurity.Files {
        TransportSecurity.Files(
            certificateChain: certificates.path("\(name).pem"), privateKey: certificates.path("\(name).key"),
            authorities: certificates.path("ca.pem"))
    }

    private func listener(_ certificates: Certificates, requires: Bool = true) throws -> ListenerFixture {
        let security = try TransportSecurity(
            files(certificates), role: .server(requiresPeerCertificate: requires))
        return try ListenerFixture { $0.security = security }
    }

    private func secure(_ certificates: Certificates, as name: String = "client") -> [String] {
        [
            "+tls", certificates.path("\(name).key"), certificates.path("\(name).pem"), "+cf",
            certificates.path("ca.pem"),
        ]
    }

    @Test func whoShowsACertificateOfTheAuthorityIsServed() throws {
        let certificates = try Certificates()
        let fixture = try listener(certificates)
        let echo = try fixture.echo(["-v"] + secure(certificates))
        #expect(echo.status == 0, "\(echo.output)")
        let sources = try ScratchFolder()
        var object = SyntheticObject()
        object.transferSyntax = "1.2.840.10008.1.2.1"
        let run = try fixture.store([try sources.write(object.bytes, as: "object.dcm")], secure(certificates))
        #expect(run.status == 0, "\(run.output)")
        let file = try #require(fixture.handler.seen.files.first)
        #expect(Array(try fileBytes(file.path).suffix(object.usualDataset.count)) == object.usualDataset)
    }

    @Test func plainNamelessAndForeignPeersStayOutside() throws {
        let certificates = try Certificates()
        try certificates.makeAuthority("other")
        try certificates.issue("stranger", by: "other")
        let fixture = try listener(certificates)
        #expect(try fixture.echo().status != 0)
        #expect(try fixture.echo(["+tla", "-ic"]).status != 0)
        #expect(try fixture.echo(secure(certificates, as: "stranger")).status != 0)
        #expect(eventually { fixture.listener.counters.refusedConnections == 3 })
        #expect(fixture.handler.seen.requests.isEmpty)
        let open = try listener(certificates, requires: false)
        #expect(try open.echo(["+tla", "+cf", certificates.path("ca.pem")]).status == 0)
    }

    @Test(arguments: [
        "-tls1_1 -cipher DEFAULT@SECLEVEL=0", "-tls1_2 -cipher AES128-SHA", "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA",
    ])
    func oldProtocolsAndCipherSuitesAreRefused(options: String) throws {
        let certificates = try Certificates()
        let fixture = try listener(certificates, requires: false)
        let base = ["s_client", "-connect", "127.0.0.1:\(fixture.port)", "-CAfile", certificates.path("ca.pem")]
        let old = try CommandLineTool("openssl", base + options.split(separator: " ").map(String.init))
        #expect(old.status != 0, "\(old.output)")
    }

    @Test func aSilentPeerEndsAtTheDeadlineOfTheHandshake() throws {
        let certificates = try Certificates()
        let security = try TransportSecurity(files(certificates), role: .server(requiresPeerCertificate: true))
        let fixture = try ListenerFixture {
            $0.security = security
            $0.requestDeadline = .milliseconds(50)
        }
        let client = try #require(PeerSocket(port: fixture.port, secondsLimit: 10))
        #expect(client.readToEnd() == [])
        #expect(eventually { fixture.listener.counters.refusedConnections == 1 })
    }

    @Test func changedFilesAreUsedForTheNextPeerAndBrokenOnesAreNot() throws {
        let certificates = try Certificates()
        let fixture = try listener(certificates)
        #expect(try fixture.echo(secure(certificates)).status == 0)
        // A new authority signs a new pair: peers of the old one are strangers now.
        try certificates.makeAuthority("next")
        try certificates.issue("newserver", by: "next")
        try certificates.issue("newclient", by: "next")
        let manager = FileManager.default
        for (new, old) in [("newserver.pem", "server.pem"), ("newserver.key", "server.key"), ("next.pem", "ca.pem")] {
            try manager.removeItem(atPath: certificates.path(old))
            try manager.copyItem(atPath: certificates.path(new), toPath: certificates.path(old))
        }
        #expect(eventually { (try? fixture.echo(secure(certificates, as: "newclient")).status) == 0 })
        #expect(try fixture.echo(secure(certificates)).status != 0)

        // A key that is not the certificate's leaves what was there in use.
        try Data("no key".utf8).write(to: URL(fileURLWithPath: certificates.path("server.key")))
        #expect(eventually { (try? fixture.echo(secure(certificates, as: "newclient")).status) == 0 })
    }

    static let broken: [(String, SecurityProblem)] = [
        ("server.pem", .certificate), ("server.key", .key), ("ca.pem", .authorities),
    ]

    @Test(arguments: broken) func unusableFilesAreNamed(file: String, problem: SecurityProblem) throws {
        let certificates = try Certificates()
        try FileManager.default.removeItem(atPath: certificates.path(file))
        #expect(throws: NetworkError.unusableCertificates(problem)) {
            try TransportSecurity(files(certificates), role: .server(requiresPeerCertificate: true))
        }
    }

    @Test func weSendAndVerifyOverTLS() throws {
        let certificates = try Certificates()
        let fixture = try listener(certificates)
        var peer = try StoragePeer(
            host: "localhost", port: fixture.port, calledTitle: "ANY", callingTitle: "SCINTIVOL")
        peer.security = try TransportSecurity(files(certificates, "client"), role: .client)
        try StorageSender(peer: peer).echo()
        let sources = try ScratchFolder()
        let object = SyntheticObject()
        let outcomes = try StorageSender(peer: peer).send([try sources.write(object.bytes, as: "object.dcm")])
        #expect(outcomes == [.answered(StoreResponse(status: 0))])

        // A server that another authority vouches for is not ours.
        try certificates.makeAuthority("other")
        var distrusting = files(certificates, "client")
        distrusting.authorities = certificates.path("other.pem")
        peer.security = try TransportSecurity(distrusting, role: .client)
        #expect(throws: NetworkError.secureConnectionFailed) { try StorageSender(peer: peer).echo() }
    }

    @Test func aServerUnderAnotherNameIsNotOurs() throws {
        let certificates = try Certificates()
        let security = try TransportSecurity(files(certificates), role: .server(requiresPeerCertificate: true))
        let fixture = try ListenerFixture {
            $0.address = "0.0.0.0"
            $0.security = security
        }
        // The certificate names localhost and 127.0.0.1.
        var peer = try StoragePeer(
            host: "127.0.0.2", port: fixture.port, calledTitle: "ANY", callingTitle: "SCINTIVOL")
        peer.security = try TransportSecurity(files(certificates, "client"), role: .client)
        #expect(throws: NetworkError.secureConnectionFailed) { try StorageSender(peer: peer).echo() }
    }
}
