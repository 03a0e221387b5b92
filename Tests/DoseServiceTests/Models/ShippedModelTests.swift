import Foundation
import TestSupport
import Testing

/// The population's model lies beside the program.
@Suite struct ShippedModelTests {
    /// Who copies the program alone is told of the folder beside it before any patient is there.
    @Test func networksNeedTheModelBesideTheProgram() async throws {
        let state = try StateFolder()
        let program = state.file("scintivol")
        try FileManager.default.copyItem(atPath: Scintivol.program, toPath: program)
        let file = state.file("site.json")
        try #"{"networks":{"method":"unet"}}"#.write(toFile: file, atomically: true, encoding: .utf8)
        let alone = try await ProgramRun(program, ["check-config", file])
        #expect(alone.status == 1 && alone.output.contains("networks.method: model-missing"), "\(alone.output)")
        #expect(alone.output.contains("scintivol_DoseService.resources"))
        let training = try await ProgramRun(
            program, ["personalise", "--anatomy", state.file(""), "--out", state.file("x")])
        #expect(training.status != 0 && training.errors.contains("no model lies beside this program"))
        #expect(try await ProgramRun(Scintivol.program, ["check-config", file]).status == 0)
    }
}
