import CKernels
import Foundation
import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaOneDNN

/// NaN and ±∞ in each operand of each operation, place by place: oneDNN's results have them where the reference's do.
@Suite(.serialized) struct NotFiniteTests {
    /// Each in every precision, and what is not oneDNN's alone with each kind of vectors.
    @Test(arguments: [false, true])
    @Compute func areKept(inContext: Bool) throws {
        let present = OneDNNBackend.vectorKind
        let threads = fovea_thread_count()
        defer {
            _ = fovea_set_vector_kind(present)
            fovea_set_thread_count(threads)
        }
        // Threads would mostly wait for each other.
        fovea_set_thread_count(1)
        let cases = inContext ? notFiniteContexts : OperationCases.all.filter(\.isTried)
        for operationCase in cases {
            let trial = try NotFiniteTrial(operationCase, usesVariables: inContext)
            for precision in trial.hasContraction ? Precision.allCases : [.strict] {
                try trial.compare(precision)
            }
            // Not every CPU has every kind.
            for kind in ["baseline", "avx2"] where !operationCase.isConvolution {
                if fovea_set_vector_kind(kind) != 0 { try trial.compare(.strict) }
            }
            _ = fovea_set_vector_kind(present)
        }
    }

    /// oneDNN's kernels for older CPUs. It takes them for a whole process.
    @Test(arguments: ["SSE41", "AVX2"])
    func olderKernelsKeepThem(instructions: String) async {
        await #expect(processExitsWith: .success) { [instructions = instructions as String] in
            setenv("DNNL_MAX_CPU_ISA", instructions, 1)
            try await Compute.run {
                for operationCase in notFiniteContexts where operationCase.name.contains("3 → 16") {
                    try NotFiniteTrial(operationCase, usesVariables: true).compare(.strict)
                }
            }
        }
    }
}

/// A case, the numbers that are put into it, and what the reference makes of them.
@Compute
private struct NotFiniteTrial {
    private struct Change {
        let operand: String
        let place: Int
        let number: Double
        let values: [String: TensorValue]
        let expected: [TensorValue]
    }

    private let operationCase: OperationCase
    private let usesVariables: Bool
    private let changes: [Change]
    let hasContraction: Bool

    init(_ operationCase: OperationCase, usesVariables: Bool) throws {
        self.operationCase = operationCase
        self.usesVariables = usesVariables
        let reference = try NotFiniteSubject(
            operationCase, on: ReferenceBackend(), usesVariables: usesVariables)
        hasContraction = reference.hasContraction
        let values = operationCase.values(batch: operationCase.batch)
        var changes: [Change] = []
        let size = values.values.reduce(0) { $0 + $1.shape.elementCount }
        for (operand, value) in values.sorted(by: { $0.key < $1.key }) where value.dtype.isFloatingPoint {
            let count = value.shape.elementCount
            let some =
                size <= 24 ? Array(0..<count) : size < 500 ? [count / 3, count - 1] : [count / 2]
            for place in Set(some).sorted() where place < count {
                for number in [Double.nan, .infinity, -.infinity] {
                    var doubles = value.doubles
                    doubles[place] = number
                    var changed = values
                    changed[operand] = TensorValue(
                        shape: value.shape, dtype: value.dtype, doubles: doubles)
                    changes.append(
                        Change(
                            operand: operand, place: place, number: number, values: changed,
                            expected: try reference.run(changed)))
                }
            }
        }
        self.changes = changes
    }

