/// One row of the audit as a DICOM audit message in a syslog record.
///
/// Patients are named by the digest that rows name them by; whoever may know more asks the service.
///
/// - Source: DICOM PS3.15 annex A.5 (message schema), RFC 5424 (record), RFC 5425 section 4.3 and RFC 6587 (octet
///   counting).
struct AuditMessage {
    let id: Int64
    /// ISO 8601 with the offset from UTC.
    let time: String
    let actor, action, subject: String
    let peer: String?
    let outcome: Int64
    let detail: [String: String]

    /// Facility 10 (authorisation), severity 5 (notice).
    private static let priority = 10 * 8 + 5

    /// How one action is said in the words of the standard: event, what was done, and its type.
    private struct Kind {
        let code, meaning: String
        /// C create, R read, U update, D delete, E execute.
        let action: String
    }

    private static func kind(_ action: AuditTrail.Action?) -> Kind {
        switch action {
        case .associationEnded, .upload: Kind(code: "110104", meaning: "DICOM Instances Transferred", action: "C")
        case .exportStored, .exportRefused: Kind(code: "110104", meaning: "DICOM Instances Transferred", action: "R")
        case .viewed: Kind(code: "110103", meaning: "DICOM Instances Accessed", action: "R")
        case .caseAnswered, .caseForced, .caseApproved, .caseRejected, .cycleApproved, .cycleRejected,
            .cycleAdministered:
            Kind(code: "110103", meaning: "DICOM Instances Accessed", action: "U")
        case .jobCreated: Kind(code: "110111", meaning: "Procedure Record", action: "C")
        case .jobCancelled, .jobRetried, .jobPrioritised:
            Kind(code: "110111", meaning: "Procedure Record", action: "U")
        case .queried: Kind(code: "110112", meaning: "Query", action: "E")
        case .sourcesPurged: Kind(code: "110105", meaning: "DICOM Study Deleted", action: "D")
        case .started, .ended, .modelTrained, .modelsRetired:
            Kind(code: "110100", meaning: "Application Activity", action: "E")
        // Keys, cameras and the site's description are settings, whose changes the standard counts among these
        // (PS3.15 A.5.3.11).
        case .associationRefused, .instanceConflict, .identityConflict, .keyCreated, .keyRevoked, .calibrationAdded,
            .calibrationWithdrawn,
            .configurationReplaced, .configurationWithdrawn, nil:
            Kind(code: "110113", meaning: "Security Alert", action: "E")
        }
    }

    func record(host: String, process: Int32) -> [UInt8] {
        let head = "<\(Self.priority)>1 \(time) \(Self.token(host)) scintivol \(process) IHE+RFC-3881 -"
        return Array("\(head) \u{FEFF}\(xml)".utf8)
    }

    /// The record as it goes over a stream.
    func frame(host: String, process: Int32) -> [UInt8] {
        let record = record(host: host, process: process)
        return Array("\(record.count) ".utf8) + record
    }

    var xml: String {
        let kind = Self.kind(AuditTrail.Action(rawValue: action))
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage>"
        text += "<EventIdentification EventActionCode=\"\(kind.action)\" EventDateTime=\"\(time)\""
        text += " EventOutcomeIndicator=\"\(outcome)\">"
        text += "<EventID csd-code=\"\(kind.code)\" codeSystemName=\"DCM\" originalText=\"\(kind.meaning)\"/>"
        text += "<EventTypeCode csd-code=\"\(Self.escaped(action))\" codeSystemName=\"SCINTIVOL\""
        text += " originalText=\"\(Self.escaped(action))\"/></EventIdentification>"
        text += "<ActiveParticipant UserID=\"\(Self.escaped(actor))\" UserIsRequestor=\"true\""
        if let peer { text += " NetworkAccessPointID=\"\(Self.escaped(peer))\" NetworkAccessPointTypeCode=\"2\"" }
        text += "/><ActiveParticipant UserID=\"SCINTIVOL\" UserIsRequestor=\"false\"/>"
        text += "<AuditSourceIdentification AuditSourceID=\"SCINTIVOL\"/>"
        text += "<ParticipantObjectIdentification ParticipantObjectID=\"\(Self.escaped(subject))\""
        text += " ParticipantObjectTypeCode=\"2\" ParticipantObjectTypeCodeRole=\"3\">"
        // What a subject is stands before its slash.
        let kindOfSubject = Self.escaped(String(subject.prefix { $0 != "/" }))
        text += "<ParticipantObjectIDTypeCode csd-code=\"\(kindOfSubject)\" codeSystemName=\"SCINTIVOL\""
        text += " originalText=\"\(kindOfSubject)\"/>"
        for (key, value) in detail.sorted(by: { $0.key < $1.key }) {
            text += "<ParticipantObjectDetail type=\"\(Self.escaped(key))\""
            text += " value=\"\(Self.base64(value))\"/>"
        }
        return text + "</ParticipantObjectIdentification></AuditMessage>"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result += scalar.value < 0x20 ? " " : String(scalar)
            }
        }
        return result
    }

    /// What a syslog header field may hold.
    private static func token(_ text: String) -> String {
        let kept = text.unicodeScalars.filter { (0x21...0x7E).contains($0.value) }.prefix(255)
        return kept.isEmpty ? "-" : String(String.UnicodeScalarView(kept))
    }

    /// The schema wants values in base 64.
    private static func base64(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bytes = Array(text.utf8)
        var result = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let padded = Array(group) + [UInt8](repeating: 0, count: 3 - group.count)
            let bits = padded.reduce(0) { $0 << 8 | Int($1) }
            for index in 0..<4 {
                result += index <= group.count ? String(alphabet[bits >> (18 - 6 * index) & 0x3F]) : "="
            }
        }
        return result
    }
}
