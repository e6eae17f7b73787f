import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import FoveaTraining
import Testing

/// Layers with a part of the learning rate.
@Suite struct LearningRateMultiplierTests {
    private static let data = Result {
        try Examples(
            inputs: TensorValue(shape: [12, 4], (0..<48).map { Float($0 * 29 % 47) / 20 - 1 }),
            targets: TensorValue((0..<12).map { Int32($0 * 5 % 3) }))
    }

    private func model() throws -> Sequential {
        try Sequential(input: [4], seed: 8) {
            Sequential(name: "base") {
                Dense(units: 5, name: "dense")
                BatchNormalization(momentum: 0.5, name: "norm")
            }
            Dense(units: 3, activation: .softmax, name: "head")
        }
    }

    private func weights(_ model: any ModelProtocol) async throws -> [String: [Float]] {
        try await Compute.run {
            var weights: [String: [Float]] = [:]
            for (path, parameter) in model.parameters {
                weights[path] = try parameter.variable?.value().floats
            }
            return weights
        }
    }

    /// The weights after two epochs of two steps.
    private func trained(
        _ optimizer: any Optimizer, _ multipliers: [String: Double], frozen: [String] = [],
        schedule: LearningRateSchedule? = nil, accumulation: Int = 1
    ) async throws -> [String: [Float]] {
        let model = try model()
        for (path, parameter) in model.parameters where frozen.contains(path) {
            parameter.isTrainable = false
        }
        let trainer = try model.compile(
            optimizer: optimizer, loss: .sparseCategoricalCrossentropy(), schedule: schedule,
            clipping: .globalNorm(0.5), accumulation: accumulation,
            weightAveraging: WeightAveraging(momentum: 0.5),
            learningRateMultipliers: multipliers, device: .reference)
        try await trainer.fit(Self.data.get(), epochs: 2, batchSize: 6, verbosity: .silent)
        return try await weights(model)
    }

    /// Half the rate for all layers is half the rate, with every optimizer; its decay of weights is halved, too.
    @Test(arguments: builtInOptimizers.indices) func halfOfEveryLayer(place: Int) async throws {
        var optimizer = builtInOptimizers[place].init()
        optimizer.learningRate = 0.25
        optimizer.weightDecay = 0.125
        let multiplied = try await trained(optimizer, ["base": 0.5, "head": 0.5])
        #expect(try await multiplied != trained(optimizer, [:]))
        optimizer.learningRate = 0.125
        #expect(try await multiplied == trained(optimizer, [:]))
    }

    @Test func schedulesAndAccumulation() async throws {
        func trained(_ rate: Double, _ multipliers: [String: Double]) async throws -> [String: [Float]] {
            try await self.trained(
                .adam(), multipliers,
                schedule: .exponentialDecay(
                    initialLearningRate: rate, decaySteps: 1, decayRate: 0.5, staircase: true),
                accumulation: 2)
        }
        #expect(try await trained(0.25, ["base": 0.25, "head": 0.25]) == trained(0.0625, [:]))
    }

    /// The longest path counts; what has 0 is not changed by gradients, and moving averages go on.
    @Test func pathsOfLayersAndParameters() async throws {
        let before = try await weights(model())
        let after = try await trained(.adam(), ["base": 0, "base/dense/bias": 1, "base/norm": 0])
        let changed = before.keys.filter { before[$0] != after[$0] }.sorted()
        #expect(
            changed == [
                "base/dense/bias", "base/norm/moving_mean", "base/norm/moving_variance", "head/bias",
                "head/kernel",
            ])
        let frozen = try await trained(
            .adam(), ["base/dense": 0.5], frozen: ["base/dense/kernel", "base/dense/bias"])
        #expect(frozen["base/dense/kernel"] == before["base/dense/kernel"])
        #expect(frozen["head/kernel"] != before["head/kernel"])
    }

    /// Layers of a model that was built by itself have other names in it than in the model around it.
    @Test func aBaseThatWasBuiltBefore() async throws {
        let base = try Sequential(name: "base", input: [4]) { Dense(units: 2, name: "dense") }
        let model = try Sequential(input: [4]) {
            base
            Dense(units: 3, activation: .softmax, name: "head")
        }
        let before = try await weights(model)
        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(),
            learningRateMultipliers: ["base": 0], device: .reference)
        try await trainer.fit(Self.data.get(), verbosity: .silent)
        let after = try await weights(model)
        #expect(after["base/dense/kernel"] == before["base/dense/kernel"])
        #expect(after["head/kernel"] != before["head/kernel"])
    }

    @Test func wrongOnes() throws {
        func error(_ multipliers: [String: Double]) -> String {
            do {
                _ = try model().compile(
                    optimizer: .adam(), loss: .sparseCategoricalCrossentropy(),
                    learningRateMultipliers: multipliers, device: .reference)
                return "none"
            } catch { return "\(error)" }
        }
        #expect(error(["bas": 0.1]).contains("did you mean 'base'?"))
        #expect(error(["bas": 0.1]).contains("no layer or parameter 'bas'"))
        #expect(error(["": 0.1]).contains("its layers with parameters are base, head"))
        #expect(error(["base/": 0.1]).contains("no layer"))
        for bad in [-0.5, .nan, .infinity] {
            #expect(error(["base": bad]).contains("the learning rate's multiplier of 'base'"))
        }
    }

    @Test func filesAndCheckpoints() async throws {
        let configuration = TrainingConfiguration(
            optimizer: .adam(), outputs: ["head": OutputTraining(loss: .sparseCategoricalCrossentropy())],
            learningRateMultipliers: ["base": 0.1])
        let data = try JSONEncoder().encode(configuration)
        #expect(
            try JSONDecoder().decode(TrainingConfiguration.self, from: data).learningRateMultipliers
                == ["base": 0.1])
        var without = configuration
        without.learningRateMultipliers = [:]
        let text = String(decoding: try JSONEncoder().encode(without), as: UTF8.self)
        #expect(!text.contains("learningRateMultipliers"))
        #expect(
            try JSONDecoder().decode(TrainingConfiguration.self, from: Data(text.utf8))
                .learningRateMultipliers.isEmpty)
        let negative = String(decoding: data, as: UTF8.self).replacingOccurrences(of: "0.1", with: "-1")
        #expect(throws: TrainingError.self) {
            try JSONDecoder().decode(TrainingConfiguration.self, from: Data(negative.utf8))
        }

        // A training that goes on must have them, too.
        let kept = Collected<Checkpoint>()
        func fit(_ configuration: TrainingConfiguration, _ callback: LambdaCallback) async throws {
            let trainer = try model().compile(configuration, device: .reference)
            try await trainer.fit(Self.data.get(), epochs: 2, callbacks: [callback], verbosity: .silent)
        }
        try await fit(configuration, LambdaCallback(epochEnds: { kept.append(try $0.checkpoint()) }))
        let checkpoint = try #require(kept.all.first)
        let resuming = LambdaCallback(trainingBegins: { try $0.resume(checkpoint, from: "state") })
        try await fit(configuration, resuming)
        let error = await #expect(throws: TrainingError.self) { try await fit(without, resuming) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("learningRateMultipliers"))
    }
}
