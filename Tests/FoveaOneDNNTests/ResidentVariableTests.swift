import CKernels
import FoveaGraph
import FoveaOneDNN
import FoveaPlanner
import FoveaRuntime
import TestSupport
import Testing

/// Variables between runs: read, assigned, and shared by several compiled graphs, in whatever layout they live.
@Suite(.serialized) struct ResidentVariableTests {
    /// A convolution of padded or full blocks, pooling, and a dense layer behind the flattened blocks.
    struct Network {
        let kernel, bias, weights: Variable
        let logits, loss: Tensor
        var updates: [Update] = []

        init(channels: Int) throws {
            var generator = PhiloxGenerator(seed: 21, stream: 0, step: 0)
            func variable(_ name: String, _ shape: Shape) throws -> Variable {
                let numbers = (0..<shape.elementCount).map { _ in Float(generator.uniform() - 0.5) }
                return Variable(name: name, initial: try TensorValue(shape: shape, numbers))
            }
            kernel = try variable("kernel", [3, 3, 5, channels])
            bias = try variable("bias", [channels])
            weights = try variable("weights", [3 * 2 * channels, 4])
            let images = Tensor.input("images", [8, 6, 5])
            let x = try (images.convolved(with: Tensor(kernel)) + Tensor(bias)).relu()
                .maxPooled(SlidingWindow(2, strides: 2))
            let keep = try Tensor.randomUniform(x.shape).greaterOrEqual(0.3)
            let dropped = try Tensor.select(.isTraining, .select(keep, x / 0.7, .filled(0, x.shape)), x)
            logits = try .matmul(dropped.reshaped(to: [Shape.batch, 6 * channels]), Tensor(weights))
            loss = try (logits.logSoftmax() * Tensor.input("targets", [4])).sum(axes: [1]).mean().negated()
            let variables = [kernel, bias, weights]
            let gradients = try gradient(of: loss, withRespectTo: variables.map { Tensor($0) })
            updates = try zip(variables, gradients).map { try Update($0, to: Tensor($0) - $1 * 0.1) }
        }

        var variables: [Variable] { [kernel, bias, weights] }

        @Compute
        func values() throws -> [TensorValue] { try variables.map { try $0.value() } }
    }

    static func value(_ shape: Shape, seed: UInt64) -> TensorValue {
        var generator = PhiloxGenerator(seed: seed, stream: 1, step: 0)
        return TensorValue(
            shape: shape, dtype: .float32,
            doubles: (0..<shape.elementCount).map { _ in generator.uniform() * 2 - 1 })
    }

    static func batch(_ size: Int, seed: UInt64 = 1) -> [String: TensorValue] {
        // Targets of both signs would make losses that cancel.
        let targets = value([size, 4], seed: seed + 50).doubles.map(abs)
        return [
            "images": value([size, 8, 6, 5], seed: seed),
            "targets": TensorValue(shape: [size, 4], dtype: .float32, doubles: targets),
        ]
    }

    /// Results are compared between these.
    static let backends: [any Backend] = [ReferenceBackend(), OneDNNBackend(precision: .strict)]

    /// Does the same with every backend and expects the same results.
    @Compute
    private func compare(
        channels: Int, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (Network, any Backend) throws -> [TensorValue]
    ) throws {
        let results = try Self.backends.map { try body(Network(channels: channels), $0) }
        #expect(results[0].count == results[1].count)
        for (index, (actual, expected)) in zip(results[1], results[0]).enumerated() {
            expectClose(
                actual, expected, relativeTolerance: 1e-4, "result \(index)", sourceLocation: sourceLocation)
        }
    }

    /// Moving into a kernel's layout and back changes no bit.
    @Test(arguments: [3, 16, 20, 48]) @Compute func layoutsRoundTrip(channels: Int) throws {
        let network = try Network(channels: channels)
        let before = try network.values()
        let executable = try OneDNNBackend().compile(outputs: [network.logits], mode: .inference, batch: 2)
        #expect(try network.values() == before)
        _ = try executable.run(["images": Self.batch(2)["images"]!])
        #expect(try network.values() == before)
        let replaced = network.variables.map { Self.value($0.shape, seed: 9) }
        for (variable, value) in zip(network.variables, replaced) { try variable.assign(value) }
        #expect(try network.values() == replaced)
        #expect(throws: ShapeError.self) { try network.bias.assign(TensorValue(0)) }
        #expect(try network.values() == replaced)
    }

    /// Full blocks behind a flatten must not lie in row-major order, or the test above proves nothing.
    @Test @Compute func weightsLiveInBlocks() throws {
        // Without AVX2 the library prefers other layouts.
        guard OneDNNBackend.vectorKind != "baseline" else { return }
        let network = try Network(channels: 32)
        let plan = try OneDNNBackend().plan(
            BoundGraph(outputs: [network.logits], mode: .inference, batch: 2))
        let layouts = plan.variables.filter { !$0.layout.isRowMajor($0.variable.shape) }.map(\.variable.name)
        #expect(Set(layouts) == ["kernel", "weights"])
        // The images come in row-major order; nothing else changes its layout.
        let changes = plan.calls.count { $0.request is ReorderRequest }
        #expect(changes <= 1, "\(plan)")
    }

