import ArgumentParser
struct HTTPServing: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "http")
}
