import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import FoveaTraining
import Testing

/// A base that was trained before, frozen below a new head.
@Suite struct FrozenBaseTests {
    private static let data = Result {
        try Examples(
            inputs: TensorValue(shape: [8, 5, 4, 2], (0..<320).map { Float($0 * 29 % 97) / 40 - 1 }),
            targets: TensorValue((0..<8).map { Int32($0 * 5 % 3) }))
    }

    /// Convolutions with batch normalisation whose averages are not those of any batch, in a model of its own.
    private func base() async throws -> Sequential {
        let base = try Sequential(name: "base", input: [5, 4, 2], seed: 3) {
            Conv2D(filters: 3, kernelSize: 3, padding: .same, useBias: false, name: "conv")
            BatchNormalization(momentum: 0.5, name: "norm")
            ReLU()
            Conv2D(filters: 4, kernelSize: [2, 3], name: "last")
            BatchNormalization(momentum: 0.5, name: "last_norm")
        }
        for (index, (path, parameter)) in base.parameters.enumerated() where path.contains("norm") {
            let count = parameter.elementCount
            let values = (0..<count).map { 0.5 + Float(($0 + index) * 7 % 5) / 4 }
            try await Compute.run { try parameter.variable?.assign(TensorValue(values)) }
        }
        return base
    }

    private func model(on base: any UnaryLayer) throws -> Sequential {
        try Sequential(input: [5, 4, 2], seed: 5) {
            base
            GlobalAveragePooling2D()
            Dense(units: 3, activation: .softmax, name: "head")
        }
    }

    private func weights(_ model: any Layer) async throws -> [String: [Float]] {
        try await Compute.run {
            var weights: [String: [Float]] = [:]
            for (path, parameter) in model.parameters {
                weights[path] = try parameter.variable?.value().floats
            }
            return weights
        }
    }

    private func trainer(_ model: any ModelProtocol, _ rate: Double = 0.1, _ device: Device) throws -> Trainer
    {
        try model.compile(
            optimizer: .sgd(learningRate: rate), loss: .sparseCategoricalCrossentropy(), device: device)
    }

    /// In training as in inference: the loss of the first step is that of `evaluate`, and averages stay.
    @Test func worksAsInInference() async throws {
        let base = try await base()
        let model = try model(on: base)
        let examples = try Self.data.get()
        let training = try await trainer(model, 0, .reference).fit(examples, batchSize: 8, verbosity: .silent)
        base.isTrainable = false
        let frozen = try trainer(model, 0, .reference)
        let before = try await weights(model)
        let inference = try await frozen.evaluate(examples)
        let history = try await frozen.fit(examples, batchSize: 8, verbosity: .silent)
        #expect(abs(history.epochs[0].loss - inference.loss) < 1e-6)
        #expect(abs(training.epochs[0].loss - inference.loss) > 1e-3)
        #expect(try await weights(model) == before)
        let moving = try trainer(model, 0.1, .reference)
        try await moving.fit(examples, epochs: 2, batchSize: 3, verbosity: .silent)
        let after = try await weights(model)
        #expect(before.keys.filter { before[$0] != after[$0] }.sorted() == ["head/bias", "head/kernel"])
    }

    /// Layers below a frozen normalisation are trained through its averages: their gradients are those of the inference loss.
    @Test func gradientsOfLayersBelow() async throws {
        let base = try await base()
        let model = try model(on: base)
        for layer in base.layers where layer is BatchNormalization { layer.isTrainable = false }
        let examples = try Self.data.get()
        let trainer = try trainer(model, 1, .reference)
        let kernel = try #require((base.layers[0] as? Conv2D)?.kernel.variable)
        let start = try await Compute.run { try kernel.value() }
        var losses: [Int: [Double]] = [:]
        let step: Float = 1e-2
        for place in [0, 7, 23, 53] {
            for sign: Float in [-1, 1] {
                var values = start.floats
                values[place] += sign * step
                try await Compute.run { [values] in
                    try kernel.assign(TensorValue(shape: start.shape, values))
                }
                losses[place, default: []].append(try await trainer.evaluate(examples).loss)
            }
        }
        try await Compute.run { try kernel.assign(start) }
        try await trainer.fit(examples, batchSize: 8, verbosity: .silent)
        let after = try await Compute.run { try kernel.value().floats }
        for (place, losses) in losses {
            let expected = (losses[1] - losses[0]) / Double(2 * step)
            let gradient = Double(start.floats[place] - after[place])
            #expect(abs(gradient - expected) < 2e-3 * max(1, abs(expected)), "\(gradient) \(expected)")
            #expect(abs(expected) > 1e-4)
        }
    }

    /// The head alone on features that were computed once gives the bits of the whole with a frozen base.
    @Test func featuresOnceOrEachTime() async throws {
        let examples = try Self.data.get()
        let base = try await base()
        base.isTrainable = false
        let whole = try model(on: base)
        let batches = try Dataset(examples).batched(3)
        try await trainer(whole, 0.1, .reference).fit(batches, epochs: 3, verbosity: .silent)

        let second = try await self.base()
        let other = try model(on: second)
        let pooled = try Sequential(input: [5, 4, 2]) { other.layers.dropLast() }
        let head = try Sequential(input: [4]) { other.layers.suffix(1) }
        let features = try await Predictor(pooled, device: .reference).features(
            of: Dataset(examples), batchSize: 5)
        #expect(features.inputs.map(\.shape) == [[8, 4]] && features.targets == examples.targets)
        try await trainer(head, 0.1, .reference).fit(
            Dataset(features).batched(3), epochs: 3, verbosity: .silent)
        let (a, b) = (try await weights(whole), try await weights(other))
        #expect(a == b)
    }

    /// Unfrozen later, with a new optimizer; what was compiled before goes on as it was.
    @Test func unfrozenLater() async throws {
        let examples = try Self.data.get()
        let base = try await base()
        let model = try model(on: base)
        base.isTrainable = false
        let first = try model.compile(
            optimizer: .adam(learningRate: 0.01), loss: .sparseCategoricalCrossentropy(), device: .reference)
        try await first.fit(examples, epochs: 3, batchSize: 4, verbosity: .silent)
        let frozenState = first.optimizerState.variables.count
        let before = try await weights(model)
        try base.setTrainable(from: "last")
        let second = try model.compile(
            optimizer: .adam(learningRate: 1e-3), loss: .sparseCategoricalCrossentropy(),
            learningRateMultipliers: ["base": 0.1], device: .reference)
        #expect(second.optimizerState.variables.count > frozenState)
        try await second.fit(examples, epochs: 2, batchSize: 4, verbosity: .silent)
        let after = try await weights(model)
        let changed = Set(before.keys.filter { before[$0] != after[$0] })
        #expect(
            changed == [
                "base/last/kernel", "base/last/bias", "base/last_norm/gamma", "base/last_norm/beta",
                "base/last_norm/moving_mean", "base/last_norm/moving_variance", "head/kernel", "head/bias",
            ])
        try await first.fit(examples, epochs: 1, verbosity: .silent)
        let third = try await weights(model)
        #expect(Set(third.keys.filter { after[$0] != third[$0] }) == ["head/kernel", "head/bias"])
    }
}
