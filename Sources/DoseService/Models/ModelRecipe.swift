import Foundation
import Learning
import Reconstruction

/// A method and its settings, from which an untrained network is made.
struct ModelRecipe {
    let kind: ModelFile.Kind
    /// JSON of the method's own settings.
    let settings: String

    init(kind: ModelFile.Kind, settings: String) { (self.kind, self.settings) = (kind, settings) }

    /// The settings of a row of the preset table.
    init(kind: ModelFile.Kind, preset: ResidualUNetConfiguration.Preset) {
        self.kind = kind
        settings =
            switch kind {
            case .unet: JSONText.encode(StageOne.Settings(preset))
            case .diffusion: JSONText.encode(StageTwo.Settings(preset))
            case .paperUNet: JSONText.encode(PaperUNet.Settings(preset))
            case .paperDiffusion: JSONText.encode(PaperDiffusion.Settings(preset))
            }
    }

    /// - Parameter base: Stage 2 stands on its Stage 1 when it has one.
    /// - Throws: ``StudyProblem``.
    func make(seed: UInt64, base: ModelFile) throws(StudyProblem) -> any TrainableModel {
        let bytes = Data(settings.utf8)
        let decoder = JSONDecoder()
        do {
            switch kind {
            case .unet:
                return try StageOne(decoder.decode(StageOne.Settings.self, from: bytes), seed: seed, on: .best)
            case .diffusion:
                let before = base[.unet] == nil ? nil : try base.model(.unet) as? StageOne
                let own = try decoder.decode(StageTwo.Settings.self, from: bytes)
                return try StageTwo(own, after: before, seed: seed, on: .best)
            case .paperUNet:
                return try PaperUNet(decoder.decode(PaperUNet.Settings.self, from: bytes), seed: seed, on: .best)
            case .paperDiffusion:
                let own = try decoder.decode(PaperDiffusion.Settings.self, from: bytes)
                return try PaperDiffusion(own, seed: seed, on: .best)
            }
        } catch let error as ReconstructionError {
            throw StudyProblem(error)
        } catch let problem as StudyProblem { throw problem } catch { throw .refused(code: "model-unreadable") }
    }
}
