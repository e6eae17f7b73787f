import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

#if ProtocolBuffers
    /// What is written, read as messages, and read again as models.
    @Suite struct ONNXExportTests {
        private func message(_ saved: SavedModel) async throws -> ONNXModelProto {
            try await ONNXFile.message(saved.onnx(file: "m"), file: "m")
        }

        /// One turn of the axes at the front, none behind; the rows of the matrix are turned instead.
        @Test func imagesAreTurnedOnce() async throws {
            let message = try await message(SavedModel(sampleModel(), classNames: ["a", "ü"]))
            #expect(
                message.graph.node.map(\.opType) == [
                    "Transpose", "Conv", "Relu", "MaxPool", "Conv", "Tanh", "AveragePool", "Flatten", "Gemm",
                    "Relu", "Gemm", "Softmax",
                ])
            #expect(message.graph.node[1].name == "conv2d/Conv")
            #expect(message.graph.initializer.map(\.name).contains("second/kernel"))
            #expect(message.graph.input.map(\.name) == ["inputs"])
            #expect(message.graph.output.map(\.name) == ["dense_1"])
            #expect(
                message.graph.input[0].type.tensorType.shape.dim.map { $0.hasDimParam ? -1 : $0.dimValue }
                    == [
                        -1, 11, 9, 3,
                    ])
            #expect(message.metadataProps.map(\.value) == ["[\"a\",\"ü\"]"])
            #expect(message.opsetImport.map(\.version) == [17] && message.irVersion == 8)
        }

        @Test func aModelComesBackWithItsNamesAndResults() async throws {
            try await inTemporaryFolder { folder in
                let model = try sampleModel(seed: 3)
                try await SavedModel(model, classNames: ["a", "b"]).write(to: folder + "/m.onnx")
                let read = try await SavedModel(contentsOf: folder + "/m.onnx")
                #expect(read.classNames == ["a", "b"])
                #expect(try read.model.inputShape == [11, 9, 3])
                #expect(read.model.namedOutputs.map(\.name) == ["dense_1"])
                #expect(Set(read.model.parameters.map(\.path)) == Set(model.parameters.map(\.path)))
                let (first, second) = (
                    try await predictions(of: model), try await predictions(of: read.model)
                )
                #expect(zip(first, second).allSatisfy { abs($0 - $1) < 1e-6 })
                // Nothing is lost on the way, and nothing is added.
                try await read.write(to: folder + "/again.onnx")
                let again = try await SavedModel(contentsOf: folder + "/again.onnx")
                #expect(try await predictions(of: again.model) == second)
            }
        }

        /// Layers used twice keep one kernel, and what is nested has the path of its layers.
        @Test func sharedAndNestedLayers() async throws {
            let (a, b) = (LayerOutput.input("a", [6, 5, 3]), LayerOutput.input("b", [6, 5, 3]))
            let base = try Sequential(name: "base", input: [6, 5, 3]) {
                Conv2D(filters: 4, kernelSize: 3, useBias: false)
                BatchNormalization()
                ReLU()
                DepthwiseConv2D(kernelSize: 2, depthMultiplier: 2)
            }
            let features = [a, b].map { GlobalAveragePooling2D()(base($0)) }
            let joined = Dense(units: 3, name: "scores")(Add()(features))
            let other = Softmax(name: "probabilities")(Concatenate()(features))
            let model = try Model(inputs: [a, b], outputs: [joined, other, joined])
            let saved = SavedModel(model)
            let message = try await message(saved)
            let kernels = message.graph.initializer.map(\.name).filter { $0.hasSuffix("kernel") }
            #expect(
                kernels.sorted() == ["base/conv2d/kernel", "base/depthwise_conv2d/kernel", "scores/kernel"])
            #expect(message.graph.output.map(\.name) == ["scores", "probabilities", "scores_1"])
            #expect(message.graph.node.count { $0.opType == "BatchNormalization" } == 2)
            let read = try await SavedModel.onnx(saved.onnx(file: "m"), file: "m")
            let images = try [1, 2].map { seed in
                try TensorValue(
                    shape: [2, 6, 5, 3], (0..<180).map { Float($0 * (seed + 2) % 17) / 17 - 0.5 })
            }
            let (expected, actual) = (try await model.predict(images), try await read.model.predict(images))
            for (expected, actual) in zip(expected, actual) {
                #expect(actual.shape == expected.shape)
                #expect(zip(actual.floats, expected.floats).allSatisfy { abs($0 - $1) < 1e-5 })
            }
        }

        /// Layers of a program's own are operations as all others are.
        @Test func ownLayers() async throws {
            let model = try Sequential(input: [4, 4, 3]) {
                Conv2D(filters: 2, kernelSize: 1)
                MovingMean()
                Flatten()
                Dense(units: 2)
            }
            let operations = try await message(SavedModel(model)).graph.node.map(\.opType)
            #expect(operations == ["Transpose", "Conv", "Sub", "Flatten", "Gemm"])
        }

        @Test func randomNumbersInInferenceAreRefused() async throws {
            let model = try Sequential(name: "m", input: [3]) { AlwaysNoisy(name: "noise") }
            await expectError("layer 'noise'", "random numbers") {
                _ = try await SavedModel(model).onnx(file: "m.onnx")
            }
        }

        private func expectError(
            _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
            _ body: () async throws -> Void
        ) async {
            do {
                try await body()
                Issue.record("nothing was thrown", sourceLocation: sourceLocation)
            } catch {
                for part in parts {
                    #expect("\(error)".contains(part), "\(error)", sourceLocation: sourceLocation)
                }
            }
        }
    }

    private final class AlwaysNoisy: UnaryLayer {
        let name: String?
        init(name: String?) { self.name = name }
        func build(input: Shape, in scope: inout BuildScope) {}
        func call(_ x: Tensor) throws(ShapeError) -> Tensor { try x + Tensor.randomUniform(x.shape) }
    }
#endif
