import Foundation
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

/// Files of weights without an architecture.
@Suite struct WeightsTests {
    @Test func weightsComeBackInAnotherModel() async throws {
        try await inTemporaryFolder { folder in
            let model = try sampleModel(seed: 1)
            // On oneDNN, so that variables are in the kernels' layouts.
            _ = try await model.compile(optimizer: .sgd(), loss: .sparseCategoricalCrossentropy())
                .fit(sampleExamples(), epochs: 1, verbosity: .silent)
            try await model.saveWeights(to: folder + "/w")
            let other = try sampleModel(seed: 2)
            let before = try await values(of: other)
            try await other.loadWeights(from: folder + "/w")
            let expected = try await values(of: model)
            #expect(try await values(of: other) == expected)
            #expect(before != expected)

            let file = try Safetensors(contentsOf: folder + "/w")
            #expect(file.tensors.map(\.name) == model.parameters.map(\.path))
            #expect(file.metadata.isEmpty)
            let error = await #expect(throws: ModelFileError.self) {
                try await SavedModel(contentsOf: folder + "/w")
            }
            #expect(error?.problem.contains("loadWeights") == true)
        }
    }

    @Test func aSavedModelHasWeightsToo() async throws {
        try await inTemporaryFolder { folder in
            let model = try sampleModel(seed: 1)
            try await SavedModel(model, classNames: ["a"]).write(to: folder + "/m")
            let other = try sampleModel(seed: 2)
            try await other.loadWeights(from: folder + "/m")
            let expected = try await values(of: model)
            #expect(try await values(of: other) == expected)
        }
    }

    @Test func layersThatNoFileHoldsHaveWeights() async throws {
        try await inTemporaryFolder { folder in
            let model = try Sequential(input: [3], seed: 1) { MovingMean() }
            try await model.parameters[0].parameter.variable?.assign(TensorValue([1, 2, 3] as [Float]))
            try await model.saveWeights(to: folder + "/w")
            let other = try Sequential(input: [3]) { MovingMean() }
            try await other.loadWeights(from: folder + "/w")
            #expect(try await values(of: other)[0]?.floats == [1, 2, 3])
        }
    }

    private func model(units: Int = 3, name: String? = nil) throws -> Sequential {
        try Sequential(input: [4], seed: 3) {
            Dense(units: 5)
            Dense(units: units, name: name)
        }
    }

    /// Whole or not at all, also when the first tensors fit.
    @Test func whatDoesNotFitChangesNothing() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/w"
            let target = try model()
            let before = try await values(of: target)
            func problem() async throws -> String {
                let error = await #expect(throws: ModelFileError.self) {
                    try await target.loadWeights(from: path)
                }
                #expect(error?.file == path)
                #expect(try await values(of: target) == before)
                return error?.problem ?? ""
            }
            try await model(units: 2).saveWeights(to: path)
            #expect(
                try await problem()
                    == "tensor 'dense_1/kernel' is float32[5, 2], the model says float32[5, 3]")
            try await model(name: "last").saveWeights(to: path)
            #expect(
                try await problem()
                    == "the model has a parameter 'dense_1/kernel', but there is no such tensor"
            )
            var file = Safetensors(tensors: try await target.weights().map { ($0.name, $0.value) })
            file.tensors.append(("more", TensorValue(Float(1))))
            try file.write(to: path)
            #expect(try await problem() == "tensor \"more\" belongs to no layer of the model")
            file.tensors.removeLast()
            file.tensors[3].value = TensorValue([1, 2, 3] as [Int32])
            try file.write(to: path)
            #expect(try await problem().contains("int32[3]"))

            try Data([1, 2, 3]).write(to: URL(filePath: path))
            await #expect(throws: ModelFileError.self) { try await target.loadWeights(from: path) }
            await #expect(throws: FileError.self) { try await target.loadWeights(from: folder + "/none") }
            #expect(try await values(of: target) == before)
        }
    }

    @Test func modelsThatAreNotBuilt() async throws {
        try await inTemporaryFolder { folder in
            let model = Sequential { Dense(units: 2) }
            await #expect(throws: ShapeError.self) { try await model.saveWeights(to: folder + "/w") }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
            try await self.model().saveWeights(to: folder + "/w")
            await #expect(throws: ModelFileError.self) { try await model.loadWeights(from: folder + "/w") }
        }
    }

    // MARK: Numbers that are not finite

    @Test func parametersThatAreNotFiniteAreReadAndNamed() async throws {
        try await inTemporaryFolder { folder in
            let model = try sampleModel()
            #expect(try await model.parametersNotFinite().isEmpty)
            let (path, parameter) = model.parameters[1]
            let variable = try #require(parameter.variable)
            var numbers = try await variable.value().floats
            (numbers[0], numbers[2], numbers[3]) = (.nan, .infinity, -.infinity)
            try await variable.assign(TensorValue(shape: variable.shape, numbers))
            try await SavedModel(model).write(to: folder + "/model")
            try await model.saveWeights(to: folder + "/weights")
            let other = try sampleModel(seed: 3)
            try await other.loadWeights(from: folder + "/weights")
            for read in [try await SavedModel(contentsOf: folder + "/model").model, other] {
                let found = try await read.parametersNotFinite()
                #expect(found.map(\.path) == [path])
                #expect(found.map(\.count) == [3] && found.map(\.total) == [numbers.count])
            }
        }
    }
}
