import Foundation
import FoundationNetworking
import Jobs

/// Objects and results of a worker that shares no folder with the service: fetched from it and brought to it by REST.
///
/// Fetched objects stay in the worker's own state folder, because the next job often needs the same.
public struct RemoteArtefacts: Sendable {
    /// Where `serve` is reached, for example `https://dose.example.org:8080`.
    private let address: URL
    /// A key with the role operator.
    private let key: String

    /// How long one file may take.
    private static let deadlineSeconds: TimeInterval = 600
    /// How often a file is tried before the attempt fails.
    private static let tryLimit = 3
    /// Objects that no job has asked for in so long are removed.
    private static let cacheTime: TimeInterval = 7 * 86_400

    /// Nil when the text is no address of HTTP.
    public init?(address: String, key: String) {
        guard let url = URL(string: address), ["http", "https"].contains(url.scheme), url.host != nil else {
            return nil
        }
        (self.address, self.key) = (url, key)
    }

    /// Makes objects available under their usual names.
    ///
    /// - Throws: `JobDecision` to try again when the service does not answer.
    func bring(_ names: [String], to store: ObjectStore) async throws {
        for name in names {
            let path = store.path(name)
            if FileManager.default.fileExists(atPath: path) {
                // It has been asked for now.
                try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
                continue
            }
            let digest = name.split(separator: "/").last?.split(separator: ".").first.map(String.init) ?? ""
            let request = request("v1/objects/\(digest)", method: "GET")
            let data = try await answer("object-not-fetched") { try await URLSession.shared.data(for: request) }
            do { try DurableFile.write(Array(data), to: path) } catch {
                throw JobDecision.retry(reason: "object-not-written")
            }
        }
    }

    /// Makes files of results available where the service has them.
    ///
    /// - Parameters:
    ///   - path: of the result in the interface, such as `v1/results/7`.
    ///   - names: files that are there, and files that may be.
    /// - Throws: `JobDecision` to try again when the service does not answer.
    func bring(
        _ names: [String], ifAny others: [String] = [], of path: String, into folder: String
    ) async throws {
        for name in names + others where !FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
            let request = request("\(path)/files/\(name)", method: "GET")
            do {
                let data = try await answer("result-not-fetched") { try await URLSession.shared.data(for: request) }
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try DurableFile.write(Array(data), to: "\(folder)/\(name)")
            } catch  where others.contains(name) {
                continue
            } catch let decision as JobDecision { throw decision } catch {
                throw JobDecision.retry(reason: "result-not-written")
            }
        }
    }

    /// Brings everything that an attempt has made.
    ///
    /// - Parameter attempt: name of its folder, `JOB-TOKEN`.
    func deliver(_ attempt: String, from store: ObjectStore) async throws {
        let folder = "\(store.results)/\(attempt)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names.sorted() where ResultFiles.isPlain(name) {
            let request = request("v1/attempts/\(attempt)/files/\(name)", method: "PUT")
            let file = URL(fileURLWithPath: "\(folder)/\(name)")
            _ = try await answer("result-not-delivered") {
                try await URLSession.shared.upload(for: request, fromFile: file)
            }
        }
        // It lies where it belongs; the copy would only fill the disk.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Removes objects that no job has asked for in a long time.
    func tidy(_ store: ObjectStore, now: Date) {
        for name in store.names() {
            let path = store.path(name)
            guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
                let changed = facts[.modificationDate] as? Date, now.timeIntervalSince(changed) > Self.cacheTime
            else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private func request(_ path: String, method: String) -> URLRequest {
        var request = URLRequest(url: address.appendingPathComponent(path))
        request.httpMethod = method
        request.timeoutInterval = Self.deadlineSeconds
        request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
        request.setValue("application/octet-stream", forHTTPHeaderField: "Content-Type")
        return request
    }

    private func answer(_ reason: String, _ ask: () async throws -> (Data, URLResponse)) async throws -> Data {
        for number in 1...Self.tryLimit {
            if let (data, response) = try? await ask(), let status = (response as? HTTPURLResponse)?.statusCode {
                if (200..<300).contains(status) { return data }
                // The attempt has lost its job, or the object is not there: no repetition helps.
                if [400, 404, 409].contains(status) { break }
            }
            try await Task.sleep(for: .seconds(number))
        }
        throw JobDecision.retry(reason: reason)
    }
}
