import ArgumentParser
import Fovea

struct SummaryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary", abstract: "Show a network's layers, output shapes and parameters.",
        discussion: "Networks: \(NamedNetwork.listOfNames).")

    @Argument(help: "A network's name or a model file.")
    var network: String

    /// No network has such a name.
    private var isPath: Bool { network.contains { "./".contains($0) } }

    func validate() throws {
        if !isPath { _ = try named(network, "network", of: NamedNetwork.self) }
    }

    func run() async throws {
        let model =
            isPath
            ? try await savedModel(network).model
            : try named(network, "network", of: NamedNetwork.self).model()
        say(model.summary(), terminator: "")
    }
}
