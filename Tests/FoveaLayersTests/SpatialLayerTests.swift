import FoveaGraph
import FoveaLayers
import Testing

@Suite struct SpatialLayerTests {
    @Test func outputShapes() throws {
        let cases: [(any Layer, Shape, Shape)] = [
            (Conv1D(filters: 4, kernelSize: 3), [7, 2], [5, 4]),
            (Conv1D(filters: 4, kernelSize: 3, strides: 2, padding: .causal), [7, 2], [4, 4]),
            (Conv1D(filters: 4, kernelSize: 9, padding: .causal, dilationRate: 5), [7, 2], [7, 4]),
            (Conv1D(filters: 4, kernelSize: 3, dataFormat: .channelsFirst), [2, 7], [4, 5]),
            (Conv2D(filters: 4, kernelSize: [3, 2], dataFormat: .channelsFirst), [3, 7, 9], [4, 5, 8]),
            (Conv2DTranspose(filters: 4, kernelSize: [3, 2], strides: [2, 3]), [5, 7, 2], [11, 21, 4]),
            (
                Conv2DTranspose(filters: 4, kernelSize: [3, 2], strides: [2, 3], padding: .same), [5, 7, 2],
                [10, 21, 4]
            ),
            (
                Conv2DTranspose(
                    filters: 4, kernelSize: [3, 2], strides: [2, 3], padding: .same, outputPadding: [0, 2]),
                [5, 7, 2], [9, 20, 4]
            ),
            (
                Conv2DTranspose(
                    filters: 4, kernelSize: [3, 2], strides: [2, 3], outputPadding: [1, 0]), [5, 7, 2],
                [12, 20, 4]
            ),
            (DepthwiseConv2D(kernelSize: [3, 2], depthMultiplier: 3), [5, 7, 2], [3, 6, 6]),
            (SeparableConv2D(filters: 5, kernelSize: [3, 2], strides: 2), [5, 7, 2], [2, 3, 5]),
            (ZeroPadding2D(), [5, 7, 2], [7, 9, 2]),
            (ZeroPadding2D(padding: [1, 2]), [5, 7, 2], [7, 11, 2]),
            (ZeroPadding2D(padding: ((1, 2), (3, 4))), [5, 7, 2], [8, 14, 2]),
            (Cropping2D(), [5, 7, 2], [5, 7, 2]), (Cropping2D(cropping: [1, 2]), [5, 7, 2], [3, 3, 2]),
            (Cropping2D(cropping: ((1, 3), (0, 4))), [5, 7, 2], [1, 3, 2]),
            (Cropping2D(cropping: [1, 2], dataFormat: .channelsFirst), [2, 5, 7], [2, 3, 3]),
            (UpSampling2D(), [5, 7, 2], [10, 14, 2]), (UpSampling2D(size: [3, 1]), [5, 7, 2], [15, 7, 2]),
            (MaxPooling1D(), [7, 2], [3, 2]), (MaxPooling1D(padding: .same), [7, 2], [4, 2]),
            (AveragePooling1D(poolSize: 3, strides: 1), [7, 2], [5, 2]),
            (GlobalMaxPooling1D(), [7, 2], [2]), (GlobalAveragePooling1D(keepDims: true), [7, 2], [1, 2]),
            (GlobalMaxPooling2D(dataFormat: .channelsFirst, keepDims: true), [2, 5, 7], [2, 1, 1]),
            (Flatten(dataFormat: .channelsFirst), [2, 5, 7], [70]),
            (Conv1DTranspose(filters: 4, kernelSize: 3, strides: 2), [7, 2], [15, 4]),
            (
                Conv1DTranspose(filters: 4, kernelSize: 3, strides: 2, padding: .same, outputPadding: 0),
                [7, 2], [13, 4]
            ),
            (DepthwiseConv1D(kernelSize: 3, depthMultiplier: 3), [7, 2], [5, 6]),
            (SeparableConv1D(filters: 5, kernelSize: 3, strides: 2, padding: .same), [7, 2], [4, 5]),
            (ZeroPadding1D(), [7, 2], [9, 2]),
            (ZeroPadding1D(padding: (start: 1, end: 3)), [7, 2], [11, 2]),
            (Cropping1D(), [7, 2], [5, 2]), (Cropping1D(cropping: (0, 3)), [7, 2], [4, 2]),
            (UpSampling1D(), [7, 2], [14, 2]),
            (AdaptiveAveragePooling2D(outputSize: 3), [5, 7, 2], [3, 3, 2]),
            (AdaptiveMaxPooling2D(outputSize: [9, 1]), [5, 7, 2], [9, 1, 2]),
            (AdaptiveMaxPooling1D(outputSize: 4, dataFormat: .channelsFirst), [2, 7], [2, 4]),
        ]
        for (layer, input, output) in cases {
            #expect(try model(layer, input: input).outputShape == output, "\(type(of: layer)) of \(input)")
        }
    }

