import CKernels
import FoveaGraph
import FoveaOneDNN
import FoveaPlanner
import FoveaRuntime
import TestSupport
import Testing

/// Every operation on oneDNN against the reference, forward and backward.
@Suite(.serialized) struct OperationComparisonTests {
    /// Compares a case with a tolerance of some times its class's, which single operations keep: gradients are several
    /// in a row, and other CPUs have other kernels. What only moves elements stays exact.
    @Compute
    private func compare(
        _ operationCase: OperationCase, _ precision: Precision, batch: Int? = nil, mode: Mode = .training
    ) throws {
        let tolerance: ToleranceClass =
            switch (operationCase.tolerance, precision) {
            case (.faster, .strict): .direct
            case (.direct, .mixedBFloat16), (.faster, .mixedBFloat16): .bfloat16
            case (let tolerance, _): tolerance
            }
        try check(
            operationCase, on: OneDNNBackend(precision: precision), batch: batch, mode: mode,
            relativeTolerance: 10 * tolerance.relative)
    }

    @Test(arguments: Precision.allCases)
    @Compute func equalsReference(precision: Precision) throws {
        for operationCase in OperationCases.all { try compare(operationCase, precision) }
    }

    /// Compiled for another batch size than the case is written for, and for inference.
    @Test(arguments: [1, 5])
    @Compute func equalsReferenceAtOtherBatchSizes(batch: Int) throws {
        for operationCase in OperationCases.all where operationCase.inputs.contains(where: \.isBatched) {
            try compare(operationCase, .strict, batch: batch, mode: .inference)
        }
    }

    @Test(arguments: ["baseline", "avx2", "avx512"])
    @Compute func everyVectorKindEqualsReference(kind: String) throws {
        let present = OneDNNBackend.vectorKind
        defer { _ = fovea_set_vector_kind(present) }
        // Not every CPU has every kind.
        guard fovea_set_vector_kind(kind) != 0 else { return }
        for operationCase in OperationCases.all where operationCase.tolerance != .faster {
            try compare(operationCase, .strict)
        }
    }

    @Test(arguments: ["amx", "avx512_bf16", "none"], [Precision.float32, .mixedBFloat16])
    @Compute func everyBFloat16UnitEqualsReference(unit: String, precision: Precision) throws {
        let present = OneDNNBackend.bfloat16Unit
        defer { _ = fovea_set_bfloat16_unit(present) }
        // Not every CPU has every unit.
        guard fovea_set_bfloat16_unit(unit) != 0 else { return }
        #expect(
            (OneDNNBackend(precision: precision).precision == precision)
                == (precision == .float32 || unit != "none"))
        for operationCase in OperationCases.all where operationCase.tolerance == .faster {
            try compare(operationCase, precision)
        }
    }

    /// Each side of images that fill Winograd's tiles padded or not, without the bfloat16 kernels that would go before.
    @Test @Compute func everyPaddingEqualsReference() throws {
        let present = OneDNNBackend.bfloat16Unit
        defer { _ = fovea_set_bfloat16_unit(present) }
        _ = fovea_set_bfloat16_unit("none")
        for sides in 0..<16 {
            func pixels(_ bit: Int) -> Int { sides >> bit & 1 }
            let padding = Padding2D(
                top: pixels(0), bottom: pixels(1), left: pixels(2), right: pixels(3))
            let convolution = OperationCase(
                "padding \(padding)", [.batch([1, 8, 11, 16]), .fixed([3, 3, 16, 16])], .faster
            ) { [try $0[0].convolved(with: $0[1], Convolution(padding: padding))] }
            try compare(convolution, .float32)
        }
    }

    /// Kernels that only large shapes get: products by panels, and Winograd's algorithm with a kernel that is transformed piece by
    /// piece.
    @Test(arguments: ["avx2", "avx512"]) @Compute func largeShapesEqualReference(kind: String) throws {
        let (present, presentUnit) = (OneDNNBackend.vectorKind, OneDNNBackend.bfloat16Unit)
        defer {
            _ = fovea_set_vector_kind(present)
            _ = fovea_set_bfloat16_unit(presentUnit)
        }
        guard fovea_set_vector_kind(kind) != 0 else { return }
        _ = fovea_set_bfloat16_unit("none")
        let product = OperationCase(
            "large product", [.batch([12, 272]), .fixed([272, 1024]), .fixed([1024])], .faster
        ) { [try (.matmul($0[0], $0[1]) + $0[2]).relu()] }
        let convolution = OperationCase(
            "large kernel", [.batch([1, 8, 8, 128]), .fixed([3, 3, 128, 256]), .fixed([256])], .faster
        ) {
            [
                try
                    ($0[0].convolved(
                        with: $0[1], Convolution(padding: Padding2D(top: 1, bottom: 1, left: 1, right: 1)))
                    + $0[2]).relu()
            ]
        }
        for operationCase in [product, convolution] { try compare(operationCase, .float32) }
        func calls(_ operationCase: OperationCase) throws -> [Plan.Call] {
            let graph = try operationCase.graph(batch: operationCase.batch)
            return try OneDNNBackend().plan(
                BoundGraph(
                    outputs: graph.outputs + graph.gradients, mode: .training, batch: operationCase.batch)
            ).calls
        }
        #expect(try calls(product).contains { $0.kernel.implementation == "panel_product:\(kind)" })
        let winograd = try calls(convolution).filter { $0.kernel.implementation.hasPrefix("winograd") }
        #expect(winograd.count >= 2)
        #expect(winograd.allSatisfy { call in !call.operands.contains { $0.role == .packedWeights } })
    }

    @Test(arguments: [1, 2])
    @Compute func everyThreadCountEqualsReference(count: Int32) throws {
        let present = fovea_thread_count()
        defer { fovea_set_thread_count(present) }
        fovea_set_thread_count(count)
        for operationCase in OperationCases.all { try compare(operationCase, .float32) }
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
