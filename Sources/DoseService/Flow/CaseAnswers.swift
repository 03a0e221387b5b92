import DICOM
import Postgres

/// What people answer to what a case asks for. Answers are rows: each makes a new revision of its case, whose
/// reconstruction takes them where files are silent.
package enum CaseAnswers {
    package enum Refusal: Error, Equatable {
        /// No case asks for this.
        case unknownField(String)
        /// The value has not the form that the field asks for.
        case unusableValue(String)
    }

    /// The answer to each field, and the key of a ``ReadingRule`` that says the same of a device.
    static let readingKeys: [String: ReadingRule.CodingKeys] = [
        "nm.view-unknown": .views, "nm.view-ambiguous": .views, "nm.radionuclide-unknown": .radionuclide,
        "nm.energy-window-unknown": .energyWindows, "nm.pixel-spacing-unknown": .pixelSpacing,
        "nm.scan-velocity-unknown": .scanVelocity, "nm.scan-length-unknown": .scanLength,
        "nm.field-of-view-unknown": .fieldOfView, "nm.frame-duration-unknown": .frameDuration,
        "nm.acquisition-time-unknown": .acquiredAt,
    ]

    /// Fields to which the answer is that it shall be so (`true`).
    static let consents: Set<String> = [Consent.identity, Consent.wholeCT, Consent.wholeSeries]

    enum Consent {
        /// The instances are of one patient, although they say otherwise.
        static let identity = "identity.confirmed"
        /// The CT is used although other objects reach beyond it.
        static let wholeCT = "ct.whole"
        /// The series are used although the archive has more of them.
        static let wholeSeries = "series.whole"
    }

    /// Every field that can be answered, sorted.
    package static var fields: [String] { (Array(readingKeys.keys) + consents).sorted() }

    /// Writes answers to a case and has it looked through again at once, whatever its patient's associations do; without
    /// any answer, only that. Part of its caller's transaction.
    ///
    /// - Parameters:
    ///   - values: checked JSON by field.
    ///   - actor: who answers.
    /// - Throws: ``CaseActionError/unknownCase``; nothing is written then.
    static func write(
        _ values: [String: JSONValue], to id: Int64, by actor: String, _ transaction: Transaction
    ) throws(CaseActionError) {
        var patient: String?
        do throws(PostgresError) {
            patient = try transaction.query(CaseStatements.patientOf, [.integer(id)]).first?["patient_key"]
        } catch { throw .database(error) }
        guard let patient else { throw .unknownCase }
        do throws(PostgresError) {
            for (field, value) in values.sorted(by: { $0.key < $1.key }) {
                _ = try transaction.query(
                    CaseStatements.insertAnswer,
                    [.integer(id), .text(field), .json(JSONText.encode(value)), .text(actor)])
            }
            _ = try transaction.query(ArrivalStatements.note, [.text("answer"), .texts([patient]), .bool(true)])
        } catch { throw .database(error) }
    }

    /// - Throws: ``Refusal/unknownField(_:)`` or ``Refusal/unusableValue(_:)``.
    package static func check(_ field: String, _ value: JSONValue) throws(Refusal) {
        if consents.contains(field) {
            guard case .bool = value else { throw .unusableValue(field) }
            return
        }
        guard let key = readingKeys[field] else { throw .unknownField(field) }
        let document = JSONValue.object([key.rawValue: value])
        guard value != .null, let rule = document.decoded(ReadingRule.self), rule.faults.isEmpty else {
            throw .unusableValue(field)
        }
    }
}

/// The answers of one case, as its reconstruction uses them.
package struct AnsweredFields: Codable, Equatable, Sendable {
    package var values: [String: JSONValue] = [:]

    package init(_ values: [String: JSONValue] = [:]) { self.values = values }

    package func consents(to field: String) -> Bool { values[field] == .bool(true) }

    /// What was answered about the planar images.
    package var rule: ReadingRule {
        var document: [String: JSONValue] = [:]
        for (field, value) in values {
            if let key = CaseAnswers.readingKeys[field] { document[key.rawValue] = value }
        }
        return JSONValue.object(document).decoded(ReadingRule.self) ?? ReadingRule()
    }

    /// Equal for equal answers; empty without any.
    var key: String { values.isEmpty ? "" : JSONText.encode(self) }
}
