import Foundation

/// A folder that a synthetic patient is written to, and whoever lies in it already.
public struct PhantomFolder {
    /// Who it is, as `truth.json` says it.
    private struct Occupant: Decodable {
        let seed: UInt64
        let person: PhantomFiles.Truth.Person?

        /// The arms at the planar scan belong to the scan.
        func isSame(as truth: PhantomFiles.Truth) -> Bool {
            seed == truth.seed && person?.bodyMassIndex == truth.person.bodyMassIndex
                && person?.armsAtPETCT == truth.person.armsAtPETCT
                && person?.missingKidney == truth.person.missingKidney
        }
    }

    private static let parts = ["nm", "ct", "pt"] + PhantomFiles.Contours.allCases.map(\.rawValue)
    private static let truths = ["truth.json", "truth.nii.gz"]

    private let path: String

    public init(_ path: String) { self.path = path }

    /// Makes the folder, and room in it.
    ///
    /// - Parameter replaces: whether a patient that is there may go; what no phantom made stays in any case.
    /// - Throws: ``OfflineProblem`` when another patient lies here, or nothing can be written.
    public func prepare(seed: UInt64, replaces: Bool) throws(OfflineProblem) {
        try OfflineProblem.requireOutput(path)
        if !replaces { return try require(seed == occupant?.seed) }
        guard occupant != nil else { return }
        for name in Self.parts + Self.truths {
            let file = "\(path)/\(name)"
            guard FileManager.default.fileExists(atPath: file) else { continue }
            do { try FileManager.default.removeItem(atPath: file) } catch {
                throw OfflineProblem(.failed(code: "output-not-written"), outputFolder: path)
            }
        }
    }

    /// A seed is another person in another population.
    ///
    /// - Throws: ``OfflineProblem`` when another patient lies here.
    public func require(_ truth: PhantomFiles.Truth) throws(OfflineProblem) {
        try require(occupant?.isSame(as: truth) == true)
    }

    private func require(_ isSame: Bool) throws(OfflineProblem) {
        let there = Self.parts.filter { name in
            // What is no folder holds nothing.
            (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)"))?.isEmpty == false
        }
        guard !there.isEmpty, !isSame else { return }
        let whose = occupant.map { "the synthetic patient of seed \($0.seed)" } ?? "somebody that no phantom made"
        throw OfflineProblem(
            .needsInput(code: "folder-in-use", fields: ["out"]),
            found: ["--out \(path): holds \(whose) (\(there.joined(separator: ", ")))"])
    }

    private var occupant: Occupant? {
        guard let data = FileManager.default.contents(atPath: "\(path)/truth.json") else { return nil }
        return JSONText.decode(Occupant.self, from: String(decoding: data, as: UTF8.self))
    }
}
