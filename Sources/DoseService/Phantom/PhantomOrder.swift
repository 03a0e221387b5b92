import Anatomy
public import Reconstruction
import Tomography

/// What is asked of the phantom command, in its own words.
public struct PhantomOrder: Sendable {
    /// From whom the seed is drawn.
    public enum People: String, Sendable, CaseIterable {
        /// Adults of usual build, arms left out.
        case standard
        /// Every build, single kidneys, full and empty bladders, arms.
        case varied

        var population: Population { self == .standard ? .standard : .varied }
    }

    public enum Camera: String, Sendable, CaseIterable {
        case siemens, ge

        var site: CameraSite { self == .siemens ? .phantom : .phantomGeneralElectric }
    }

    public typealias Difficulty = SyntheticPatient.Difficulty

    public var seed: UInt64
    public var people = People.standard
    public var difficulty = Difficulty.usual
    public var camera = Camera.siemens
    /// z of the centre of one bed position in the CT's frame, in millimetres; nil for the whole body.
    public var bedCentreMillimetres: Double?

    /// Whether the planar scan stores the windows around 113 keV too.
    public var secondPhotopeak = false

    public init(seed: UInt64) { self.seed = seed }

    public var recipe: SyntheticPatient.Recipe {
        var recipe = SyntheticPatient.Recipe(seed: seed, difficulty: difficulty)
        recipe.population = people.population
        recipe.site = camera.site
        recipe.secondPhotopeak = secondPhotopeak
        if let bedCentreMillimetres { recipe.field = .oneBed(centreMillimetres: bedCentreMillimetres) }
        return recipe
    }
}