    @Test func badArguments() throws {
        let (image, sequence): (Shape, Shape) = ([5, 7, 4], [7, 4])
        func transpose(
            _ kernelSize: Size2D = 3, strides: Size2D = 1, padding: Padding = .valid,
            outputPadding: Size2D? = nil, dilationRate: Size2D = 1, filters: Int = 2
        ) -> Conv2DTranspose {
            Conv2DTranspose(
                filters: filters, kernelSize: kernelSize, strides: strides, padding: padding,
                outputPadding: outputPadding, dilationRate: dilationRate)
        }
        let cases: [(any Layer, Shape, String)] = [
            (Conv1D(filters: 0, kernelSize: 3), sequence, "filters must be positive, not 0"),
            (Conv1D(filters: 2, kernelSize: 0), sequence, "kernelSize must be from 1"),
            (Conv1D(filters: 2, kernelSize: .max, padding: .causal), sequence, "kernelSize must be from 1"),
            (Conv1D(filters: 2, kernelSize: 2, dilationRate: .min), sequence, "dilationRate must be from 1"),
            (Conv1D(filters: 2, kernelSize: 8), sequence, "larger than the 1×7 image"),
            (Conv1D(filters: 2, kernelSize: 2, strides: 2, dilationRate: 2), sequence, "cannot both exceed"),
            (Conv1D(filters: 2, kernelSize: 2, groups: 3), sequence, "divide both the 4 channels"),
            (Conv1D(filters: 2, kernelSize: 2), image, "works on sequences [batch, steps, channels]"),
            (
                Conv2D(filters: 2, kernelSize: 2, dataFormat: .channelsFirst), sequence,
                "works on images [batch, channels, height, width]"
            ),
            (
                Conv2D(filters: 2, kernelSize: [8, 1], dataFormat: .channelsFirst), image,
                "larger than the 7×4 image with its padding; use a smaller window, padding .same or a larger "
                    + "image; received [batch, 5, 7, 4]"
            ),
            (transpose(filters: 0), image, "filters must be positive"),
            (transpose(filters: 1 << 60), image, "product must not exceed"),
            (transpose([0, 1]), image, "kernelSize must be from 1"),
            (transpose([1, .max]), image, "kernelSize must be from 1"),
            (transpose(strides: [1, -1]), image, "strides must be from 1"),
            (transpose(strides: 65_536), image, "at most 536870912 elements"),
            (transpose(strides: 2, dilationRate: [1, 2]), image, "cannot both exceed 1"),
            (transpose(outputPadding: [0, 1]), image, "outputPadding must be from 0 to 0"),
            (transpose(strides: [2, 3], outputPadding: [2, 0]), image, "from 0 to 1, less than the stride"),
            (transpose(strides: 2, outputPadding: [0, -1]), image, "less than the stride, not -1"),
            (transpose(strides: 2, outputPadding: .init(.max, .min)), image, "less than the stride"),
            (transpose(2, strides: 2, padding: .same, outputPadding: 0), [1, 7, 4], "no pixel is left"),
            (transpose(), sequence, "works on images"),
            (DepthwiseConv2D(kernelSize: 2, depthMultiplier: 0), image, "depthMultiplier must be positive"),
            (DepthwiseConv2D(kernelSize: 2, depthMultiplier: -1), image, "not -1"),
            (DepthwiseConv2D(kernelSize: 2, depthMultiplier: .max), image, "small enough to count"),
            (DepthwiseConv2D(kernelSize: 2, depthMultiplier: 1 << 40), image, "exceed the limit"),
            (DepthwiseConv2D(kernelSize: [6, 1]), image, "larger than the 5×7 image"),
            (DepthwiseConv2D(kernelSize: 2), sequence, "works on images"),
            (SeparableConv2D(filters: 2, kernelSize: 2, depthMultiplier: 0), image, "depthMultiplier must"),
            (SeparableConv2D(filters: 0, kernelSize: 2), image, "filters must be positive, not 0"),
            (SeparableConv2D(filters: .max, kernelSize: 2), image, "product must not exceed"),
            (SeparableConv2D(filters: 2, kernelSize: 2, strides: 0), image, "strides must be from 1"),
            (ZeroPadding2D(padding: -1), image, "padding must be from 0 to 65536 at each side"),
            (ZeroPadding2D(padding: ((0, 0), (.max, .max))), image, "padding must be from 0"),
            (ZeroPadding2D(padding: 65_536), image, "at most 536870912 elements"),
            (ZeroPadding2D(), sequence, "works on images"),
            (Cropping2D(cropping: [0, -1]), image, "not ((0, 0), (-1, -1))"),
            (Cropping2D(cropping: .init(.max, .max)), image, "cropping must be from 0"),
            (Cropping2D(cropping: ((2, 3), (0, 0))), image, "leaves nothing of the 5×7 image"),
            (Cropping2D(cropping: [1, 4]), image, "leaves nothing"),
            (Cropping2D(cropping: 65_536), image, "leaves nothing"),
            (UpSampling2D(size: 0), image, "size must be from 1"),
            (UpSampling2D(size: [2, -2]), image, "not 2×-2"),
            (UpSampling2D(size: .init(.max, .max), interpolation: .bilinear), image, "size must be from 1"),
            (UpSampling2D(size: 65_536, interpolation: .bilinear), image, "at most 536870912 elements"),
            (UpSampling2D(size: 65_536), [1 << 14, 1 << 14, 1], "elements"),
            (UpSampling2D(), sequence, "works on images"),
            (MaxPooling1D(poolSize: 0), sequence, "poolSize must be from 1"),
            (MaxPooling1D(poolSize: 8), sequence, "larger than the 1×7 image"),
            (AveragePooling1D(strides: .min, padding: .same), sequence, "strides must be from 1"),
            (AveragePooling1D(), image, "works on sequences [batch, steps, channels]"),
            (
                MaxPooling1D(dataFormat: .channelsFirst), image,
                "works on sequences [batch, channels, steps]; put it before Flatten, or add Reshape"
            ),
            (GlobalMaxPooling2D(), sequence, "works on images"),
            (GlobalMaxPooling1D(), image, "works on sequences"),
            (GlobalAveragePooling1D(), [9], "works on sequences"),
            (
                Conv1DTranspose(filters: 2, kernelSize: 0), sequence,
                "kernelSize must be from 1 to 65536, not 0"
            ),
            (
                Conv1DTranspose(filters: 2, kernelSize: 2, strides: 2, outputPadding: 2), sequence,
                "outputPadding must be from 0 to 1, less than the stride, not 2"
            ),
            (
                DepthwiseConv1D(kernelSize: 2, depthMultiplier: 0), sequence,
                "depthMultiplier must be positive"
            ),
            (SeparableConv1D(filters: 0, kernelSize: 2), sequence, "filters must be positive, not 0"),
            (SeparableConv1D(filters: 1, kernelSize: 2), image, "works on sequences"),
            (ZeroPadding1D(padding: (start: 0, end: -1)), sequence, "at each side, not (0, -1)"),
            (Cropping1D(cropping: .max), sequence, "cropping must be from 0"),
            (Cropping1D(cropping: (3, 4)), sequence, "cropping (3, 4) leaves nothing of the 7 steps"),
            (UpSampling1D(size: -2), sequence, "size must be from 1 to 65536, not -2"),
            (AdaptiveMaxPooling1D(outputSize: 0), sequence, "outputSize must be from 1 to 65536, not 0"),
            (AdaptiveMaxPooling2D(outputSize: [.max, .min]), image, "outputSize must be from 1"),
            (AdaptiveAveragePooling2D(outputSize: 65_536), image, "at most 536870912 elements"),
        ]
        for (layer, input, text) in cases {
            let error = #expect(throws: ShapeError.self, "\(text)") { try model(layer, input: input) }
            let message = error?.description ?? ""
            #expect(message.contains(text), "\(message)")
            #expect(message.hasPrefix("model/\(try #require(error?.path.last)): "), "\(message)")
        }
    }

