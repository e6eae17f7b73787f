import FoveaGraph
import FoveaOneDNN
import FoveaPlanner
import FoveaRuntime
import TestSupport
import Testing

/// What is made of weights is computed once, and again when these change: normalisation that becomes part of a kernel.
@Suite(.serialized) struct LastingCallsTests {
    /// Two convolutions with batch normalisation by moving averages behind each, in inference.
    private struct Network {
        let kernels, scales, offsets, means, variances: [Variable]
        let output: Tensor
        let trained: [Update]

        /// - Parameters:
        ///   - groups: of the second convolution.
        ///   - bias: whether convolutions have a bias.
        ///   - isFrozen: whether the training step changes the last kernel alone.
        init(channels: Int = 16, groups: Int = 1, bias: Bool = false, isFrozen: Bool = true) throws {
            func variables(_ name: String, _ shapes: [Shape], positive: Bool = false) throws -> [Variable] {
                try shapes.enumerated().map { index, shape in
                    let value = ResidentVariableTests.value(shape, seed: UInt64(name.count + 7 * index))
                    return Variable(
                        name: "\(name)\(index)",
                        initial: positive
                            ? try TensorValue(shape: shape, value.floats.map { abs($0) + 0.1 }) : value)
                }
            }
            let vectors: [Shape] = [[channels], [channels]]
            kernels = try variables("kernel", [[3, 3, 3, channels], [3, 3, channels / groups, channels]])
            scales = try variables("scale", vectors)
            offsets = try variables("shift", vectors)
            means = try variables("mean", vectors)
            variances = try variables("spread", vectors, positive: true)
            let biases = try variables("bias", vectors)
            var x = Tensor.input("images", [9, 7, 3])
            for index in 0...1 {
                var y = try x.convolved(
                    with: Tensor(kernels[index]),
                    Convolution(
                        strides: index == 0 ? 2 : 1, padding: Padding2D(top: 1, bottom: 1, left: 1, right: 1),
                        groups: index == 0 ? 1 : groups))
                if bias { y = try y + Tensor(biases[index]) }
                y = try y.normalized(
                    mean: Tensor(means[index]), variance: Tensor(variances[index]), epsilon: 1e-3,
                    scale: Tensor(scales[index]), offset: Tensor(offsets[index]))
                x = try y.relu()
            }
            output = x
            let changed = isFrozen ? [kernels[1]] : kernels + scales
            let gradients = try gradient(of: x.mean(), withRespectTo: changed.map { Tensor($0) })
            trained = try zip(changed, gradients).map { try Update($0, to: Tensor($0) - $1 * 0.5) }
        }

        @Compute func inference(on backend: any Backend, batch: Int = 2) throws -> any Executable {
            try backend.compile(outputs: [output], mode: .inference, batch: batch)
        }
    }

    private func images(_ batch: Int, seed: UInt64) -> [String: TensorValue] {
        ["images": ResidentVariableTests.value([batch, 9, 7, 3], seed: seed)]
    }

    @Compute private func compare(
        _ tolerance: Double = 2e-5, precision: Precision = .float32,
        _ body: (any Backend) throws -> [TensorValue]
    ) throws {
        let (expected, actual) = (try body(ReferenceBackend()), try body(OneDNNBackend(precision: precision)))
        #expect(expected.count == actual.count)
        for (index, (a, b)) in zip(actual, expected).enumerated() {
            expectClose(a, b, relativeTolerance: tolerance, "result \(index)")
        }
    }

