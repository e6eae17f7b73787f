import FoveaGraph
import Testing

/// Long chains of nodes must not be released by nested calls, which would overflow the stack.
@Suite struct ReleaseTests {
    private static func chain(_ count: Int) -> Tensor {
        var x = Tensor.input("x", [1])
        for _ in 0..<count { x = x.negated() }
        return x
    }

    @Test func chainOfAMillionIsReleased() {
        #expect(topologicalOrder(of: [Self.chain(1_000_000)]).count == 1_000_001)
    }

    @Test func chainsAreReleasedFromTwoThreadsAtOnce() async {
        await withTaskGroup { group in
            for _ in 0..<2 {
                group.addTask { for _ in 0..<3 { _ = Self.chain(200_000) } }
            }
        }
        #expect(Self.chain(1).inputs.count == 1)
    }

    @Test func sharedTailSurvives() {
        let tail = Self.chain(100_000)
        do { _ = tail.negated().negated() }
        #expect(topologicalOrder(of: [tail]).count == 100_001)
    }

    /// Releasing frees what nodes hold: here a variable. Another thread may do it that is releasing a graph already.
    @Test func releaseReachesTheEnd() async throws {
        weak var variable: Variable?
        do {
            let held = Variable(name: "w", initial: TensorValue(1))
            variable = held
            var x = Tensor(held)
            for _ in 0..<1000 { x = x.negated() }
            #expect(topologicalOrder(of: [x]).count == 1001)
        }
        let limit = ContinuousClock.now + .seconds(60)
        while variable != nil, ContinuousClock.now < limit { try await Task.sleep(for: .milliseconds(5)) }
        #expect(variable == nil)
    }

    @Test func deepGraphHasAGradient() throws {
        let x = Tensor.argument("x")
        var y = x
        for _ in 0..<100_000 { y = y.negated() }
        #expect(topologicalOrder(of: try gradient(of: y, withRespectTo: [x])).count > 100_000)
    }
}
