import ArgumentParser
import Fovea

/// A network that was trained before, of which the part is used that makes features of pictures.
struct BaseNetwork {
    private enum Source {
        case named(NamedNetwork, weights: String?)
        case saved(any ModelProtocol, path: String)
    }

    private let source: Source
    let head: HeadLayers

    /// - Throws: `ValidationError` for an unknown name, what reading a file throws.
    init(_ text: String, weights: String?, head: String?) async throws {
        self.head = try HeadLayers(head)
        if StartingNetwork.isPath(text) {
            let saved = try await savedModel(text)
            do { source = .saved(try saved.model.withoutTop(), path: text) } catch {
                throw CommandError("\(text): \(error)")
            }
        } else {
            source = .named(try NamedNetwork(argument: text), weights: weights)
        }
    }

    var name: String {
        switch source {
        case .named(let network, _): network.rawValue
        case .saved(_, let path): path
        }
    }

    /// How pictures are prepared for it. Classes are numbers: there is an output for each.
    ///
    /// - Throws: `ValidationError` when it takes other sizes.
    func form(size: Size2D?) throws -> TrainingData.Form {
        switch source {
        case .named(let network, _):
            let shape = network.inputShape
            return TrainingData.Form(
                size: size ?? Size2D(shape[0], shape[1]), channels: shape.channels, classMode: .sparse)
        case .saved(let model, let path):
            let form = try TrainingData.Form(model, file: path, loss: nil)
            guard size == nil || size == form.size else {
                throw ValidationError(
                    "--image-size: the model in \(path) takes \(form.size.height)×\(form.size.width) pixels; leave it out"
                )
            }
            return form
        }
    }

    /// The base with a new head, and its parts, which share their layers.
    func model(input: Shape, classes: Int, seed: UInt64, for dataset: String) async throws -> TransferModel {
        try await TransferModel(
            base: base(input: input, seed: seed, for: dataset), head: head, classes: classes, seed: seed)
    }

    private func base(input: Shape, seed: UInt64, for dataset: String) async throws -> any ModelProtocol {
        switch source {
        case .named(let network, let weights):
            // Images that do not fit are told before anything is downloaded.
            do { _ = try network.model(input: input, includeTop: false, seed: seed) } catch {
                throw ValidationError("--base \(network.rawValue) does not fit \(dataset): \(error)")
            }
            return try await downloading { library in
                try await network.model(
                    weights: weights.map { .file($0) } ?? .pretrained, input: input, includeTop: false,
                    seed: seed, library: library)
            }
        case .saved(let model, let path):
            guard try model.inputShape.accepts(input) else {
                throw ValidationError(
                    "--base \(path) does not fit \(dataset): it takes \(try model.inputShape), but the images are \(input)"
                )
            }
            return model
        }
    }
}

/// A frozen base with a new head.
struct TransferModel {
    /// From pictures to classes.
    let whole: Model
    /// From pictures to features; in nothing of it does training change anything.
    let features: Model
    /// From features to classes.
    let head: Model
    let isLinear: Bool

    /// - Throws: `ValidationError` when the head does not fit.
    init(base: any ModelProtocol, head: HeadLayers, classes: Int, seed: UInt64) throws {
        do {
            base.isTrainable = false
            let names = Set(base.namedLayers.map(\.name) + base.modelInputs.map(\.name))
            let pooled = head.pooling(base.outputs[0])
            let layers = head.layers(classes: classes, taken: names)
            func called(on x: LayerOutput) -> LayerOutput { layers.reduce(x) { $1($0) } }
            whole = try Model(
                inputs: base.inputs, outputs: [called(on: pooled)], name: base.displayName + "_classifier",
                seed: seed)
            features = try Model(inputs: base.inputs, outputs: [pooled], name: base.displayName)
            let input = LayerOutput.input("features", try features.outputShape)
            self.head = try Model(inputs: [input], outputs: [called(on: input)], name: "head")
            isLinear = head.isLinear
        } catch { throw ValidationError("--head: \(error)") }
    }
}
