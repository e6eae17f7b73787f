import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

/// Models and weights in files that Keras wrote.
@Suite struct KerasReadingTests {
    /// Of every version and kind of file.
    @Test(arguments: [
        "sequential3.keras", "sequential3.h5", "graph3.keras", "graph3.h5", "normalization3.keras",
        "sequential2.keras", "sequential2.h5", "graph2.keras", "graph2.h5", "old.h5", "activated3.keras",
        "activated2.keras", "activated2.h5",
    ]) func predictAsInKeras(name: String) async throws {
        let expected = try #require(KerasGolden.records()[name]?.outputs)
        let saved = try await SavedModel(contentsOf: KerasGolden.path(name))
        let outputs = try await KerasGolden.outputs(of: saved.model)
        let difference = KerasGolden.difference(outputs, expected)
        #expect(difference < 2e-6, "\(difference)")
    }

    @Test(arguments: [
        ("sequential3.keras", "sequential3.weights.h5"), ("sequential3.keras", "sequential3.h5"),
        ("graph3.keras", "graph3.weights.h5"), ("graph3.h5", "graph3.keras"),
        ("graph2.keras", "graph2.weights.h5"),
        ("old.h5", "old_weights.h5"),
    ]) func weightsAlone(model name: String, weights: String) async throws {
        let expected = try #require(KerasGolden.records()[weights]?.outputs)
        let saved = try await SavedModel(contentsOf: KerasGolden.path(name))
        try await Compute.run {
            for (_, parameter) in saved.model.parameters {
                guard let variable = parameter.variable else { continue }
                try variable.assign(TensorValue(repeating: 0.5, shape: variable.shape))
            }
            let kept = try saved.model.loadWeights(from: KerasGolden.path(weights))
            #expect(kept.isEmpty)
        }
        let outputs = try await KerasGolden.outputs(of: saved.model)
        #expect(KerasGolden.difference(outputs, expected) < 2e-6)
    }

    @Test(arguments: ["graph3.keras", "graph3.h5", "graph2.keras", "graph2.h5"])
    func frozenLayersStayFrozen(name: String) async throws {
        let saved = try await SavedModel(contentsOf: KerasGolden.path(name))
        let base = try #require(saved.model.layer(at: ["base"]))
        let frozen = base.namedLayers.filter { !$0.layer.isTrainable }.map(\.name)
        #expect(Set(frozen) == ["norm", "second"])
        #expect(saved.model.calls.count { $0.layerName == "shared" } == 2)
        #expect(saved.model.namedOutputs.map(\.name) == ["kind", "size"])
    }

    @Test(arguments: ["sequential3.keras", "sequential3.h5", "sequential2.keras", "sequential2.h5"])
    func trainingIsRead(name: String) async throws {
        let saved = try await SavedModel(contentsOf: KerasGolden.path(name))
        #expect(saved.warnings == [])
        let training = try #require(saved.training)
        #expect(training.optimizer as? Adam == Adam(learningRate: 0.01))
        let output = try #require(training.onlyOutput)
        #expect(output.loss as? SparseCategoricalCrossentropy == .sparseCategoricalCrossentropy())
        #expect(output.metrics.map(\.name) == ["accuracy"])
        let first = try #require(saved.model.layers[0] as? Conv2D)
        #expect(first.kernel.regularizer == .l2(0.01))
    }

    @Test(arguments: ["graph3.keras", "graph2.h5"]) func trainingOfSeveralOutputs(name: String) async throws {
        let training = try #require(
            try await SavedModel(contentsOf: KerasGolden.path(name)).training)
        #expect(training.outputs["kind"]?.loss is SparseCategoricalCrossentropy)
        #expect(training.outputs["size"]?.loss is MeanSquaredError)
        #expect(training.outputs["kind"]?.metrics.map(\.name) == ["accuracy"])
        #expect(training.outputs["size"]?.metrics.map(\.name) == ["mean_absolute_error"])
    }

    /// Layers that others have as their activation stand behind these, and the output that ends so keeps its training.
    @Test(arguments: ["activated3.keras", "activated2.keras", "activated2.h5"])
    func activationsBecomeLayers(name: String) async throws {
        let saved = try await SavedModel(contentsOf: KerasGolden.path(name))
        let names = saved.model.namedLayers.map(\.name)
        #expect(names.count { $0.hasSuffix("_activation") } == 3 && names.contains("right_activation"))
        let slope = try #require(saved.model.layer(at: ["right_activation"]) as? LeakyReLU).negativeSlope
        #expect(abs(slope - 0.1) < 1e-7)
        #expect(saved.model.namedOutputs.map(\.name) == ["class_activation"])
        #expect(saved.training?.onlyOutput?.loss is MeanSquaredError)
        try await Compute.run {
            let trainer = try saved.compile()
            #expect(try trainer.optimizerMemory().slots.keys.contains("right/kernel"))
        }
    }

    /// Models for images of any size are read as they are, or for one.
    @Test(arguments: ["open3.keras", "open2.h5"]) func inputsOfAnySize(name: String) async throws {
        let path = try KerasGolden.path(name)
        let open = try await SavedModel(contentsOf: path)
        #expect(try open.model.inputShape == [nil, nil, 3])
        let other = await #expect(throws: ModelFileError.self) {
            try await SavedModel(contentsOf: path, inputShape: [7, 5, 4])
        }
        #expect(other?.problem.contains("not [7, 5, 4]") == true, "\(String(describing: other))")
        let expected = try #require(KerasGolden.records()[name]?.outputs)
        let saved = try await SavedModel(contentsOf: path, inputShape: [7, 5, 3])
        let outputs = try await KerasGolden.outputs(of: saved.model)
        #expect(KerasGolden.difference(outputs, expected) < 2e-6)
        // The same of the model that was left open.
        let sized = try Model(#require(open.model as? Sequential), input: [7, 5, 3])
        #expect(try await KerasGolden.outputs(of: sized) == outputs)
    }

    // MARK: Training goes on

    /// From files with an optimizer's variables the next losses are those of Keras.
    @Test(arguments: [
        "sgd", "rmsprop", "amsgrad", "nadam", "adagrad", "adadelta", "adamax", "lion", "adafactor",
        "scheduled",
        "averaged",
    ]) func trainingGoesOn(optimizer: String) async throws {
        let name = "training_\(optimizer).keras"
        let expected = try #require(KerasGolden.records()[name]?.losses)
        let saved = try await SavedModel(contentsOf: KerasGolden.path(name))
        let memory = try #require(saved.optimizerMemory)
        #expect(memory.iterations == (optimizer == "averaged" ? 2 : 4))
        let losses = try await Compute.run { try nextLosses(saved.compile(), steps: 4..<9) }
        let difference = zip(losses, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(losses.count == expected.count && difference < 1e-4, "\(losses) \(expected)")
    }
}
