import Foundation
import TestSupport
import Testing

/// Objects of another patient.
enum Stranger {
    /// The planar image of a phantom under other identifiers and another patient's.
    static func planar(of phantom: SharedPhantom, in state: StateFolder) async throws -> String {
        let path = state.file("stranger.dcm")
        try FileManager.default.copyItem(atPath: phantom.files("nm")[0], toPath: path)
        let changes = ["-nb", "-gin", "-gse", "-gst", "-m", "PatientID=SOMEBODY ELSE", path]
        #expect(try await Tool.run("dcmodify", changes).status == 0)
        return path
    }
}
