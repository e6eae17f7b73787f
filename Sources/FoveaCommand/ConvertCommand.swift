import ArgumentParser
import Foundation
import Fovea

struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Write a model in another format, told by the end of the name.",
        discussion: """
            Formats: \(ConvertedFormat.listOfEndings).

            A file with weights alone, as PyTorch's are and Keras's .weights.h5, needs --network, the network whose weights they
            are:

              fovea convert resnet18.pth resnet18.safetensors --network resnet18
            """)

    @Argument(help: "The file to read.", transform: filePath)
    var input: String

    @Argument(help: "The file to write.", transform: filePath)
    var output: String

    @Option(help: "A network's name or a file with an architecture, for an input with weights alone.")
    var network: String?

    @OptionGroup var size: InputShapeOption

    func validate() throws {
        guard try size.shape() == nil || network == nil else {
            throw ValidationError(
                "--input-shape is for files that hold a model; leave it out, or --network")
        }
        guard ConvertedFormat(ending: output) != nil else {
            throw ValidationError(
                "'\(output)' ends like no format that is known; formats: \(ConvertedFormat.listOfEndings)")
        }
        if let network, !StartingNetwork.isPath(network) { _ = try NamedNetwork(argument: network) }
    }

    func run() async throws {
        guard let format = ConvertedFormat(ending: output) else { return }
        guard Self.resolved(input) != Self.resolved(output) else {
            throw CommandError("\(input) would be replaced by what it becomes; choose another name")
        }
        let saved = try await read()
        let name = network.flatMap(NamedNetwork.init(rawValue:)) ?? NamedNetwork(of: saved.model)
        switch format {
        case .torch: try await saved.model.saveWeights(to: output, mapping: name?.torchMapping ?? [:])
        case .kerasWeights: try await saved.model.saveWeights(to: output)
        default: try await saved.write(to: output)
        }
        let count = saved.model.parameters.reduce(0) { $0 + $1.parameter.elementCount }
        say("\(output): \(visible(saved.model.displayName)), \(count) parameters")
        say("Kept: \(format.kept(of: saved).joined(separator: ", "))")
        let lost = format.lost(of: saved)
        if !lost.isEmpty { say("Not kept: \(lost.joined(separator: ", "))") }
    }

    private func read() async throws -> SavedModel {
        guard let network else {
            return try await savedModel(
                input, inputShape: size.shape(), withoutModel: "name that with --network")
        }
        let model =
            switch try await StartingNetwork(network: network, from: nil, seed: 0) {
            case .described(let model, _): model
            default: try NamedNetwork(argument: network).model()
            }
        try await model.loadWeights(from: input)
        return SavedModel(model)
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
}

/// What a model can be written as.
enum ConvertedFormat: CaseIterable {
    case safetensors, keras, hdf5, kerasWeights, onnx, torch

    init?(ending path: String) {
        let path = path.lowercased()
        let fitting = Self.allCases.flatMap { format in format.endings.map { (format, $0) } }
            .filter { path.hasSuffix($0.1) }
        guard let longest = fitting.max(by: { $0.1.count < $1.1.count }) else { return nil }
        self = longest.0
    }

    var endings: [String] {
        switch self {
        case .safetensors: [".safetensors"]
        case .keras: [".keras"]
        case .kerasWeights: [".weights.h5"]
        case .hdf5: [".h5"]
        case .onnx: [".onnx"]
        case .torch: [".pt", ".pth"]
        }
    }

    static let listOfEndings = allCases.flatMap(\.endings).joined(separator: ", ")

    /// What a saved model has, and which formats keep it.
    private static func parts(of saved: SavedModel) -> [(what: String, formats: Set<ConvertedFormat>)] {
        let whole: Set<ConvertedFormat> = [.safetensors, .keras, .hdf5, .onnx]
        var parts: [(what: String, formats: Set<ConvertedFormat>)] = [
            ("weights", Set(allCases)), ("architecture", whole),
        ]
        if !saved.classNames.isEmpty { parts.append(("names of classes", whole)) }
        if saved.training != nil { parts.append(("how it was trained", whole.subtracting([.onnx]))) }
        if saved.optimizerMemory != nil { parts.append(("what the optimizer remembers", [.keras])) }
        return parts
    }

    func kept(of saved: SavedModel) -> [String] {
        Self.parts(of: saved).filter { $0.formats.contains(self) }.map(\.what)
    }

    func lost(of saved: SavedModel) -> [String] {
        Self.parts(of: saved).filter { !$0.formats.contains(self) }.map(\.what)
    }
}

extension NamedNetwork {
    /// The network that a model is by its name.
    init?(of model: any ModelProtocol) {
        guard
            let network = Self.allCases.first(where: { $0.rawValue.replacing("-", with: "_") == model.name })
        else {
            return nil
        }
        self = network
    }
}
