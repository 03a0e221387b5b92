import Foundation

/// Keys that stand twice in one object of a JSON text. Readers keep one of the two values and say nothing.
///
/// The text has to be valid JSON; depth costs memory and no stack.
struct RepeatedKeys {
    /// Places as in `peers[1].port`, in the order of the text.
    private(set) var places: [String] = []

    private enum Container {
        case object(path: String, keys: Set<String>, key: String?)
        case list(path: String, index: Int)
    }

    init(in json: Data) {
        let bytes = Array(json)
        var stack: [Container] = []
        var next = 0
        while next < bytes.count {
            switch bytes[next] {
            case UInt8(ascii: "{"): stack.append(.object(path: Self.place(stack.last), keys: [], key: nil))
            case UInt8(ascii: "["): stack.append(.list(path: Self.place(stack.last), index: 0))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = stack.popLast()
            case UInt8(ascii: ","):
                switch stack.popLast() {
                case .object(let path, let keys, _): stack.append(.object(path: path, keys: keys, key: nil))
                case .list(let path, let index): stack.append(.list(path: path, index: index + 1))
                case nil: break
                }
            case UInt8(ascii: "\""):
                let end = Self.end(ofTextAt: next, in: bytes)
                // The first text of a member is its key.
                if case .object(let path, var keys, nil) = stack.last {
                    // Taken off before it changes: a set that stands in two places is copied.
                    stack.removeLast()
                    let key =
                        JSONText.decode(String.self, from: String(decoding: bytes[next..<end], as: UTF8.self)) ?? ""
                    let isNew = keys.insert(key).inserted
                    stack.append(.object(path: path, keys: keys, key: key))
                    if !isNew { places.append(Self.place(stack.last)) }
                }
                next = end
                continue
            default: break
            }
            next += 1
        }
    }

    var problems: [ConfigurationProblem] {
        places.map {
            ConfigurationProblem(
                path: $0, code: "key-repeated", detail: "stands twice, and only one of them would count")
        }
    }

    private static func end(ofTextAt start: Int, in bytes: [UInt8]) -> Int {
        var next = start + 1
        while next < bytes.count, bytes[next] != UInt8(ascii: "\"") {
            next += bytes[next] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(next + 1, bytes.count)
    }

    private static func place(_ container: Container?) -> String {
        switch container {
        case nil: ""
        case .object(let path, _, let key): path.isEmpty ? key ?? "" : "\(path).\(key ?? "")"
        case .list(let path, let index): "\(path)[\(index)]"
        }
    }
}
