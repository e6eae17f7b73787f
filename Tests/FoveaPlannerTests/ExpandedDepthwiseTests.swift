import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// Which expansions become one call with the depthwise convolution behind them. Every plan is also run.
@Suite struct ExpandedDepthwiseTests {
    private func catalog(_ block: Int) -> FakeCatalog {
        var catalog = FakeCatalog(block)
        catalog.expands = true
        return catalog
    }

    private let name = "expanded depthwise convolution"

    /// An expansion to six times the channels, with bias and limited ReLU. Its kernel is scaled, as normalisation behind it does,
    /// which is done before all else.
    private func expanded(_ x: Tensor, _ graph: inout PlannedGraph) throws -> Tensor {
        let filters = 6 * x.shape.channels
        let kernel = try graph.variable([1, 1, x.shape.channels, filters]) * graph.variable([filters])
        let y = try x.convolved(with: kernel)
        let relu = try (y + graph.variable([filters])).relu()
        return try .minimum(relu, .filled(0.4, relu.shape))
    }

    private func depthwise(_ y: Tensor, _ graph: inout PlannedGraph, strides: Size2D = 1) throws -> Tensor {
        let rule = Convolution(
            strides: strides, padding: Padding2D(top: 1, bottom: 1, left: 1, right: 1),
            groups: y.shape.channels)
        let sum =
            try y.convolved(with: graph.variable([3, 3, 1, y.shape.channels]), rule)
            + graph.variable([y.shape.channels])
        return try sum.relu()
    }

    @Test(arguments: [4, 5, 16], [1, 2] as [Size2D]) @Compute func bothAreOneCall(
        block: Int, strides: Size2D
    ) throws {
        let plan = try checkedPlan(catalog(block)) { graph in
            let x = try graph.input([2, 6, 5, 3]).convolved(with: graph.variable([3, 3, 3, 8]))
            let y = try depthwise(expanded(x, &graph), &graph, strides: strides)
            graph.outputs = [
                try y.convolved(with: graph.variable([1, 1, 48, 8])).sum(), try expanded(x, &graph).sum(),
            ]
        }
        #expect(plan.count(name) == 1)
        // In front, behind, and the one that nothing depthwise reads.
        #expect(plan.count("convolution") == 3)
        let note = plan.calls.first { $0.request.name == name }?.note
        #expect(note == "fake + bias + relu to 0.4 + depthwise + bias + relu")
    }

    /// Blocks one behind another, of which each expansion's images come from an addition.
    @Test @Compute func blocksFollow() throws {
        let plan = try checkedPlan(catalog(16)) { graph in
            var x = graph.input([1, 5, 7, 4])
            for _ in 0..<3 {
                let y = try depthwise(expanded(x, &graph), &graph)
                x = try x + y.convolved(with: graph.variable([1, 1, 24, 4]))
            }
            graph.outputs = [x]
        }
        #expect(plan.count(name) == 3 && plan.count("convolution") == 3)
    }

    /// What is updated in place once the expansion has read it does not wait for the depthwise convolution.
    @Test @Compute func updatesDoNotOvertake() throws {
        for updatesBias in [false, true] {
            let plan = try checkedPlan(catalog(16)) { graph in
                let (kernel, bias) = (graph.variable([1, 1, 4, 24]), graph.variable([24]))
                let result = graph.variable([])
                let expanded = try (graph.input([2, 6, 5, 4]).convolved(with: kernel) + bias)
                    .relu()
                if updatesBias {
                    try graph.update(bias, to: bias * 0.5 + graph.input([24]))
                } else {
                    try graph.update(kernel, to: kernel * 0.5 + graph.input([1, 1, 4, 24]))
                }
                try graph.update(result, to: depthwise(expanded, &graph).sum())
            }
            #expect(plan.count(name) == 0)
        }
    }

    /// What others read is stored, as gradients do; so is what a wider window or a stride made, and what several filters read.
    @Test @Compute func othersStayApart() throws {
        func plan(_ build: (Tensor, inout PlannedGraph) throws -> [Tensor]) throws -> Plan {
            try checkedPlan(catalog(16)) { graph in
                let x = graph.input([2, 6, 5, 4])
                graph.outputs = try build(x, &graph)
            }
        }
        let read = try plan { x, graph in
            let y = try expanded(x, &graph)
            return [try depthwise(y, &graph), try y.sum()]
        }
        let root = try plan { x, graph in
            let y = try expanded(x, &graph)
            return [try depthwise(y, &graph), y]
        }
        let trained = try plan { x, graph in
            let loss = try depthwise(expanded(x, &graph), &graph).sum()
            return try gradient(of: loss, withRespectTo: graph.variables.map { Tensor($0) })
        }
        let wide = try plan { x, graph in
            [try depthwise(x.convolved(with: graph.variable([2, 1, 4, 8])), &graph)]
        }
        let strided = try plan { x, graph in
            let rule = Convolution(strides: 2)
            return [try depthwise(x.convolved(with: graph.variable([1, 1, 4, 8]), rule), &graph)]
        }
        let grouped = try plan { x, graph in
            let y = try expanded(x, &graph)
            return [try y.convolved(with: graph.variable([3, 3, 12, 8]), Convolution(groups: 2))]
        }
        for plan in [read, root, trained, wide, strided, grouped] { #expect(plan.count(name) == 0) }
    }
}
