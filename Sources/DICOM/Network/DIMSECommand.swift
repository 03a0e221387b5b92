/// A DIMSE command set: C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET, N-ACTION and N-EVENT-REPORT, requests and responses.
///
/// DCMTK's own reader descends into sequences of a command set without a limit, so commands are read here: flat,
/// implicit little endian, nothing but group 0000.
///
/// - Source: DICOM PS3.7 sections 6.3, 9.3 and annex E.
struct DIMSECommand: Equatable {
    var field: UInt16
    var messageID: UInt16
    var sopClass: UID?
    var sopInstance: UID?
    var hasDataset: Bool
    var status: UInt16?
    var errorComment: [UInt8] = []
    /// Of C-MOVE: who shall get the objects.
    var moveDestination: String?
    /// Whether class and instance are named as requested ones, as in N-ACTION.
    var namesRequested = false
    /// Of N-ACTION.
    var actionType: UInt16?
    /// Of N-EVENT-REPORT.
    var eventType: UInt16?
    /// Of a C-MOVE or C-GET response.
    var suboperations = Suboperations()

    struct Suboperations: Equatable {
        var remaining, completed, failed, warning: UInt16?
    }

    enum Field {
        static let storeRequest: UInt16 = 0x0001
        static let storeResponse: UInt16 = 0x8001
        static let getRequest: UInt16 = 0x0010
        static let getResponse: UInt16 = 0x8010
        static let findRequest: UInt16 = 0x0020
        static let findResponse: UInt16 = 0x8020
        static let moveRequest: UInt16 = 0x0021
        static let moveResponse: UInt16 = 0x8021
        static let echoRequest: UInt16 = 0x0030
        static let echoResponse: UInt16 = 0x8030
        static let eventReportRequest: UInt16 = 0x0100
        static let actionRequest: UInt16 = 0x0130
        static let actionResponse: UInt16 = 0x8130
        static let response: UInt16 = 0x8000
    }

    /// A C-STORE request has about 150 bytes; what is longer than this is not one.
    static let lengthLimit = 4096
    /// Error Comment is an LO (PS3.7 annex C).
    static let errorCommentLimit = 64

    private enum Element {
        static let groupLength: UInt16 = 0x0000
        static let affectedSOPClass: UInt16 = 0x0002
        static let requestedSOPClass: UInt16 = 0x0003
        static let commandField: UInt16 = 0x0100
        static let messageID: UInt16 = 0x0110
        static let messageIDBeingRespondedTo: UInt16 = 0x0120
        static let moveDestination: UInt16 = 0x0600
        static let priority: UInt16 = 0x0700
        static let dataSetType: UInt16 = 0x0800
        static let status: UInt16 = 0x0900
        static let errorComment: UInt16 = 0x0902
        static let affectedSOPInstance: UInt16 = 0x1000
        static let requestedSOPInstance: UInt16 = 0x1001
        static let eventType: UInt16 = 0x1002
        static let actionType: UInt16 = 0x1008
        static let remainingSuboperations: UInt16 = 0x1020
        static let completedSuboperations: UInt16 = 0x1021
        static let failedSuboperations: UInt16 = 0x1022
        static let warningSuboperations: UInt16 = 0x1023
    }

    private static let noDataset: UInt16 = 0x0101
    private static let datasetPresent: UInt16 = 0x0001
}

