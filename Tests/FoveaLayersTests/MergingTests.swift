import FoveaGraph
import FoveaLayers
import Testing

@Suite struct MergingTests {
    /// The output of a layer for inputs of which each holds what is given.
    private func merged(_ layer: any Layer, _ values: [TensorValue]) async throws -> TensorValue {
        let inputs = values.enumerated().map { index, value in
            LayerOutput.input("x\(index)", Shape(Array(value.shape.dimensions.dropFirst())))
        }
        let model = try Model(inputs: inputs, outputs: [layer(inputs)])
        let tensors = model.modelInputs.map { Tensor.input($0.name, $0.shape) }
        let feeds = Dictionary(uniqueKeysWithValues: zip(model.modelInputs.map(\.name), values))
        return try await evaluate(model(tensors), feeds: feeds, batch: values[0].shape[0])
    }

    @Test func valuesOfThreeInputs() async throws {
        let values = [
            try TensorValue(shape: [1, 3], [1, -2, 4]), try TensorValue(shape: [1, 3], [3, -5, 0]),
            try TensorValue(shape: [1, 3], [2, 1, -1]),
        ]
        #expect(try await merged(Add(), values).floats == [6, -6, 3])
        #expect(try await merged(Multiply(), values).floats == [6, 10, 0])
        #expect(difference(try await merged(Average(), values).floats, [2, -2, 1]) < 1e-6)
        #expect(try await merged(Maximum(), values).floats == [3, 1, 4])
        #expect(try await merged(Minimum(), values).floats == [1, -5, -1])
        #expect(try await merged(Concatenate(), values).floats == [1, -2, 4, 3, -5, 0, 2, 1, -1])
        #expect(try await merged(Subtract(), Array(values.prefix(2))).floats == [-2, 3, 4])
    }

    /// Fewer axes: the missing ones are behind the batch axis, not in front of it.
    @Test func channelsMeetImages() async throws {
        let images = try hashed(1, [2, 3, 2, 2])
        let weights = try TensorValue(shape: [2, 2], [2, 3, 5, 7])
        let y = try await merged(Multiply(), [weights, images])
        #expect(y.shape == images.shape)
        let expected = images.floats.enumerated().map { index, value in
            value * weights.floats[index / 12 * 2 + index % 2]
        }
        #expect(y.floats == expected)
        let mask = try hashed(2, [2, 3, 1, 1])
        #expect(
            try await merged(Subtract(), [images, mask]).floats
                == images.floats.enumerated().map { $1 - mask.floats[$0 / 4] })
    }

    @Test func concatenationAlongEachAxis() throws {
        let a = LayerOutput.input("a", [3, 4, 5])
        for (axis, other, expected) in [
            (1, [2, 4, 5], [5, 4, 5]), (-2, [3, 9, 5], [3, 13, 5]), (3, [3, 4, 1], [3, 4, 6]),
        ] {
            let b = LayerOutput.input("b", Shape(other))
            let model = try Model(inputs: [a, b], outputs: [Concatenate(axis: axis)([a, b])])
            #expect(try model.outputShape == Shape(expected))
        }
    }

    @Test func badInputs() throws {
        let cases: [(any Layer, [Shape], String)] = [
            (Add(), [[3, 2], [2, 2]], "Add: the inputs cannot be joined element by element"),
            (Maximum(), [[4, 3, 2], [3]], "received [batch, 4, 3, 2], [batch, 3]"),
            (
                Multiply(), [[3, 2], [3, 2], [3, 4]], "received [batch, 3, 2], [batch, 3, 2], [batch, 3, 4]"
            ),
            (Subtract(), [[3], [3], [3]], "Subtract: it joins 2 inputs [batch, …], not 3"),
            (Average(), [[3]], "at least 2 inputs"),
            (Concatenate(), [[3]], "at least 2 inputs"),
            (Concatenate(axis: 1), [[3, 2], [3, 4]], "along axis 1: all other extents must be equal"),
            (Concatenate(), [[3, 2], [2]], "cannot be joined along axis -1"),
            (Concatenate(axis: 0), [[3], [3]], "axis 0 is none of an example"),
            (Concatenate(axis: 4), [[3], [3]], "axis 4"),
        ]
        for (layer, shapes, text) in cases {
            let inputs = shapes.enumerated().map { LayerOutput.input("x\($0)", $1) }
            let error = #expect(throws: ShapeError.self) {
                try Model(inputs: inputs, outputs: [layer(inputs)], name: "net")
            }
            #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
            #expect(error?.path.count == 2, "\(error?.description ?? "")")
        }
    }

    @Test func settingsOfReLU() async throws {
        let x = try TensorValue(shape: [1, 7], [-4, -1, 0, 0.5, 1.5, 3, 9])
        func values(_ layer: ReLU) async throws -> [Float] {
            try await outputs(of: model(layer, input: [7]), for: x).floats
        }
        #expect(try await values(ReLU()) == [0, 0, 0, 0.5, 1.5, 3, 9])
        #expect(try await values(ReLU(maxValue: 2)) == [0, 0, 0, 0.5, 1.5, 2, 2])
        #expect(
            try await values(ReLU(maxValue: 6, negativeSlope: 0.5, threshold: 1))
                == [-2.5, -1, -0.5, -0.25, 1.5, 3, 6])
        for layer in [ReLU(maxValue: -1), ReLU(negativeSlope: .nan), ReLU(threshold: .infinity)] {
            #expect(throws: ShapeError.self) { try model(layer, input: [3]) }
        }
    }

    @Test func functionsAsLayers() async throws {
        let layer = Lambda { x in
            let doubled = try x * 2
            return try doubled - 1
        }
        let built = try model(layer, input: [2])
        #expect(
            try await outputs(of: built, for: TensorValue(shape: [1, 2], [1, 3])).floats == [1, 5])
        let error = #expect(throws: ConfigurationError.self) { try built.architecture }
        #expect(
            error?.description.contains("model/lambda: Lambda: a file cannot hold this layer") == true,
            "\(error?.description ?? "")")
    }
}
