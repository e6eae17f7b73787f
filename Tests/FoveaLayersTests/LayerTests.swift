import FoveaGraph
import FoveaLayers
import Testing

@Suite struct LayerTests {
    @Test(arguments: [1, 2, 3, 5, 8, 13], [1, 2, 3, 4])
    func samePaddingGivesCeilOfSizeByStride(size: Int, stride: Int) throws {
        let other = size + 3
        for window in 1...5 {
            let (kernel, strides) = (Size2D(window, 6 - window), Size2D(stride, 5 - stride))
            let expected = [(size + stride - 1) / stride, (other + 4 - stride) / (5 - stride)]
            let layers: [any Layer] = [
                Conv2D(filters: 2, kernelSize: kernel, strides: strides, padding: .same),
                MaxPooling2D(poolSize: kernel, strides: strides, padding: .same),
                AveragePooling2D(poolSize: kernel, strides: strides, padding: .same),
            ]
            for layer in layers {
                let shape = try model(layer, input: [size, other, 1]).outputShape
                #expect(Array(shape.dimensions.prefix(2)) == expected, "\(type(of: layer)), window \(kernel)")
            }
        }
    }

    @Test func outputShapes() throws {
        let cases: [(any Layer, Shape, Shape)] = [
            (Conv2D(filters: 4, kernelSize: [3, 2]), [7, 9, 3], [5, 8, 4]),
            (Conv2D(filters: 4, kernelSize: [3, 2], strides: [2, 3]), [7, 9, 3], [3, 3, 4]),
            (Conv2D(filters: 6, kernelSize: 3, dilationRate: [2, 1], groups: 3), [7, 9, 3], [3, 7, 6]),
            (MaxPooling2D(), [5, 9, 3], [2, 4, 3]),
            (MaxPooling2D(poolSize: 3, strides: 1), [5, 9, 3], [3, 7, 3]),
            (AveragePooling2D(poolSize: [2, 3]), [5, 9, 3], [2, 3, 3]),
            (GlobalAveragePooling2D(), [5, 9, 3], [3]),
            (GlobalAveragePooling2D(keepDims: true), [5, 9, 3], [1, 1, 3]),
            (Flatten(), [5, 9, 3], [135]), (Flatten(), [4], [4]), (Flatten(), .scalar, [1]),
            (Dense(units: 7), [4], [7]), (Dense(units: 7), [5, 2, 4], [5, 2, 7]),
            (Reshape(targetShape: [-1, 3]), [4, 6], [8, 3]),
            (Reshape(targetShape: [2, 12]), [4, 6], [2, 12]),
            (Reshape(targetShape: [-1]), [4, 6], [24]), (Reshape(targetShape: []), [1, 1], .scalar),
            (Dropout(rate: 0.3), [4, 6], [4, 6]), (Activation(.relu), [4, 6], [4, 6]),
        ]
        for (layer, input, output) in cases {
            #expect(try model(layer, input: input).outputShape == output, "\(type(of: layer)) of \(input)")
        }
    }

    @Test func badArguments() throws {
        let image: Shape = [5, 7, 4]
        let cases: [(any Layer, Shape, String)] = [
            (Conv2D(filters: 0, kernelSize: 3), image, "filters must be positive, not 0"),
            (Conv2D(filters: -3, kernelSize: 3), image, "not -3"),
            (Conv2D(filters: 1 << 60, kernelSize: 3), image, "product must not exceed"),
            (Conv2D(filters: 1 << 31, kernelSize: 3), image, "fewer units or filters"),
            (Conv2D(filters: 2, kernelSize: 0), image, "kernelSize must be from 1"),
            (Conv2D(filters: 2, kernelSize: [3, -1]), image, "not 3×-1"),
            (Conv2D(filters: 2, kernelSize: .init(1 << 60, 1), padding: .same), image, "kernelSize must be"),
            (Conv2D(filters: 2, kernelSize: [6, 1]), image, "padding .same"),
            (Conv2D(filters: 2, kernelSize: [1, 8]), image, "larger than the 5×7 image"),
            (Conv2D(filters: 2, kernelSize: 3, dilationRate: 3), image, "larger than"),
            (Conv2D(filters: 2, kernelSize: 3, strides: [0, 1]), image, "strides must be"),
            (
                Conv2D(filters: 2, kernelSize: 3, strides: .init(.max, .max), padding: .same), image,
                "strides must be"
            ),
            (
                Conv2D(filters: 2, kernelSize: 3, padding: .same, dilationRate: 0), image,
                "dilationRate must be"
            ),
            (
                Conv2D(filters: 2, kernelSize: 2, strides: 2, dilationRate: [1, 2]), image,
                "cannot both exceed 1"
            ),
            (Conv2D(filters: 4, kernelSize: 3, groups: 0), image, "groups must be positive"),
            (
                Conv2D(filters: 6, kernelSize: 3, groups: 3), image,
                "divide both the 4 channels and the 6 filters"
            ),
            (Conv2D(filters: 6, kernelSize: 3, groups: 4), image, "not 4"),
            (Conv2D(filters: 2, kernelSize: 1), [5, 7], "works on images"),
            (Dense(units: 0), [3], "units must be positive, not 0"),
            (Dense(units: -1), [3], "not -1"),
            (Dense(units: .max), [3], "product must not exceed"),
            (Dense(units: 3), .scalar, "last axis"),
            (MaxPooling2D(poolSize: 0), image, "poolSize must be"),
            (MaxPooling2D(strides: [2, -2]), image, "strides must be"),
            (MaxPooling2D(poolSize: [6, 2]), image, "larger than"),
            (AveragePooling2D(poolSize: [2, 8]), image, "larger than"),
            (AveragePooling2D(poolSize: 0, padding: .same), image, "poolSize must be"),
            (AveragePooling2D(), [9], "works on images"),
            (GlobalAveragePooling2D(), [9], "works on images"),
            (Dropout(rate: 1), [3], "less than 1, not 1.0"),
            (Dropout(rate: -0.1), [3], "not -0.1"),
            (Dropout(rate: .nan), [3], "not nan"),
            (Dropout(rate: 0.999_999_999_999), [3], "less than 1"),
            (Reshape(targetShape: [5, -1]), [4, 6], "cannot hold the 24"),
            (Reshape(targetShape: [5, 5]), [4, 6], "cannot hold the 24"),
            (Reshape(targetShape: [-1, -1]), [4, 6], "one may be -1"),
            (Reshape(targetShape: [0, -1]), [4, 6], "extents must be positive"),
            (Reshape(targetShape: [-2, 12]), [4, 6], "extents must be positive"),
            (Reshape(targetShape: [1 << 40, 1 << 40]), [4, 6], "extents must be positive"),
        ]
        for (layer, input, text) in cases {
            let error = #expect(throws: ShapeError.self, "\(text)") { try model(layer, input: input) }
            let message = error?.description ?? ""
            #expect(message.contains(text), "\(message)")
            #expect(message.hasPrefix("model/\(try #require(error?.path.last)): "), "\(message)")
        }
    }

