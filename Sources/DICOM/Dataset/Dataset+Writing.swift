import CDCMTK

// A value that does not fit its attribute's representation is a defect of the writer, not of its input, so these
// functions stop the program rather than throw.
extension Dataset {
    /// Puts a string value; an old one is replaced.
    public func put(_ tag: AttributeTag, _ text: String) {
        put(tag, bytes: Array(text.utf8))
    }

    /// Puts string values, separated by backslashes.
    public func put(_ tag: AttributeTag, _ texts: [String]) {
        put(tag, texts.joined(separator: "\\"))
    }

    /// Puts a string value's bytes as they are, in the dataset's character set.
    public func put(_ tag: AttributeTag, bytes: [UInt8]) {
        let outcome = bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                cdcmtk_item_put_bytes(
                    item, tag.number, tag.representation.rawValue, characters.baseAddress, characters.count)
            }
        }
        precondition(outcome == CDCMTK_OK, "\(tag) takes no string")
    }

    /// Puts whole numbers, as binary ones or as an integer string, whichever the attribute takes.
    public func put(_ tag: AttributeTag, integers: [Int]) {
        if tag.representation == .IS { return put(tag, integers.map(String.init)) }
        let values = integers.map(Int64.init)
        let outcome = cdcmtk_item_put_integers(
            item, tag.number, tag.representation.rawValue, values, values.count)
        precondition(outcome == CDCMTK_OK, "\(tag) takes no integers")
    }

    public func put(_ tag: AttributeTag, integer: Int) { put(tag, integers: [integer]) }

    /// Puts decimal numbers, as binary ones or as the nearest decimal strings of 16 characters.
    public func put(_ tag: AttributeTag, decimals: [Double]) {
        if tag.representation == .DS { return put(tag, decimals.map { DecimalString(nearest: $0).text }) }
        let outcome = cdcmtk_item_put_floats(
            item, tag.number, tag.representation.rawValue, decimals, decimals.count)
        precondition(outcome == CDCMTK_OK, "\(tag) takes no floating-point numbers")
    }

    public func put(_ tag: AttributeTag, decimal: Double) { put(tag, decimals: [decimal]) }

    /// Puts the numbers of other attributes.
    public func put(_ tag: AttributeTag, tags: [AttributeTag]) { put(tag, integers: tags.map { Int($0.number) }) }

    /// Puts 16-bit words of representation OW.
    public func put(_ tag: AttributeTag, words: [UInt16]) {
        let outcome = cdcmtk_item_put_words(item, tag.number, words, words.count)
        precondition(outcome == CDCMTK_OK, "\(tag) takes no words")
    }

    /// Puts bytes of representation OB.
    public func put(_ tag: AttributeTag, octets: [UInt8]) {
        let outcome = cdcmtk_item_put_octets(item, tag.number, octets, octets.count)
        precondition(outcome == CDCMTK_OK, "\(tag) takes no bytes")
    }

    /// Puts an attribute or a sequence without a value.
    public func putEmpty(_ tags: AttributeTag...) {
        for tag in tags {
            let outcome = cdcmtk_item_put_empty(item, tag.number, tag.representation.rawValue)
            precondition(outcome == CDCMTK_OK, "\(tag) has no such representation")
        }
    }

    /// Adds an item to the end of a sequence, which is made when it is not there.
    @discardableResult
    public func append(to tag: AttributeTag, _ fill: (Dataset) -> Void = { _ in }) -> Dataset {
        var appended: OpaquePointer?
        let outcome = cdcmtk_item_append(item, tag.number, &appended)
        guard outcome == CDCMTK_OK, let appended else { preconditionFailure("\(tag) is no sequence") }
        let child = Dataset(item: appended, of: self)
        fill(child)
        return child
    }

    /// Removes an attribute when it is there.
    public func remove(_ tag: AttributeTag) { cdcmtk_item_remove(item, tag.number) }

    /// Copies string values as the source's bytes; what the source does not have becomes empty.
    public func copy(_ tags: [AttributeTag], from source: Dataset) {
        for tag in tags {
            if let bytes = source.bytes(tag), !bytes.isEmpty { put(tag, bytes: bytes) } else { putEmpty(tag) }
        }
    }
}
