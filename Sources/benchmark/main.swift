import Dispatch
import Imaging
import Tomography

let n = 128
let grid = try VoxelGrid(
    columns: n, rows: n, slices: n, spacing: SIMD3(4.8, 4.8, 4.8), origin: SIMD3(-304.8, -304.8, 0))
let mu = Volume<Float>(grid: grid, repeating: 0.1)
let det = DetectorGrid(columns: n, rows: n, spacing: SIMD2(4.8, 4.8), origin: SIMD2(-304.8, 0))
let heads = [ViewDirection.anterior, .posterior].map {
    CameraHead(
        direction: $0, facePosition: $0 == .anterior ? -330 : 330, detector: det, collimator: .siemensMediumEnergy,
        energy: 208.37, gain: 1)
}
let p = try OpposedViewProjector(heads: heads, attenuation: [208.37: mu])
let x = (0..<grid.voxelCount).map { Float($0 % 17) }
for _ in 0..<10 {
    let t0 = DispatchTime.now().uptimeNanoseconds
    let y = p.forward(x)
    let t1 = DispatchTime.now().uptimeNanoseconds
    let b = p.adjoint(y)
    let t2 = DispatchTime.now().uptimeNanoseconds
    print(Double(t1 - t0) / 1e6, Double(t2 - t1) / 1e6, y[5000], b[1_000_000])
}
