import FoveaGraph
import FoveaRuntime
import Testing

extension OperationCase {
    /// The outputs, followed by the gradient of a weighted sum of them with respect to each differentiable input.
    ///
    /// The weights are inputs `w0`, `w1` and so on, one for each floating-point output, and should differ from element
    /// to element: with equal weights many wrong gradients look right.
    public func graph(batch: Int?) throws -> CaseGraph {
        let tensors = tensors(batch: batch)
        let outputs = try build(tensors)
        var loss: Tensor?
        for (index, output) in outputs.enumerated() where output.dtype.isFloatingPoint {
            let weighted = try output.cast(to: .float32) * Tensor.argument("w\(index)", output.shape)
            loss = try loss.map { try $0 + weighted.sum() } ?? weighted.sum()
        }
        guard let loss, !differentiable.isEmpty else { return CaseGraph(outputs: outputs, gradients: []) }
        let gradients = try gradient(of: loss, withRespectTo: differentiable.map { tensors[$0] })
        return CaseGraph(outputs: outputs, gradients: gradients)
    }

    /// Values of the inputs and weights of `graph`, for the names in `types`.
    public func values(batch: Int, for types: [String: TensorType]) -> [String: TensorValue] {
        let inputs = values(batch: batch)
        return Dictionary(
            uniqueKeysWithValues: types.map { name, type in
                if let value = inputs[name] { return (name, value) }
                var generator = PhiloxGenerator(seed: 77, stream: UInt32(name.dropFirst()) ?? 0, step: 1)
                let weights = CaseValues.signed(0.5, 1.5).elements(type.shape.elementCount, &generator)
                return (name, TensorValue(shape: type.shape, dtype: type.dtype, doubles: weights))
            })
    }
}

/// A case's outputs and gradients, as tensors.
public struct CaseGraph: Sendable {
    public let outputs: [Tensor]
    public let gradients: [Tensor]
}

/// Compares a case's outputs and gradients, compiled from a symbolic batch size, between two backends.
///
/// - Parameters:
///   - batch: the batch size; the one that the case is written for when nil.
///   - relativeTolerance: the largest difference relative to the largest magnitude; that of the case's tolerance class
///     when nil.
@Compute
public func check(
    _ operationCase: OperationCase, on backend: any Backend,
    against reference: any Backend = ReferenceBackend(),
    batch: Int? = nil, mode: Mode = .training, relativeTolerance: Double? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let batch = batch ?? operationCase.batch
    let graph = try operationCase.graph(batch: nil)
    let tensors = graph.outputs + graph.gradients
    let results = try [backend, reference].map { backend in
        let executable = try backend.compile(outputs: tensors, mode: mode, batch: batch)
        return try executable.run(
            operationCase.values(batch: batch, for: executable.inputs), step: 3, seed: 5)
    }
    for index in tensors.indices {
        let isOutput = index < graph.outputs.count
        let what =
            isOutput
            ? "output \(index)"
            : "gradient with respect to x\(operationCase.differentiable[index - graph.outputs.count])"
        expectClose(
            results[0][index], results[1][index],
            relativeTolerance: relativeTolerance ?? operationCase.tolerance.relative,
            "\(operationCase.name), \(mode.rawValue), batch \(batch), \(what) on \(backend.name)",
            sourceLocation: sourceLocation)
    }
}
