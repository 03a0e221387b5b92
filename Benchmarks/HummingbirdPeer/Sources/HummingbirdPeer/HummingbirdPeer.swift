import Hummingbird

/// Answers `/livez` with JSON from memory on the port that is its argument.
@main
struct HummingbirdPeer {
    struct Answer: ResponseEncodable {
        let status = "alive"
    }

    static func main() async throws {
        let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
        let router = Router()
        router.get("/livez") { _, _ in Answer() }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
        try await application.runService()
    }
}
