import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Averages of weights, alone and together with what else a training has. (`OptimizerGoldenTests` compares them with Keras.)
struct WeightAveragingTests {
    private func trainer(
        _ optimizer: any Optimizer = .sgd(learningRate: 0.1, momentum: 0.9), accumulation: Int = 1,
        averaging: WeightAveraging? = WeightAveraging(momentum: 0.75), frozen: Int? = nil,
        on backend: any Backend = ReferenceBackend()
    ) throws -> Trainer {
        let model = try smallNetwork()
        if let frozen { model.layers[frozen].isTrainable = false }
        return try model.compile(
            optimizer: optimizer, loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy],
            accumulation: accumulation, weightAveraging: averaging, device: Device(backend))
    }

    private func averages(_ trainer: Trainer) async throws -> [TensorValue] {
        try await values(
            of: trainer.trained.compactMap(\.variable).compactMap {
                trainer.optimizerState.averages?.averages[$0]
            })
    }

    private func fit(_ trainer: Trainer, epochs: Int, batchSize: Int = 4) async throws {
        _ = try await trainer.fit(
            bars(16), epochs: epochs, batchSize: batchSize, shuffle: false, verbosity: .silent)
    }

    /// Averages of what `fit` came to step by step.
    @Test func averagesFollowEachStep() async throws {
        let (averaged, plain) = (try trainer(), try trainer(averaging: nil))
        let trained = plain.trained.compactMap(\.variable)
        let steps = Collected<[TensorValue]>()
        _ = try await plain.fit(
            bars(16), epochs: 2, batchSize: 4, shuffle: false,
            callbacks: [
                LambdaCallback(stepEnds: { _ in steps.append(try trained.map { try $0.value() }) })
            ], verbosity: .silent)
        try await fit(averaged, epochs: 2)
        // Training goes on with the variables themselves.
        #expect(try await values(of: averaged.trained.compactMap(\.variable)) == steps.all.last)

        for (v, average) in try await averages(averaged).enumerated() {
            var expected = steps.all[0][v].doubles
            for step in steps.all.dropFirst() {
                expected = zip(expected, step[v].doubles).map { 0.75 * $0 + 0.25 * $1 }
            }
            expectClose(average.floats, expected, 1e-6, trained[v].name)
        }
    }

    @Test func theModelGetsItsAveragesWhenAsked() async throws {
        let trainer = try trainer()
        let variables = trainer.trained.compactMap(\.variable)
        let start = try await values(of: variables)
        try await trainer.useAverages()
        #expect(try await values(of: variables) == start)

        try await fit(trainer, epochs: 2)
        let before = try await trainer.evaluate(bars(16))
        let averages = try await averages(trainer)
        #expect(try await values(of: variables) != averages)
        try await trainer.useAverages()
        #expect(try await values(of: variables) == averages)
        #expect(try await trainer.evaluate(bars(16)) != before)

        let error = try await #require(throws: TrainingError.self) {
            try await self.trainer(averaging: nil).useAverages()
        }
        #expect(error.description.contains("weightAveraging is nil, but must be given to compile"))
    }

    /// 4 batches of 4 accumulated by two come to what two batches of 8 come to, also where averages overwrite.
    @Test(arguments: [nil, 1, 3] as [Int?])
    func accumulatedBatchesMoveAveragesOncePerStep(overwriteFrequency: Int?) async throws {
        let averaging = WeightAveraging(momentum: 0.5, overwriteFrequency: overwriteFrequency)
        let (whole, parts) = (
            try trainer(averaging: averaging), try trainer(accumulation: 2, averaging: averaging)
        )
        try await fit(whole, epochs: 3, batchSize: 8)
        try await fit(parts, epochs: 3, batchSize: 4)
        for (a, b) in try await zip(averages(parts), averages(whole)) {
            expectClose(a.floats, b.doubles, 1e-5)
        }
        for (a, b) in try await zip(
            values(of: parts.trained.compactMap(\.variable)), values(of: whole.trained.compactMap(\.variable))
        ) {
            expectClose(a.floats, b.doubles, 1e-5)
        }
        if overwriteFrequency != nil {
            // The sixth step was one of overwriting.
            #expect(
                try await averages(whole) == values(of: whole.trained.compactMap(\.variable)))
        }
    }

    @Test func frozenParametersHaveNoAverages() async throws {
        let trainer = try trainer(frozen: 0)
        let names = trainer.optimizerState.variables.map(\.name).filter { $0.hasSuffix("/average") }
        #expect(names == ["sgd/dense/kernel/average", "sgd/dense/bias/average"])
        let kernel = try #require(trainer.model.parameters.first?.parameter.variable)
        let before = try await kernel.value()
        try await fit(trainer, epochs: 1)
        try await trainer.useAverages()
        #expect(try await kernel.value() == before)
        #expect(try await values(of: trainer.trained.compactMap(\.variable)) == averages(trainer))
    }

    /// Averages are of what constraints have made, and what they overwrite keeps the constraint.
    @Test func averagesAreOfConstrainedValues() async throws {
        let variable = Variable(name: "w", initial: TensorValue([1, -1] as [Float]))
        let optimizer = SGD(learningRate: 1)
        let state = OptimizerState(
            optimizer, for: [variable], averaging: WeightAveraging(momentum: 0.5, overwriteFrequency: 2))
        let updates = try optimizer.updates(
            for: [variable], gradients: [.argument("g", [2])], state: state
        ) { try Tensor.maximum($1, 0) }
        let average = try #require(state.averages?.averages[variable])
        let found = try await Compute.run {
            let step = try ReferenceBackend().compile(outputs: [], updates: updates, mode: .training)
            return try [[0, -4], [2, 2], [-2, -2]].map { gradient -> [[Float]] in
                _ = try step.run([
                    "g": TensorValue(gradient.map(Float.init)), "learning_rate": TensorValue(1 as Float),
                ])
                return [try variable.value().floats, try average.value().floats]
            }
        }
        // 1 - 0 and -1 + 4; then max(1 - 2, 0) and 3 - 2, overwritten by the averages with 1 and 3; then these and 2 more.
        #expect(found == [[[1, 3], [1, 3]], [[0.5, 2], [0.5, 2]], [[2.5, 4], [1.5, 3]]])
    }

    @Test(arguments: [Lamb(learningRate: 0.02), Adafactor(learningRate: 0.02)] as [any Optimizer])
    func kernelsComeToTheSame(_ optimizer: any Optimizer) async throws {
        let averaging = WeightAveraging(momentum: 0.5, overwriteFrequency: 3)
        var results: [[TensorValue]] = []
        for backend in [ReferenceBackend(), OneDNNBackend(precision: .strict)] as [any Backend] {
            let model = try Sequential(input: [6, 5, 1], seed: 1) {
                Conv2D(filters: 16, kernelSize: 3, activation: .relu)
                Conv2D(filters: 32, kernelSize: 2, padding: .same, activation: .relu)
                Flatten()
                Dense(units: 2, activation: .softmax)
            }
            let trainer = try model.compile(
                optimizer: optimizer, loss: .sparseCategoricalCrossentropy(), accumulation: 2,
                excludeFromWeightDecay: ["bias"], weightAveraging: averaging, device: Device(backend))
            try await fit(trainer, epochs: 2)
            results.append(try await weights(trainer))
        }
        for (a, b) in zip(results[1], results[0]) { expectClose(a.floats, b.doubles, 1e-4) }
    }

    // MARK: Settings

    @Test(
        arguments: [
            (WeightAveraging(momentum: -0.1), "momentum of weight averaging"),
            (WeightAveraging(momentum: 1.5), "momentum"), (WeightAveraging(momentum: .nan), "momentum"),
            (WeightAveraging(overwriteFrequency: 0), "overwriteFrequency"),
            (WeightAveraging(overwriteFrequency: .max), "overwriteFrequency"),
        ])
    func settingsOutOfRange(_ averaging: WeightAveraging, _ setting: String) throws {
        let error = try #require(throws: TrainingError.self) { try trainer(averaging: averaging) }
        #expect(error.description.hasPrefix(setting))
        let variable = Variable(name: "w", initial: TensorValue([1] as [Float]))
        #expect(throws: TrainingError.self) {
            try SGD().updates(
                for: [variable], gradients: [.constant(TensorValue([1] as [Float]))],
                state: OptimizerState(SGD(), for: [variable], averaging: averaging))
        }
    }

    @Test func excludingAnEmptyNameIsAnError() throws {
        let error = try #require(throws: TrainingError.self) {
            try smallNetwork().compile(
                optimizer: .adamW(), loss: .sparseCategoricalCrossentropy(),
                excludeFromWeightDecay: ["bias", ""])
        }
        #expect(error.description.contains("excludeFromWeightDecay"))
    }

    /// What is not asked for is not in files, which older ones are compared with.
    @Test func filesHaveWhatWasAskedFor() throws {
        func text(_ configuration: TrainingConfiguration) throws -> String {
            String(decoding: try JSONEncoder().encode(configuration), as: UTF8.self)
        }
        let plain = TrainingConfiguration(optimizer: .sgd(), outputs: [:])
        #expect(try !text(plain).contains("verag") && !text(plain).contains("xclude"))
        let all = TrainingConfiguration(
            optimizer: .sgd(), outputs: [:], excludeFromWeightDecay: ["bias", "gamma"],
            weightAveraging: WeightAveraging(momentum: 0.5, overwriteFrequency: 7))
        let read = try JSONDecoder().decode(TrainingConfiguration.self, from: JSONEncoder().encode(all))
        #expect(read.weightAveraging == all.weightAveraging)
        #expect(read.excludeFromWeightDecay == all.excludeFromWeightDecay)
    }
}
