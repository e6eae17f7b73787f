import FoveaGraph
import FoveaOneDNN
import FoveaPlanner
import FoveaRuntime
import TestSupport
import Testing

/// Kernels that are packed once and used in many runs, until they change.
@Suite(.serialized) struct KeptWeightsTests {
    /// Two convolutions by the same kernel, which the tile kernels or else Winograd's algorithm compute where the CPU has them.
    private struct Network {
        let kernel: Variable
        let output: Tensor
        let updates: [Update]

        init() throws {
            let kernel = Variable(
                name: "kernel", initial: ResidentVariableTests.value([3, 3, 16, 16], seed: 3))
            let images = Tensor.input("images", [12, 14, 16])
            let output = try images.convolved(with: Tensor(kernel)).convolved(with: Tensor(kernel)) * 0.1
            let gradient = try gradient(of: output.mean(), withRespectTo: [Tensor(kernel)])
            updates = [try Update(kernel, to: Tensor(kernel) - gradient[0] * 20)]
            (self.kernel, self.output) = (kernel, output)
        }
    }

    /// Predictions between changes from outside and training steps, and repeated ones.
    @Compute private func story(on backend: any Backend) throws -> [TensorValue] {
        let network = try Network()
        let predict = try backend.compile(outputs: [network.output], mode: .inference, batch: 2)
        let train = try backend.compile(
            outputs: [network.output], updates: network.updates, mode: .training, batch: 2)
        let inputs = { (seed: UInt64) in ["images": ResidentVariableTests.value([2, 12, 14, 16], seed: seed)]
        }
        var results = try predict.run(inputs(1)) + predict.run(inputs(2))
        try network.kernel.assign(ResidentVariableTests.value([3, 3, 16, 16], seed: 4))
        results += try predict.run(inputs(2))
        for step in 0..<3 {
            results += try train.run(inputs(UInt64(step)), step: UInt64(step)) + predict.run(inputs(5))
        }
        let other = try backend.compile(outputs: [network.output], mode: .inference, batch: 2)
        return try results + other.run(inputs(5)) + [network.kernel.value()]
    }

    @Test(arguments: Precision.allCases) @Compute func changesAreSeen(precision: Precision) throws {
        let expected = try story(on: ReferenceBackend())
        let actual = try story(on: OneDNNBackend(precision: precision))
        let tolerance = precision == .mixedBFloat16 ? 8e-2 : 2e-4
        for (index, (a, b)) in zip(actual, expected).enumerated() {
            expectClose(a, b, relativeTolerance: tolerance, "result \(index)")
        }
        // Every change shows, or the comparison proves nothing.
        for (before, after) in [(1, 2), (4, 6), (6, 8)] {
            let difference =
                zip(expected[before].doubles, expected[after].doubles).map { abs($0 - $1) }.max() ?? 0
            let largest = expected[after].doubles.map { abs($0) }.max() ?? 0
            #expect(difference > 0.15 * largest, "\(before) and \(after)")
        }
    }

    /// A plan keeps packed weights apart from all else, unless a call of its own writes them.
    @Test @Compute func onlyPlansThatDoNotWriteKeep() throws {
        guard OneDNNBackend.bfloat16Unit == "amx" else { return }
        let network = try Network()
        let backend = OneDNNBackend()
        let inference = try backend.plan(
            BoundGraph(outputs: [network.output], updates: [], mode: .inference, batch: 2))
        let training = try backend.plan(
            BoundGraph(outputs: [network.output], updates: network.updates, mode: .training, batch: 2))
        let kernel = Plan.KeptWeights.variable(network.kernel)
        #expect(inference.calls.compactMap(inference.keptWeights) == [kernel, kernel])
        #expect(training.calls.compactMap(training.keptWeights).isEmpty)
    }
}
