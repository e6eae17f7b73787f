import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// Batch normalisation, written in operations: few passes over memory, and none to change layouts.
@Suite struct NormalizationPlanTests {
    private func normalized(_ x: Tensor, _ graph: inout PlannedGraph) throws -> Tensor {
        let channels = x.shape.channels
        let (mean, variance) = try x.moments(axes: [0, 1, 2])
        let scale = try graph.variable([channels]) * (variance + 1e-3).unary(.rsqrt)
        return try (x - mean) * scale + graph.variable([channels])
    }

    /// The calls that handle tensors of as many elements, by their names.
    private func passes(_ plan: Plan, over count: Int) -> [String] {
        plan.calls.filter { call in
            if let request = call.request as? ElementwiseRequest {
                request.extents.reduce(1, *) >= count
            } else {
                false
            }
        }.map(\.request.name)
    }

    /// Two passes for the moments and one for all else; backward one for the sums and one for the gradient.
    @Test(arguments: [16, 48, 20, 3]) @Compute func passesOfANormalization(channels: Int) throws {
        var count = 0
        let plan = try checkedPlan { graph in
            let (k1, k2) = (graph.variable([3, 3, 3, channels]), graph.variable([1, 1, channels, channels]))
            let x = try graph.input([2, 9, 8, 3]).convolved(with: k1)
            count = x.shape.elementCount
            let y = try (normalized(x, &graph) + graph.input(x.shape)).relu()
            let z = try y.convolved(with: k2)
            let loss = try (z * z * graph.input(z.shape)).sum()
            graph.outputs =
                [loss] + (try gradient(of: loss, withRespectTo: graph.variables.map { Tensor($0) }))
        }
        let (forward, backward) = (["sums", "sums", "elementwise"], ["elementwise + sums", "elementwise"])
        let loss = ["elementwise + sums"]
        #expect(passes(plan, over: count) == forward + loss + backward)
    }

    /// One call forward, whose moments are also asked for, and one backward; ReLU is part of both.
    @Test(arguments: [16, 48], [false, true]) @Compute func kernelsNormalize(channels: Int, isRectified: Bool)
        throws
    {
        let plan = try checkedPlan { graph in
            let kernel = graph.variable([3, 3, 3, channels])
            let x = try graph.input([2, 9, 8, 3]).convolved(with: kernel)
            let (scale, offset) = (graph.variable([channels]), graph.variable([channels]))
            let result = try x.batchNormalized(scale: scale, offset: offset, epsilon: 0.01)
            let y = try isRectified ? result.normalized.relu() : result.normalized
            let loss = try (y * y * graph.input(y.shape)).sum()
            graph.outputs =
                [loss, result.mean, result.variance]
                + (try gradient(of: loss, withRespectTo: [kernel, scale, offset]))
        }
        let kernels = plan.names.filter { $0.hasPrefix("batch normalisation") }
        #expect(kernels == ["batch normalisation", "batch normalisation gradient"])
        // What remains is the loss and what it sends back.
        #expect(passes(plan, over: 2 * 7 * 6 * channels).count <= 2)
    }

