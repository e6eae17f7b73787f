import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// What simplification leaves of small graphs, and that it leaves their values alone.
@Suite struct SimplificationTests {
    /// Simplifies a graph, compares values before and after, and returns its outputs.
    @Compute
    private func simplified(
        mode: Mode = .training, relativeTolerance: Double = 1e-6,
        using pass: (BoundGraph) -> () throws -> BoundGraph = BoundGraph.simplified,
        sourceLocation: SourceLocation = #_sourceLocation, _ build: (inout PlannedGraph) throws -> [Tensor]
    ) throws -> [Tensor] {
        var graph = PlannedGraph()
        graph.outputs = try build(&graph)
        let before = try graph.bound(mode: mode)
        let after = try pass(before)()
        let results = try [before, after].map { graph in
            try ReferenceBackend().compile(graph)
        }.map { executable in
            try executable.run(graph.values.filter { executable.inputs[$0.key] != nil }, step: 1, seed: 3)
        }
        for (index, (actual, expected)) in zip(results[1], results[0]).enumerated() {
            expectClose(
                actual, expected, relativeTolerance: relativeTolerance, "output \(index)",
                sourceLocation: sourceLocation)
        }
        return after.outputs
    }

    private func isInput(_ tensor: Tensor) -> Bool {
        if case .source(.input) = tensor.operation { true } else { false }
    }

    private func constant(_ tensor: Tensor) -> TensorValue? {
        if case .source(.constant(let value)) = tensor.operation { value } else { nil }
    }

    @Test @Compute func neutralElementsGo() throws {
        let outputs = try simplified { graph in
            let x = graph.input([2, 3])
            return [
                try x + 0, try x - 0, try x * 1, try x / 1, try x.raised(to: 1), try 0 + x, try 1 * x,
                x.negated().negated(), x.cast(to: .float32), try x.transposed([0, 1]),
                try x.reshaped(to: [6]).reshaped(to: [2, 3]), try x.broadcast(to: [2, 3]),
                try x.sliced(starts: [0, 0], extents: [2, 3]), try x.padded(low: [0, 0], high: [0, 0]),
                try .concatenate([x]), try x.transposed([1, 0]).transposed([1, 0]),
                try .select(.isTraining, x, x + 1), try .select(x.greater(0), x, x),
            ]
        }
        for (index, output) in outputs.enumerated() { #expect(isInput(output), "output \(index)") }
    }

    @Test @Compute func cheaperEquals() throws {
        let outputs = try simplified(relativeTolerance: 1e-5) { graph in
            let x = graph.input([2, 3, 1])
            return [
                try 0 - x, try x.raised(to: 2), try x.softmax(axis: 1).log(), try x.sum(axes: [2]),
                try x.mean(axes: [2], keepDims: true), try x.max(axes: []),
            ]
        }
        let names = outputs.map(\.operation.rule.name)
        #expect(
            names == [
                "negate", "multiply", "logSoftmax", "reshape", "input 'x0'", "input 'x0'",
            ])
    }

