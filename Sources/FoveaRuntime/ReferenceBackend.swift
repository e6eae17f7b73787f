import FoveaGraph

/// Runs each operation's reference implementation in turn, with nothing simplified, fused or reordered: slow, and what
/// every other backend is compared with.
public struct ReferenceBackend: Backend {
    public init() {}
    public var name: String { "reference" }
    public var precision: Precision { .strict }
    public var summary: String { name }
    public var versions: [String: String] { [:] }
    public var threadCount: Int { 1 }
    public var threadShortage: String? { nil }

    public func makeWorkspace() -> any Workspace { OwnMemory() }

    public func compile(_ graph: BoundGraph, in workspace: any Workspace) throws -> any Executable {
        try ReferenceExecutable(graph)
    }

    public func table(of graph: BoundGraph) -> String {
        topologicalOrder(of: graph.roots).map(\.line).joined(separator: "\n")
    }

    /// Values come and go while it runs, so there is nothing to share.
    private final class OwnMemory: Workspace {}
}

extension Tensor {
    /// For people.
    fileprivate var line: String { "\(operation.rule.name)  \(node.type)" }
}

@Compute
private final class ReferenceExecutable: Executable {
    let inputs: [String: TensorType]
    private let graph: BoundGraph
    private let order: [Tensor]
    private var given: [String: TensorValue] = [:]
    private var results: [TensorValue] = []

    init(_ graph: BoundGraph) throws {
        self.graph = graph
        inputs = try graph.inputs()
        order = topologicalOrder(of: graph.roots)
    }

    var outputCount: Int { graph.outputs.count }

    func output(_ index: Int) throws -> RunOutput {
        guard results.indices.contains(index) else { throw RunError.noOutput(index, count: outputCount) }
        let result = results[index]
        return RunOutput(TensorType(result.shape, result.dtype)) { result }
    }

    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard let type = inputs[name] else { throw unknownInput(name) }
        var bytes = [UInt8](repeating: 0, count: type.shape.elementCount * type.dtype.byteCount)
        try bytes.withUnsafeMutableBytes(fill)
        given[name] = try bytes.withUnsafeBytes {
            try TensorValue(shape: type.shape, dtype: type.dtype, bytes: $0)
        }
    }

    func run(step: UInt64, seed: UInt64) throws {
        var values: [Tensor: TensorValue] = [:]
        for tensor in order { values[tensor] = try value(of: tensor, values, step: step, seed: seed) }
        // All updates see the values from before the run.
        for update in graph.updates { try update.variable.assign(values[update.value]!) }
        results = graph.outputs.map { values[$0]! }
    }

    private func value(
        of tensor: Tensor, _ values: [Tensor: TensorValue], step: UInt64, seed: UInt64
    ) throws -> TensorValue {
        switch tensor.operation {
        case .source(.input(let name)): try given[name] ?? { throw RunError.missingInput(name) }()
        case .source(.constant(let value)): value
        case .source(.variable(let variable)): try variable.value()
        case .source(.randomKey):
            TensorValue(randomKey(seed: seed, step: step).elements)
        default: try tensor.operation.rule.evaluate(tensor.inputs.map { values[$0]! }, tensor.node.type)
        }
    }

    func table(timedRuns: Int) throws -> String {
        let clock = ContinuousClock()
        var least = [Duration](repeating: .seconds(1 << 40), count: order.count)
        for _ in 0..<timedRuns {
            var values: [Tensor: TensorValue] = [:]
            for (place, tensor) in order.enumerated() {
                let time = try clock.measure {
                    values[tensor] = try value(of: tensor, values, step: 0, seed: 0)
                }
                least[place] = min(least[place], time)
            }
        }
        return zip(order, least).map { "\($1)  \($0.line)" }.joined(separator: "\n")
    }
}

extension SIMD4<Int32> {
    fileprivate var elements: [Int32] { indices.map { self[$0] } }
}