    /// Only what alone reads the result is joined with it.
    @Test @Compute func otherReadersSeeWhatIsNotRectified() throws {
        let plan = try checkedPlan { graph in
            let x = graph.input([6, 5, 4, 16])
            let (scale, offset) = (graph.variable([16]), graph.variable([16]))
            let y = try x.batchNormalized(scale: scale, offset: offset, epsilon: 0.01).normalized
            let loss = try (y.relu() * graph.input(y.shape) + y * graph.input(y.shape)).sum()
            graph.outputs = [loss] + (try gradient(of: loss, withRespectTo: [x, scale, offset]))
        }
        for call in plan.calls {
            if let request = call.request as? NormalizationRequest { #expect(!request.isRectified) }
        }
        #expect(plan.count("batch normalisation") == 1)
    }

    /// Without scale and offset to learn, without images to send a gradient to, and for the gradient alone.
    @Test @Compute func partsOfNormalization() throws {
        try checkedPlan { graph in
            let (x, g) = (graph.input([7, 32]), graph.input([7, 32]))
            let plain = try x.batchNormalized(
                scale: .filled(1, [32]), offset: .filled(0, [32]), epsilon: 0.01)
            graph.outputs = try gradient(of: (plain.normalized * g).sum(), withRespectTo: [x])
            let scale = graph.variable([32])
            let learned = try g.batchNormalized(scale: scale, offset: scale, epsilon: 0.5)
            graph.outputs += try gradient(of: (learned.normalized.relu() * x).sum(), withRespectTo: [scale])
            graph.outputs.append(try x.batchNormalized(scale: scale, offset: scale, epsilon: 0.1).variance)
        }
    }

    // MARK: - Merging

    /// Sums, products and maxima of images in one layout are calls; all else is a pass.
    @Test @Compute func mergesAreCalls() throws {
        var catalog = FakeCatalog()
        catalog.leastMerged = 0
        let plan = try checkedPlan(catalog) { graph in
            let images = graph.input([2, 5, 4, 3])
            let x = try (0..<4).map { _ in try images.convolved(with: graph.variable([1, 1, 3, 20])) }
            graph.outputs = [
                try (x[0] + x[1]).relu(), try x[0] * x[2], try .maximum(x[1], x[3]), try x[2] - x[3],
                try x[0] + x[0], try x[0] + graph.variable([20]),
            ]
        }
        #expect(plan.count("merge") == 3)
    }

    /// Images whose channels fill blocks are concatenated, and cut again for the gradient, in these blocks.
    @Test @Compute func partsKeepTheirBlocks() throws {
        let plan = try checkedPlan { graph in
            let images = graph.input([2, 5, 4, 3])
            let kernels = [32, 16, 64].map { graph.variable([1, 1, 3, $0]) }
            let parts = try kernels.map { try images.convolved(with: $0).relu() }
            let joined = try Tensor.concatenate(parts, axis: 3)
            let y = try joined.convolved(with: graph.variable([1, 1, 112, 16]))
            let loss = try (y * y).sum()
            graph.outputs = [loss, joined] + (try gradient(of: loss, withRespectTo: kernels))
        }
        #expect(plan.count("copy") == 3)
        #expect(
            !plan.calls.contains { call in
                if let request = call.request as? ReorderRequest {
                    !request.isPart && plan.values[call.reads[0]].type.shape.rank == 4
                        && plan.values[call.reads[0]].type.shape[1] == 5
                } else {
                    false
                }
            })
    }

    /// Channels that fill no blocks, and other axes, are concatenated in row-major order.
    @Test @Compute func otherPartsAreRowMajor() throws {
        try checkedPlan { graph in
            let images = graph.input([2, 5, 4, 3])
            let x = try [20, 16].map { try images.convolved(with: graph.variable([1, 1, 3, $0])) }
            graph.outputs = [
                try .concatenate(x, axis: 3), try .concatenate([x[0], x[0]], axis: 0),
                try .concatenate(
                    [x[1], images.sliced(starts: [0, 0, 0, 0], extents: [2, 5, 4, 2])], axis: 3),
                try .concatenate([x[1], x[1].tanh()], axis: 1), try .concatenate([images, x[1]], axis: 3),
            ]
        }
    }

    // MARK: - Networks

    /// A network with projections, strides and pooling, forward, backward and updates, on channel counts whose blocks are
    /// full, partly full and smaller than one, computes what it should.
    @Test(arguments: [
        ([16, 32], Shape([7, 9, 3]), 2, false), ([20, 33], Shape([8, 5, 3]), 1, false),
        ([5, 17], Shape([6, 9, 2]), 2, true), ([3, 3], Shape([5, 7, 3]), 1, false),
        ([16, 20], Shape([12, 9, 1]), 2, true),
    ])
    @Compute func residualNetworks(channels: [Int], image: Shape, batch: Int, poolsStem: Bool) throws {
        func run(_ compile: (BoundGraph) throws -> any Executable) throws -> [TensorValue] {
            let network = try ResidualNetwork(image: image, channels: channels, poolsStem: poolsStem)
            let executable = try compile(
                BoundGraph(outputs: [network.loss], updates: network.updates, mode: .training, batch: batch))
            let values = ResidualNetwork.values(image: image, batch: batch)
            var results: [TensorValue] = []
            for step in 0..<2 as Range<UInt64> { results += try executable.run(values, step: step) }
            return try results + network.updates.map { try $0.variable.value() }
        }
        let expected = try run { try ReferenceBackend().compile($0) }
        let actual = try run { try PlanInterpreter($0, catalog: FakeCatalog()) }
        for (place, (actual, expected)) in zip(actual, expected).enumerated() {
            expectClose(actual, expected, relativeTolerance: 1e-4, "result \(place)")
        }
    }

