import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// How elementwise work is grouped. Every plan is also run.
@Suite struct FusionTests {
    @Test @Compute func aChainIsOneCall() throws {
        let plan = try checkedPlan { graph in
            let x = graph.input([3, 5])
            let y = try (x.exp() + graph.variable([5])).tanh() * x - graph.variable([3, 1])
            graph.outputs = [try y.relu(), try y + 1]
        }
        #expect(plan.names == ["elementwise"])
    }

    @Test @Compute func membersJoinThroughReshapes() throws {
        let plan = try checkedPlan { graph in
            let x = graph.input([4, 6])
            graph.outputs = [try (x.exp().reshaped(to: [2, 12]) * 2).reshaped(to: [24]).tanh()]
        }
        #expect(plan.names == ["elementwise"])
    }

    @Test @Compute func twoChainsMergeWhereTheyMeet() throws {
        let plan = try checkedPlan { graph in
            let (x, y) = (graph.input([7]), graph.input([7]))
            graph.outputs = [try (x.exp() * 2) * (y.tanh() + 1)]
        }
        #expect(plan.names == ["elementwise"])
    }

    // MARK: - Cycles

    /// `e` and `e - max e` cannot share a pass: the maximum stands between them.
    @Test @Compute func workAroundAReductionIsNotFused() throws {
        let plan = try checkedPlan { graph in
            let e = try graph.input([4, 5]).exp()
            graph.outputs = [try e - e.max(axes: [1], keepDims: true)]
        }
        #expect(plan.names == ["elementwise", "reduction", "elementwise"])
    }

    /// Two groups that could merge on their own, were one not to feed the other through a third.
    @Test @Compute func groupsThatFeedEachOtherDoNotMerge() throws {
        let plan = try checkedPlan { graph in
            let a = try graph.input([6]).exp()
            let b = try a.sum() + graph.input([6])
            let c = try b.sum(axes: [0], keepDims: true) + graph.input([6]).tanh()
            graph.outputs = [try a * b * c]
        }
        #expect(plan.sumCount == 2)
    }

    /// A group may not take in work that needs a result of what needs the group, over a longer way.
    @Test @Compute func longCyclesAreSeen() throws {
        try checkedPlan { graph in
            let x = graph.input([4, 4])
            let a = try x.exp()
            let product = try Tensor.matmul(a, graph.variable([4, 4]))
            let b = try product.tanh()
            let total = try b.sum(axes: [0])
            let c = try graph.input([4, 4]) * total
            graph.outputs = [try a + c, try b + a, try (a + c) * (b + a)]
        }
    }

    /// A member read through a view that moves its elements must lie in memory first.
    @Test @Compute func viewsOfMembersGoThroughMemory() throws {
        let plan = try checkedPlan { graph in
            let e = try graph.input([9, 9]).exp()
            graph.outputs = [
                try e + e.transposed([1, 0]), try e * e.sliced(starts: [4, 0], extents: [1, 9]),
                try e.reshaped(to: [81]) - e.transposed([1, 0]).reshaped(to: [81]),
            ]
        }
        #expect(plan.count("elementwise") >= 2)
    }

    // MARK: - Views

    /// One loop cannot walk both of these; one of them is computed first.
    @Test @Compute func walksWithoutCommonModes() throws {
        let plan = try checkedPlan { graph in
            let a = try graph.input([3, 5]).transposed([1, 0]).reshaped(to: [15])
            let b = try graph.input([5, 3]).transposed([1, 0]).reshaped(to: [15])
            graph.outputs = [try a + b, try .select(a.greater(0), b, a * b)]
        }
        #expect(plan.count("elementwise") <= 3)
    }

    /// A view of a view that strides cannot express, while another reader needs the inner one in memory as well.
    @Test @Compute func reshapedViewsAreComputedWithWhatTheyShow() throws {
        try checkedPlan { graph in
            let t = try graph.variable([3, 4]).transposed([1, 0])
            let slice = try t.reshaped(to: [6, 2]).sliced(starts: [1, 0], extents: [5, 2])
            graph.outputs = [try slice + 1, try .matmul(t, t, transposeB: true), try t.reshaped(to: [12])]
        }
    }

    @Test @Compute func viewsAloneAreResults() throws {
        try checkedPlan { graph in
            let x = graph.input([2, 3])
            let e = try x.exp()
            graph.outputs = [
                x, try x.transposed([1, 0]), try x.reshaped(to: [6]), try x.broadcast(to: [2, 2, 3]),
                try x.sliced(starts: [0, 1], extents: [2, 1], strides: [1, 2]), try e.transposed([1, 0]),
                try e.reshaped(to: [3, 2]), .filled(3, [2, 2]), graph.variable([2]),
                .constant(TensorValue([1, 2, 3] as [Float])), try e.sliced(starts: [1, 0], extents: [1, 3]),
            ]
        }
    }

    // MARK: - Limits

    /// Differences nested so deep that all parts are computed before the first is used.
    private func nested(_ parts: [Tensor], around innermost: Tensor) throws -> Tensor {
        try parts.reversed().reduce(innermost) { try $1 - $0 }
    }

    /// More values alive at once than there are registers: the group is divided, and still right.
    @Test(arguments: [16, 28, 36]) @Compute func manyLiveValues(count: Int) throws {
        let plan = try checkedPlan { graph in
            let x = graph.input([13])
            let parts = try (0..<count).map { try x * Float($0 + 2) }
            graph.outputs = [
                try nested(parts, around: graph.variable([13])), try parts[count / 2].reshaped(to: [13, 1]),
            ]
        }
        for call in plan.calls {
            guard let request = call.request as? ElementwiseRequest else { continue }
            #expect(request.program.registerCount <= ElementwiseProgram.registerLimit)
        }
        #expect((plan.calls.count > 1) == (count > 16))
    }

    @Test @Compute func longChainsAreDivided() throws {
        let plan = try checkedPlan { graph in
            var x = graph.input([5])
            for step in 0..<150 { x = try (x * 0.5 + Float(step % 3)).tanh() }
            graph.outputs = [x]
        }
        #expect(plan.calls.count > 1 && plan.calls.count < 20)
    }

    /// A variable that a divided group updates in its first part and reads in its second.
    @Test @Compute func dividedGroupsKeepOldValues() throws {
        let plan = try checkedPlan { graph in
            let state = graph.variable([11])
            let next = try state + graph.input([11])
            try graph.update(state, to: next)
            let parts = try (0..<27).map { try (next * Float($0 + 2)).tanh() }
            graph.outputs = [try nested(parts, around: state)]
        }
        #expect(plan.count("layout change") == 1)
    }

    /// Random numbers do not depend on how work is divided or laid out.
    @Test @Compute func randomNumbersFollowTheElements() throws {
        try checkedPlan { graph in
            let x = try graph.input([2, 6, 6, 3]).convolved(with: graph.variable([3, 3, 3, 20]))
            let noise = Tensor.randomNormal(x.shape)
            let keep = try Tensor.randomUniform(x.shape).greaterOrEqual(0.25)
            graph.outputs = [try x + noise, try .select(keep, x / 0.75, .filled(0, x.shape)), noise]
        }
    }
}
