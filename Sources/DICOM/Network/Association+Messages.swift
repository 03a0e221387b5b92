/// A command and the presentation context it came on.
struct IncomingCommand {
    let context: UInt8
    let command: DIMSECommand
}

extension Association {
    /// The next command, or nil when the peer asks for release.
    ///
    /// - Throws: ``NetworkError/protocolViolation`` when something else comes, or a command that is too long or
    ///   cannot be read.
    func readCommand() throws(NetworkError) -> IncomingCommand? {
        var bytes: [UInt8] = []
        var context: UInt8?
        while true {
            guard let fragment = try read() else {
                if context == nil { return nil }
                throw .protocolViolation
            }
            guard fragment.isCommand, context == nil || context == fragment.context,
                bytes.count + fragment.bytes.count <= DIMSECommand.lengthLimit
            else { throw .protocolViolation }
            context = fragment.context
            bytes += fragment.bytes
            guard fragment.isLast else { continue }
            do {
                return IncomingCommand(context: fragment.context, command: try DIMSECommand(decoding: bytes))
            } catch {
                throw .protocolViolation
            }
        }
    }

    /// Hands the dataset of a message on, fragment by fragment.
    ///
    /// - Throws: ``NetworkError/protocolViolation`` when it is interrupted or longer than the limit.
    func readDataset(
        context: UInt8, byteLimit: Int, before deadline: ContinuousClock.Instant,
        _ consume: (UnsafeRawBufferPointer) -> Void
    ) throws(NetworkError) {
        var byteCount = 0
        while true {
            guard let fragment = try read(), !fragment.isCommand, fragment.context == context else {
                throw .protocolViolation
            }
            byteCount += fragment.bytes.count
            guard byteCount <= byteLimit else { throw .protocolViolation }
            consume(fragment.bytes)
            if fragment.isLast { return }
            guard ContinuousClock.now < deadline else { throw .deadlinePassed }
        }
    }

    func write(_ command: DIMSECommand, context: UInt8) throws(NetworkError) {
        try write(command.encoded, context: context, isCommand: true)
    }

    /// A command and a dataset that is short enough to be held.
    func write(_ command: DIMSECommand, dataset: [UInt8], context: UInt8) throws(NetworkError) {
        try write(command, context: context)
        try write(dataset, context: context, isCommand: false)
    }

    private func write(_ bytes: [UInt8], context: UInt8, isCommand: Bool) throws(NetworkError) {
        // A typed error does not pass through the closure of an unsafe buffer.
        let outcome = bytes.withUnsafeBytes { buffer -> Result<Void, NetworkError> in
            Result { () throws(NetworkError) in
                try write(buffer, context: context, isCommand: isCommand, isLast: true)
            }
        }
        try outcome.get()
    }
}
