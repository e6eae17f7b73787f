import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import FoveaTraining
import Synchronization
import Testing

/// Keeps what a callback sees last.
private final class Kept<Value: Sendable>: Sendable {
    private let stored: Mutex<Value?> = Mutex(nil)
    var value: Value? { stored.withLock { $0 } }
    func keep(_ value: Value) { stored.withLock { $0 = value } }
}

/// What was frozen when a model was compiled stays as it is, and all else is trained, whatever is done to `isTrainable`
/// afterwards.
@Suite struct FreezingTests {
    /// The layer of a row with a dense layer behind it, so that there is always something to train.
    private static func model(_ row: ContractCase) async throws -> Model {
        let layer = try row.make()
        let inputs = row.inputs.enumerated().map { LayerOutput.input("x\($0)", $1) }
        let model = try Model(
            inputs: inputs, outputs: [Dense(units: 1, name: "head")(Flatten()(layer(inputs)))], seed: 5)
        for (index, (path, parameter)) in layer.parameters.enumerated() {
            let shape = try #require(parameter.variable?.shape)
            let values = try hashed(UInt64(40 + index), shape).floats
            try await set(parameter, path.hasSuffix("variance") ? values.map { abs($0) + 0.25 } : values)
        }
        return model
    }

    private static func examples(_ row: ContractCase) throws -> Examples {
        let feeds = try row.feeds(batch: 4)
        return try Examples(
            inputs: row.inputs.indices.compactMap { feeds["x\($0)"] },
            targets: [hashed(20, [4, 1])])
    }

    /// What a training of two epochs leaves, and all that a checkpoint of it holds.
    private struct Trained: Equatable {
        var layer: [[Float]]
        var head: [[Float]]
        var variables: [String: TensorValue]
        var conditions: [String: String]
        var losses: [Double]
    }

    /// - Parameters:
    ///   - atCompile: whether the layer may be trained when the model is compiled.
    ///   - atFit: whether it says so when training begins.
    private static func trained(
        _ row: ContractCase, _ atCompile: Bool, _ atFit: Bool
    ) async throws -> Trained {
        let model = try await model(row)
        let layer = model.layers[0]
        layer.isTrainable = atCompile
        let trainer = try model.compile(
            optimizer: .sgd(learningRate: 0.01), loss: .meanSquaredError, device: .reference)
        layer.isTrainable = atFit
        let checkpoint = Kept<Checkpoint>()
        let history = try await trainer.fit(
            examples(row), epochs: 2, batchSize: 2,
            callbacks: [
                LambdaCallback(trainingEnds: { checkpoint.keep(try $0.checkpoint()) })
            ], verbosity: .silent)
        let made = try #require(checkpoint.value)
        let all = try await values(of: model)
        let paths = model.parameters.map(\.path)
        return Trained(
            layer: zip(paths, all).filter { !$0.0.hasPrefix("head/") }.map(\.1),
            head: zip(paths, all).filter { $0.0.hasPrefix("head/") }.map(\.1),
            variables: made.variables, conditions: made.conditions, losses: history.epochs.map(\.loss))
    }

    @Test(arguments: ContractCase.all) func whatCompileSawHolds(row: ContractCase) async throws {
        let before = try await values(of: Self.model(row).layers[0])
        if before.isEmpty { return }
        let free = try await Self.trained(row, true, true)
        let frozen = try await Self.trained(row, false, false)
        #expect(frozen.layer == before)
        #expect(zip(free.layer, before).allSatisfy { $0 != $1 })
        #expect(try await Self.trained(row, true, false) == free, "frozen after compile")
        #expect(try await Self.trained(row, false, true) == frozen, "unfrozen after compile")
        // A checkpoint of one does not fit the other.
        #expect(free.conditions != frozen.conditions)
    }

