import CKernels
import Testing

/// A convolution and its naive loops. Images are N,C,H,W; weights G,O,I,H,W, per group.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    let name: String
    var batch = 2
    var inputs = 3
    var outputs = 5
    var size = (9, 12)
    var kernel = (3, 3)
    var strides = (1, 1)
    var dilations = (1, 1)
    var before = (0, 0)
    var after = (0, 0)
    var groups: Int?

    var testDescription: String { name }

    private func extent(_ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ padding: Int) -> Int {
        (size + padding - dilation * (kernel - 1) - 1) / stride + 1
    }
    var source: [Int] { [batch, inputs, size.0, size.1] }
    var destination: [Int] {
        let height = extent(size.0, kernel.0, strides.0, dilations.0, before.0 + after.0)
        let width = extent(size.1, kernel.1, strides.1, dilations.1, before.1 + after.1)
        return [batch, outputs, height, width]
    }
    var groupedWeights: [Int] {
        let count = groups ?? 1
        return [count, outputs / count, inputs / count, kernel.0, kernel.1]
    }
    var weights: [Int] { groups == nil ? Array(groupedWeights.dropFirst()) : groupedWeights }

    var x: Grid { Grid(random: source, seed: 1) }
    var w: Grid { Grid(random: weights, seed: 2) }
    var bias: Grid { Grid(random: [outputs], seed: 3) }
    /// The gradient that arrives from above.
    var dy: Grid { Grid(random: destination, seed: 4) }

    /// Calls `body` with the positions in source, weights and destination of each product.
    private func forEachProduct(_ body: (_ source: Int, _ weights: Int, _ destination: Int) -> Void) {
        let (outputsPerGroup, inputsPerGroup) = (groupedWeights[1], groupedWeights[2])
        var position = 0
        forEachIndex(destination) { index in
            let firstInput = index[1] / outputsPerGroup * inputsPerGroup
            let (top, left) = (index[2] * strides.0 - before.0, index[3] * strides.1 - before.1)
            for channel in 0..<inputsPerGroup {
                let plane = index[0] * inputs + firstInput + channel
                let filter = index[1] * inputsPerGroup + channel
                for row in 0..<kernel.0 {
                    let y = top + row * dilations.0
                    if y < 0 || y >= size.0 { continue }
                    for column in 0..<kernel.1 {
                        let x = left + column * dilations.1
                        if x < 0 || x >= size.1 { continue }
                        body(
                            (plane * size.0 + y) * size.1 + x, (filter * kernel.0 + row) * kernel.1 + column,
                            position)
                    }
                }
            }
            position += 1
        }
    }

    func forward(bias useBias: Bool = false) -> Grid {
        let (x, w, bias) = (x.values, w.values, bias.values)
        var y = Grid(zeros: destination)
        if useBias {
            let plane = destination[2] * destination[3]
            for index in y.values.indices { y.values[index] = bias[index / plane % outputs] }
        }
        forEachProduct { y.values[$2] += x[$0] * w[$1] }
        return y
    }

    func backwardData() -> Grid {
        let (w, dy) = (w.values, dy.values)
        var dx = Grid(zeros: source)
        forEachProduct { dx.values[$0] += w[$1] * dy[$2] }
        return dx
    }

    func backwardWeights() -> Grid {
        let (x, dy) = (x.values, dy.values)
        var dw = Grid(zeros: weights)
        forEachProduct { dw.values[$1] += x[$0] * dy[$2] }
        return dw
    }

    func backwardBias() -> Grid {
        let plane = destination[2] * destination[3]
        var result = Grid(zeros: [outputs])
        for (index, value) in dy.values.enumerated() { result.values[index / plane % outputs] += value }
        return result
    }

    /// The specification with every layout open.
    func spec(_ direction: Direction, bias: Bool = false) -> fovea_convolution {
        var spec = fovea_convolution()
        spec.direction = direction.value
        spec.has_bias = bias ? 1 : 0
        spec.strides = (Int64(strides.0), Int64(strides.1))
        spec.dilations = (Int64(dilations.0), Int64(dilations.1))
        spec.padding_before = (Int64(before.0), Int64(before.1))
        spec.padding_after = (Int64(after.0), Int64(after.1))
        spec.source = .any(source)
        spec.weights = .any(weights)
        spec.bias = .dense([outputs])
        spec.destination = .any(destination)
        return spec
    }

    /// The specification with images N,H,W,C and weights in plain order.
    func plainSpec(_ direction: Direction, bias: Bool = false) -> fovea_convolution {
        var spec = spec(direction, bias: bias)
        spec.source = .nhwc(source)
        spec.weights = .dense(weights)
        spec.destination = .nhwc(destination)
        return spec
    }

    static let all: [ConvolutionCase] = [
        ConvolutionCase(name: "odd and non-square"),
        ConvolutionCase(name: "one image, 5x3 window", batch: 1, size: (7, 11), kernel: (5, 3)),
        ConvolutionCase(name: "one channel", inputs: 1, outputs: 17, size: (10, 8)),
        ConvolutionCase(
            name: "blocked channels", inputs: 32, outputs: 48, size: (8, 7), before: (1, 1), after: (1, 1)),
        ConvolutionCase(name: "padded channels", inputs: 20, outputs: 36, size: (6, 9)),
        ConvolutionCase(name: "1x1 window", inputs: 16, outputs: 32, size: (5, 9), kernel: (1, 1)),
        ConvolutionCase(name: "stride 2", inputs: 16, outputs: 16, size: (11, 9), strides: (2, 2)),
        ConvolutionCase(name: "stride 2x1", size: (11, 8), strides: (2, 1), before: (1, 1), after: (1, 1)),
        ConvolutionCase(
            name: "asymmetric padding", size: (8, 9), strides: (2, 2), before: (0, 1), after: (1, 2)),
        ConvolutionCase(
            name: "dilation 2", inputs: 16, outputs: 16, dilations: (2, 2), before: (2, 2), after: (2, 2)),
        ConvolutionCase(name: "dilation 2x1", dilations: (2, 1)),
        ConvolutionCase(name: "2 groups", inputs: 6, outputs: 10, before: (1, 1), after: (1, 1), groups: 2),
        ConvolutionCase(name: "2 blocked groups", inputs: 32, outputs: 64, size: (7, 6), groups: 2),
        ConvolutionCase(
            name: "depthwise", inputs: 18, outputs: 18, before: (1, 1), after: (1, 1), groups: 18),
        ConvolutionCase(name: "depthwise, 2 each", inputs: 8, outputs: 16, strides: (2, 2), groups: 8),
    ]
}

