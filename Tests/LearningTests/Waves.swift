import Glibc

import Learning

/// `sin(frequency i + phase)`: inputs that a test and the program that made its reference can both write down.
func wave(_ count: Int, _ frequency: Double, _ phase: Double = 0) -> [Float] {
    (0..<count).map { Float(sin(frequency * Double($0) + phase)) }
}

func waveTensor(_ shape: [Int], _ frequency: Double, _ phase: Double = 0) throws -> Tensor {
    try Tensor(wave(shape.reduce(1, *), frequency, phase), shape: shape)
}

/// Fixed for the whole test process, as an executable does at its start.
let configured: Bool = (try? Device.configure(threadCount: 2)) != nil