    @Test(arguments: [[0, 3], [-1], [1 << 31], [1 << 40, 1 << 40], [.max, .max, 2]])
    func badInputs(extents: [Int]) {
        let error = #expect(throws: ShapeError.self) { try model(Flatten(), input: Shape(extents)) }
        #expect(error?.path == ["model"])
    }

    @Test func denseOnEveryRank() async throws {
        let layer = Dense(units: 2, activation: .relu)
        let built = try model(layer, input: [2, 3])
        try await set(layer.kernel, [1, -1, 2, 0, -3, 1])
        try await set(layer.bias, [0.5, -0.5])
        let x = try TensorValue(shape: [1, 2, 3], [1, 2, 3, -1, 0, 1])
        #expect(try await outputs(of: built, for: x).floats == [0, 1.5, 0, 1.5])
    }

    @Test func withoutBias() async throws {
        let built = try Sequential(input: [6, 6, 2]) {
            Conv2D(filters: 3, kernelSize: 2, useBias: false)
            Flatten()
            Dense(units: 2, useBias: false)
        }
        #expect(built.parameters.map(\.path) == ["conv2d/kernel", "dense/kernel"])
        #expect(try await values(of: built).map(\.count) == [24, 150])
    }

    @Test func averagePoolingDoesNotCountPadding() async throws {
        let built = try model(AveragePooling2D(poolSize: 2, strides: 2, padding: .same), input: [3, 3, 1])
        let x = try TensorValue(shape: [1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(try await outputs(of: built, for: x).floats == [3, 4.5, 7.5, 9])
    }

    @Test func globalAveragePooling() async throws {
        let built = try model(GlobalAveragePooling2D(), input: [2, 3, 2])
        let x = try TensorValue(shape: [1, 2, 3, 2], [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60])
        #expect(try await outputs(of: built, for: x).floats == [3.5, 35])
    }

    @Test func unbuiltLayersSaySo() {
        let layer = Dense(units: 2)
        let error = #expect(throws: ShapeError.self) { try layer.call(.input("x", [3])) }
        #expect(error?.description.contains("build first") == true)
    }
}

@Suite struct DropoutTests {
    @Test(arguments: [0.1, 0.5, 0.9]) func statistics(rate: Double) async throws {
        let built = try model(Dropout(rate: rate), input: [5000])
        let x = TensorValue(repeating: 2, shape: [3, 5000])
        let y = try await outputs(of: built, for: x, training: true).floats
        let kept = y.filter { $0 != 0 }
        #expect(kept.allSatisfy { abs($0 - Float(2 / (1 - rate))) < 1e-5 })
        // Five deviations of the binomial distribution.
        let tolerance = 5 * (rate * (1 - rate) / 15_000).squareRoot()
        #expect(abs(Double(kept.count) / 15_000 - (1 - rate)) < tolerance)
        #expect(
            Set(y.prefix(5000).indices.filter { y[$0] == 0 }) != Set((0..<5000).filter { y[5000 + $0] == 0 }))
    }

    @Test func identityInInferenceAndAtRateZero() async throws {
        let x = try hashed(1, [2, 3, 4])
        #expect(try await outputs(of: model(Dropout(rate: 0.5), input: [3, 4]), for: x) == x)
        #expect(try await outputs(of: model(Dropout(rate: 0), input: [3, 4]), for: x, training: true) == x)
    }

    @Test func twoLayersDropDifferently() async throws {
        let x = TensorValue(repeating: 1, shape: [1, 400])
        let both = try Sequential(input: [400]) {
            Dropout(rate: 0.5)
            Dropout(rate: 0.5)
        }
        let kept = try await outputs(of: both, for: x, training: true).floats.filter { $0 != 0 }.count
        #expect((60...140).contains(kept))
    }

    @Test func gradientPassesWhereKept() async throws {
        let x = Tensor.input("x", [50])
        let y = try Dropout(rate: 0.5).call(x)
        let slope = try gradient(of: y.sum(), withRespectTo: [x])[0]
        let ones = TensorValue(repeating: 1, shape: [2, 50])
        let joined = try await evaluate(
            .concatenate([y, slope]), feeds: ["x": ones], batch: 2, training: true
        ).floats
        for row in 0..<2 {
            let part = joined[row * 100..<row * 100 + 100]
            #expect(Array(part.prefix(50)) == Array(part.suffix(50)))
            #expect(Set(part) == [0, 2])
        }
    }
}
