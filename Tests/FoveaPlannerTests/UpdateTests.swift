import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// Updates, in place and not. Every plan is run twice, so that old and new values differ.
@Suite struct UpdateTests {
    private func writesInPlace(_ plan: Plan) -> Int {
        plan.calls.count { call in
            guard call.request is ElementwiseRequest else { return false }
            return call.writes.contains { if case .variable = plan.values[$0].place { true } else { false } }
        }
    }

    @Test @Compute func anOptimizerStepIsOneCall() throws {
        let plan = try checkedPlan { graph in
            let (weight, velocity) = (graph.variable([3, 5]), graph.variable([3, 5]))
            let next = try velocity * 0.9 - graph.input([3, 5]) * 0.1
            try graph.update(velocity, to: next)
            try graph.update(weight, to: weight + next)
        }
        #expect(plan.names == ["elementwise"])
        #expect(plan.count("layout change") == 0)
    }

    /// Whoever reads the old value runs before it is overwritten.
    @Test @Compute func othersReadOldValues() throws {
        let plan = try checkedPlan { graph in
            let v = graph.variable([6, 6])
            try graph.update(v, to: v * 0.5 + graph.input([6, 6]))
            graph.outputs = [
                v, try v.sum(axes: [0]), try .matmul(v, v), try v.transposed([1, 0]), try v.softmax(axis: 0),
            ]
        }
        #expect(writesInPlace(plan) == 1)
    }

    /// A reader of the old value needs the new one: no order is right, so the update is copied at the end.
    @Test @Compute func readersOfBothValues() throws {
        let plan = try checkedPlan { graph in
            let v = graph.variable([6, 6])
            let next = try v * 0.5 + graph.input([6, 6])
            try graph.update(v, to: next)
            graph.outputs = [try .matmul(next, v)]
        }
        #expect(writesInPlace(plan) == 0)
        #expect(plan.count("layout change") == 1)
    }

    @Test @Compute func variablesTradePlaces() throws {
        try checkedPlan { graph in
            let (a, b, c) = (graph.variable([4]), graph.variable([4]), graph.variable([4]))
            try graph.update(a, to: b)
            try graph.update(b, to: c)
            try graph.update(c, to: a)
        }
        try checkedPlan { graph in
            let (a, b) = (graph.variable([4]), graph.variable([4]))
            try graph.update(a, to: b + a)
            try graph.update(b, to: a * b)
        }
    }

    @Test(arguments: [[3, 3], [12, 12]] as [Shape]) @Compute func transposedSelf(shape: Shape) throws {
        try checkedPlan { graph in
            let v = graph.variable(shape)
            try graph.update(v, to: v.transposed([1, 0]))
        }
        try checkedPlan { graph in
            let v = graph.variable(shape)
            try graph.update(v, to: v.transposed([1, 0]) * 0.5 + v)
        }
        // The transposed tensor is needed in memory, so the group of the update computes it.
        try checkedPlan { graph in
            let v = graph.variable(shape)
            let t = try v.transposed([1, 0])
            try graph.update(v, to: t * 0.5 + v)
            graph.outputs = [try .matmul(t, t)]
        }
    }

    @Test @Compute func wholeSourcesAreTaken() throws {
        try checkedPlan { graph in
            let (a, b, c, d) = (
                graph.variable([4]), graph.variable([4]), graph.variable([2, 2]), graph.variable([])
            )
            try graph.update(a, to: b)
            try graph.update(c, to: graph.input([4]).reshaped(to: [2, 2]))
            try graph.update(d, to: .constant(3))
            graph.outputs = [a, c, d]
        }
    }

    @Test @Compute func oneTensorForTwoVariables() throws {
        try checkedPlan { graph in
            let (a, b) = (graph.variable([5]), graph.variable([5]))
            let next = try a * 0.5 + b
            try graph.update(a, to: next)
            try graph.update(b, to: next)
            graph.outputs = [try next.sum()]
        }
    }

    /// An output is what the run computed, whatever becomes of the variable afterwards.
    @Test @Compute func outputsOwnTheirMemory() throws {
        let plan = try checkedPlan { graph in
            let v = graph.variable([5])
            let next = try v * 0.5 + 1
            try graph.update(v, to: next)
            graph.outputs = [next, try next.reshaped(to: [5, 1]), v]
        }
        for (value, _) in plan.outputs {
            guard case .arena = plan.values[value].place else {
                Issue.record("an output shares the memory of a variable")
                continue
            }
        }
    }

    @Test @Compute func updatesThatAreViewsOrSums() throws {
        try checkedPlan { graph in
            let (a, b, c) = (graph.variable([2, 3]), graph.variable([3]), graph.variable([6]))
            let x = try graph.input([3, 2]).exp()
            try graph.update(a, to: x.reshaped(to: [2, 3]))
            try graph.update(b, to: x.sum(axes: [1]))
            try graph.update(c, to: a.reshaped(to: [6]) * c)
        }
    }

    /// Moving averages of several statistics that read each other's old values.
    @Test @Compute func webOfUpdates() throws {
        try checkedPlan { graph in
            let variables = (0..<6).map { _ in graph.variable([4, 4]) }
            for (index, variable) in variables.enumerated() {
                let other = variables[(index * 2 + 1) % 6]
                let third = variables[(index + 2) % 6]
                let value =
                    index.isMultiple(of: 2)
                    ? try variable * 0.5 + other.transposed([1, 0]) : try .matmul(variable, third) * 0.25
                try graph.update(variable, to: value)
            }
            graph.outputs = [try variables[3].sum(), try variables[0] - variables[5]]
        }
    }
}
