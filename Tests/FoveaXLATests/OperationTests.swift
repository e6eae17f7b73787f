import FoveaGraph
import FoveaRuntime
import FoveaXLA
import TestSupport
import Testing

/// Every operation by a plugin against the reference, forward and backward.
@Suite(.serialized, .needsPlugin) struct OperationTests {
    /// Numbers below 2⁻¹²⁶ count as 0, of which this case takes the logarithm.
    private static let cases = OperationCases.all.filter { $0.name != "log far out" }

    @Test(arguments: [Precision.strict, .mixedBFloat16])
    @Compute func equalsReference(precision: Precision) throws {
        // What has no products is the same in both.
        try compare(
            Self.cases.filter {
                precision == .strict || $0.tolerance == .faster || $0.tolerance == .bfloat16
            },
            precision, mode: .training
        ) { $0.batch }
    }

    /// Compiled for another batch size than the cases are written for, and for inference.
    @Test(arguments: [1, 5])
    @Compute func equalsReferenceAtOtherBatchSizes(batch: Int) throws {
        // Compiling takes most of the time, and one of three cases of a kind is enough.
        let some = Self.cases.filter { $0.inputs.contains(where: \.isBatched) }.enumerated()
        try compare(
            some.filter { $0.offset % 3 == batch % 3 }.map(\.element), .strict, mode: .inference
        ) { _ in batch }
    }

    /// Computes cases together, many in one program, because compiling many programs takes long. A tolerance is some times that
    /// of the case's class, since gradients are several operations in a row.
    @Compute
    private func compare(
        _ cases: [OperationCase], _ precision: Precision, mode: Mode, batch: (OperationCase) -> Int
    ) throws {
        let backend = try PluginForTests.backend(precision)
        for start in stride(from: 0, to: cases.count, by: 16) {
            let part = Array(cases[start..<min(start + 16, cases.count)])
            let graphs = try part.map { try Self.graph(of: $0, mode: mode, batch: batch($0)) }
            var all = graphs[0]
            all.outputs = graphs.flatMap(\.outputs)
            let executable = try backend.compile(all)
            let references = try graphs.map { try ReferenceBackend().compile($0) }
            var expected: [(name: String, relative: Double, value: TensorValue)] = []
            for (operationCase, reference) in zip(part, references) {
                let types = reference.inputs.map { (Self.ownName($0.key), $0.value) }
                let values = operationCase.values(
                    batch: batch(operationCase),
                    for: Dictionary(types, uniquingKeysWith: { first, _ in first }))
                let named = values.map { ("\(operationCase.name)/\($0.key)", $0.value) }
                    .filter { reference.inputs[$0.0] != nil }
                for (name, value) in named { try executable.setInput(name, to: value) }
                let results = try reference.run(
                    Dictionary(named, uniquingKeysWith: { first, _ in first }), step: 3, seed: 5)
                let tolerance = 10 * Self.tolerance(operationCase, precision).relative
                expected += results.enumerated().map {
                    ("\(operationCase.name), \(mode.rawValue), result \($0.offset)", tolerance, $0.element)
                }
            }
            try executable.run(step: 3, seed: 5)
            for (place, expected) in expected.enumerated() {
                expectClose(
                    try executable.output(place).value(), expected.value,
                    relativeTolerance: expected.relative, expected.name)
            }
        }
    }

    private static func tolerance(_ operationCase: OperationCase, _ precision: Precision) -> ToleranceClass {
        switch (operationCase.tolerance, precision) {
        case (.faster, .strict), (.faster, .float32): .direct
        case (.direct, .mixedBFloat16), (.faster, .mixedBFloat16): .bfloat16
        case (let tolerance, _): tolerance
        }
    }

    /// A case's outputs and gradients, of inputs whose names begin with the case's.
    private static func graph(of operationCase: OperationCase, mode: Mode, batch: Int) throws -> BoundGraph {
        let graph = try operationCase.graph(batch: nil)
        return try BoundGraph(outputs: graph.outputs + graph.gradients, mode: mode, batch: batch).rewritten {
            tensor, inputs in
            if case .source(.input(let name)) = tensor.operation {
                return .argument("\(operationCase.name)/\(name)", tensor.shape, tensor.dtype)
            }
            return inputs == tensor.inputs ? tensor : try Tensor(tensor.operation, inputs)
        }
    }

    private static func ownName(_ name: String) -> String {
        name.lastIndex(of: "/").map { String(name[name.index(after: $0)...]) } ?? name
    }
}