extension OneDNNTests {
    @Suite struct Convolution {
        /// Open layouts, then plain ones.
        func specs(_ item: ConvolutionCase, _ direction: Direction, bias: Bool = false)
            -> [fovea_convolution]
        {
            [item.spec(direction, bias: bias), item.plainSpec(direction, bias: bias)]
        }

        func create(_ spec: fovea_convolution) throws -> Primitive {
            try Primitive(withUnsafePointer(to: spec) { fovea_convolution_create($0) })
        }

        @Test(arguments: ConvolutionCase.all) func forward(_ item: ConvolutionCase) throws {
            for spec in specs(item, .forward) {
                let primitive = try create(spec)
                let y = try primitive.run(
                    [.source: item.x, .weights: item.w], .destination)
                #expect(y[0].error(from: item.forward()) <= 1e-4, "\(primitive.implementation)")
                #expect(primitive.byteCount(.bias) == 0)
            }
        }

        @Test(arguments: ConvolutionCase.all) func biasAndReLU(_ item: ConvolutionCase) throws {
            for var spec in specs(item, .forward, bias: true) {
                spec.relu = 1
                let primitive = try create(spec)
                let y = try primitive.run(
                    [.source: item.x, .weights: item.w, .bias: item.bias],
                    .destination)
                let expected = item.forward(bias: true)
                #expect(expected.values.contains { $0 < 0 } && expected.values.contains { $0 > 0 })
                #expect(y[0].error(from: expected.rectified) <= 1e-4, "\(primitive.implementation)")

                spec.ceiling = Float(expected.values.max() ?? 0) / 3
                let limited = try create(spec)
                let z = try limited.run(
                    [.source: item.x, .weights: item.w, .bias: item.bias],
                    .destination)
                var clipped = expected.rectified
                clipped.values = clipped.values.map { min($0, Double(spec.ceiling)) }
                #expect(z[0].error(from: clipped) <= 1e-4, "\(limited.implementation)")
            }
        }

        @Test(arguments: ConvolutionCase.all) func backwardData(_ item: ConvolutionCase) throws {
            for spec in specs(item, .backwardData) {
                let primitive = try create(spec)
                let dx = try primitive.run(
                    [.destination: item.dy, .weights: item.w], .source)
                #expect(dx[0].error(from: item.backwardData()) <= 1e-4, "\(primitive.implementation)")
            }
        }

        @Test(arguments: ConvolutionCase.all) func backwardWeights(_ item: ConvolutionCase) throws {
            for spec in specs(item, .backwardWeights, bias: true) {
                let primitive = try create(spec)
                let gradients = try primitive.run(
                    [.destination: item.dy, .source: item.x], .weights,
                    .bias)
                #expect(
                    gradients[0].error(from: item.backwardWeights()) <= 1e-4, "\(primitive.implementation)")
                #expect(gradients[1].error(from: item.backwardBias()) <= 1e-4, "\(primitive.implementation)")
            }
        }

