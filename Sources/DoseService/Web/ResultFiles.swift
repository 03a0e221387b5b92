import Foundation
import HTTP
import Postgres

/// A result as REST shows it.
struct ResultView: Codable, Equatable {
    struct File: Codable, Equatable {
        let name: String
        let bytes: Int
    }

    let id, dosecase, job: Int64
    let revision: Int
    /// Seconds since 1970.
    let createdAt: Double
    let files: [File]

    enum CodingKeys: String, CodingKey {
        case id, job, revision, files
        case dosecase = "case"
        case createdAt = "created_at"
    }
}

/// What a job left in its folder.
struct ResultFiles {
    static let find = Statement(
        "result_find", "SELECT case_id, case_revision, job_id, folder, summary, created_at FROM result WHERE id = $1")

    let folder: String

    private static let types = [
        "dcm": "application/dicom", "png": "image/png", "json": "application/json", "gz": "application/gzip",
        "pdf": "application/pdf", "html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8",
    ]

    /// Regular files under plain names; others are nobody's business.
    var all: [ResultView.File] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().filter { Self.isPlain($0) }.compactMap { name in
            guard let body = try? FileBody(path: "\(folder)/\(name)") else { return nil }
            return ResultView.File(name: name, bytes: body.size)
        }
    }

    /// - Throws: the problem that there is no such file.
    func answer(_ name: String) throws(Problem) -> Response {
        guard Self.isPlain(name), let type = Self.types[String(name.split(separator: ".").last ?? "")],
            let body = try? FileBody(path: "\(folder)/\(name)")
        else { throw .notFound("file") }
        var response = Response.file(body, type: type)
        // What a result holds is shown by nobody's page but as what it is.
        response.fields.set("X-Content-Type-Options", "nosniff")
        response.fields.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
        return response
    }

    /// Lower-case words with an ending: no slash, no leading dot.
    static func isPlain(_ name: String) -> Bool {
        guard (3...64).contains(name.utf8.count), name.utf8.first != UInt8(ascii: "."), name.contains(".") else {
            return false
        }
        return name.utf8.allSatisfy { octet in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) || [0x2D, 0x2E, 0x5F].contains(octet)
        } && !name.contains("..")
    }
}
