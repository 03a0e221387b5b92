/// Conditions and ranges of a request, applied to a complete answer: 304, 206 and 416.
extension Response {
    /// - Source: RFC 9110 sections 13.2.2 and 14.2: conditions first, then the range; both only for GET and HEAD that
    ///   would otherwise be 200.
    package func selected(for head: RequestHead) -> Response {
        guard status.code == 200, head.method == .get || head.method == .head else { return self }
        let tag = fields["ETag"].flatMap { EntityTag.parse($0).first }
        if let tag, let list = head.value("If-None-Match"), tag.isNamed(byIfNoneMatch: list) {
            return notModified
        }
        // RFC 9110 section 14.2 defines Range for GET alone.
        guard head.method == .get, let size = rangeableCount, let value = head.value("Range"),
            let range = ByteRange(value), rangeIsStillMeant(head, tag)
        else { return self }
        guard let octets = range.resolved(size: size) else {
            return Problem(416, fields: ["Content-Range": "bytes */\(size)"]).response
        }
        return partial(octets, of: size)
    }

    private var rangeableCount: Int? {
        switch body {
        case .bytes(let bytes): bytes.count
        case .file(let file): file.size
        case .none, .stream: nil
        }
    }

    /// RFC 9110 section 15.4.5 names the fields that a 304 repeats.
    private var notModified: Response {
        var answer = Response(304, fields: fields)
        let kept: Set<String> = ["etag", "cache-control", "content-location", "expires", "vary"]
        answer.fields.keep { kept.contains($0.lowercased()) }
        return answer
    }

    /// If-Range: only the same representation may be continued (RFC 9110 section 13.1.5).
    private func rangeIsStillMeant(_ head: RequestHead, _ tag: EntityTag?) -> Bool {
        guard let condition = head.value("If-Range") else { return true }
        if let wanted = EntityTag.parse(condition).first { return !wanted.isWeak && wanted == tag }
        return condition == fields["Last-Modified"]
    }

    private func partial(_ octets: Range<Int>, of size: Int) -> Response {
        var answer = self
        answer.status = 206
        answer.fields.add("Content-Range", "bytes \(octets.lowerBound)-\(octets.upperBound - 1)/\(size)")
        switch body {
        case .bytes(let bytes): answer.body = .bytes(Array(bytes[octets]))
        case .file(var file):
            file.range = octets
            answer.body = .file(file)
        case .none, .stream: break
        }
        return answer
    }
}
