import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Mistakes that raise no error become messages, and what is right gets none.
struct OutputProblemsTests {
    private func problems(_ loss: any Loss, input: Shape = [6], @LayerBuilder _ layers: () -> [any Layer])
        throws
        -> [String]
    {
        let model = try Sequential(input: input, layers)
        return try loss.problems(of: model(Tensor.input("x", input)))
    }

    @Test(
        arguments: [
            (.sparseCategoricalCrossentropy(), "fromLogits: true"), (.categoricalCrossentropy(), "softmax"),
            (.binaryCrossentropy(), "fromLogits: true"), (.klDivergence, ".softmax for classes"),
            (.dice, ".sigmoid"), (.categoricalFocalCrossentropy(), "takes probabilities"),
            (.negativeLogLikelihood, "log-softmax"),
        ] as [(any Loss, String)])
    func outputsWithoutActivation(_ loss: any Loss, _ part: String) throws {
        for found in [
            try problems(loss) { Dense(units: 3) },
            try problems(loss) { Dense(units: 3, useBias: false) },
            try problems(loss) { Dense(units: 3, activation: .relu) },
            try problems(loss) { Dense(units: 3, activation: .tanh) },
            try problems(loss, input: [4, 4, 2]) { Conv2D(filters: 3, kernelSize: 1) },
            try problems(loss) {
                Dense(units: 6)
                Reshape(targetShape: [2, 3])
            },
        ] {
            #expect(found.count == 1 && found[0].hasPrefix(loss.name) && found[0].contains(part), "\(found)")
        }
    }

    @Test func lossesWithoutLogitsSuggestNone() throws {
        for loss in [.klDivergence, .dice] as [any Loss] {
            #expect(try problems(loss) { Dense(units: 3) }.allSatisfy { !$0.contains("fromLogits") })
        }
    }

    @Test(
        arguments: [
            .sparseCategoricalCrossentropy(fromLogits: true), .categoricalCrossentropy(fromLogits: true),
            .binaryCrossentropy(fromLogits: true), .binaryFocalCrossentropy(fromLogits: true),
        ] as [any Loss])
    func activationsInFrontOfLogits(_ loss: any Loss) throws {
        for (activation, name) in [(ActivationFunction.softmax, "softmax"), (.sigmoid, "sigmoid")] {
            let found = try problems(loss) { Dense(units: 3, activation: activation) }
            #expect(found.count == 1 && found[0].contains("through a \(name)"), "\(found)")
            #expect(found.allSatisfy { $0.contains("fromLogits: false") })
        }
        #expect(try problems(loss) { Dense(units: 3) } == [])
    }

    @Test func oneUnitIsNoClass() throws {
        for loss in [.binaryCrossentropy(), .sparseCategoricalCrossentropy(), .meanSquaredError] as [any Loss]
        {
            let found = try problems(loss) { Dense(units: 1, activation: .softmax) }
            #expect(found.count == 1 && found[0].contains("always 1"), "\(found)")
        }
        for loss in [.categoricalCrossentropy(), .sparseCategoricalCrossentropy(fromLogits: true)]
            as [any Loss]
        {
            let found = try problems(loss) { Dense(units: 1, activation: .sigmoid) }
            #expect(found.count == 1 && found[0].contains("use binaryCrossentropy"), "\(found)")
        }
        #expect(try problems(.binaryCrossentropy()) { Dense(units: 1, activation: .sigmoid) } == [])
        #expect(try problems(.binaryCrossentropy(fromLogits: true)) { Dense(units: 1) } == [])
    }

