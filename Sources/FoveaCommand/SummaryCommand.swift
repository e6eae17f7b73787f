import ArgumentParser
import Foundation
import Fovea

struct SummaryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary", abstract: "Show a network's layers, output shapes and parameters.",
        discussion: "Networks: \(NamedNetwork.listOfNames).")

    @Argument(help: "A network's name or a model file.")
    var network: String

    @Flag(help: "Print the architecture as JSON, which 'fovea train --network FILE' reads.")
    var json = false

    @OptionGroup var size: InputShapeOption

    private var isPath: Bool { StartingNetwork.isPath(network) }

    func validate() throws {
        guard try size.shape() == nil || isPath else {
            throw ValidationError("--input-shape is for model files")
        }
        if !isPath { _ = try named(network, "network", of: NamedNetwork.self) }
    }

    func run() async throws {
        let model =
            isPath
            ? try await savedModel(network, inputShape: size.shape()).model
            : try named(network, "network", of: NamedNetwork.self).model()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            say(String(decoding: try encoder.encode(model.architecture), as: UTF8.self))
        } else {
            say(model.summary(), terminator: "")
        }
    }
}
