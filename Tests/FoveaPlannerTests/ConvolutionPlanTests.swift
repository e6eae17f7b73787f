import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// What is fused into convolutions and products, and where layouts change. Every plan is also run.
@Suite struct ConvolutionPlanTests {
    static let pool = SlidingWindow(2, strides: 2)

    private func notes(_ plan: Plan, _ name: String) -> [String] {
        plan.calls.filter { $0.request.name == name }.map(\.note)
    }

    // MARK: - Bias and ReLU

    @Test(arguments: [3, 16, 20]) @Compute func biasAndReLUAreFused(filters: Int) throws {
        let plan = try checkedPlan { graph in
            let y = try graph.input([2, 5, 6, 3]).convolved(with: graph.variable([3, 2, 3, filters]))
            graph.outputs = [try (y + graph.variable([filters])).relu()]
        }
        #expect(notes(plan, "convolution") == ["fake + bias + relu"])
        #expect(plan.count("elementwise") == 0)
        let dense = try checkedPlan { graph in
            let y = try Tensor.matmul(graph.input([3, 7]), graph.variable([7, filters]))
            graph.outputs = [try (graph.variable([filters]) + y).relu()]
        }
        #expect(dense.names == ["matmul"])
        #expect(notes(dense, "matmul") == ["fake + bias + relu"])
    }

    @Test @Compute func ceilingsOfReLUsAreFused() throws {
        func plan(_ limit: Float, _ outputs: (Tensor, Tensor) -> [Tensor]) throws -> Plan {
            try checkedPlan { graph in
                let y = try graph.input([2, 5, 6, 3]).convolved(with: graph.variable([3, 2, 3, 16]))
                let relu = try (y + graph.variable([16])).relu()
                graph.outputs = outputs(relu, try .minimum(relu, .filled(limit, relu.shape)))
            }
        }
        let fused = try plan(0.3) { _, limited in [limited] }
        #expect(notes(fused, "convolution") == ["fake + bias + relu to 0.3"])
        #expect(fused.count("elementwise") == 0)
        let shared = try plan(0.3) { relu, limited in [relu, limited] }
        #expect(notes(shared, "convolution") == ["fake + bias + relu"])
        let negative = try plan(-0.3) { _, limited in [limited] }
        #expect(notes(negative, "convolution") == ["fake + bias + relu"])
    }

