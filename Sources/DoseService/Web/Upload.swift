import DICOM
import Glibc
import HTTP

/// A multipart upload on its way to the disk: every part is a file of its own among what is being received, and is handed
/// to the intake when it is complete, exactly as an object that came by C-STORE.
///
/// Unchecked, because the server calls it from one thread at a time and in order (``BodySink``).
final class Upload: BodySink, @unchecked Sendable {
    /// Instances of one request.
    static let partLimit = 20_000

    /// What became of one part.
    struct Outcome: Equatable {
        let sopClass, sopInstance: String?
        /// A status of C-STORE; 0 is stored.
        let status: UInt16
    }

    let principal: Principal
    private let trace: String
    private(set) var outcomes: [Outcome] = []
    private let intake: Intake
    /// Instances of other studies are refused, when one is named.
    private let study: String?
    private let prefix: String
    private var parser: MultipartParser
    private var current: (path: String, descriptor: Int32)?
    /// The current part cannot be taken.
    private var refusal: UInt16?
    private var partCount = 0

    init(
        _ intake: Intake, prefix: String, study: String?, boundary: MultipartParser, by principal: Principal,
        trace: String
    ) {
        (self.intake, self.prefix, self.study) = (intake, prefix, study)
        (parser, self.principal, self.trace) = (boundary, principal, trace)
    }

    deinit { drop() }

    func receive(_ piece: [UInt8]) throws {
        do { try parser.consume(piece) { try take($0) } } catch let violation as MultipartParser.Violation {
            throw Self.problem(violation)
        }
    }

    func finish() throws {
        do throws(MultipartParser.Violation) { try parser.finish() } catch { throw Self.problem(error) }
        if outcomes.isEmpty { throw ProblemType.invalidMultipart.problem("There is no part.") }
    }

    func abandon() { drop() }

    private static func problem(_ violation: MultipartParser.Violation) -> Problem {
        let reason =
            switch violation {
            case .boundaryLine: "Something stands behind a boundary."
            case .fields: "The fields of a part are malformed."
            case .fieldsTooLong: "The fields of a part are too long."
            case .incomplete: "The body ends before its last boundary."
            }
        return ProblemType.invalidMultipart.problem(reason)
    }

    private func take(_ event: MultipartParser.Event) throws {
        switch event {
        case .part(let fields): try begin(fields)
        case .content(let bytes): write(bytes)
        case .partEnd: end()
        }
    }

    private func begin(_ fields: [String: String]) throws {
        partCount += 1
        guard partCount <= Self.partLimit else {
            throw ProblemType.invalidMultipart.problem("There are more than \(Self.partLimit) parts.")
        }
        refusal = nil
        let type = fields["content-type"].map { MediaType($0)?.name ?? "" } ?? "application/dicom"
        guard type == "application/dicom", fields["content-encoding"] == nil else {
            refusal = Self.cannotUnderstand
            return
        }
        let path = "\(prefix)-\(partCount).part"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            refusal = Self.outOfResources
            return
        }
        current = (path, descriptor)
    }

    private func write(_ bytes: ArraySlice<UInt8>) {
        guard refusal == nil, let current else { return }
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(current.descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                // No space, most likely: this instance is lost to us, the next may be smaller.
                refusal = Self.outOfResources
                return
            }
            rest = rest.dropFirst(count)
        }
    }

    private func end() {
        defer { drop() }
        guard refusal == nil, let current else {
            outcomes.append(Outcome(sopClass: nil, sopInstance: nil, status: refusal ?? Self.cannotUnderstand))
            return
        }
        outcomes.append(intake.receivedUpload(at: current.path, study: study, from: principal.name, trace: trace))
    }

    /// The intake has moved away what it took.
    private func drop() {
        if let current {
            close(current.descriptor)
            unlink(current.path)
        }
        current = nil
    }

    /// - Source: DICOM PS3.18 section 10.5.3 takes the codes of C-STORE.
    private static let outOfResources = StoreStatus.outOfResources(comment: "").code
    private static let cannotUnderstand = StoreStatus.cannotUnderstand(comment: "").code
}

extension Upload {
    /// The answer of the store transaction.
    ///
    /// - Source: DICOM PS3.18 section 10.5.3, table 10.5.3-1; JSON of annex F.
    var answer: Response {
        let stored = outcomes.filter { $0.status == 0 }
        let named = outcomes.filter { $0.status != 0 && $0.sopInstance != nil }
        let others = outcomes.filter { $0.status != 0 && $0.sopInstance == nil }
        var members: [String] = []
        for (tag, items) in [("00081198", named), ("00081199", stored), ("0008119A", others)] where !items.isEmpty {
            members.append("\"\(tag)\":{\"vr\":\"SQ\",\"Value\":[\(items.map(Self.item).joined(separator: ","))]}")
        }
        let status: Status = stored.count == outcomes.count ? 200 : stored.isEmpty ? 409 : 202
        return .bytes(Array("{\(members.joined(separator: ","))}".utf8), type: "application/dicom+json", status: status)
    }

    /// UIDs and numbers only, so nothing needs escaping.
    private static func item(_ outcome: Outcome) -> String {
        var members: [String] = []
        for (tag, value) in [("00081150", outcome.sopClass), ("00081155", outcome.sopInstance)] {
            if let value { members.append("\"\(tag)\":{\"vr\":\"UI\",\"Value\":[\"\(value)\"]}") }
        }
        if outcome.status != 0 { members.append("\"00081197\":{\"vr\":\"US\",\"Value\":[\(outcome.status)]}") }
        return "{\(members.joined(separator: ","))}"
    }
}