    /// Also where nothing checked the input before.
    @Test(arguments: [Int.max, 1 << 32, 0, -1]) func badExtents(extent: Int) {
        for layer: any UnaryLayer in [
            Conv2DTranspose(filters: 1, kernelSize: 1, strides: 2), UpSampling2D(), ZeroPadding2D(),
            Cropping2D(), MaxPooling2D(),
        ] {
            let x = Tensor.argument("x", [1, 2, extent, 1])
            #expect(throws: ShapeError.self, "\(type(of: layer))") { try layer.call(x) }
        }
    }

    /// An output at each step must not change when later steps do.
    @Test func causalConvolutionsDoNotLookAhead() async throws {
        let built = try model(
            Conv1D(filters: 2, kernelSize: 3, padding: .causal, dilationRate: 2), input: [9, 2])
        let x = try hashed(1, [1, 9, 2])
        var later = x.floats
        for index in 10..<18 { later[index] += 1 }
        let before = try await outputs(of: built, for: x).floats
        let after = try await outputs(of: built, for: TensorValue(shape: x.shape, later)).floats
        #expect(before.prefix(10) == after.prefix(10))
        #expect(zip(before, after).dropFirst(10).allSatisfy { $0 != $1 })
    }

    @Test func parametersAreKerass() throws {
        func parameters(_ layer: any Layer, _ input: Shape) throws -> [String] {
            try model(layer, input: input).parameters.map {
                "\($0.parameter.name) \($0.parameter.variable?.shape.description ?? "")"
            }
        }
        #expect(
            try parameters(Conv1D(filters: 6, kernelSize: 3, groups: 2), [7, 4])
                == ["kernel [3, 2, 6]", "bias [6]"])
        #expect(
            try parameters(Conv2DTranspose(filters: 6, kernelSize: [3, 2]), [5, 7, 4])
                == ["kernel [3, 2, 6, 4]", "bias [6]"])
        #expect(
            try parameters(DepthwiseConv2D(kernelSize: [3, 2], depthMultiplier: 5), [5, 7, 4])
                == ["kernel [3, 2, 4, 5]", "bias [20]"])
        #expect(
            try parameters(SeparableConv2D(filters: 6, kernelSize: [3, 2], depthMultiplier: 5), [5, 7, 4])
                == ["depthwise_kernel [3, 2, 4, 5]", "pointwise_kernel [1, 1, 20, 6]", "bias [6]"])
        #expect(
            try parameters(Conv1DTranspose(filters: 6, kernelSize: 3), [7, 4])
                == ["kernel [3, 6, 4]", "bias [6]"])
        #expect(
            try parameters(DepthwiseConv1D(kernelSize: 3, depthMultiplier: 5), [7, 4])
                == ["kernel [3, 4, 5]", "bias [20]"])
        #expect(
            try parameters(SeparableConv1D(filters: 6, kernelSize: 3, depthMultiplier: 5), [7, 4])
                == ["depthwise_kernel [3, 4, 5]", "pointwise_kernel [1, 20, 6]", "bias [6]"])
        #expect(
            try parameters(SeparableConv2D(filters: 6, kernelSize: 2, useBias: false), [5, 7, 4])
                == ["depthwise_kernel [2, 2, 4, 1]", "pointwise_kernel [1, 1, 4, 6]"])
    }

    @Test func kerasKeys() throws {
        let separable = SeparableConv2D(
            filters: 3, kernelSize: 2, depthwiseRegularizer: .l2(0.5), pointwiseConstraint: .nonNegative)
        #expect(
            Set(separable.configuration.keys) == [
                "filters", "kernel_size", "strides", "padding", "dilation_rate", "depth_multiplier",
                "activation", "use_bias", "depthwise_initializer", "pointwise_initializer",
                "bias_initializer", "depthwise_regularizer", "pointwise_constraint",
            ])
        let copy = try #require(
            try makeModel(model(separable, input: [5, 5, 2]).architecture).layers[0] as? SeparableConv2D)
        #expect(copy.depthwiseKernel.regularizer == .l2(0.5))
        #expect(copy.pointwiseKernel.constraint == .nonNegative)

        let sequence = Conv1D(filters: 3, kernelSize: 4, padding: .causal).configuration
        #expect(sequence["kernel_size"] == [.integer(4)])
        #expect(sequence["padding"] == .string("causal"))
        #expect(MaxPooling1D(poolSize: 3).configuration["strides"] == [.integer(3)])
        #expect(DepthwiseConv2D(kernelSize: 2).configuration["depthwise_initializer"] != nil)
        #expect(Conv2DTranspose(filters: 1, kernelSize: 2).configuration["output_padding"] == .null)
        #expect(
            ZeroPadding2D(padding: ((1, 2), (3, 4)), dataFormat: .channelsFirst).configuration == [
                "padding": [[.integer(1), .integer(2)], [.integer(3), .integer(4)]],
                "data_format": .string("channels_first"),
            ])
    }

    /// Windows that divide the image are those of ordinary pooling, and one window is global pooling.
    @Test func adaptivePoolingIsPooling() async throws {
        let x = try hashed(1, [2, 6, 8, 3])
        func values(_ layer: any Layer) async throws -> [Float] {
            try await outputs(of: model(layer, input: [6, 8, 3]), for: x).floats
        }
        #expect(
            try await values(AdaptiveMaxPooling2D(outputSize: [3, 2]))
                == values(MaxPooling2D(poolSize: [2, 4])))
        #expect(
            try await values(AdaptiveAveragePooling2D(outputSize: [2, 8]))
                == values(AveragePooling2D(poolSize: [3, 1])))
        #expect(try await values(AdaptiveMaxPooling2D(outputSize: 1)) == values(GlobalMaxPooling2D()))
        #expect(try await values(AdaptiveMaxPooling2D(outputSize: [6, 8])) == x.floats)
    }

    /// A layer over sequences is that over images of height 1.
    @Test func sequencesAreImagesOfHeightOne() async throws {
        let pairs: [(any Layer, any Layer)] = [
            (
                Conv1DTranspose(filters: 3, kernelSize: 4, strides: 3, padding: .same, outputPadding: 1),
                Conv2DTranspose(
                    filters: 3, kernelSize: [1, 4], strides: [1, 3], padding: .same, outputPadding: [0, 1])
            ),
            (
                DepthwiseConv1D(kernelSize: 3, strides: 2, depthMultiplier: 2, dilationRate: 2),
                DepthwiseConv2D(
                    kernelSize: [1, 3], strides: [1, 2], depthMultiplier: 2, dilationRate: [1, 2])
            ),
            (
                SeparableConv1D(filters: 3, kernelSize: 3, padding: .same, activation: .relu),
                SeparableConv2D(filters: 3, kernelSize: [1, 3], padding: .same, activation: .relu)
            ),
            (
                UpSampling1D(size: 3, interpolation: .bilinear),
                UpSampling2D(size: [1, 3], interpolation: .bilinear)
            ),
            (
                AdaptiveAveragePooling1D(outputSize: 4), AdaptiveAveragePooling2D(outputSize: [1, 4])
            ),
        ]
        let x = try hashed(1, [2, 9, 2])
        let images = try TensorValue(shape: [2, 1, 9, 2], x.floats)
        for (short, long) in pairs {
            let a = try model(short, input: [9, 2])
            let b = try model(long, input: [1, 9, 2])
            #expect(try await values(of: a) == values(of: b), "\(type(of: short))")
            #expect(
                try await outputs(of: a, for: x).floats == outputs(of: b, for: images).floats,
                "\(type(of: short))")
        }
    }

    /// A kind of pooling and a layer over images from outside the library.
    @Test func layersOfTheUser() async throws {
        let built = try Sequential(input: [2, 2, 4]) {
            Pooling2D<RangePooling>(dataFormat: .channelsFirst)
            RowSums(dataFormat: .channelsFirst)
        }
        let adaptive = try model(
            AdaptivePooling<TwoAxes, RangePooling>(outputSize: [1, 2]), input: [2, 2, 4])
        let x = try TensorValue(shape: [1, 2, 2, 4], (0..<16).map { Float($0 * $0) })
        #expect(built.layers[0].name == nil && type(of: built.layers[0]).typeName == "RangePooling2D")
        #expect(try await outputs(of: built, for: x).floats == [25 + 45, 105 + 125])
        #expect(
            try await outputs(of: adaptive, for: x).floats
                == [64, 80, 96, 112, 128, 144, 160, 176])
    }
}

/// Largest minus smallest.
private enum RangePooling: PoolingKind {
    static let name = "Range"

    static func pool(_ images: Tensor, _ window: SlidingWindow) throws(ShapeError) -> Tensor {
        try images.maxPooled(window) + images.negated().maxPooled(window)
    }

    static func poolAll(_ images: Tensor) throws(ShapeError) -> Tensor {
        try images.max(axes: [1, 2], keepDims: true) + images.negated().max(axes: [1, 2], keepDims: true)
    }
}

private final class RowSums: SpatialLayer {
    let name: String? = nil
    let dataFormat: DataFormat
    init(dataFormat: DataFormat) { self.dataFormat = dataFormat }
    func build(images: Shape, in scope: inout BuildScope) {}
    func call(images: Tensor) throws(ShapeError) -> Tensor { try images.sum(axes: [2], keepDims: true) }
}