        /// A layout that oneDNN chose can be named again, and the same kernel then gives the same bits. Version 3 has a
        /// kernel of its own for images that are told to lie channel by channel.
        @Test(
            arguments: [
                "blocked channels", "padded channels", "stride 2", "2 blocked groups", "depthwise",
                "one image, 5x3 window",
            ],
            Direction.allCases)
        func layoutRoundTrip(_ name: String, _ direction: Direction) throws {
            let item = try #require(ConvolutionCase.all.first { $0.name == name })
            let chosen = try create(item.spec(direction))
            var spec = item.spec(direction)
            spec.source = try chosen.layout(.source)
            spec.weights = try chosen.layout(.weights)
            spec.destination = try chosen.layout(.destination)
            let named = try create(spec)
            let output: Operand
            switch direction {
            case .forward: output = .destination
            case .backwardData: output = .source
            case .backwardWeights: output = .weights
            }
            var inputs: [Operand: Grid] = [.source: item.x, .weights: item.w]
            inputs[.destination] = item.dy
            inputs[output] = nil
            let results = try [chosen, named].map { try $0.run(inputs, output)[0] }
            #expect(results[1].error(from: results[0]) <= 1e-5)
            #expect(
                results[0].values == results[1].values || named.implementation != chosen.implementation)
            #expect(
                named.implementation == chosen.implementation || chosen.implementation.contains("gemm"))
            for operand in [Operand.source, .weights, .destination] {
                let (first, second) = (try chosen.layout(operand), try named.layout(operand))
                #expect(first.strideList == second.strideList && first.blockList == second.blockList)
                #expect(first.byteCount == chosen.byteCount(operand))
            }
        }

        /// The gradient arrives in the layout that the result has, so that no step needs a layout change for it.
        @Test(arguments: [
            "blocked channels", "padded channels", "1x1 window", "stride 2", "2 blocked groups", "depthwise",
        ])
        func directionsAgree(_ name: String) throws {
            let item = try #require(ConvolutionCase.all.first { $0.name == name })
            let layouts = try Direction.allCases.map { try create(item.spec($0)).layout(.destination) }
            for layout in layouts {
                #expect(layout.strideList == layouts[0].strideList)
                #expect(layout.blockList == layouts[0].blockList && layout.blockAxes == layouts[0].blockAxes)
            }
        }

        @Test func bfloat16() throws {
            guard fovea_onednn_has_bfloat16() == 1 else { return }
            var item = ConvolutionCase(
                name: "bfloat16", inputs: 16, outputs: 32, before: (1, 1), after: (1, 1))
            item.strides = (2, 1)
            for direction in Direction.allCases {
                var spec = item.spec(direction)
                spec.source.dtype = direction == .backwardData ? FOVEA_FLOAT32 : FOVEA_BFLOAT16
                spec.weights.dtype = direction == .backwardWeights ? FOVEA_FLOAT32 : FOVEA_BFLOAT16
                spec.destination.dtype = direction == .forward ? FOVEA_FLOAT32 : FOVEA_BFLOAT16
                let primitive = try create(spec)
                let result: Grid
                let expected: Grid
                switch direction {
                case .forward:
                    expected = item.forward()
                    result = try primitive.run(
                        [.source: item.x, .weights: item.w], .destination)[0]
                case .backwardData:
                    expected = item.backwardData()
                    result = try primitive.run(
                        [.destination: item.dy, .weights: item.w], .source)[0]
                case .backwardWeights:
                    expected = item.backwardWeights()
                    result = try primitive.run(
                        [.destination: item.dy, .source: item.x], .weights)[0]
                }
                #expect(result.error(from: expected) <= 0.03, "\(primitive.implementation)")
            }
        }

        @Test func refusals() {
            func refuse(_ expected: String..., change: (inout fovea_convolution) -> Void) {
                var spec = ConvolutionCase.all[0].spec(.forward)
                change(&spec)
                let handle = withUnsafePointer(to: spec) { fovea_convolution_create($0) }
                #expect(handle == nil)
                fovea_primitive_destroy(handle)
                for part in expected { #expect(Primitive.message.contains(part), "\(Primitive.message)") }
            }
            refuse(
                "convolution forward", "source 2x3x9x12 float32", "weights 5x3x3x3",
                "invalid arguments"
            ) {
                $0.destination = .any([2, 5, 7, 11])
            }
            refuse("strides 0x1 must be at least 1") { $0.strides = (0, 1) }
            refuse("dilations 1x0 must be at least 1") { $0.dilations = (1, 0) }
            refuse("padding before -1x0") { $0.padding_before = (-1, 0) }
            refuse("rank 4") { $0.source = .any([2, 3, 9]) }
            refuse("rank 4") { $0.source.rank = 1_000_000 }
            refuse("the bias has rank 0") {
                $0.has_bias = 1
                $0.bias.rank = 0
            }
            refuse("type bool") { $0.weights.dtype = FOVEA_BOOL }
            refuse("negative extent") { $0.source.extents.0 = -2 }
            refuse("the source has stride 0 along axis 1") {
                $0.source = .dense([2, 3, 9, 12])
                $0.source.strides.1 = 0
            }
            refuse("inner block of 16 along axis 4") {
                $0.source = .nChw16c([2, 3, 9, 12])
                $0.source.inner_axes.0 = 4
            }
            refuse("inner block of 0 along axis 1") {
                $0.source = .nChw16c([2, 3, 9, 12])
                $0.source.inner_blocks.0 = 0
            }
            refuse("13 inner blocks") {
                $0.source = .nChw16c([2, 3, 9, 12])
                $0.source.inner_count = 13
            }
            refuse("ReLU") {
                $0.direction = FOVEA_BACKWARD_DATA
                $0.relu = 1
            }
        }
    }
}
