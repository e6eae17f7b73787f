import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaOneDNN
import FoveaRuntime
import FoveaTraining
import Testing

/// Published architectures learn a batch by heart.
struct ArchitectureTrainingTests {
    @Test(arguments: [(NamedNetwork.leNet5, 10), (.cifarResNet20, 10), (.resNet18, 4)])
    func theLossDecreases(network: NamedNetwork, classes: Int) async throws {
        let input: Shape = network == .leNet5 ? [28, 28, 1] : [32, 32, 3]
        let model = try network.model(input: input, classes: classes, seed: 1)
        if network == .resNet18 { try await setTiledKernels(of: model) }
        let shape = Shape([8] + input.dimensions)
        let pixels = (0..<shape.elementCount).map { HashedValues.value(stream: 1, $0, scale: 1) }
        let batch = try Examples(
            inputs: TensorValue(shape: shape, pixels),
            targets: TensorValue((0..<8).map { Int32($0 * 3 % classes) }))
        let trainer = try model.compile(
            optimizer: .adam(learningRate: 1e-3), loss: .sparseCategoricalCrossentropy(),
            device: Device(OneDNNBackend()))
        let history = try await trainer.fit(batch, epochs: 4, batchSize: 8, verbosity: .silent)
        let losses = history.epochs.map(\.loss)
        #expect(losses.count == 4 && losses.allSatisfy(\.isFinite))
        #expect(losses[3] < 0.8 * losses[0], "\(losses)")
        // Moving averages follow the batch.
        if network != .leNet5 {
            let path = "conv1_bn/moving_mean"
            let mean = try #require(model.parameters.first { $0.path == path }?.parameter.variable)
            #expect(try await mean.value().floats.contains { $0 != 0 })
        }
    }

    /// Quick to make, unlike the 11 million normal numbers of the first values.
    private func setTiledKernels(of model: any ModelProtocol) async throws {
        let tile = (0..<8191).map { HashedValues.value(stream: 2, $0, scale: 1) }
        for (path, parameter) in model.parameters where path.hasSuffix("kernel") {
            let variable = try #require(parameter.variable)
            let fanIn = Float(variable.shape.dimensions.dropLast().reduce(1, *))
            let scaled = tile.map { $0 * (6 / fanIn).squareRoot() }
            let count = variable.shape.elementCount
            var values: [Float] = []
            while values.count < count { values.append(contentsOf: scaled.prefix(count - values.count)) }
            try await variable.assign(TensorValue(shape: variable.shape, values))
        }
    }
}
