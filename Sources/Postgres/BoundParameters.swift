/// Parameters in the three parallel arrays that libpq takes.
struct BoundParameters {
    private var storage: [UInt8] = []
    /// Where each value starts in `storage`; `nil` for NULL.
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    /// - Throws: ``PostgresError/parameterHoldsNUL(statement:parameter:)``: libpq reads text up to the first zero byte
    ///   and would store the rest as if it had never been there.
    init(_ parameters: [Parameter], statement: String) throws(PostgresError) {
        for (index, parameter) in parameters.enumerated() {
            guard let encoded = parameter.encoded else {
                offsets.append(nil)
                lengths.append(0)
                formats.append(0)
                continue
            }
            if !encoded.isBinary && encoded.bytes.contains(0) {
                throw .parameterHoldsNUL(statement: statement, parameter: index + 1)
            }
            offsets.append(storage.count)
            lengths.append(Int32(encoded.bytes.count))
            formats.append(encoded.isBinary ? 1 : 0)
            storage += encoded.bytes
            storage.append(0)
        }
    }

    func withPointers<Result>(
        _ body: ([UnsafePointer<CChar>?], [Int32], [Int32]) -> Result
    ) -> Result {
        storage.withUnsafeBytes { bytes in
            let pointers = offsets.map { offset in
                offset.flatMap { bytes.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
            }
            return body(pointers, lengths, formats)
        }
    }
}
