/// A linear map between two arrays of numbers, with its exact adjoint.
///
/// Algorithms take any operator; tests hold every one to `<Ax, y> = <x, A'y>`.
public protocol LinearOperator: Sendable {
    /// Elements of an input.
    var domainCount: Int { get }
    /// Elements of an output.
    var rangeCount: Int { get }

    /// `A x`
    ///
    /// - Shape: `domainCount` in, `rangeCount` out.
    func forward(_ input: [Float]) -> [Float]

    /// `A' y`
    ///
    /// - Shape: `rangeCount` in, `domainCount` out.
    func adjoint(_ output: [Float]) -> [Float]
}