    /// From the first convolution to the global pooling and back no images change their layout.
    @Test(arguments: [[16, 32, 64], [64, 128, 256, 512], [20, 40]], [false, true])
    @Compute func imagesKeepTheirLayout(channels: [Int], poolsStem: Bool) throws {
        let network = try ResidualNetwork(image: [32, 32, 3], channels: channels, poolsStem: poolsStem)
        let graph = try BoundGraph(
            outputs: [network.loss], updates: network.updates, mode: .training, batch: 8)
        let plan = try Plan(graph, catalog: FakeCatalog())
        #expect(network.changedImages(in: plan, batch: 8).isEmpty)
    }

    /// Images in padded blocks are averaged as they are, and the average's gradient is written in blocks.
    @Test(arguments: [20, 32]) @Compute func globalAverages(channels: Int) throws {
        let plan = try checkedPlan { graph in
            let x = try graph.input([40, 4, 5, 3]).convolved(with: graph.variable([1, 1, 3, channels]))
            let pooled = try x.relu().mean(axes: [1, 2])
            let loss = try (pooled * pooled * graph.input(pooled.shape)).sum()
            let maximum = try x.max(axes: [1, 2], keepDims: true)
            graph.outputs =
                [loss, pooled, maximum]
                + (try gradient(of: loss, withRespectTo: [Tensor(graph.variables[0])]))
        }
        #expect(
            !plan.calls.contains { call in
                if call.request is ReorderRequest {
                    plan.values[call.reads[0]].type.shape.elementCount > 40 * channels
                } else {
                    false
                }
            })
    }

    // MARK: - Sums of passes

    /// What is only added up is not stored.
    @Test @Compute func sumsNeedNoMemory() throws {
        let plan = try checkedPlan { graph in
            let (x, y) = (graph.input([6, 5, 4, 24]), graph.input([6, 5, 4, 24]))
            let product = try x.tanh() * y
            graph.outputs = [
                try product.sum(axes: [0, 1, 2]), try product.mean(), try (x * x).sum(axes: [0, 1, 2]),
            ]
        }
        #expect(plan.names == ["sums"])
    }

    /// Sums over what lies in memory share a pass that reads it.
    @Test @Compute func sumsJoinReaders() throws {
        let plan = try checkedPlan { graph in
            let (x, y) = (graph.input([6, 50]), graph.input([6, 50]))
            graph.outputs = [try x.sum(axes: [0]), try x.exp() * y, try y.mean(axes: [0])]
        }
        #expect(plan.names == ["elementwise + sums"])
    }

    /// A sum that its own pass would need is taken before.
    @Test @Compute func sumsThatAPassNeeds() throws {
        let plan = try checkedPlan { graph in
            let e = try graph.input([6, 50]).exp()
            graph.outputs = [try e / e.sum(axes: [0]), try (e - e.mean()).sum(axes: [1])]
        }
        #expect(plan.sumCount == 3)
    }

    /// Sums along the last axes, of transposed memory, and of as many results as elements.
    @Test @Compute func sumsAlongAnyAxes() throws {
        try checkedPlan { graph in
            let x = try graph.input([4, 50, 3]).tanh()
            let transposed = try x.transposed([2, 0, 1])
            graph.outputs = [
                try x.sum(axes: [1, 2]), try x.mean(axes: [0, 2], keepDims: true),
                try transposed.sum(axes: [1]),
                try transposed.reshaped(to: [12, 50]).sum(axes: [1]),
                try x.reshaped(to: [5, 120]).sum(axes: [0]),
                try x.broadcast(to: [2, 4, 50, 3]).sum(axes: [0]), try x.max(axes: [1]),
                try Tensor.filled(2, [30, 5]).sum(axes: [0]), try x.sum(axes: [1]).relu() + x.sum(axes: [1]),
            ]
        }
    }

    // MARK: - Computing again

    /// `x - mean` is computed where it is read; what takes longer is stored.
    @Test @Compute func cheapResultsAreNotStored() throws {
        func stores(_ deviation: @Sendable (Tensor) throws -> Tensor) throws -> Int {
            let plan = try checkedPlan { graph in
                let x = graph.input([40, 8])
                let centered = try deviation(x - x.mean(axes: [0]))
                let total = try (centered * centered).sum(axes: [0])
                graph.outputs = [try centered * total, try centered.sum(axes: [1])]
            }
            return plan.calls.reduce(0) { count, call in
                guard let request = call.request as? ElementwiseRequest else { return count }
                return count
                    + request.program.instructions.count { if case .store = $0 { true } else { false } }
            }
        }
        #expect(try stores { $0 } == 1)
        #expect(try stores { try $0.tanh() } == 2)
    }
}
