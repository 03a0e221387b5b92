import Learning

/// The convolutions' arithmetic in one training step, from the shapes of the weights and the level that each works on.
struct TrainingCost {
    /// Floating-point operations: two per product, forward once and backward twice.
    let operations: Double

    /// - Parameter positions: of the output, or of the input of a transposed convolution, by the weight's name.
    private init(_ module: any Module, positions: (_ name: [Substring]) -> Double) {
        let products = module.parameters.reduce(0.0) { sum, parameter in
            // A convolution's weight has five axes; norms and slopes cost no products to speak of.
            guard parameter.tensor.shape.count == 5 else { return sum }
            return sum + Double(parameter.tensor.count) * positions(parameter.name.split(separator: "."))
        }
        operations = 3 * 2 * products
    }

    static func residual(_ network: ResidualUNet, _ extents: [Int]) -> TrainingCost {
        let cells = (extents.reduce(1, *)) / network.configuration.patch.reduce(1, *)
        return TrainingCost(network) { name in
            let level = name.count > 1 ? Int(name[1]) ?? 0 : 0
            return switch name[0] {
            case "encoder", "decoder": Self.cells(cells, level)
            case "down", "up": Self.cells(cells, level + 1)
            default: Double(cells)
            }
        }
    }

    static func fullResolution(_ network: FullResolutionUNet, _ extents: [Int]) -> TrainingCost {
        let voxels = extents.reduce(1, *)
        return TrainingCost(network) { name in
            let level = Int(name[1]) ?? 0
            return Self.cells(voxels, name[0] == "up" && name[2] == "raise" ? level + 1 : level)
        }
    }

    static func strided(_ network: StridedUNet, _ extents: [Int]) -> TrainingCost {
        let voxels = extents.reduce(1, *)
        let deepest =
            network.parameters.compactMap { parameter -> Int? in
                let name = parameter.name.split(separator: ".")
                return name[0] == "down" ? Int(name[1]) : nil
            }.max() ?? 0
        return TrainingCost(network) { name in
            let level = Int(name[1]) ?? 0
            // The way down halves at every level but the deepest; the way up begins one level below its output.
            return Self.cells(voxels, name[0] == "up" && name[2] == "unit" ? level : min(level + 1, deepest))
        }
    }

    /// Cells of a level, each of which halves every axis.
    private static func cells(_ finest: Int, _ level: Int) -> Double { Double(finest) / Double(1 << (3 * level)) }
}
