import DoseService
import Foundation
import Glibc
import TestSupport
import Testing

/// Received files and their names.
@Suite struct ObjectStoreTests {
    let folder: StateFolder
    let store: ObjectStore

    init() throws {
        folder = try StateFolder()
        store = ObjectStore(folder: folder.path)
        try store.prepare()
    }

    private func receive(_ text: String, as name: String) throws -> String {
        let path = "\(store.incoming)/\(name)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    private func text(_ name: String) throws -> String { try String(contentsOfFile: store.path(name), encoding: .utf8) }

    @Test func aNameIsADigestOfTheUID() {
        let name = store.name(of: "1.2.3")
        #expect(name.hasSuffix(".dcm") && name.split(separator: "/").count == 2 && !name.contains("1.2.3"))
        #expect(name == store.name(of: "1.2.3") && name != store.name(of: "1.2.4"))
        #expect(name.wholeMatch(of: /([0-9a-f]{2})\/\1[0-9a-f]{62}\.dcm/) != nil)
    }

    @Test func placesAFileUnderItsNameAlone() throws {
        let name = store.name(of: "1.2.3")
        let temporary = try receive("bytes", as: "1")
        #expect(try store.place(temporary, as: name) == .placed)
        #expect(try text(name) == "bytes" && store.names() == [name])
        #expect(access(temporary, F_OK) != 0)
    }

    @Test func theSameBytesAgainAreThereAlready() throws {
        let name = store.name(of: "1.2.3")
        _ = try store.place(receive("bytes", as: "1"), as: name)
        let again = try receive("bytes", as: "2")
        #expect(try store.place(again, as: name) == .alreadyThere)
        #expect(access(again, F_OK) != 0 && store.names() == [name])
    }

    @Test(arguments: ["Bytes", "bytes and more", "byte", ""])
    func otherBytesAreAConflictAndTheFirstStay(other: String) throws {
        let name = store.name(of: "1.2.3")
        _ = try store.place(receive("bytes", as: "1"), as: name)
        #expect(try store.place(receive(other, as: "2"), as: name) == .conflict)
        #expect(try text(name) == "bytes")
    }

    @Test func oneOfManyAtOncePlaces() async throws {
        for round in 0..<20 {
            let name = store.name(of: "1.2.\(round)")
            let paths = try (0..<6).map { try receive("bytes \($0 % 2)", as: "\(round)-\($0)") }
            let placements = try await withThrowingTaskGroup(of: ObjectStore.Placement.self) { group in
                for path in paths {
                    group.addTask { [store] in try await onThread { try store.place(path, as: name) } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(placements.count { $0 == .placed } == 1)
            #expect(placements.count { $0 == .alreadyThere } == 2)
            #expect(placements.count { $0 == .conflict } == 3)
        }
    }

    @Test func aFileThatHasGoneOrNoFolderIsAFailure() throws {
        let name = store.name(of: "1.2.3")
        #expect(throws: DurableFile.Failure(operation: "link", errno: ENOENT)) {
            try store.place("\(store.incoming)/nothing", as: name)
        }
        let file = try receive("bytes", as: "1")
        #expect(throws: DurableFile.Failure(operation: "link", errno: ENOENT)) {
            try store.place(file, as: "xx/nowhere.dcm")
        }
        // What could not be placed is still there for its owner to remove.
        #expect(access(file, F_OK) == 0 && store.names().isEmpty)
    }

    @Test func aStartRemovesWhatWasBeingReceivedAndNothingElse() throws {
        let name = store.name(of: "1.2.3")
        _ = try store.place(receive("bytes", as: "1"), as: name)
        _ = try receive("half", as: "2")
        try store.prepare()
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.incoming).isEmpty)
        #expect(store.names() == [name])
    }

    @Test func aDurableFileIsWholeOrNotThere() throws {
        let path = folder.file("whole")
        try DurableFile.write(Array("first".utf8), to: path)
        try DurableFile.write(Array("second".utf8), to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "second")
        #expect(access("\(path).part", F_OK) != 0)
        #expect(throws: DurableFile.Failure(operation: "open", errno: ENOENT)) {
            try DurableFile.write([1], to: folder.file("no/folder"))
        }
    }
}