    /// The second epoch ends with a loss that is not a number.
    @Test(arguments: ContractCase.all) func allIsSetBackAfterALossThatIsNotFinite(row: ContractCase)
        async throws
    {
        for atFit in [true, false] {
            let model = try await Self.model(row)
            if model.layers[0].parameters.isEmpty { return }
            let trainer = try model.compile(
                optimizer: .sgd(learningRate: 0.01), loss: .meanSquaredError, device: .reference)
            model.layers[0].isTrainable = atFit
            let good = try Self.examples(row)
            let bad = try Examples(
                inputs: good.inputs.map {
                    try TensorValue(shape: $0.shape, [Float](repeating: .nan, count: $0.storage.count))
                }, targets: good.targets)
            let afterFirst = Kept<[[Float]]>()
            await #expect(throws: TrainingError.self) {
                try await trainer.fit(
                    batches: [good, good, good, bad], stepsPerEpoch: 2, epochs: 2,
                    callbacks: [
                        LambdaCallback(epochEnds: { run in
                            afterFirst.keep(
                                try run.trainer.model.parameters.map {
                                    try $0.parameter.variable?.value().floats ?? []
                                })
                        })
                    ], verbosity: .silent)
            }
            #expect(try await values(of: model) == afterFirst.value)
        }
    }

    /// State that is no parameter is kept and set back as well.
    @Test func variablesOfLayersArePartOfTraining() async throws {
        final class CallCounter: UnaryLayer {
            var name: String? { nil }
            let count = Variable(name: "count", initial: TensorValue(Float(0)))
            func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {}
            func call(_ x: Tensor) throws(ShapeError) -> Tensor {
                try x.updating(count, to: Tensor(count) + 1)
            }
        }
        let counter = CallCounter()
        let model = try Sequential(input: [2]) {
            counter
            Dense(units: 1)
        }
        let trainer = try model.compile(
            optimizer: .sgd(learningRate: 0.01), loss: .meanSquaredError, device: .reference)
        let good = try Examples(inputs: hashed(1, [3, 2]), targets: hashed(2, [3, 1]))
        let bad = try Examples(
            inputs: TensorValue(shape: [3, 2], [Float](repeating: .nan, count: 6)),
            targets: hashed(2, [3, 1]))
        let keys = Kept<[String]>()
        await #expect(throws: TrainingError.self) {
            try await trainer.fit(
                batches: [good, good, good, bad], stepsPerEpoch: 2, epochs: 2,
                callbacks: [
                    LambdaCallback(epochEnds: { keys.keep(try $0.checkpoint().variables.keys.sorted()) })
                ], verbosity: .silent)
        }
        #expect(try await counter.count.value().floats == [2])
        #expect(keys.value?.contains { $0.hasSuffix(" count") } == true)
    }

    /// Parameters may be frozen one by one, also those that a layer changes itself.
    @Test(arguments: ContractCase.all) func aFrozenParameterStaysAlone(row: ContractCase) async throws {
        for place in try await Self.model(row).layers[0].parameters.indices {
            let model = try await Self.model(row)
            let parameters = model.layers[0].parameters.map(\.parameter)
            parameters[place].isTrainable = false
            let trainer = try model.compile(
                optimizer: .sgd(learningRate: 0.01), loss: .meanSquaredError, device: .reference)
            let before = try await values(of: model.layers[0])
            _ = try await trainer.fit(Self.examples(row), verbosity: .silent)
            let after = try await values(of: model.layers[0])
            #expect(before[place] == after[place], "\(parameters[place].name)")
        }
    }

    /// A layer inside two models and models inside a model follow what each trainer's `compile` saw.
    @Test func trainersOfOneModelKeepWhatEachSaw() async throws {
        let inner = Sequential(name: "inner") {
            Dense(units: 3, useBias: false, name: "dense")
            BatchNormalization(momentum: 0.5, name: "norm")
        }
        let (a, b) = (LayerOutput.input("a", [2]), LayerOutput.input("b", [2]))
        let model = try Model(
            inputs: [a, b], outputs: [Dense(units: 1, name: "head")(Add()([inner(a), inner(b)]))], seed: 3)
        let data = try Examples(
            inputs: [hashed(1, [4, 2]), hashed(2, [4, 2])], targets: [hashed(3, [4, 1])])
        func trainer() throws -> Trainer {
            try model.compile(
                optimizer: .sgd(learningRate: 0.1), loss: .meanSquaredError, device: .reference)
        }
        let all = try trainer()
        inner.isTrainable = false
        let head = try trainer()
        inner.isTrainable = true
        inner.layers[1].isTrainable = false
        let withoutNorm = try trainer()
        inner.layers[1].isTrainable = true

        /// The paths of what a `fit` changes.
        func changed(_ trainer: Trainer) async throws -> [String] {
            let before = try await values(of: model)
            _ = try await trainer.fit(data, verbosity: .silent)
            let after = try await values(of: model)
            return model.parameters.indices.filter { before[$0] != after[$0] }.map {
                model.parameters[$0].path
            }
        }
        #expect(try await changed(head) == ["head/kernel", "head/bias"])
        #expect(try await changed(all).count == model.parameters.count)
        #expect(
            try await changed(withoutNorm)
                == ["inner/dense/kernel", "head/kernel", "head/bias"])
        #expect(try await changed(head) == ["head/kernel", "head/bias"])
    }
}