    @Test @Compute func movementsJoin() throws {
        let outputs = try simplified { graph in
            let x = graph.input([2, 3, 4])
            return [
                try x.reshaped(to: [6, 4]).reshaped(to: [4, 6]),
                try x.transposed([2, 0, 1]).transposed([1, 0, 2]),
                try graph.input([3, 1]).broadcast(to: [3, 4]).broadcast(to: [5, 3, 4]),
            ]
        }
        for output in outputs { #expect(isInput(output.inputs[0]), "\(output.operation.rule.name)") }
        #expect(outputs[1].operation == .transpose(Transpose([0, 2, 1])))
    }

    /// Rules must not fire on what only looks neutral.
    @Test @Compute func othersStay() throws {
        let outputs = try simplified { graph in
            let x = graph.input([2, 3])
            let y = graph.input([2, 3])
            return [
                try x * 0, try 1 - x, try 1 / x, try x.raised(to: 3), try x.log(), try x.sum(axes: [0]),
                try .select(x.greater(0), x, y), try x.softmax(axis: 1), try x.transposed([1, 0]),
                try x.padded(low: [0, 1], high: [0, 0]), x.cast(to: .bfloat16),
            ]
        }
        for output in outputs { #expect(!isInput(output) && constant(output) == nil) }
    }

    @Test @Compute func knownPartsAreComputed() throws {
        let outputs = try simplified(mode: .inference) { graph in
            let x = graph.input([2, 3])
            let table = try TensorValue(shape: [2, 2], [1, 2, 3, 4])
            let isTraining = try Tensor.select(.isTraining, .filled(2, [2, 3]), .filled(3, [2, 3]))
            return [
                try Tensor.constant(table).transposed([1, 0]), try Tensor.constant(table).sum(axes: [1]),
                try .filled(2, [2, 3]) * 3 + 1, isTraining, try .select(.isTraining, x, x * 2),
                try Tensor.constant(table).exp(), try .filled(2, [1000, 1000]).squareRoot(),
            ]
        }
        #expect(try constant(outputs[0]) == TensorValue(shape: [2, 2], [1, 3, 2, 4]))
        #expect(constant(outputs[1]) == TensorValue([3, 7] as [Float]))
        #expect(splat(outputs[2]) == 7)
        #expect(splat(outputs[3]) == 3)
        #expect(outputs[4].operation.rule.name == "multiply")
        #expect(constant(outputs[5]) != nil)
        #expect(
            outputs[6].operation.rule.name == "broadcast"
                && splat(outputs[6]) == Double(Float(2).squareRoot()))
    }

    /// Constants that a plan would have to carry are left to be computed.
    @Test @Compute func largeConstantsStaySmall() throws {
        let outputs = try simplified { _ in
            let row = Tensor.constant(TensorValue([Float](repeating: 0.5, count: 64)))
            let column = try Tensor.constant(TensorValue((0..<64).map(Float.init))).reshaped(to: [64, 1])
            return [try row * column, try row.reshaped(to: [8, 8]).transposed([1, 0])]
        }
        #expect(constant(outputs[0]) == nil)
        #expect(constant(outputs[1]) != nil)
    }

    @Test @Compute func equalWorkIsDoneOnce() throws {
        var graph = PlannedGraph()
        let x = graph.input([2, 3])
        let sum = try x.exp() + x.exp()
        let other = try x.unary(.exp) * Tensor(.unary(.exp), [x])
        graph.outputs = [
            sum, other, try x.tanh() + .randomUniform([2, 3]), try x.tanh() + .randomUniform([2, 3]),
        ]
        let bound = try graph.bound()
        #expect(bound.outputs[0].inputs == bound.outputs[1].inputs)
        #expect(bound.outputs[2].inputs[0] == bound.outputs[3].inputs[0])
        // Two streams are two tensors.
        #expect(bound.outputs[2].inputs[1] != bound.outputs[3].inputs[1])
        // 0 and -0, and NaNs, are told apart by their bits.
        graph.outputs = [.constant(0), .constant(-0.0), .constant(.nan), .constant(.nan)]
        let constants = try graph.bound().outputs
        #expect(constants[0] != constants[1])
        #expect(constants[2] == constants[3])
    }

    // MARK: - Lowering

    @Test @Compute func oneHotBecomesAComparison() throws {
        let outputs = try simplified(using: BoundGraph.withOneHotAsComparison) { graph in
            let indices = try (graph.input([5]) * 2).cast(to: .int32)
            return [
                try indices.oneHot(depth: 3),
                try indices.reshaped(to: [5, 1]).oneHot(depth: 4, dtype: .bfloat16),
            ]
        }
        for tensor in topologicalOrder(of: outputs) {
            if case .oneHot = tensor.operation { Issue.record("a one-hot operation is left") }
        }
    }

    @Test @Compute func bfloat16KernelsRunInFloat32() throws {
        let outputs = try simplified(using: BoundGraph.withFloat32Kernels) { graph in
            let x = graph.input([1, 4, 4, 3]).cast(to: .bfloat16)
            let kernel = graph.variable([2, 2, 3, 2]).cast(to: .bfloat16)
            let y = try x.convolved(with: kernel).maxPooled(SlidingWindow(2, strides: 1))
            return [
                try .matmul(y.reshaped(to: [4, 2]), y.reshaped(to: [2, 4])),
                try x.averagePooled(SlidingWindow(2, strides: 2)),
            ]
        }
        for tensor in topologicalOrder(of: outputs) where tensor.dtype == .bfloat16 {
            switch tensor.operation.family {
            case .elementwise, .view: break
            default: Issue.record("\(tensor.operation.rule.name) of bfloat16")
            }
        }
    }

    // MARK: - ReLU in max-pooling

    /// Images whose windows contain ties, only negative elements, and elements of both signs.
    @Test(
        arguments: [
            SlidingWindow(2, strides: 2), SlidingWindow([3, 2], strides: [2, 1]),
            SlidingWindow(3, strides: 1, padding: .init(top: 1, bottom: 1, left: 2, right: 0)),
        ], [[-2, -1, -1], [-1, 0, 1], [0, 0, 0], [-3, 2, 2]] as [[Float]])
    @Compute func poolingRectifies(window: SlidingWindow, numbers: [Float]) throws {
        var generator = PhiloxGenerator(seed: 1, stream: 2, step: 3)
        let shape: Shape = [2, 5, 6, 3]
        let images = try TensorValue(
            shape: shape, (0..<shape.elementCount).map { _ in numbers[generator.index(below: 3)] })
        let x = Tensor.argument("images", shape)
        let pooled = try x.relu().maxPooled(window)
        let weights = TensorValue(
            shape: pooled.shape, dtype: .float32,
            doubles: (0..<pooled.shape.elementCount).map { _ in generator.uniform() - 0.5 })
        let loss = try (pooled * .constant(weights)).sum()
        let outputs = try [pooled] + gradient(of: loss, withRespectTo: [x])
        let before = try BoundGraph(outputs: outputs, mode: .training, batch: 1)
        let after = try before.simplified().withRectifiedPooling().simplified()
        let results = try [before, after].map {
            try ReferenceBackend().compile($0).run(["images": images])
        }
        for (a, b) in zip(results[0], results[1]) { expectClose(b, a, relativeTolerance: 0) }

        let order = topologicalOrder(of: after.outputs)
        #expect(!order.contains { $0.operation == .unary(.relu) })
        let pools = order.filter { if case .maxPoolGradient = $0.operation { true } else { false } }
        #expect(pools.map(\.operation) == [.maxPoolGradient(MaxPoolGradient(window, isRectified: true))])
        #expect(pools[0].inputs[0] == order.first { $0.shape == shape })
    }

    /// Images that others read rectified keep their ReLU, too.
    @Test @Compute func reluThatOthersReadStays() throws {
        let outputs = try simplified(using: BoundGraph.withRectifiedPooling) { graph in
            let x = try graph.input([1, 4, 4, 2]).relu()
            return [try x.maxPooled(SlidingWindow(2, strides: 2)), x]
        }
        #expect(outputs[0].operation.rule.name == "maxPool + relu")
        #expect(outputs[1].operation == .unary(.relu) && outputs[0].inputs == outputs[1].inputs)
    }

    // MARK: - Sums

    private func count(_ name: String, in outputs: [Tensor]) -> Int {
        topologicalOrder(of: outputs).count { $0.operation.rule.name == name }
    }

    /// Factors that are the same along a sum's axes are multiplied after it.
    @Test(arguments: Reduction.Kind.allCases, [false, true])
    @Compute func factorsLeaveSums(kind: Reduction.Kind, keepDims: Bool) throws {
        let outputs = try simplified(relativeTolerance: 1e-5) { graph in
            let (x, v, w) = (graph.input([3, 4, 5]), graph.input([5]), graph.input([4, 1]))
            func reduced(_ tensor: Tensor, _ axes: [Int]) throws -> Tensor {
                try Tensor(.reduction(Reduction(kind, axes: axes, keepDims: keepDims)), [tensor])
            }
            return [
                try reduced(x * v, [0, 1]), try reduced((v * x) * 3, [0, 1]), try reduced(x / w, [0, 2]),
                try reduced((x * w).negated(), [0, 2]), try reduced(0 - x / v, [1]),
                try reduced(x * (v.broadcast(to: x.shape) * 2 + 1), [0]),
            ]
        }
        let elementwise = topologicalOrder(of: outputs).filter { tensor in
            if case .elementwise = tensor.operation.family { tensor.shape == [3, 4, 5] } else { false }
        }
        #expect(elementwise.isEmpty == (kind != .max))
    }

    /// Factors that differ along the axes stay, as do sums of several things.
    @Test @Compute func otherSumsStay() throws {
        let outputs = try simplified(relativeTolerance: 1e-5) { graph in
            let (x, y, v) = (graph.input([3, 5]), graph.input([3, 5]), graph.input([5]))
            return [
                try (x * v).sum(axes: [1]), try (x + y).sum(axes: [0]), try (x - y * v).sum(axes: [0]),
                try (x + v).sum(axes: [0]), try (v / x).sum(axes: [0]), try x.sum(axes: [0]),
            ]
        }
        #expect(outputs.allSatisfy { $0.operation.rule.name == "sum" })
    }

    /// Deviations from the mean add up to zero, along the axes of the mean only.
    @Test @Compute func deviationsAddUpToZero() throws {
        let outputs = try simplified(relativeTolerance: 1e-5) { graph in
            let (x, v) = (graph.input([4, 4, 4]), graph.input([4]))
            let centered = try x - x.mean(axes: [0, 1])
            return [
                try (centered * v + x).sum(axes: [0, 1]), try (x - (centered + centered)).mean(axes: [0, 1]),
                // Other axes, another mean's place, and another tensor's mean.
                try centered.sum(axes: [1, 2]), try (x - x.mean(axes: [1, 2])).sum(axes: [1, 2]),
                try (x - (x * x).mean(axes: [0, 1])).sum(axes: [0, 1]),
            ]
        }
        #expect(outputs[..<2].allSatisfy { isInput($0.inputs[0]) })
        #expect(outputs[2...].allSatisfy { $0.inputs[0].operation == .binary(.subtract) })
    }

    /// The gradient that goes through a batch normalisation adds up to zero over each channel, and over no less.
    @Test @Compute func biasBeforeNormalizationHasNoGradient() throws {
        let outputs = try simplified(relativeTolerance: 1e-5) { graph in
            let (x, g) = (graph.input([4, 3, 5]), graph.input([4, 3, 5]))
            let (scale, bias) = (graph.variable([5]), graph.variable([5]))
            let y = try (x + bias).batchNormalized(scale: scale, offset: bias, epsilon: 0.1).normalized
            let loss = try (y * g).sum()
            let dx = try gradient(of: loss, withRespectTo: [x])[0]
            return [
                try dx.sum(axes: [0, 1]) + bias, try (dx * 3 + x).sum(axes: [0, 1]), try dx.sum() + bias,
                try dx.sum(axes: [1, 2]),
            ]
        }
        // Only what was added is left.
        #expect(outputs[0] == outputs[2] && outputs[0].inputs.isEmpty)
        #expect(isInput(outputs[1].inputs[0]))
        #expect(outputs[3].operation.rule.name == "sum")
    }

    /// A chain of sums that has exponentially many paths.
    @Test @Compute func manyPaths() throws {
        let outputs = try simplified(relativeTolerance: 1e-5) { graph in
            var x = try graph.input([6]) - 0
            x = try x - x.mean()
            var v = try graph.input([1]).broadcast(to: [6])
            for _ in 0..<60 { (x, v) = (try (x + x) * 0.5, try (v + v) * 0.5) }
            return [try (x + 1).sum(), try (v * graph.input([6])).sum()]
        }
        #expect(count("sum", in: outputs) == 2)
    }
}