    @Test func whatIsRightOrUnusualGetsNoMessage() throws {
        let right: [(any Loss, [any Layer])] = [
            (.sparseCategoricalCrossentropy(), [Dense(units: 3, activation: .softmax)]),
            (.sparseCategoricalCrossentropy(), [Dense(units: 3), Softmax()]),
            (
                .sparseCategoricalCrossentropy(),
                [Dense(units: 6, activation: .softmax), Reshape(targetShape: [2, 3])]
            ),
            (.categoricalCrossentropy(), [Dense(units: 3, activation: .sigmoid)]),
            (.categoricalCrossentropy(), [Dense(units: 3, activation: .softmax), Dropout(rate: 0.5)]),
            (.binaryCrossentropy(), [Dense(units: 3, activation: .softmax)]),
            (.meanSquaredError, [Dense(units: 3)]), (.huber(), [Dense(units: 3, activation: .softmax)]),
            (.hinge, [Dense(units: 3, activation: .tanh)]), (.categoricalHinge, [Dense(units: 3)]),
            (.poisson, [Dense(units: 3, activation: .softplus)]), (.binaryCrossentropy(), [Flatten()]),
            (.dice, [Dense(units: 3, activation: .sigmoid)]),
        ]
        for (loss, layers) in right {
            #expect(try problems(loss) { for layer in layers { layer } } == [], "\(loss)")
        }
        let logarithms = try Tensor.input("x", [4]).logSoftmax()
        #expect(NegativeLogLikelihood().problems(of: logarithms) == [])
        #expect(
            SparseCategoricalCrossentropy(fromLogits: true).problems(of: logarithms)
                == [])
        #expect(SparseCategoricalCrossentropy().problems(of: logarithms).count == 1)
    }

    @Test(arguments: NamedNetwork.allCases) func namedNetworksAreRight(_ network: NamedNetwork) async throws {
        let loss: any Loss =
            switch network.output {
            case .classProbabilities: .sparseCategoricalCrossentropy()
            case .classLogits: .sparseCategoricalCrossentropy(fromLogits: true)
            case .binaryProbability: .binaryCrossentropy()
            }
        let trainer = try network.model().compile(optimizer: .sgd(), loss: loss, device: .reference)
        #expect(try await Compute.run { try trainer.outputProblems } == [])
    }

    // MARK: Rows of targets

    @Test func rowsThatDoNotSumToOne() throws {
        let targets = try TensorValue(
            shape: [3, 2, 3], [1, 0, 0, 0, 1, 0, 0.25, 0.5, 0.25, 0, 0, 1, 1, 1, 0, 1, 0, 0])
        let found = try #require(CategoricalCrossentropy().problem(ofTargets: targets))
        #expect(
            found.hasPrefix("the targets of example 2 sum to 2.0") && found.contains("binaryCrossentropy"))
        let good = try TensorValue(shape: [2, 2], [1, 0, 0.3, 0.7])
        #expect(CategoricalCrossentropy().problem(ofTargets: good) == nil)
        for loss in [.meanSquaredError, .binaryCrossentropy(), .sparseCategoricalCrossentropy()] as [any Loss]
        {
            #expect(loss.problem(ofTargets: targets) == nil)
        }
        #expect(
            CategoricalCrossentropy().problem(ofTargets: try TensorValue(shape: [0, 3], [])) == nil)
    }

    // MARK: In training

    @Test func eachMistakeIsSaidOnce() async throws {
        let model = try Sequential(input: [2], seed: 1) { Dense(units: 2) }
        let trainer = try model.compile(
            optimizer: .sgd(learningRate: 0), loss: .categoricalCrossentropy(), device: .reference)
        let inputs = try TensorValue(shape: [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])
        let data = try Examples(
            inputs: inputs, targets: TensorValue(shape: [4, 2], [1, 0, 1, 1, 0, 0, 0, 1]))
        let warnings = Collected<String>()
        let output = ProgressOutput(isTerminal: false, warn: { warnings.append($0) }, write: { _ in })
        for _ in 0..<2 {
            _ = try await trainer.fit(
                data, epochs: 2, batchSize: 2, verbosity: .silent, output: output)
            _ = try await trainer.fit(
                Dataset(data).batched(2), epochs: 2, verbosity: .silent, output: output)
        }
        #expect(warnings.all.count { $0.contains("takes probabilities") } == 1)
        // In a data set examples are counted in their batch.
        #expect(warnings.all.count { $0.contains("targets of example 1 sum to 2.0") } == 1)
        #expect(warnings.all.count == 2)
    }

    /// Evaluation says the same, of batches that are seen only then, too, and nothing that was said before.
    @Test(arguments: [false, true]) func evaluationSaysThem(inDataset: Bool) async throws {
        let model = try Sequential(input: [2], seed: 1) { Dense(units: 2) }
        let trainer = try model.compile(
            optimizer: .sgd(learningRate: 0), loss: .categoricalCrossentropy(), device: .reference)
        let data = try Examples(
            inputs: TensorValue(shape: [2, 2], [1, 2, 3, 4]),
            targets: TensorValue(shape: [2, 2], [1, 0, 1, 1]))
        let warnings = Collected<String>()
        let output = ProgressOutput(isTerminal: false, warn: { warnings.append($0) }, write: { _ in })
        for _ in 0..<2 {
            if inDataset {
                _ = try await trainer.evaluate(Dataset(data).batched(2), output: output)
            } else {
                _ = try await trainer.evaluate(data, output: output)
            }
            #expect(warnings.all.count { $0.contains("takes probabilities") } == 1)
            #expect(warnings.all.count { $0.contains("targets of example 1 sum to 2.0") } == 1)
            #expect(warnings.all.count == 2 && warnings.all.allSatisfy { $0.hasSuffix("\n") })
        }
        try await trainer.fit(data, verbosity: .silent, output: output)
        #expect(warnings.all.count == 2)
    }

    @Test func outputsAreNamedWhereThereAreSeveral() async throws {
        let trainer = try twoHeaded().compile(
            TrainingConfiguration(
                optimizer: .sgd(),
                outputs: [
                    "class": OutputTraining(loss: .sparseCategoricalCrossentropy(fromLogits: true)),
                    "size": OutputTraining(loss: .meanSquaredError),
                ]), device: .reference)
        let found = try await Compute.run { try trainer.outputProblems }
        #expect(found.count == 1 && found[0].hasPrefix("output 'class': sparse_categorical_crossentropy"))
    }

    @Test func rightTrainingsSayNothing() async throws {
        let warnings = Collected<String>()
        let output = ProgressOutput(isTerminal: false, warn: { warnings.append($0) }, write: { _ in })
        _ = try await smallTrainer().fit(bars(4), verbosity: .silent, output: output)
        #expect(warnings.all.isEmpty)
    }
}