    @Test(arguments: [3, 16, 20]) @Compute func otherBatchSizesShareVariables(channels: Int) throws {
        try compare(channels: channels) { network, backend in
            var results: [TensorValue] = []
            for size in [3, 1, 5, 2] {
                let executable = try backend.compile(
                    outputs: [network.loss, network.logits], updates: network.updates, mode: .training,
                    batch: size)
                for step in 0..<2 as Range<UInt64> {
                    results += try executable.run(Self.batch(size, seed: step), step: step, seed: 4)
                }
            }
            return try results + network.values()
        }
    }

    /// Training and inference in turn, over the same variables.
    @Test(arguments: [16, 20], [false, true])
    @Compute func trainingAndInferenceShareVariables(channels: Int, inferenceIsFirst: Bool) throws {
        try compare(channels: channels) { network, backend in
            @Compute func infer() throws -> any Executable {
                try backend.compile(outputs: [network.logits], mode: .inference, batch: 2)
            }
            @Compute func train() throws -> any Executable {
                try backend.compile(
                    outputs: [network.loss], updates: network.updates, mode: .training, batch: 3)
            }
            let early = inferenceIsFirst ? try infer() : nil
            let training = try train()
            let inference = try early ?? infer()
            var results: [TensorValue] = []
            for step in 0..<3 as Range<UInt64> {
                results += try training.run(Self.batch(3, seed: step), step: step, seed: 4)
                results += try inference.run(["images": Self.batch(2)["images"]!])
                results += try network.values()
            }
            return results
        }
    }

    @Test(arguments: [16, 20]) @Compute func readingAndAssigningBetweenRuns(channels: Int) throws {
        try compare(channels: channels) { network, backend in
            let training = try backend.compile(
                outputs: [network.loss], updates: network.updates, mode: .training, batch: 3)
            var results = try training.run(Self.batch(3), step: 0, seed: 4) + network.values()
            for variable in network.variables { try variable.assign(Self.value(variable.shape, seed: 13)) }
            results += try network.values()
            results += try training.run(Self.batch(3), step: 1, seed: 4) + network.values()
            return results
        }
    }

    /// An output stays what it was when the variable that took its value changes.
    @Test @Compute func outputsOutliveAssignments() throws {
        for backend in Self.backends {
            let variable = Variable(name: "v", initial: TensorValue([1, 2, 3] as [Float]))
            let next = try Tensor(variable) * 2
            let executable = try backend.compile(
                outputs: [next, Tensor(variable)], updates: [Update(variable, to: next)], mode: .training)
            try executable.run(step: 0, seed: 0)
            try variable.assign(TensorValue([7, 7, 7] as [Float]))
            #expect(try executable.output(0).value() == TensorValue([2, 4, 6] as [Float]), "\(backend.name)")
            #expect(try executable.output(1).value() == TensorValue([1, 2, 3] as [Float]), "\(backend.name)")
            try executable.run(step: 1, seed: 0)
            #expect(try variable.value() == TensorValue([14, 14, 14] as [Float]), "\(backend.name)")
        }
    }

    /// Inputs that only the other mode reads are given all the same.
    @Test @Compute func inputsThatAModeDropsCanBeGiven() throws {
        for backend in Self.backends {
            let (x, noise) = (Tensor.argument("x", [2]), Tensor.argument("noise", [2]))
            let executable = try backend.compile(
                outputs: [try .select(.isTraining, x + noise, x)], mode: .inference)
            #expect(executable.inputs.keys.sorted() == ["noise", "x"], "\(backend.name)")
            let value = TensorValue([1, 2] as [Float])
            #expect(throws: RunError.self) { try executable.run(["x": value]) }
            #expect(try executable.run(["noise": value]) == [value], "\(backend.name)")
        }
    }

    // MARK: - The same bits

    /// One training step from the same variables, with the same seed and step number.
    @Compute
    private func step(channels: Int, precision: Precision, seed: UInt64 = 4, number: UInt64 = 2) throws
        -> [TensorValue]
    {
        let network = try Network(channels: channels)
        let executable = try OneDNNBackend(precision: precision).compile(
            outputs: [network.loss, network.logits], updates: network.updates, mode: .training, batch: 3)
        let before = try network.values()
        let first = try executable.run(Self.batch(3), step: number, seed: seed) + network.values()
        for (variable, value) in zip(network.variables, before) { try variable.assign(value) }
        let second = try executable.run(Self.batch(3), step: number, seed: seed) + network.values()
        #expect(first == second)
        return first
    }

    @Test(arguments: [16, 20], Precision.allCases)
    @Compute func equalStepsGiveEqualBits(channels: Int, precision: Precision) throws {
        let first = try step(channels: channels, precision: precision)
        #expect(try step(channels: channels, precision: precision) == first)
        // Dropout draws other numbers for another seed or step.
        #expect(try step(channels: channels, precision: precision, seed: 5) != first)
        #expect(try step(channels: channels, precision: precision, number: 3) != first)
    }

    @Test(arguments: [16, 20]) @Compute func threadCountsAgree(channels: Int) throws {
        let present = fovea_thread_count()
        defer { fovea_set_thread_count(present) }
        for precision in Precision.allCases {
            let results = try ([1, 2, 3] as [Int32]).map { count in
                fovea_set_thread_count(count)
                return try step(channels: channels, precision: precision)
            }
            #expect(results.allSatisfy { $0 == results[0] }, "\(precision)")
        }
    }
}
