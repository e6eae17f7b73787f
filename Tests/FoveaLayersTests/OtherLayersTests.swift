import Foundation
import FoveaGraph
import FoveaLayers
import Testing

@Suite struct OtherLayersTests {
    @Test func badArguments() throws {
        let image: Shape = [5, 7, 4]
        let cases: [(any Layer, Shape, String)] = [
            (LayerNormalization(axes: [0]), image, "axis 0 is none of an example"),
            (LayerNormalization(axes: [1, -3]), image, "none twice"),
            (LayerNormalization(axes: []), image, "at least one axis"),
            (LayerNormalization(axes: [.min]), image, "is none of an example"),
            (LayerNormalization(epsilon: .infinity), image, "epsilon must be positive and finite"),
            (LayerNormalization(), .scalar, "axis -1 is none of an example"),
            (LocalResponseNormalization(depthRadius: -1), image, "depthRadius must not be negative"),
            (LocalResponseNormalization(bias: 0), image, "bias must be positive"),
            (LocalResponseNormalization(alpha: -1), image, "alpha must be finite and not negative"),
            (LocalResponseNormalization(beta: .nan), image, "beta must be finite"),
            (LocalResponseNormalization(), .scalar, "[batch, …, channels]"),
            (LocalResponseNormalization(), [3, 4097], "at most 4096 channels"),
            (SpatialDropout2D(rate: 1), image, "less than 1, not 1.0"),
            (SpatialDropout2D(rate: 0.5), [5, 7], "works on images"),
            (GaussianDropout(rate: 0.999_999_999_999), image, "less than 1"),
            (GaussianNoise(stddev: -0.5), image, "stddev must be finite and not negative, not -0.5"),
            (Permute(dims: [1, 2]), image, "must name each axis of an example once"),
            (Permute(dims: [0, 1, 2]), image, "counted from 1"),
            (Permute(dims: [1, 2, 2]), image, "once"),
            (Permute(dims: [.min, .max, 1]), image, "once"),
            (Rescaling(scale: .infinity), image, "must be finite"),
            (Rescaling(scale: [1, .nan], offset: [0]), image, "must be finite, not [1.0, nan] and 0.0"),
            (Rescaling(scale: [1, 2]), image, "scale has 2 numbers"),
            (Rescaling(scale: [1], offset: []), image, "offset has 0 numbers"),
            (Normalization(mean: [1, 2], variance: [1, 2]), image, "4 channels along axis -1"),
            (Normalization(mean: [1], variance: []), image, "1 means and 0 variances"),
            (Normalization(mean: [], variance: []), image, "0 means"),
            (Normalization(mean: [.nan], variance: [1]), image, "must be finite"),
            (Normalization(mean: [1], variance: [-1]), image, "not negative"),
            (Normalization(axis: 0, mean: [1], variance: [1]), image, "axis 0"),
            (PReLU(sharedAxes: [0]), image, "axis 0 is none of an example"),
            (PReLU(sharedAxes: [4]), image, "1 to 3"),
            (LeakyReLU(negativeSlope: -0.1), image, "negativeSlope must be"),
            (ELU(alpha: -1), image, "alpha must be"),
            (Softmax(axis: 0), image, "axis 0 is none of an example"),
            (Softmax(axis: 9), image, "axis 9"),
            (ActivityRegularization(l1: -1), image, "factors must be finite and not negative"),
            (BatchNormalization(axis: .max), image, "is none of an example"),
            (GroupNormalization(groups: 3), image, "divide the 4 channels, not 3"),
            (GroupNormalization(groups: 0), image, "divide the 4 channels, not 0"),
            (GroupNormalization(groups: .min), image, "must be -1, or positive"),
            (GroupNormalization(groups: 2, axis: 0), image, "axis 0 is none of an example"),
            (GroupNormalization(groups: 2, epsilon: 0), image, "epsilon must be positive"),
            (RMSNormalization(axes: [1, 1]), image, "none twice"),
            (RMSNormalization(epsilon: -1), image, "epsilon must be positive"),
            (UnitNormalization(axes: []), image, "at least one axis"),
            (UnitNormalization(axes: [4]), image, "1 to 3"),
            (AlphaDropout(rate: 1), image, "less than 1, not 1.0"),
            (SpatialDropout1D(rate: 0.5), image, "works on sequences"),
            (RepeatVector(n: 2), image, "works on rows [batch, features]"),
            (RepeatVector(n: 0), [3], "n must be positive, not 0"),
            (RepeatVector(n: .max), [3], "model/repeat_vector: "),
            (Dot(axes: 1), image, "joins 2 inputs [batch, …], not 1"),
        ]
        for (layer, input, text) in cases {
            let error = #expect(throws: ShapeError.self, "\(text)") { try model(layer, input: input) }
            #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
        }
    }

    // MARK: Noise

    private func trained(_ layer: any Layer, _ x: TensorValue) async throws -> [Float] {
        try await outputs(
            of: model(layer, input: Shape(Array(x.shape.dimensions.dropFirst()))), for: x, training: true
        )
        .floats
    }

