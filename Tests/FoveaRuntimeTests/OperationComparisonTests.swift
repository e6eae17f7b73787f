import CKernels
import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

/// Every operation on oneDNN against the reference, forward and backward.
@Suite(.serialized) struct OperationComparisonTests {
    /// A backend and the largest error that its precision allows.
    struct Candidate: Sendable, CustomTestStringConvertible {
        let backend: OneDNNBackend
        let relativeTolerance: Double
        var testDescription: String { backend.precision.rawValue }
    }

    static let candidates = [
        Candidate(backend: OneDNNBackend(precision: .strict), relativeTolerance: 1e-4),
        Candidate(backend: OneDNNBackend(), relativeTolerance: 1e-3),
    ]

    /// Cases without convolutions are as exact as their class says; convolutions as the precision says.
    private func tolerance(_ operationCase: OperationCase, _ candidate: Candidate) -> Double {
        max(operationCase.tolerance.relative, candidate.relativeTolerance)
    }

    @Test(arguments: candidates)
    @Compute func equalsReference(candidate: Candidate) throws {
        for operationCase in OperationCases.all {
            try check(
                operationCase, on: candidate.backend,
                relativeTolerance: tolerance(operationCase, candidate))
        }
    }

    /// Compiled for another batch size than the case is written for, and for inference.
    @Test(arguments: [1, 5])
    @Compute func equalsReferenceAtOtherBatchSizes(batch: Int) throws {
        for operationCase in OperationCases.all where operationCase.inputs.contains(where: \.isBatched) {
            try check(
                operationCase, on: OneDNNBackend(precision: .strict), batch: batch, mode: .inference,
                relativeTolerance: tolerance(operationCase, Self.candidates[0]))
        }
    }

    @Test(arguments: ["baseline", "avx2", "avx512"])
    @Compute func everyVectorKindEqualsReference(kind: String) throws {
        let present = OneDNNBackend.vectorKind
        defer { _ = fovea_set_vector_kind(present) }
        // Not every CPU has every kind.
        guard fovea_set_vector_kind(kind) != 0 else { return }
        for operationCase in OperationCases.all where operationCase.tolerance != .winograd {
            try check(
                operationCase, on: OneDNNBackend(precision: .strict),
                relativeTolerance: tolerance(operationCase, Self.candidates[0]))
        }
    }

    @Test(arguments: [1, 2])
    @Compute func everyThreadCountEqualsReference(count: Int32) throws {
        let present = fovea_thread_count()
        defer { fovea_set_thread_count(present) }
        fovea_set_thread_count(count)
        for operationCase in OperationCases.all {
            try check(
                operationCase, on: OneDNNBackend(),
                relativeTolerance: tolerance(operationCase, Self.candidates[1]))
        }
    }

    /// The cases leave no operation out, counting those that only appear in gradients.
    @Test func everyOperationIsCompared() throws {
        var families = Set<OperationFamily>()
        for operationCase in OperationCases.all {
            let graph = try operationCase.graph(batch: nil)
            for tensor in topologicalOrder(of: graph.outputs + graph.gradients) {
                families.insert(OperationFamily(tensor.operation))
            }
        }
        #expect(Set(OperationFamily.allCases).subtracting(families).isEmpty)
    }
}
