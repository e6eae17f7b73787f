import FoveaGraph
import FoveaOneDNN
import FoveaPlanner
import FoveaRuntime
import TestSupport
import Testing

/// Kinds of convolutions between others: what computes them, and that blocked images go through without layout changes.
@Suite struct ConvolutionLayoutTests {
    private static func parameter(_ shape: Shape, _ seed: UInt64) -> Variable {
        Variable(name: "v\(seed)", initial: ResidentVariableTests.value(shape, seed: seed))
    }

    /// A training step of a network that takes images of 9 × 8 pixels.
    @Compute
    private func trainingPlan(
        batch: Int, _ kernels: [Variable], _ output: (_ images: Tensor) throws -> Tensor
    ) throws -> Plan {
        let loss = try output(.input("images", [9, 8, 3])).tanh().mean()
        let gradients = try gradient(of: loss, withRespectTo: kernels.map { Tensor($0) })
        let updates = try zip(kernels, gradients).map { try Update($0, to: Tensor($0) - $1) }
        let graph = try BoundGraph(outputs: [loss], updates: updates, mode: .training, batch: batch)
        return try OneDNNBackend().plan(graph)
    }

    /// Expects kernels made for the CPU, and no images in two layouts but those that are given.
    private func expectBlocks(_ plan: Plan, batch: Int) {
        for call in plan.calls where call.note.hasPrefix("ref") || call.note.contains("gemm") {
            Issue.record("\(call.request.name): \(call.note)")
        }
        let given = Set(plan.inputs.map(\.value))
        for call in plan.calls {
            guard call.request is ReorderRequest, let source = call.reads.first else { continue }
            // The library's kernels for fewer than 16 lanes have blocks of 8 channels, ours of 16.
            if OneDNNBackend.vectorKind != "avx512", call.note.contains("8d"), call.note.contains("16d") {
                continue
            }
            let value = plan.values[source]
            #expect(value.type.shape[0] != batch || given.contains(source), "\(value.name): \(call.note)")
        }
    }

    @Test(arguments: [1, 2], [2, 16]) @Compute func depthwise(stride: Int, batch: Int) throws {
        let kernels = [
            Self.parameter([3, 3, 3, 32], 1), Self.parameter([3, 3, 1, 32], 2),
            Self.parameter([1, 1, 32, 64], 3),
        ]
        let rule = Convolution(
            strides: Size2D(stride, stride), padding: Padding2D(top: 1, bottom: 1, left: 1, right: 1),
            groups: 32)
        let plan = try trainingPlan(batch: batch, kernels) { images in
            try images.convolved(with: Tensor(kernels[0])).relu()
                .convolved(with: Tensor(kernels[1]), rule).relu().convolved(with: Tensor(kernels[2]))
        }
        expectBlocks(plan, batch: batch)
    }

    /// Forward it is an input gradient, and its gradients are a convolution and a kernel gradient.
    @Test(arguments: [1, 2], [2, 16]) @Compute func transposed(stride: Int, batch: Int) throws {
        let kernels = [
            Self.parameter([3, 3, 3, 32], 1), Self.parameter([3, 3, 48, 32], 2),
            Self.parameter([1, 1, 48, 16], 3),
        ]
        let size = Size2D(7 * stride, 6 * stride)
        let before = stride == 1 ? 1 : 0
        let rule = Convolution(
            strides: Size2D(stride, stride),
            padding: Padding2D(top: before, bottom: 1, left: before, right: 1))
        let plan = try trainingPlan(batch: batch, kernels) { images in
            let x = try images.convolved(with: Tensor(kernels[0])).relu()
            let y = try Tensor(
                .convolutionInputGradient(.init(convolution: rule, inputSize: size)), [Tensor(kernels[1]), x])
            return try y.relu().convolved(with: Tensor(kernels[2]))
        }
        expectBlocks(plan, batch: batch)
    }

    /// Where the CPU has matrix tiles, they do strided convolutions of batches that fill them, in all directions.
    @Test(arguments: [1, 3]) @Compute func stridesOnTiles(window: Int) throws {
        guard OneDNNBackend.bfloat16Unit == "amx" else { return }
        let kernels = [
            Self.parameter([3, 3, 3, 32], 1), Self.parameter([window, window, 32, 48], 2),
            Self.parameter([3, 3, 48, 16], 3),
        ]
        let rule = Convolution(
            strides: 2, padding: Padding2D(bottom: window / 2, right: window / 2))
        let plan = try trainingPlan(batch: 16, kernels) { images in
            try images.convolved(with: Tensor(kernels[0])).relu()
                .convolved(with: Tensor(kernels[1]), rule).relu().convolved(with: Tensor(kernels[2]))
        }
        expectBlocks(plan, batch: 16)
        let strided = plan.calls.filter {
            ($0.request as? ConvolutionRequest)?.convolution.strides == 2
        }
        #expect(Set(strided.map(\.request.name)).count == 3)
        for call in strided { #expect(call.kernel.implementation.hasPrefix("bfloat16"), "\(call.request)") }
    }
}