    private func statistics(_ values: [Float]) -> (mean: Double, deviation: Double) {
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        let square = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (mean, (square / Double(values.count)).squareRoot())
    }

    @Test func noiseHasTheGivenDeviation() async throws {
        let x = TensorValue(repeating: 2, shape: [2, 100, 50])
        let added = statistics(try await trained(GaussianNoise(stddev: 0.5), x))
        // Five deviations of mean and deviation of 10,000 numbers.
        #expect(abs(added.mean - 2) < 0.025 && abs(added.deviation - 0.5) < 0.018)
        let multiplied = statistics(try await trained(GaussianDropout(rate: 0.2), x))
        #expect(abs(multiplied.mean - 2) < 0.05 && abs(multiplied.deviation - 1) < 0.036)
    }

    /// Numbers of mean 0 and variance 1 keep these, whatever their distribution.
    @Test(arguments: [0.1, 0.5, 0.9]) func alphaDropoutKeepsMeanAndVariance(rate: Double) async throws {
        let x = try hashed(1, [20, 5000]).floats.map { $0 * Float(3.0.squareRoot()) }
        let y = try await trained(AlphaDropout(rate: rate), TensorValue(shape: [20, 5000], x))
        let (mean, deviation) = statistics(y)
        #expect(abs(mean) < 0.02 && abs(deviation - 1) < 0.02, "\(mean), \(deviation)")
        // What is not replaced is on a line, and all that is replaced is one number.
        let limit = -1.7580993408473766
        let factor = 1 / ((1 - rate) * (1 + rate * limit * limit)).squareRoot()
        let replaced = Float(factor * (limit - rate * limit))
        var count = 0
        for (x, y) in zip(x, y) {
            if abs(y - replaced) < 1e-5 {
                count += 1
            } else {
                #expect(abs(Double(y) - factor * (Double(x) - rate * limit)) < 1e-5)
            }
        }
        #expect(abs(Double(count) - rate * 100_000) < 800)
    }

    /// The same numbers with axes or channels elsewhere.
    @Test func normalizationsAreOneAnother() async throws {
        let x = try hashed(1, [2, 3, 5, 4])
        func values(_ layer: any Layer) async throws -> [Double] {
            try await outputs(of: model(layer, input: [3, 5, 4]), for: x).doubles
        }
        let all = try await values(LayerNormalization(axes: [1, 2, 3]))
        let one = try await values(GroupNormalization(groups: 1))
        #expect(difference(one.map { Float($0) }, all) < 1e-6)
        let each = try await values(LayerNormalization(axes: [1, 2]))
        let instances = try await values(GroupNormalization(groups: -1))
        #expect(difference(instances.map { Float($0) }, each) < 1e-6)
    }

    /// Zeros have no direction; neither their result nor its gradient is NaN.
    @Test func unitsOfZeros() async throws {
        let x = Tensor.input("x", [3])
        let layers: [any UnaryLayer] = [UnitNormalization(), RMSNormalization()]
        for layer in layers {
            let y = try model(layer, input: [3])(x)
            let slope = try gradient(of: (y * y + y).sum(), withRespectTo: [x])[0]
            for tensor in [y, slope] {
                let values = try await evaluate(
                    tensor, feeds: ["x": TensorValue(repeating: 0, shape: [2, 3])], batch: 2)
                #expect(values.floats.allSatisfy { $0.isFinite }, "\(type(of: layer))")
            }
        }
    }

