import FoveaGraph

extension Kernel {
    /// The kind of work, for people.
    public var name: String {
        switch self {
        case .elementwise: "elementwise"
        case .reduction: "reduction"
        case .gather(let kernel): kernel.isScatter ? "scatterAdd" : "gather"
        case .convolution(let choice): choice.request.direction.rawValue
        case .pooling(let choice): choice.request.isGradient ? "pooling gradient" : "pooling"
        case .matmul: "matmul"
        case .softmax: "softmax"
        case .reorder: "layout change"
        }
    }
}

extension Plan: CustomStringConvertible {
    /// A line for each call with what it writes, the layouts, the algorithm or fused work and the bytes it touches; then
    /// the memory and every layout change.
    public var description: String {
        var lines: [String] = []
        for (place, call) in calls.enumerated() {
            let results = call.operands.filter { $0.isWritten && $0.role != .scratchpad }.map { operand in
                let value = values[operand.value]
                return "\(value.type) \(value.layout.description(value.type.shape))"
            }
            let bytes = call.operands.reduce(0) { $0 + values[$1.value].byteCount }
            lines.append(
                "\(place)\t\(call.kernel.name)\t\(results.joined(separator: "; "))\t\(call.note)\t\(bytes) B")
        }
        let changes = calls.filter { if case .reorder = $0.kernel { true } else { false } }
        lines.append("memory: \(arenaByteCount) B shared (\(unsharedByteCount) B without sharing)")
        lines.append("layout changes: \(changes.count)")
        for change in changes {
            lines.append("  \(values[change.reads[0]].name) \(values[change.reads[0]].type): \(change.note)")
        }
        return lines.joined(separator: "\n")
    }
}
