import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaOneDNN
@testable import FoveaPlanner

/// The kernels that a plan carries.
@Suite(.serialized) struct PreparedKernelTests {
    /// A step with kernels of most families.
    private func graph(batch: Int = 2) throws -> BoundGraph {
        let kernel = Variable(
            name: "kernel", initial: ResidentVariableTests.value([3, 3, 16, 16], seed: 3))
        let weights = Variable(
            name: "weights", initial: ResidentVariableTests.value([2 * 2 * 16, 5], seed: 4))
        let bias = Variable(name: "bias", initial: ResidentVariableTests.value([16], seed: 5))
        let x = try Tensor.input("images", [10, 10, 16]).convolved(with: Tensor(kernel))
        let y = try (x + Tensor(bias)).relu().maxPooled(SlidingWindow(2, strides: 2))
            .convolved(
                with: Tensor(kernel), Convolution(padding: Padding2D(top: 1, bottom: 1, left: 1, right: 1))
            )
            .averagePooled(SlidingWindow(2, strides: 2))
        let logits = try Tensor.matmul(y.reshaped(to: [Shape.batch, 2 * 2 * 16]), Tensor(weights))
        let gradients = try gradient(
            of: logits.logSoftmax().mean(), withRespectTo: [kernel, weights, bias].map { Tensor($0) })
        return try BoundGraph(
            outputs: [logits.softmax(), logits.argMax(axis: 1)] + gradients, mode: .training, batch: batch)
    }

    /// Each executable gives the kernels operands of its own.
    @Test(arguments: Precision.allCases) @Compute func onePlanServesSeveralExecutables(precision: Precision)
        throws
    {
        let graph = try graph()
        let plan = try OneDNNBackend(precision: precision).plan(graph)
        let inputs = (1...2).map {
            ["images": ResidentVariableTests.value([2, 10, 10, 16], seed: UInt64($0))]
        }
        let alone = try inputs.map {
            try OneDNNExecutable(graph, plan: plan, arena: Arena()).run($0)
        }
        let first = try OneDNNExecutable(graph, plan: plan, arena: Arena())
        let second = try OneDNNExecutable(graph, plan: plan, arena: Arena())
        for _ in 0..<2 {
            #expect(try first.run(inputs[0]) == alone[0])
            #expect(try second.run(inputs[1]) == alone[1])
        }
        #expect(alone[0] != alone[1])
    }

    private struct ForeignKernel: PreparedKernel {
        let implementation = "kernel of nobody"
    }

    @Test @Compute func kernelsOfOtherBackendsAreRefused() throws {
        let graph = try graph()
        var plan = try OneDNNBackend().plan(graph)
        plan.calls[plan.calls.count / 2].kernel = ForeignKernel()
        let error = #expect(throws: RunError.self) {
            try OneDNNExecutable(graph, plan: plan, arena: Arena())
        }
        #expect(error?.description.contains("kernel of nobody is a kernel of another backend") == true)
    }

    /// What a plan reserves is what its kernels ask for.
    @Test(arguments: Precision.allCases) @Compute func scratchMemoryIsWhatKernelsAskFor(precision: Precision)
        throws
    {
        let plan = try OneDNNBackend(precision: precision).plan(graph())
        for call in plan.calls {
            let scratch = call.operands.filter { $0.role == .scratchpad }.map {
                plan.values[$0.value].byteCount
            }
            #expect(scratch.reduce(0, +) == call.kernel.scratchpadBytes, "\(call.kernel.implementation)")
            #expect(!call.kernel.implementation.isEmpty)
        }
        #expect(
            Set(plan.calls.map(\.request.name)).isSuperset(of: [
                "convolution", "convolution kernel gradient", "matmul", "pooling", "pooling gradient",
                "softmax",
            ]))
    }
}