extension DIMSECommand {
    /// - Throws: ``DIMSECommandFault`` when lengths do not add up, or a field that must be there is missing.
    init(decoding bytes: [UInt8]) throws(DIMSECommandFault) {
        var values: [UInt16: ArraySlice<UInt8>] = [:]
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 8 else { throw DIMSECommandFault() }
            let head = Array(rest.prefix(8))
            let element = UInt16(head[2]) | UInt16(head[3]) << 8
            let length = UInt32(head[4]) | UInt32(head[5]) << 8 | UInt32(head[6]) << 16 | UInt32(head[7]) << 24
            guard head[0] == 0, head[1] == 0, values[element] == nil, Int(length) <= rest.count - 8 else {
                throw DIMSECommandFault()
            }
            values[element] = rest.dropFirst(8).prefix(Int(length))
            rest = rest.dropFirst(8 + Int(length))
        }
        guard let field = Self.unsigned(values[Element.commandField]),
            let dataSetType = Self.unsigned(values[Element.dataSetType])
        else { throw DIMSECommandFault() }
        let isResponse = field & Field.response != 0
        let numberElement = isResponse ? Element.messageIDBeingRespondedTo : Element.messageID
        guard let messageID = Self.unsigned(values[numberElement]) else { throw DIMSECommandFault() }
        self.field = field
        self.messageID = messageID
        hasDataset = dataSetType != Self.noDataset
        status = Self.unsigned(values[Element.status])
        namesRequested = values[Element.requestedSOPClass] != nil
        let elements =
            namesRequested
            ? (Element.requestedSOPClass, Element.requestedSOPInstance)
            : (Element.affectedSOPClass, Element.affectedSOPInstance)
        sopClass = values[elements.0].flatMap { UID(bytes: $0) }
        sopInstance = values[elements.1].flatMap { UID(bytes: $0) }
        actionType = Self.unsigned(values[Element.actionType])
        eventType = Self.unsigned(values[Element.eventType])
        errorComment = Self.text(values[Element.errorComment])
        suboperations = Suboperations(
            remaining: Self.unsigned(values[Element.remainingSuboperations]),
            completed: Self.unsigned(values[Element.completedSuboperations]),
            failed: Self.unsigned(values[Element.failedSuboperations]),
            warning: Self.unsigned(values[Element.warningSuboperations]))
        if isResponse, status == nil { throw DIMSECommandFault() }
    }

    /// The command set in ascending order, group length first.
    var encoded: [UInt8] {
        var body: [UInt8] = []
        let isResponse = field & Field.response != 0
        if let sopClass {
            let element = namesRequested ? Element.requestedSOPClass : Element.affectedSOPClass
            Self.append(element, Self.padded(sopClass.description.utf8, with: 0), &body)
        }
        Self.append(Element.commandField, Self.bytes(field), &body)
        let numberElement = isResponse ? Element.messageIDBeingRespondedTo : Element.messageID
        Self.append(numberElement, Self.bytes(messageID), &body)
        if let moveDestination {
            Self.append(Element.moveDestination, Self.padded(moveDestination.utf8, with: UInt8(ascii: " ")), &body)
        }
        if [Field.storeRequest, Field.findRequest, Field.moveRequest, Field.getRequest].contains(field) {
            Self.append(Element.priority, Self.bytes(0), &body)
        }
        Self.append(Element.dataSetType, Self.bytes(hasDataset ? Self.datasetPresent : Self.noDataset), &body)
        if let status { Self.append(Element.status, Self.bytes(status), &body) }
        if !errorComment.isEmpty {
            let comment = errorComment.prefix(Self.errorCommentLimit)
            Self.append(Element.errorComment, Self.padded(comment, with: UInt8(ascii: " ")), &body)
        }
        if let sopInstance {
            let element = namesRequested ? Element.requestedSOPInstance : Element.affectedSOPInstance
            Self.append(element, Self.padded(sopInstance.description.utf8, with: 0), &body)
        }
        if let eventType { Self.append(Element.eventType, Self.bytes(eventType), &body) }
        if let actionType { Self.append(Element.actionType, Self.bytes(actionType), &body) }
        var whole: [UInt8] = []
        let length = UInt32(body.count)
        Self.append(Element.groupLength, (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }, &whole)
        return whole + body
    }

    private static func unsigned(_ value: ArraySlice<UInt8>?) -> UInt16? {
        guard let value, value.count == 2, let low = value.first, let high = value.last else { return nil }
        return UInt16(low) | UInt16(high) << 8
    }

    /// Without the padding at its end.
    private static func text(_ value: ArraySlice<UInt8>?) -> [UInt8] {
        guard let value, let last = value.lastIndex(where: { $0 != UInt8(ascii: " ") }) else { return [] }
        return Array(value[...last].prefix(errorCommentLimit))
    }

    private static func bytes(_ value: UInt16) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }

    private static func padded(_ text: some Collection<UInt8>, with padding: UInt8) -> [UInt8] {
        Array(text) + (text.count % 2 == 0 ? [] : [padding])
    }

    private static func append(_ element: UInt16, _ value: [UInt8], _ bytes: inout [UInt8]) {
        bytes += [0, 0] + Self.bytes(element)
        bytes += Self.bytes(UInt16(value.count)) + [0, 0] + value
    }
}

/// A command set that cannot be read.
struct DIMSECommandFault: Error, Equatable {}