    @Test func inputsOfDot() {
        let cases: [(Dot, [Shape], String)] = [
            (Dot(axes: 1), [[3], [4]], "the inputs have 3 and 4 elements along axes 1 and 1"),
            (Dot(axes: (2, 0)), [[3, 4], [4]], "axis 0 is none of an example"),
            (Dot(axes: (.max, .min)), [[3, 4], [4]], "is none of an example"),
            (Dot(axes: 1), [[3], [3], [3]], "joins 2 inputs"),
            (Dot(axes: 1), [[1, 1 << 14, 1 << 14], [1, 1 << 14, 1 << 14]], "model/dot: "),
        ]
        for (layer, shapes, text) in cases {
            let inputs = shapes.enumerated().map { LayerOutput.input("x\($0)", $1) }
            let error = #expect(throws: ShapeError.self, "\(text)") {
                try Model(inputs: inputs, outputs: [layer(inputs)])
            }
            #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
        }
    }

    @Test func channelsAreDroppedWhole() async throws {
        let x = TensorValue(repeating: 3, shape: [4, 3, 2, 250])
        let y = try await trained(SpatialDropout2D(rate: 0.25), x)
        let sequences = TensorValue(repeating: 3, shape: [4, 6, 250])
        #expect(try await trained(SpatialDropout1D(rate: 0.25), sequences) == y)
        var kept = 0
        for example in 0..<4 {
            for channel in 0..<250 {
                let pixels = Set((0..<6).map { y[(example * 6 + $0) * 250 + channel] })
                #expect(pixels == [0] || pixels == [4])
                kept += pixels == [4] ? 1 : 0
            }
        }
        // Five deviations of the binomial distribution.
        #expect(abs(Double(kept) - 750) < 69)
    }

    @Test(arguments: [0, 0.5]) func noInferenceWithNoise(rate: Double) async throws {
        let x = try hashed(1, [2, 3, 4, 2])
        let layers: [any Layer] = [
            SpatialDropout2D(rate: rate), GaussianNoise(stddev: rate), GaussianDropout(rate: rate),
            AlphaDropout(rate: rate),
        ]
        for layer in layers {
            #expect(try await outputs(of: model(layer, input: [3, 4, 2]), for: x) == x)
            if rate == 0 { #expect(try await trained(layer, x) == x.floats) }
        }
    }

    // MARK: Scaling

    @Test func pixelsAsBytes() async throws {
        let bytes: [UInt8] = [0, 51, 255, 102, 153, 204]
        let pixels = try bytes.withUnsafeBytes {
            try TensorValue(shape: [1, 3, 2], dtype: .uint8, bytes: $0)
        }
        let x = Tensor.input("x", [3, 2], .uint8)
        let y = try Rescaling(scale: 1 / 255.0, offset: -1)(x)
        #expect(y.dtype == .float32)
        let scaled = try await evaluate(y, feeds: ["x": pixels], batch: 1).floats
        #expect(difference(scaled, [-1, -0.8, 0, -0.6, -0.4, -0.2]) < 1e-6)

        let layer = try Normalization(adaptedTo: pixels)
        #expect(layer.mean == [136, 119])
        // Squares of the distances from the means.
        let variance: [Double] = [18496 + 14161 + 289, 4624 + 289 + 7225]
        #expect(layer.variance == variance.map { $0 / 3 })
        let normalized = try await evaluate(layer(x), feeds: ["x": pixels], batch: 1).floats
        #expect(abs(normalized.reduce(0, +)) < 1e-6)
    }

    @Test func rescalingOfEachChannel() async throws {
        let x = Tensor.input("x", [2])
        let feeds = ["x": try TensorValue(shape: [2, 2], [1, 2, 3, 4])]
        let layer = Rescaling(scale: [10, 100], offset: [1, -1])
        #expect(try await evaluate(layer(x), feeds: feeds, batch: 2).floats == [11, 199, 31, 399])
        let shifted = try Rescaling(scale: [2], offset: [1, -1])(x)
        #expect(try await evaluate(shifted, feeds: feeds, batch: 2).floats == [3, 3, 7, 7])
        let scaled = try Rescaling(scale: [2, 4])(x)
        #expect(try await evaluate(scaled, feeds: feeds, batch: 2).floats == [2, 8, 6, 16])

        var reader = ConfigurationReader(layer.configuration, owner: "Rescaling", layerTypes: [])
        let copy = try Rescaling(name: nil, configuration: &reader)
        #expect(copy.scale == [10, 100] && copy.offset == [1, -1])
        let same: Configuration = ["scale": .number(2), "offset": .number(0)]
        #expect(Rescaling(scale: 2).configuration == same)
    }

    /// A pixel that never changes becomes 0 (or far from it where it does after all), not NaN.
    @Test func constantChannels() async throws {
        let data = try TensorValue(shape: [3, 2], [5, 1, 5, 2, 5, 3])
        let layer = try Normalization(adaptedTo: data)
        #expect(layer.variance[0] == 0)
        let y = try await outputs(of: model(layer, input: [2]), for: data).floats
        #expect([y[0], y[2], y[4]] == [0, 0, 0] && y.allSatisfy { $0.isFinite })
    }

    @Test func badData() throws {
        for (data, axis) in [
            (try TensorValue(shape: [0, 3], []), -1), (try TensorValue(shape: [2], [1, 2]), -1),
            (try TensorValue(shape: [2, 2], [1, 2, .nan, 4]), -1),
            (try TensorValue(shape: [2, 2], [1, 2, .infinity, 4]), 1),
            (try TensorValue(shape: [2, 2], [1, 2, 3, 4]), 0),
            (try TensorValue(shape: [2, 2], [1, 2, 3, 4]), .min),
        ] {
            #expect(throws: ShapeError.self) { try Normalization(adaptedTo: data, axis: axis) }
        }
    }

    // MARK: Local response normalization

    /// By the formula, at every channel of every radius up to beyond the last channel.
    @Test func neighbouringChannels() async throws {
        let x = try hashed(1, [2, 3, 5])
        for radius in 0...6 {
            let layer = LocalResponseNormalization(depthRadius: radius, bias: 0.5, alpha: 2, beta: 0.75)
            let y = try await outputs(of: model(layer, input: [3, 5]), for: x).floats
            let expected = x.doubles.enumerated().map { index, value in
                let channel = index % 5
                let neighbours = max(0, channel - radius)...min(4, channel + radius)
                let sum = neighbours.reduce(0.0) {
                    let other = x.doubles[index - channel + $1]
                    return $0 + other * other
                }
                return value / pow(0.5 + 2 * sum, 0.75)
            }
            #expect(difference(y, expected) < 1e-6, "radius \(radius)")
        }
    }
}
