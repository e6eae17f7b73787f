import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaOneDNN
import FoveaRuntime
import FoveaTraining
import FoveaXLA
import TestSupport
import Testing

/// Training steps of whole networks.
@Suite(.serialized, .needsPlugin) struct NetworkTests {
    /// Two steps of Adam on random pictures; then the weights, the last loss and the outputs.
    ///
    /// - Parameter batches: the sizes of the batches, in turn.
    private func train(
        _ network: NamedNetwork, on backend: any Backend, batches: [Int] = [2, 2]
    ) async throws -> [TensorValue] {
        let model = try network.model()
        let images = Tensor.input("images", try model.inputShape)
        let predictions = try model(images)
        let loss = try model.classificationLoss()(
            targets: Tensor.input("labels", .scalar, .int32), predictions: predictions
        ).mean()
        let parameters = model.trainableParameters.map(\.parameter)
        // Adam's first steps have the size of the rate, whatever the gradient, which makes much of rounding errors near 0.
        let updates = try SGD(learningRate: 0.01, momentum: 0.9).updates(for: parameters, minimizing: loss)
        let step = Step(outputs: [loss, predictions], updates: updates, mode: .training)
        return try await Compute.run {
            let runner = StepRunner(backend: backend)
            var results: [RunOutput] = []
            for (number, batch) in batches.enumerated() {
                var generator = PhiloxGenerator(seed: 1, stream: 0, step: UInt64(number))
                let shape = Shape([batch] + (try model.inputShape.dimensions))
                let pixels = (0..<shape.elementCount).map { _ in Float(generator.uniform()) }
                let labels = (0..<batch).map { _ in Int32(generator.index(below: min(network.classCount, 2)))
                }
                results = try runner.run(
                    step,
                    [
                        "images": try TensorValue(shape: shape, pixels), "labels": TensorValue(labels),
                        "learning_rate": TensorValue(0.01),
                    ], number: UInt64(number), seed: 7)
            }
            return try results.map { try $0.value() } + updates.map { try $0.variable.value() }
        }
    }

    private func expectAlike(
        _ actual: [TensorValue], _ expected: [TensorValue], _ tolerance: Double, _ what: String
    ) {
        #expect(actual.count == expected.count)
        for (place, (actual, expected)) in zip(actual, expected).enumerated() {
            expectClose(actual, expected, relativeTolerance: tolerance, "\(what), result \(place)")
        }
    }

    @Test(arguments: NamedNetwork.measured)
    func equalsOneDNN(_ network: NamedNetwork) async throws {
        // The reference takes minutes for the larger ones, and oneDNN is compared with it elsewhere.
        let expected = try await train(network, on: OneDNNBackend(precision: .strict))
        let actual = try await train(network, on: PluginForTests.backend())
        expectAlike(actual, expected, 1e-3, "\(network)")
    }

    /// Batches of one and a smaller last one, and equal bits from run to run.
    @Test func everyBatchSizeEqualsReference() async throws {
        let sizes = [3, 1, 2]
        let expected = try await train(.softmaxRegression, on: ReferenceBackend(), batches: sizes)
        let actual = try await train(.softmaxRegression, on: PluginForTests.backend(), batches: sizes)
        expectAlike(actual, expected, 1e-5, "softmax regression")
    }

    /// A network with dropout.
    @Test func equalSeedsGiveEqualBits() async throws {
        let first = try await train(.mnistCNN, on: PluginForTests.backend())
        let second = try await train(.mnistCNN, on: PluginForTests.backend())
        #expect(first == second)
    }

    /// Batch normalisation, strides, shortcuts.
    @Test @Compute func residualNetworkEqualsReference() throws {
        let image: Shape = [9, 8, 3]
        let results = try [ReferenceBackend() as any Backend, PluginForTests.backend()].map { backend in
            let network = try ResidualNetwork(image: image, channels: [5, 8], poolsStem: true)
            let executable = try backend.compile(
                outputs: [network.loss], updates: network.updates, mode: .training, batch: 3)
            let values = ResidualNetwork.values(image: image, batch: 3)
            var results: [TensorValue] = []
            for step in 0..<2 as Range<UInt64> { results += try executable.run(values, step: step) }
            return try results + network.updates.map { try $0.variable.value() }
        }
        expectAlike(results[1], results[0], 1e-3, "residual network")
    }
}
