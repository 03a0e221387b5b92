import Foundation
import Reconstruction

/// The views of a reconstruction for later pictures: what `views.json` holds.
///
/// - Shape: `measured` and `expected` are `[z, x]`, x fastest.
struct StoredViews: Codable, Equatable {
    struct View: Codable, Equatable {
        let direction: String
        let columns: Int
        /// Millimetres along x and z.
        let spacing: [Double]
        let chiSquare: Double
        let measured, expected: [Float]

        enum CodingKeys: String, CodingKey {
            case direction, columns, measured, expected
            case spacing = "spacing_mm"
            case chiSquare = "chi_square"
        }
    }

    let views: [View]

    init(_ estimate: ActivityEstimate) {
        views = estimate.views.map { view in
            View(
                direction: view.direction.rawValue, columns: view.detector.columns,
                spacing: [view.detector.spacing.x, view.detector.spacing.y], chiSquare: view.chiSquare,
                measured: view.measured, expected: view.expected)
        }
    }

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return Array(try encoder.encode(self))
    }
}
