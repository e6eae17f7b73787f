import ArgumentParser
import Fovea

/// What training begins with: a network known by name, an architecture in a file, a saved model that is trained further, or a
/// base that gets a new head.
enum StartingNetwork {
    case named(NamedNetwork)
    case described(any ModelProtocol, path: String)
    case saved(SavedModel, path: String)
    case base(BaseNetwork)

    /// - Parameters:
    ///   - network: a name or a file.
    ///   - from: a model file.
    ///   - seed: for the first values of a network whose architecture is in a file.
    /// - Throws: `ValidationError` for an unknown name, what reading a file throws.
    init(network: String, from: String?, seed: UInt64) async throws {
        if let from {
            self = .saved(try await savedModel(from), path: from)
        } else if Self.isPath(network) {
            let architecture = try architecture(contentsOf: network)
            do { self = .described(try makeModel(architecture, seed: seed), path: network) } catch {
                throw CommandError("\(network): the architecture cannot be built: \(error)")
            }
        } else {
            self = .named(try NamedNetwork(argument: network))
        }
    }

    /// No network has such a name.
    static func isPath(_ text: String) -> Bool { text.contains { "./".contains($0) } }

    /// What results are called after.
    var name: String {
        switch self {
        case .named(let network): network.rawValue
        case .described(_, let path), .saved(_, let path): path
        case .base(let base): base.name
        }
    }

    /// How pictures are prepared for it.
    ///
    /// - Parameter size: that of the images, if it was said.
    /// - Throws: `ValidationError` when it takes other sizes.
    func form(size: Size2D?) throws -> TrainingData.Form {
        switch self {
        case .named(let network): return TrainingData.Form(network, size: size)
        case .described(let model, let path):
            return try Self.form(model, path, size, loss: try model.classificationLoss())
        case .saved(let saved, let path):
            let loss = try saved.training?.onlyOutput?.loss ?? saved.model.classificationLoss()
            return try Self.form(saved.model, path, size, loss: loss)
        case .base(let base): return try base.form(size: size)
        }
    }

    private static func form(
        _ model: any ModelProtocol, _ path: String, _ size: Size2D?, loss: any Loss
    ) throws -> TrainingData.Form {
        let form = try TrainingData.Form(model, file: path, loss: loss, size: size)
        guard size == nil || size == form.size else {
            throw ValidationError(
                "--image-size: the model in \(path) takes \(form.size.height)×\(form.size.width) pixels; leave it out"
            )
        }
        return form
    }

    /// The network for images and classes.
    ///
    /// - Throws: `ValidationError` when it does not fit them.
    func model(
        input: Shape, classNames: [String], dropout: Double?, seed: UInt64, for dataset: String
    ) throws -> any ModelProtocol {
        let model: any ModelProtocol
        switch self {
        case .named(let network):
            do {
                model = try network.model(
                    input: input, classes: classNames.count, dropoutRate: dropout, seed: seed)
            } catch {
                throw ValidationError("--network \(network.rawValue) does not fit \(dataset): \(error)")
            }
        case .described(let described, _): model = described
        case .saved(let saved, _):
            try saved.checkClasses(classNames, of: dataset)
            model = saved.model
        case .base(let base):
            throw CommandError("\(base.name) has no head")
        }
        guard model.namedOutputs.count == 1 else {
            throw ValidationError(
                "\(name) has \(model.namedOutputs.count) outputs; this command trains networks with one")
        }
        if case .named = self { return model }
        guard dropout == nil else {
            throw ValidationError(
                "--dropout is for networks known by name; change the rate in the architecture")
        }
        let outputs = try model.outputShape
        guard try model.inputShape.accepts(input),
            outputs == [classNames.count] || outputs == [1] && classNames.count == 2
        else {
            throw ValidationError(
                "\(name) does not fit \(dataset): it takes \(try model.inputShape) and gives \(outputs), but the images are "
                    + "\(input) of \(classNames.count) classes")
        }
        return model
    }

    /// What a saved model was trained with.
    var training: TrainingConfiguration? {
        if case .saved(let saved, _) = self { saved.training } else { nil }
    }
}

extension NamedNetwork {
    /// - Throws: `ValidationError` with the nearest name and all known ones.
    init(argument: String) throws {
        guard let network = NamedNetwork(rawValue: argument) else {
            throw ValidationError(unknown("network", argument, among: Self.allCases.map(\.rawValue)))
        }
        self = network
    }
}