    @Test @Compute func whatOthersReadIsNotFused() throws {
        func plan(_ outputs: (_ y: Tensor, _ sum: Tensor, _ relu: Tensor) throws -> [Tensor]) throws -> Plan {
            try checkedPlan { graph in
                let y = try graph.input([2, 5, 6, 3]).convolved(with: graph.variable([3, 2, 3, 16]))
                let sum = try y + graph.variable([16])
                graph.outputs = try outputs(y, sum, sum.relu())
            }
        }
        #expect(notes(try plan { y, _, relu in [y, relu] }, "convolution") == ["fake"])
        #expect(notes(try plan { y, _, relu in [relu, try y.sum()] }, "convolution") == ["fake"])
        #expect(notes(try plan { _, sum, relu in [sum, relu] }, "convolution") == ["fake + bias"])
        #expect(notes(try plan { _, sum, relu in [relu, try sum.exp()] }, "convolution") == ["fake + bias"])
        #expect(
            notes(try plan { _, _, relu in [relu, try relu.exp()] }, "convolution") == ["fake + bias + relu"])
    }

    /// Only a vector from outside is at hand when the convolution runs.
    @Test @Compute func otherSumsAreNotBiases() throws {
        let plan = try checkedPlan { graph in
            let x = graph.input([2, 5, 6, 3])
            let y = try x.convolved(with: graph.variable([1, 1, 3, 16]))
            let computed = try x.sum() + graph.variable([16])
            let z = try x.convolved(with: graph.variable([1, 1, 3, 6]))
            graph.outputs = [
                try y + computed, try z + graph.variable([5, 1, 1]),
                try y.convolved(with: graph.variable([1, 1, 16, 1])) + graph.variable([1]),
            ]
        }
        #expect(notes(plan, "convolution").allSatisfy { $0 == "fake" })
    }

    // MARK: - Bias gradients

    /// The sum may come before or after the kernel gradient, and others may use it.
    @Test(arguments: [false, true], [false, true])
    @Compute func biasGradientsComeWithKernelGradients(sumComesFirst: Bool, isUsedElsewhere: Bool) throws {
        let plan = try checkedPlan { graph in
            let (x, g) = (graph.input([2, 5, 6, 3]), try graph.input([2, 4, 5, 20]).tanh())
            let rule = ConvolutionKernelGradient(convolution: Convolution(), kernelSize: 2)
            let kernel = try Tensor(.convolutionKernelGradient(rule), [x, g])
            let bias = try g.sum(axes: [0, 1, 2])
            graph.outputs = sumComesFirst ? [try bias * 2, kernel] : [kernel, try bias * 2]
            if isUsedElsewhere { graph.outputs.append(try (g - bias).sum(axes: [1, 2])) }
        }
        #expect(notes(plan, "convolution kernel gradient") == ["fake + bias gradient"])
        #expect(plan.sumCount == (isUsedElsewhere ? 1 : 0))
    }

    /// A kernel gradient that needs the sum cannot compute it.
    @Test @Compute func biasGradientThatTheKernelGradientNeeds() throws {
        let plan = try checkedPlan { graph in
            let (x, g) = (graph.input([2, 5, 6, 3]), try graph.input([2, 4, 5, 20]).tanh())
            let bias = try g.sum(axes: [0, 1, 2])
            let rule = ConvolutionKernelGradient(convolution: Convolution(), kernelSize: 2)
            graph.outputs = [try Tensor(.convolutionKernelGradient(rule), [x * bias.sum(), g])]
        }
        #expect(notes(plan, "convolution kernel gradient") == ["fake"])
        #expect(plan.sumCount == 2)
    }

    @Test @Compute func otherSumsStayWhereTheyAre() throws {
        let plan = try checkedPlan { graph in
            let (x, g) = (graph.input([2, 5, 6, 3]), try graph.input([2, 4, 5, 20]).tanh())
            let rule = ConvolutionKernelGradient(convolution: Convolution(), kernelSize: 2)
            graph.outputs = [
                try Tensor(.convolutionKernelGradient(rule), [x, g]), try g.sum(axes: [1, 2]),
                try g.mean(axes: [0, 1, 2]), try g.sum(axes: [0, 1, 2], keepDims: true),
            ]
        }
        #expect(notes(plan, "convolution kernel gradient") == ["fake"])
        #expect(plan.sumCount == 3)
    }

    // MARK: - Layouts

    /// From one convolution to the next there is no reason to change layouts, whether blocks are full or not.
    @Test(arguments: [16, 20, 48]) @Compute func blocksGoThroughPoolingAndElementwiseWork(channels: Int)
        throws
    {
        let plan = try checkedPlan { graph in
            var x = graph.input([2, 20, 19, 3])
            for inputs in [3, channels] {
                x =
                    try x.convolved(with: graph.variable([3, 3, inputs, channels]))
                    + graph.variable([channels])
                x = try (x.relu().maxPooled(Self.pool).relu() * 0.5).tanh()
            }
            graph.outputs = [try x.averagePooled(SlidingWindow([1, 1], strides: 1)).sum(axes: [1, 2])]
        }
        #expect(plan.count("layout change") == 0)
    }

    /// Depthwise and transposed convolutions read and write what their neighbours do, in training too.
    @Test(arguments: [1, 2]) @Compute func blocksGoThroughDepthwiseAndTransposedConvolutions(stride: Int)
        throws
    {
        let depthwise = Convolution(strides: Size2D(stride, stride), groups: 16)
        let transposed = ConvolutionInputGradient(
            convolution: Convolution(strides: Size2D(stride, stride)), inputSize: 7)
        let plan = try checkedPlan { graph in
            let kernels = [[3, 3, 3, 16], [3, 3, 1, 16], [3, 3, 16, 16], [1, 1, 16, 16]].map {
                graph.variable(Shape($0))
            }
            var x = try graph.input([2, 9, 9, 3]).convolved(with: kernels[0]).relu()
            x = try x.convolved(with: kernels[1], depthwise).relu()
            x = try Tensor(.convolutionInputGradient(transposed), [kernels[2], x]).relu()
            let loss = try (x.convolved(with: kernels[3]) * 0.1).tanh().mean()
            graph.outputs = [loss]
            for (kernel, gradient) in zip(kernels, try gradient(of: loss, withRespectTo: kernels)) {
                try graph.update(kernel, to: kernel - gradient)
            }
        }
        for call in plan.calls {
            guard call.request is ReorderRequest else { continue }
            // Kernels, of which forward and input gradients want different layouts.
            #expect(call.reads.allSatisfy { plan.values[$0].type.shape[0] != 2 }, "\(call.note)")
        }
    }

    /// Pixels are scaled straight into the layout that the convolution reads, seen as they are or transposed, unless that
    /// has padding.
    @Test(arguments: [3, 16, 32, 20], [false, true])
    @Compute func preparedImagesComeInTheLayoutOfTheConvolution(channels: Int, isChannelsFirst: Bool) throws {
        let plan = try checkedPlan { graph in
            let images =
                isChannelsFirst
                ? try graph.input([2, channels, 5, 7]).transposed([0, 2, 3, 1])
                : graph.input([2, 5, 7, channels])
            let scaled = try images / 255 - graph.variable([channels])
            graph.outputs = [
                try scaled.convolved(with: graph.variable([3, 3, channels, 16])), try scaled.sum(),
            ]
        }
        // The sum can walk blocks, but for padded ones.
        #expect(plan.count("layout change") == (channels == 20 ? 1 : 0))
        #expect(plan.count("elementwise + sums") == 1)
        #expect(plan.count("elementwise") == 0)
    }

    /// A dense layer behind flattened blocks: its rows take the order in which the features lie.
    @Test @Compute func flattenedBlocksPermuteTheWeights() throws {
        let plan = try checkedPlan { graph in
            let x = try graph.input([3, 6, 5, 3]).convolved(with: graph.variable([3, 3, 3, 32])).relu()
            let weights = graph.variable([4 * 3 * 32, 10])
            graph.outputs = [try .matmul(x.reshaped(to: [3, 4 * 3 * 32]), weights) + graph.variable([10])]
        }
        #expect(plan.names == ["convolution", "matmul"])
        let weights = try #require(plan.variables.first { $0.variable.shape == [384, 10] })
        #expect(!weights.layout.isRowMajor([384, 10]))
        let places = LayoutTests.places(weights.layout)
        #expect(places.sorted() == Array(0..<3840))
        // Row 1 is channel 1 of the first pixel, its neighbour in the block; row 32 the next pixel.
        #expect((places[0], places[10], places[320]) == (0, 10, 160))
    }

    /// Whole training: the kernel lives as the forward and kernel-gradient kernels want it, the input gradient reads a
    /// copy, and nothing else changes layout.
    @Test @Compute func trainingChangesFewLayouts() throws {
        let plan = try checkedPlan { graph in
            let (k1, k2) = (graph.variable([3, 3, 3, 16]), graph.variable([3, 3, 16, 32]))
            let (b1, b2) = (graph.variable([16]), graph.variable([32]))
            let w = graph.variable([2 * 2 * 32, 5])
            var x = try (graph.input([2, 14, 14, 3]).convolved(with: k1) + b1).relu().maxPooled(Self.pool)
            x = try (x.convolved(with: k2) + b2).relu().maxPooled(Self.pool)
            let logits = try Tensor.matmul(x.reshaped(to: [2, 128]), w)
            let loss = try (logits.logSoftmax() * graph.input([2, 5])).sum()
            graph.outputs = [loss]
            for (variable, gradient) in zip(
                [k1, k2, b1, b2, w], try gradient(of: loss, withRespectTo: [k1, k2, b1, b2, w]))
            {
                try graph.update(variable, to: variable - gradient * 0.01)
            }
        }
        #expect(plan.count("layout change") == 1)
        // The loss and the gradient of logSoftmax; those of the biases come with the kernel gradients.
        #expect(plan.sumCount == 2)
        #expect(plan.count("pooling") == 2 && plan.count("pooling gradient") == 2)
    }

    /// Whatever layouts the directions of a convolution prefer, results are right.
    @Test(arguments: [4, 6, 16], [5, 8]) @Compute func directionsThatDisagree(forward: Int, backward: Int)
        throws
    {
        let catalog = FakeCatalog(forward: forward, inputGradient: backward, kernelGradient: 3)
        try checkedPlan(catalog) { graph in
            let (k, k2) = (graph.variable([2, 2, 5, 12]), graph.variable([2, 2, 12, 7]))
            let images = graph.input([2, 6, 5, 5])
            let x = try images.convolved(with: k).relu().maxPooled(SlidingWindow(2, strides: 1)).convolved(
                with: k2)
            let loss = try (x.tanh() * graph.input(x.shape)).sum()
            let gradients = try gradient(of: loss, withRespectTo: [k, k2, images])
            graph.outputs = [loss, gradients[2]]
            let velocity = graph.variable(k.shape)
            try graph.update(velocity, to: velocity * 0.9 + gradients[0])
            try graph.update(k, to: k - velocity * 0.1 - gradients[0] * gradients[0])
            try graph.update(k2, to: k2 - gradients[1] / ((gradients[1] * gradients[1]).squareRoot() + 0.1))
        }
    }

    /// A second graph over variables whose layout is settled uses them as they are.
    @Test @Compute func residentLayoutsAreKept() throws {
        var graph = PlannedGraph()
        let kernel = graph.variable([3, 3, 16, 32])
        graph.outputs = [try graph.input([2, 6, 6, 16]).convolved(with: kernel)]
        let first = try Plan(graph.bound(), catalog: FakeCatalog(16))
        let settled = try #require(first.variables.first)
        #expect(!settled.layout.isRowMajor(kernel.shape))
        let second = try Plan(
            graph.bound(), catalog: FakeCatalog(8), residentLayouts: [settled.variable: settled.layout])
        #expect(second.variables.first?.layout == settled.layout)
        #expect(second.names.first == "layout change")
    }

    /// A copy in another layout is made anew once the variable has its new value.
    @Test @Compute func copiesOfOldValuesAreNotUsed() throws {
        let plan = try checkedPlan(FakeCatalog(forward: 4, inputGradient: 8, kernelGradient: 4)) { graph in
            let kernel = graph.variable([2, 2, 8, 8])
            let images = graph.input([1, 5, 5, 8])
            let rule = ConvolutionInputGradient(convolution: Convolution(), inputSize: 5)
            let upstream = try images.convolved(with: kernel)
            let before = try Tensor(.convolutionInputGradient(rule), [kernel, upstream])
            let next = try kernel - before.sum() * 0.001
            try graph.update(kernel, to: next)
            graph.outputs = [before, try Tensor(.convolutionInputGradient(rule), [next, upstream])]
        }
        // The images, the upstream gradient, and the kernel twice.
        #expect(plan.count("layout change") == 4)
    }

    /// What a product's operands look like in memory: blocked rows, blocked columns, a bias that needs plain columns.
    @Test @Compute func productsOfBlockedOperands() throws {
        try checkedPlan { graph in
            let x = try graph.input([2, 3, 4, 3]).convolved(with: graph.variable([1, 1, 3, 32]))
            let features = try x.reshaped(to: [2, 384])
            let pixels = try x.reshaped(to: [24, 32])
            let padded = try graph.input([2, 3, 4, 3]).convolved(with: graph.variable([1, 1, 3, 20]))
            graph.outputs = [
                try .matmul(graph.variable([5, 2]), features) + graph.variable([384]),
                try .matmul(features, features, transposeB: true),
                try .matmul(pixels, graph.variable([32, 6])) + graph.variable([6]),
                try .matmul(pixels, pixels, transposeA: true),
                try .matmul(padded.reshaped(to: [2, 240]), graph.variable([240, 3])),
                try .matmul(graph.variable([7, 32]), x.reshaped(to: [24, 32]), transposeB: true),
            ]
        }
    }

    /// Zeros that complete blocks survive elementwise work that keeps zero, and other work avoids them.
    @Test @Compute func paddingStaysZero() throws {
        let plan = try checkedPlan { graph in
            let x = try graph.input([1, 6, 5, 3]).convolved(with: graph.variable([2, 2, 3, 20]))
            let kernels = (0..<3).map { _ in graph.variable([1, 1, 20, 6]) }
            let positive = try x * x + 0.5
            graph.outputs = [
                try (x.tanh() * 2).convolved(with: kernels[0]),
                try (positive * positive.log()).convolved(with: kernels[1]),
                try (x * x.exp()).convolved(with: kernels[2]),
            ]
        }
        // Only `x² + 0.5` cannot work on the blocks as they are.
        #expect(plan.count("layout change") <= 3)
    }
}
