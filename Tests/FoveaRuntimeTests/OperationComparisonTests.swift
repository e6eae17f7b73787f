import FoveaGraph
import FoveaPlanner
import FoveaRuntime
import TestSupport
import Testing

/// Every operation and its gradients on the CPU backend against the reference.
@Suite struct OperationComparisonTests {
    /// oneDNN's log-softmax is exact to about 4e-6 only.
    private func tolerance(_ operationCase: OperationCase) -> Double {
        switch operationCase.tolerance {
        case .direct: 1e-5
        case .winograd: 1e-3
        case .exact, .bfloat16: operationCase.tolerance.relative
        }
    }

    @Test(arguments: OperationCases.all)
    @Compute func strictAgreesWithReference(_ operationCase: OperationCase) throws {
        for batch in [operationCase.batch, 1, 5] {
            try check(
                operationCase, on: OneDNNBackend(precision: .strict), batch: batch,
                relativeTolerance: operationCase.tolerance == .winograd ? 1e-4 : tolerance(operationCase))
        }
    }

    @Test(arguments: OperationCases.all)
    @Compute func winogradAgreesWithReference(_ operationCase: OperationCase) throws {
        for mode in [Mode.training, .inference] {
            try check(
                operationCase, on: OneDNNBackend(), mode: mode, relativeTolerance: tolerance(operationCase))
        }
    }

    @Test func someCaseUsesWinograd() async throws {
        let implementations = try await Compute.run {
            try OperationCases.all.flatMap { operationCase in
                let graph = try operationCase.graph(batch: nil)
                let bound = try BoundGraph(
                    outputs: graph.outputs + graph.gradients, mode: .inference, batch: operationCase.batch)
                return try OneDNNBackend().plan(bound).calls.map(\.note)
            }
        }
        #expect(implementations.contains { $0.contains("wino") } || OneDNNBackend.vectorKind != "avx512")
    }
}
