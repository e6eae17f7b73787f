import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// Where plans put their values, and what they say of themselves.
@Suite struct MemoryPlanTests {
    private func plan(seed: UInt64) throws -> Plan {
        let graph = try RandomGraph(seed: seed)
        let bound = try BoundGraph(
            outputs: graph.outputs, updates: graph.updates, mode: .training, batch: 1)
        return try Plan(bound, catalog: FakeCatalog(8))
    }

    /// Checks every pair of values that are needed at the same time, with lives counted anew.
    private func check(_ plan: Plan, _ what: String) {
        var lives: [Plan.ValueID: (first: Int, last: Int)] = [:]
        for (place, call) in plan.calls.enumerated() {
            for operand in call.operands {
                lives[operand.value] = (lives[operand.value]?.first ?? place, place)
            }
        }
        let kept = plan.inputs.map(\.value) + [plan.randomKey].compactMap { $0 }
        for value in kept { lives[value] = (-1, plan.calls.count) }
        let lasting = Set(plan.calls[..<plan.lastingCallCount].flatMap(\.writes))
        let later = Set(plan.calls[plan.lastingCallCount...].flatMap(\.reads) + plan.outputs.map(\.value))
        for value in lasting.intersection(later) { lives[value] = (-1, plan.calls.count) }
        for call in plan.calls where plan.keptWeights(call) != nil {
            for operand in call.operands where operand.role == .packedWeights {
                lives[operand.value] = (-1, plan.calls.count)
            }
        }
        for (value, _) in plan.outputs { lives[value] = (lives[value]?.first ?? -1, plan.calls.count) }

        let placed = lives.compactMap {
            id, life -> (id: Int, start: Int, end: Int, life: (first: Int, last: Int))? in
            guard case .arena(let offset) = plan.values[id].place else { return nil }
            return (id, offset, offset + plan.values[id].byteCount, life)
        }
        for (index, a) in placed.enumerated() {
            #expect(a.start % 64 == 0 && a.start >= 0 && a.end <= plan.arenaByteCount, "\(what): \(a)")
            for b in placed[(index + 1)...] where a.life.first <= b.life.last && b.life.first <= a.life.last {
                #expect(a.end <= b.start || b.end <= a.start, "\(what): \(a) and \(b) overlap")
            }
        }
        #expect(plan.arenaByteCount <= plan.unsharedByteCount, "\(what)")
    }

    @Test func valuesThatAreNeededTogetherLieApart() throws {
        for seed in RandomGraph.seeds(usual: 150) { check(try plan(seed: seed), "seed \(seed)") }
    }

    @Test @Compute func memoryIsShared() throws {
        let plan = try checkedPlan { graph in
            var x = graph.input([1, 8, 8, 16])
            for _ in 0..<6 {
                x = try x.convolved(with: graph.variable([1, 1, 16, 16])).maxPooled(
                    SlidingWindow(1, strides: 1))
            }
            graph.outputs = [x]
        }
        check(plan, "convolutions in a row")
        // The input and the output are kept; in between two values are enough.
        let size = 8 * 8 * 16 * 4
        #expect(plan.arenaByteCount <= 4 * size + 256)
        #expect(plan.unsharedByteCount >= 12 * size)
    }

    @Test func scratchMemoryIsPartOfThePlan() throws {
        var graph = PlannedGraph()
        graph.outputs = [try graph.input([1, 4, 4, 16]).convolved(with: graph.variable([1, 1, 16, 16]))]
        let plan = try Plan(graph.bound(), catalog: FakeCatalog(16))
        let scratch = try #require(plan.calls.flatMap(\.operands).first { $0.role == .scratchpad })
        #expect(plan.values[scratch.value].byteCount == 100)
        check(plan, "scratchpad")
    }

    /// Packed weights stay for the next run unless the plan itself changes the variable, or they come from elsewhere.
    @Test func packedWeightsAreKept() throws {
        for isUpdated in [false, true] {
            var graph = PlannedGraph()
            let kernel = graph.variable([1, 1, 16, 16])
            let x = graph.input([1, 4, 4, 16])
            let y = try x.convolved(with: kernel)
            graph.outputs = [
                try y.convolved(with: kernel), try y.convolved(with: graph.input([1, 1, 16, 16])),
            ]
            if isUpdated { try graph.update(kernel, to: kernel * 0.5) }
            let plan = try Plan(graph.bound(), catalog: FakeCatalog(16))
            let kept = plan.calls.compactMap(plan.keptWeights)
            #expect(kept.count == (isUpdated ? 0 : 2) && Set(kept).count <= 1)
            check(plan, "updated: \(isUpdated)")
        }
    }

    /// Inputs that simplification drops are still given at every run.
    @Test func droppedInputsKeepTheirPlace() throws {
        var graph = PlannedGraph()
        let (x, y) = (graph.input([3]), graph.input([5]))
        graph.outputs = [try .select(.isTraining, y.sum() * x, x)]
        let plan = try Plan(graph.bound(mode: .inference), catalog: FakeCatalog())
        #expect(plan.inputs.map(\.name) == ["x0", "x1"])
        check(plan, "dropped input")
    }

    /// Equal graphs give equal plans, though the addresses of their nodes differ.
    @Test func plansDoNotDependOnChance() throws {
        for seed in RandomGraph.seeds(usual: 60) {
            let plans = [try plan(seed: seed), try plan(seed: seed)]
            #expect(plans[0].description == plans[1].description, "seed \(seed)")
            #expect(plans[0].calls.map(\.operands) == plans[1].calls.map(\.operands), "seed \(seed)")
            #expect(plans[0].values.map(\.layout) == plans[1].values.map(\.layout), "seed \(seed)")
        }
    }

    @Test func tablesMentionEveryCall() throws {
        for seed in 0..<20 as Range<UInt64> {
            let plan = try plan(seed: seed)
            let changes = plan.count("layout change")
            let seconds = plan.calls.indices.map { Double($0 + 1) * 1e-6 }
            for table in [plan.table(), plan.table(seconds: seconds)] {
                let isTimed = table != plan.description
                let lines = table.split(separator: "\n", omittingEmptySubsequences: false)
                #expect(lines.count == plan.calls.count + (isTimed ? 4 : 3) + changes)
                for (place, call) in plan.calls.enumerated() {
                    let words = lines[place + 1].split(separator: " ")
                    #expect(words[0] == "\(place)")
                    #expect(lines[place + 1].contains(call.request.name))
                    #expect(
                        lines[place + 1].hasSuffix(
                            call.note + (place < plan.lastingCallCount ? ", once" : "")))
                    if isTimed { #expect(words[1] == "\(place + 1).0") }
                }
                #expect(lines[lines.count - 1 - changes] == "layout changes: \(changes)")
                for line in lines.suffix(changes) { #expect(line.hasPrefix("  ") && line.contains(" → ")) }
            }
        }
    }

    /// Counted by hand: 2 · outputs · products of one output.
    @Test func kernelsCountTheirArithmetic() {
        let convolution = ConvolutionRequest(
            direction: .kernelGradient, convolution: Convolution(groups: 2), images: [2, 5, 6, 8],
            kernel: [3, 2, 4, 10], output: [2, 3, 5, 10])
        #expect(convolution.operationCount == 2 * (2 * 3 * 5 * 10) * (3 * 2 * 4))
    }
}