    func compare(_ precision: Precision) throws {
        guard !changes.isEmpty else { return }
        let subject = try NotFiniteSubject(
            operationCase, on: OneDNNBackend(precision: precision), usesVariables: usesVariables)
        for change in changes {
            let results = try subject.run(change.values)
            for (index, (actual, expected)) in zip(results, change.expected).enumerated() {
                let scale = expected.doubles.filter(\.isFinite).map(abs).max() ?? 0
                let isGradient = subject.names[index].hasPrefix("gradient")
                let wrong = zip(actual.doubles, expected.doubles).first { a, e in
                    !isRight(
                        a, e, within: 0.05 * scale, change, isGradient: isGradient, subject.algorithms)
                }
                if let (a, e) = wrong {
                    Issue.record(
                        """
                        \(operationCase.name), \(change.operand) is \(change.number) at \(change.place), \
                        \(subject.names[index]) in \(precision) with \(OneDNNBackend.vectorKind) by \
                        \(subject.algorithms): \(a), expected \(e)
                        """)
                }
            }
        }
    }

    private func isRight(
        _ a: Double, _ e: Double, within tolerance: Double, _ change: Change, isGradient: Bool,
        _ algorithms: Set<Algorithm>
    ) -> Bool {
        if e.isNaN {
            // Deviations from a mean are taken to add up to nothing, also where some are infinite.
            return a.isNaN || operationCase.hasMoments && !change.number.isNaN && a.isInfinite
        }
        // Algorithms that take products apart make NaN of other numbers, too, and ReLU then passes no gradient there.
        let isExact = algorithms.isSubset(of: [.direct])
        // A number of a kernel may meet the zeros around images.
        if a.isNaN { return !isExact || operationCase.isConvolution && change.operand == "x1" }
        if e.isInfinite || a.isInfinite { return a == e || !isExact && isGradient }
        return abs(a - e) <= tolerance || !isExact && isGradient
    }
}

/// A case's outputs and gradients, compiled by a backend.
@Compute
private final class NotFiniteSubject {
    let names: [String]
    /// How the sums of products are formed.
    let algorithms: Set<Algorithm>
    let hasContraction: Bool
    private let executable: any Executable
    /// By the name of the input that each stands for.
    private var variables: [String: Variable] = [:]

    /// - Parameter usesVariables: whether inputs without a batch axis are variables, as weights are. Kernels add only biases
    ///   that are.
    init(_ operationCase: OperationCase, on backend: any Backend, usesVariables: Bool) throws {
        let values = operationCase.values(batch: operationCase.batch)
        var tensors = operationCase.tensors(batch: operationCase.batch)
        for (place, input) in operationCase.inputs.enumerated() {
            let name = "x\(place)"
            guard usesVariables, !input.isBatched, let value = values[name] else { continue }
            let variable = Variable(name: name, initial: value)
            variables[name] = variable
            tensors[place] = Tensor(variable)
        }
        var results = try operationCase.build(tensors)
        var names = results.indices.map { "output \($0)" }
        // Gradients of convolutions are cases of their own.
        if !operationCase.isConvolution, !operationCase.differentiable.isEmpty {
            var loss = Tensor.constant(0)
            for (place, output) in results.enumerated() where output.dtype.isFloatingPoint {
                let upstream = (0..<output.shape.elementCount).map { Float(($0 * 7919 + place) % 23 - 9) / 8 }
                let weights = Tensor.constant(try TensorValue(shape: output.shape, upstream))
                loss = try loss + (output.cast(to: .float32) * weights).sum()
            }
            results += try gradient(
                of: loss, withRespectTo: operationCase.differentiable.map { tensors[$0] })
            names += operationCase.differentiable.map { "gradient with respect to x\($0)" }
        }
        self.names = names
        let graph = try BoundGraph(outputs: results, mode: .training, batch: operationCase.batch)
        executable = try backend.compile(graph)
        let families = topologicalOrder(of: results).map { OperationFamily($0.operation) }
        hasContraction = families.contains {
            [.matmul, .convolution, .convolutionInputGradient, .convolutionKernelGradient].contains($0)
        }
        algorithms = Set(
            try (backend as? OneDNNBackend)?.plan(graph).calls.compactMap { call in
                (call.kernel as? any ContractionKernel)?.algorithm
            } ?? [])
    }

