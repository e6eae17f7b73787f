import ArgumentParser
import Fovea

struct SummaryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary", abstract: "Show a network's layers, output shapes and parameters.",
        discussion: "Networks: " + NamedNetwork.allCases.map(\.rawValue).joined(separator: ", ") + ".")

    @Argument(help: "A network's name or a model file.")
    var network: String

    func run() async throws {
        print(try await loadModelOrNetwork(network).model.summary(), terminator: "")
    }
}
