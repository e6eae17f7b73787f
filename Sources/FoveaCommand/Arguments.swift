import ArgumentParser
import Fovea

/// Arguments that are names: an unknown one is refused with the nearest known.
extension DatasetName: ExpressibleByArgument {
    public init?(argument: String) { self.init(rawValue: argument) }
}

enum OptimizerName: String, CaseIterable {
    case adam, rmsprop, sgd

    /// The optimizer with Keras's settings, and another learning rate if given.
    func optimizer(learningRate: Double?) -> any Optimizer {
        var optimizer: any Optimizer =
            switch self {
            case .adam: Adam()
            case .rmsprop: RMSprop()
            case .sgd: SGD()
            }
        if let learningRate { optimizer.learningRate = learningRate }
        return optimizer
    }

    init(named name: String) throws {
        guard let known = OptimizerName(rawValue: name) else {
            let names = OptimizerName.allCases.map(\.rawValue)
            let hint = nearestName(to: name, among: names).map { "did you mean '\($0)'? " } ?? ""
            throw ValidationError(
                "unknown optimizer '\(name)'; \(hint)known: \(names.joined(separator: ", "))")
        }
        self = known
    }
}

extension NamedNetwork {
    /// The loss that fits the network's output.
    var loss: Loss {
        switch output {
        case .classProbabilities: .sparseCategoricalCrossentropy()
        case .classLogits: .sparseCategoricalCrossentropy(fromLogits: true)
        case .binaryProbability: .binaryCrossentropy()
        }
    }
}

/// Loads a named data set, showing downloads as they go on.
func loadDataset(_ name: String) async throws -> NamedDataset {
    let name = try DatasetName(named: name)
    let progress = DownloadPrinter()
    defer { progress.finish() }
    return try await DatasetLibrary(progress: { progress.show($0) }).load(name)
}

/// A model from a file, or a network by its name.
@Compute
func loadModelOrNetwork(_ argument: String, seed: UInt64 = 0) throws -> SavedModel {
    if let network = NamedNetwork(rawValue: argument) { return SavedModel(try network.model(seed: seed)) }
    if argument.contains("/") || argument.hasSuffix(".safetensors") {
        return try SavedModel(contentsOf: argument)
    }
    // Neither: the error for names has the nearest one.
    return SavedModel(try NamedNetwork.named(argument).model(seed: seed))
}