    @Test(arguments: [(16, 1), (16, 16), (20, 1), (20, 20), (6, 2), (48, 3)], [false, true])
    @Compute func normalizationIsPartOfTheKernel(shape: (channels: Int, groups: Int), bias: Bool) throws {
        let network = try Network(channels: shape.channels, groups: shape.groups, bias: bias)
        let plan = try OneDNNBackend().plan(
            BoundGraph(outputs: [network.output], mode: .inference, batch: 2))
        let later = plan.calls[plan.lastingCallCount...]
        #expect(plan.lastingCallCount > 0)
        #expect(
            later.allSatisfy { $0.request is ConvolutionRequest || $0.request is ReorderRequest }, "\(plan)")
        for precision in Precision.allCases {
            try compare(precision == .mixedBFloat16 ? 5e-2 : 2e-5, precision: precision) { backend in
                let network = try Network(channels: shape.channels, groups: shape.groups, bias: bias)
                let executable = try network.inference(on: backend)
                return try executable.run(images(2, seed: 1)) + executable.run(images(2, seed: 2))
            }
        }
    }

    @Test(arguments: Precision.allCases) @Compute func changesAreSeen(precision: Precision) throws {
        let tolerance = precision == .mixedBFloat16 ? 5e-2 : 2e-5
        var results: [TensorValue] = []
        try compare(tolerance, precision: precision) { backend in
            let network = try Network()
            let executable = try network.inference(on: backend)
            results = try executable.run(images(2, seed: 1))
            for variable in [network.scales[0], network.means[1], network.kernels[1], network.variances[0]] {
                let value = ResidentVariableTests.value(variable.shape, seed: 77)
                try variable.assign(try TensorValue(shape: value.shape, value.floats.map { abs($0) + 0.3 }))
                results += try executable.run(images(2, seed: 1)) + executable.run(images(2, seed: 3))
            }
            return results
        }
        // Every change shows, or the comparison proves nothing.
        for index in stride(from: 0, to: results.count - 1, by: 2) {
            #expect(results[index] != results[min(index + 1, results.count - 1)])
        }
    }

    /// Batch sizes in turn in one workspace, and training between.
    @Test(arguments: [false, true]) @Compute func othersUseTheWorkspaceAndTheVariables(isFrozen: Bool) throws
    {
        try compare(1e-4) { backend in
            let network = try Network(isFrozen: isFrozen)
            let workspace = backend.makeWorkspace()
            @Compute func compiled(_ batch: Int, training: Bool = false) throws -> any Executable {
                let graph = try BoundGraph(
                    outputs: [network.output], updates: training ? network.trained : [], mode: .inference,
                    batch: batch)
                return try backend.compile(graph, in: workspace)
            }
            let executables = try [compiled(2), compiled(5), compiled(3, training: true), compiled(1)]
            var results: [TensorValue] = []
            for step in 0..<3 as Range<UInt64> {
                for (executable, batch) in zip(executables, [2, 5, 3, 1]) {
                    results += try executable.run(images(batch, seed: step), step: step)
                    results += try executable.run(images(batch, seed: step + 9), step: step)
                }
            }
            return try results + (network.kernels + network.scales).map { try $0.value() }
        }
    }

    /// What a step changes is not folded into anything that lasts.
    @Test @Compute func onlyWhatStaysLasts() throws {
        let frozen = try Network(isFrozen: true)
        let learning = try Network(isFrozen: false)
        func plan(_ network: Network) throws -> Plan {
            try OneDNNBackend().plan(
                BoundGraph(
                    outputs: [network.output], updates: network.trained, mode: .inference, batch: 2))
        }
        let variables = try plan(frozen).variablesOfLastingCalls
        #expect(variables.isSuperset(of: [frozen.kernels[0], frozen.scales[0], frozen.means[0]]))
        #expect(!variables.contains(frozen.kernels[1]))
        let others = try plan(learning).variablesOfLastingCalls
        #expect(others.isDisjoint(with: learning.kernels + learning.scales))
    }

    /// A convolution that is read elsewhere, or scaled by what depends on the images, stays as it is.
    @Test @Compute func othersAreNotScaled() throws {
        try compare { backend in
            let network = try Network()
            let x = Tensor.input("images", [9, 7, 3])
            let y = try x.convolved(with: Tensor(network.kernels[0]))
            let scaled = try y * Tensor(network.scales[0])
            let byImages = try y * y.mean(axes: [1, 2], keepDims: true)
            let inverse = try 1 / x.convolved(with: Tensor(network.kernels[0]))
            let negated = try Tensor(network.means[0]) - x.convolved(with: Tensor(network.kernels[0]))
            let perPlace = try y * .filled(0.5, [7, 5, 16])
            let outputs = [
                scaled, byImages, inverse, try negated * 2 / Tensor(network.variances[0]), perPlace,
            ]
            return try outputs.flatMap { output in
                try backend.compile(outputs: [output], mode: .inference, batch: 2).run(images(2, seed: 1))
            } + backend.compile(outputs: outputs, mode: .inference, batch: 2).run(images(2, seed: 1))
        }
    }
}
