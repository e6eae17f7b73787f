import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// Borders of zeros become the padding of what reads them, in both directions of training, with equal results.
@Suite struct BorderTests {
    /// Names of the operations after the pass; values before and after are compared.
    @Compute
    private func operations(
        sourceLocation: SourceLocation = #_sourceLocation, _ build: (inout PlannedGraph) throws -> [Tensor]
    ) throws -> Set<String> {
        var graph = PlannedGraph()
        graph.outputs = try build(&graph)
        let before = try graph.bound(mode: .training).simplified()
        let after = try before.withBordersAsPadding()
        let results = try [before, after].map { bound in
            let executable = try ReferenceBackend().compile(bound)
            return try executable.run(
                graph.values.filter { executable.inputs[$0.key] != nil }, step: 1, seed: 3)
        }
        for (index, (actual, expected)) in zip(results[1], results[0]).enumerated() {
            expectClose(
                actual, expected, relativeTolerance: 1e-6, "output \(index)", sourceLocation: sourceLocation)
        }
        return Set(topologicalOrder(of: after.outputs).map(\.operation.rule.name))
    }

    private func weightedSum(_ y: Tensor) throws -> Tensor {
        let weights = (0..<y.shape.elementCount).map { Float($0 % 7) - 2.5 }
        return try (y * .constant(TensorValue(shape: y.shape, weights))).sum()
    }

    @Test(arguments: [(1, 1), (2, 1), (1, 2)], [Size2D(1, 2), Size2D(2, 1), Size2D(3, 3)])
    @Compute func convolutions(strideAndDilation: (Int, Int), low: Size2D) throws {
        let (stride, dilation) = strideAndDilation
        let names = try operations { graph in
            let x = graph.input([2, 7, 6, 3])
            let kernel = graph.input([4, 3, 3, 5])
            let bordered = try x.padded(low: [0, low.height, low.width, 0], high: [0, 1, 0, 0])
            let y = try bordered.convolved(
                with: kernel,
                Convolution(
                    strides: Size2D(stride, stride), dilations: Size2D(dilation, dilation),
                    padding: Padding2D(bottom: 1)))
            return try [y] + gradient(of: weightedSum(y), withRespectTo: [x, kernel])
        }
        let folds = low.width < 2 * dilation + 1
        #expect(names.contains("pad") == !folds && names.contains("slice") == !folds)
    }

    @Test(arguments: [1, 2], [Padding2D(top: 1, left: 1), Padding2D(top: 1, bottom: 1, left: 1, right: 1)])
    @Compute func poolingOfRectified(stride: Int, border: Padding2D) throws {
        let names = try operations { graph in
            let x = graph.input([2, 7, 5, 3])
            let bordered = try x.relu().padded(
                low: [0, border.top, border.left, 0], high: [0, border.bottom, border.right, 0])
            let y = try bordered.maxPooled(SlidingWindow(3, strides: Size2D(stride, stride)))
            return try [y] + gradient(of: weightedSum(y), withRespectTo: [x])
        }
        #expect(!names.contains("pad") && !names.contains("slice"))
    }

    /// Where zeros could win, or the border is of something else, it stays.
    @Test @Compute func otherBordersStay() throws {
        let names = try operations { graph in
            let x = graph.input([2, 7, 5, 3])
            let window = SlidingWindow(3, strides: 2)
            let zeros = try x.padded(low: [0, 1, 1, 0], high: [0, 1, 1, 0])
            let ones = try x.padded(low: [0, 1, 1, 0], high: [0, 0, 0, 0], value: 1)
            let channels = try x.padded(low: [0, 0, 0, 1], high: [0, 0, 0, 0])
            return [
                try zeros.maxPooled(window), try ones.convolved(with: graph.input([2, 2, 3, 4])),
                try channels.convolved(with: graph.input([2, 2, 4, 4])),
                try zeros.convolved(with: graph.input([1, 1, 3, 2])),
            ]
        }
        #expect(names.contains("pad"))
    }
}
