// swift-tools-version: 6.2
import PackageDescription

// A server to compare with. It stands outside the product's graph, because it brings in swift-nio.
let package = Package(
    name: "HummingbirdPeer",
    dependencies: [.package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.0.0")],
    targets: [
        .executableTarget(
            name: "HummingbirdPeer", dependencies: [.product(name: "Hummingbird", package: "hummingbird")])
    ]
)
