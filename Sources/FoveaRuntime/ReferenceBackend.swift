import FoveaGraph
import FoveaPlanner

/// Runs each operation's reference implementation in turn, with nothing simplified, fused or reordered: slow, and what
/// every other backend is compared with.
public struct ReferenceBackend: Backend {
    public init() {}
    public var name: String { "reference" }

    public func compile(_ graph: BoundGraph, seed: UInt64) throws -> any Executable {
        try ReferenceExecutable(graph, seed: seed)
    }
}

@Compute
private final class ReferenceExecutable: Executable {
    let inputs: [String: TensorType]
    private let graph: BoundGraph
    private let order: [Tensor]
    private let seed: UInt64
    private var given: [String: TensorValue] = [:]
    private var results: [TensorValue] = []

    init(_ graph: BoundGraph, seed: UInt64) throws {
        self.graph = graph
        self.seed = seed
        inputs = try graph.inputs()
        order = topologicalOrder(of: graph.roots)
    }

    var outputCount: Int { graph.outputs.count }
    func output(_ index: Int) throws -> TensorValue {
        guard results.indices.contains(index) else { throw RunError.noOutput(index, count: outputCount) }
        return results[index]
    }

    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard let type = inputs[name] else { throw unknownInput(name) }
        var bytes = [UInt8](repeating: 0, count: type.shape.elementCount * type.dtype.byteCount)
        try bytes.withUnsafeMutableBytes(fill)
        given[name] = try bytes.withUnsafeBytes {
            try TensorValue(shape: type.shape, dtype: type.dtype, bytes: $0)
        }
    }

    func run(step: UInt64) throws {
        var values: [Tensor: TensorValue] = [:]
        for tensor in order {
            values[tensor] =
                switch tensor.operation {
                case .source(.input(let name)): try given[name] ?? { throw RunError.missingInput(name) }()
                case .source(.constant(let value)): value
                case .source(.variable(let variable)): try variable.value()
                case .source(.randomKey): randomKeyValue(step: step)
                default:
                    try tensor.operation.rule.evaluate(tensor.inputs.map { values[$0]! }, tensor.node.type)
                }
        }
        // All updates see the values from before the run.
        for update in graph.updates { try update.variable.assign(values[update.value]!) }
        results = graph.outputs.map { values[$0]! }
    }

    private func randomKeyValue(step: UInt64) -> TensorValue {
        let key = randomKey(seed: seed, step: step)
        return TensorValue(key.indices.map { key[$0] })
    }
}
