import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaRuntime
import Synchronization
import TestSupport
import Testing

@testable import FoveaTraining

/// The outputs of a graph for given inputs.
func outputs(
    of tensors: [Tensor], _ inputs: [String: TensorValue] = [:], mode: Mode = .inference, batch: Int = 1,
    on backend: any Backend = ReferenceBackend()
) async throws -> [TensorValue] {
    try await Compute.run {
        try backend.compile(outputs: tensors, mode: mode, batch: batch).run(inputs)
    }
}

func values(of variables: [Variable]) async throws -> [TensorValue] {
    try await Compute.run { try variables.map { try $0.value() } }
}

/// Whether `a` is within `tolerance` of `b`, relative to the larger of 1 and the largest magnitude in `b`.
func expectClose(
    _ a: [Float], _ b: [Double], _ tolerance: Double, _ what: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard a.count == b.count else {
        Issue.record("\(what): \(a.count) numbers, not \(b.count)", sourceLocation: sourceLocation)
        return
    }
    let scale = b.reduce(1) { max($0, abs($1)) }
    let worst = zip(a, b).map { abs(Double($0) - $1) / scale }.max { a, b in !(a >= b) } ?? 0
    #expect(worst <= tolerance, "\(what): \(a) should be \(b)", sourceLocation: sourceLocation)
}

/// A file of the folder Golden.
func golden<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
    let url = try #require(
        Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Golden"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(contentsOf: url))
}

/// The reference backend with a hook after every run in training mode, which may also replace the loss.
struct HookedBackend: AlteredReference {
    let name = "hooked"
    let afterStep: @Sendable (UInt64) -> Float?

    func compile(_ graph: BoundGraph, in workspace: any Workspace) throws -> any Executable {
        let executable = try ReferenceBackend().compile(graph)
        return graph.updates.isEmpty ? executable : HookedExecutable(executable, afterStep)
    }
}

@Compute
private final class HookedExecutable: Executable {
    private let base: any Executable
    private let afterStep: @Sendable (UInt64) -> Float?
    private var loss: Float?

    init(_ base: any Executable, _ afterStep: @escaping @Sendable (UInt64) -> Float?) {
        self.base = base
        self.afterStep = afterStep
    }

    var inputs: [String: TensorType] { base.inputs }
    var outputCount: Int { base.outputCount }

    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        try base.setInput(name, fill: fill)
    }

    func run(step: UInt64, seed: UInt64) throws {
        try base.run(step: step, seed: seed)
        loss = afterStep(step)
    }

    func output(_ index: Int) throws -> RunOutput {
        guard index == 0, let loss else { return try base.output(index) }
        return RunOutput(TensorType(.scalar, .float32)) { TensorValue(loss) }
    }

    func table(timedRuns: Int) throws -> String { try base.table(timedRuns: timedRuns) }
}

/// Keeps what is printed.
final class Printed: Sendable {
    private let pieces = Mutex<[String]>([])

    var all: [String] { pieces.withLock { $0 } }
    var text: String { all.joined() }

    func output(isTerminal: Bool = false, usesColor: Bool = false, columns: Int = 200) -> ProgressOutput {
        ProgressOutput(
            isTerminal: isTerminal, usesColor: usesColor, columns: { columns },
            write: { text in self.pieces.withLock { $0.append(text) } })
    }
}

/// Keeps what callbacks see.
final class Collected<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    var all: [Element] { elements.withLock { $0 } }
    func append(_ element: Element) { elements.withLock { $0.append(element) } }
}