    func run(_ values: [String: TensorValue]) throws -> [TensorValue] {
        for (name, variable) in variables {
            if let value = values[name] { try variable.assign(value) }
        }
        return try executable.run(values.filter { executable.inputs[$0.key] != nil }, step: 3, seed: 5)
    }
}

/// What layers do together, with weights that are variables.
private let notFiniteContexts: [OperationCase] = {
    let around = Convolution(padding: Padding2D(top: 1, bottom: 1, left: 1, right: 1))
    var cases: [OperationCase] = []
    for (channels, filters) in [(1, 1), (3, 16), (16, 16), (20, 20)] {
        let images = CaseInput.batch([1, 5, 4, channels], .uniform(-1, 1))
        let kernel = CaseInput.fixed([3, 3, channels, filters], .uniform(-1, 1))
        let vector = CaseInput.fixed([filters], .uniform(-0.5, 0.5))
        let name = "\(channels) → \(filters) channels"
        let pool = SlidingWindow(2, strides: 2)
        cases += [
            OperationCase("convolution, bias and relu, \(name)", [images, kernel, vector]) { x in
                [try (x[0].convolved(with: x[1], around) + x[2]).relu()]
            },
            OperationCase("convolution, bias and relu6, \(name)", [images, kernel, vector]) { x in
                let y = try (x[0].convolved(with: x[1], around) + x[2]).relu()
                return [try .minimum(.filled(2, y.shape), y)]
            },
            OperationCase(
                "convolution of the whole image and relu, \(name)",
                [images, .fixed([5, 4, channels, filters], .uniform(-1, 1))]
            ) { x in [try x[0].convolved(with: x[1]).relu()] },
            OperationCase("convolution, bias, relu and pooling, \(name)", [images, kernel, vector]) { x in
                [try (x[0].convolved(with: x[1], around) + x[2]).relu().maxPooled(pool)]
            },
            OperationCase(
                "convolution, normalisation, relu and pooling, \(name)", [images, kernel, vector, vector]
            ) { x in
                let y = try x[0].convolved(with: x[1], around)
                let normalized = try y.batchNormalized(scale: x[2], offset: x[3], epsilon: 0.1).normalized
                return [try normalized.relu().maxPooled(pool)]
            },
        ]
    }
    for (rows, inner, columns) in [(1, 33, 20), (5, 20, 17), (17, 16, 48)] {
        cases.append(
            OperationCase(
                "dense, bias and relu, \(rows)×\(inner)×\(columns)",
                [.batch([rows, inner]), .fixed([inner, columns]), .fixed([columns])]
            ) { x in [try (.matmul(x[0], x[1]) + x[2]).relu()] })
    }
    // So many elements that the sum is a call of its own.
    let many = CaseInput.batch([1, 9, 16, 64])
    for kind in [Binary.add, .multiply, .maximum] {
        cases += [
            OperationCase("\(kind.name) of many", [many, many]) { x in [try .binary(kind, x[0], x[1])] },
            OperationCase("\(kind.name) of many and relu", [many, many]) { x in
                [try Tensor.binary(kind, x[0], x[1]).relu()]
            },
        ]
    }
    for size in [Size2D(14, 18), Size2D(15, 18)] {
        cases.append(
            OperationCase("relu and pooling with a window of \(size)", [.batch([1, 16, 18, 3], .distinct())])
            {
                x in [try x[0].relu().maxPooled(SlidingWindow(size, strides: 1))]
            })
    }
    return cases
}()

extension OperationCase {
    /// Whether it is a convolution or a gradient of one, and nothing else.
    fileprivate var isConvolution: Bool {
        !name.contains("relu")
            && ["convolution, ", "convolutionInputGradient, ", "convolutionKernelGradient, "].contains {
                name.hasPrefix($0)
            }
    }

    fileprivate var hasMoments: Bool {
        ["variance", "normalisation", "batchNorm"].contains { name.contains($0) }
    }

    /// Large networks are left to `notFiniteContexts`.
    fileprivate var isTried: Bool { !name.contains("between convolutions") }
}
