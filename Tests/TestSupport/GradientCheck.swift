import FoveaGraph
import FoveaRuntime
import Testing

/// Compares the gradients of a case with finite differences in the reference interpreter.
@Compute
public func checkGradient(
    _ operationCase: OperationCase, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let graph = try operationCase.graph(batch: operationCase.batch)
    let outputs = try ReferenceBackend().compile(
        outputs: graph.outputs, mode: .training, batch: operationCase.batch)
    let gradients = try ReferenceBackend().compile(
        outputs: graph.gradients, mode: .training, batch: operationCase.batch)
    let values = operationCase.values(
        batch: operationCase.batch, for: outputs.inputs.merging(gradients.inputs) { a, _ in a })
    let weights = graph.outputs.indices.map { values["w\($0)"]?.doubles }
    try compareWithDifferences(
        operationCase, at: values,
        gradients: gradients.run(values.limited(to: gradients.inputs), step: 3, seed: 5),
        sourceLocation
    ) { changed in
        let results = try outputs.run(changed.limited(to: outputs.inputs), step: 3, seed: 5)
        return zip(results, weights).flatMap { result, weights in
            weights.map { zip(result.doubles, $0).map { $0 * $1 } } ?? []
        }
    }
}

/// Compares second derivatives with finite differences of the first: the gradient of half the sum of the squared
/// gradients.
@Compute
public func checkSecondDerivative(
    _ operationCase: OperationCase, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let tensors = operationCase.tensors(batch: operationCase.batch)
    let outputs = try operationCase.build(tensors)
    let variables = operationCase.differentiable.map { tensors[$0] }
    let weighted = try outputs[0] * Tensor.argument("w0", outputs[0].shape)
    let first = try gradient(of: weighted.sum(), withRespectTo: variables)
    var half = Tensor.constant(0)
    for gradient in first { half = try half + (gradient * gradient).sum() * 0.5 }
    let second = try gradient(of: half, withRespectTo: variables)
    let firstOrder = try ReferenceBackend().compile(
        outputs: first, mode: .training, batch: operationCase.batch)
    let secondOrder = try ReferenceBackend().compile(
        outputs: second, mode: .training, batch: operationCase.batch)
    let values = operationCase.values(
        batch: operationCase.batch, for: firstOrder.inputs.merging(secondOrder.inputs) { a, _ in a })
    try compareWithDifferences(
        operationCase, at: values, gradients: secondOrder.run(values.limited(to: secondOrder.inputs)),
        sourceLocation
    ) { changed in
        try firstOrder.run(changed.limited(to: firstOrder.inputs)).flatMap { $0.doubles.map { $0 * $0 / 2 } }
    }
}

/// Compares gradients with central differences of a sum along random directions of steps ±h in every element.
///
/// The five-point formula `(8(f₁ - f₋₁) - (f₂ - f₋₂)) / 12h` is used, exact up to h⁴, so that h may be large: tensors
/// are rounded to float32 between operations, and the difference must stand out from that.
@Compute
private func compareWithDifferences(
    _ operationCase: OperationCase, at values: [String: TensorValue], gradients: [TensorValue],
    _ sourceLocation: SourceLocation, terms: ([String: TensorValue]) throws -> [Double]
) throws {
    let h = 1.0 / 64
    var generator = PhiloxGenerator(seed: 11, stream: 0, step: 0)
    let noise = 2e-5 * norm(try terms(values))
    for (gradient, position) in zip(gradients, operationCase.differentiable) {
        let name = "x\(position)"
        guard let value = values[name] else { continue }
        let (center, slopes) = (value.doubles, gradient.doubles)
        guard gradient.shape == value.shape, slopes.allSatisfy(\.isFinite) else {
            Issue.record(
                "the gradient with respect to \(name) is \(gradient)", sourceLocation: sourceLocation)
            continue
        }
        for _ in 0..<2 {
            let direction = center.map { _ in generator.nextWord() & 1 == 0 ? 1.0 : -1.0 }
            func sum(_ steps: Double) throws -> Double {
                var changed = values
                changed[name] = TensorValue(
                    shape: value.shape, dtype: value.dtype,
                    doubles: zip(center, direction).map { $0 + steps * h * $1 })
                return try terms(changed).reduce(0, +)
            }
            let expected = try (8 * (sum(1) - sum(-1)) - (sum(2) - sum(-2))) / (12 * h)
            let actual = zip(slopes, direction).reduce(0) { $0 + $1.0 * $1.1 }
            let allowed = 1e-3 * norm(slopes) + noise
            if !(abs(actual - expected) <= allowed) {
                Issue.record(
                    """
                    \(operationCase.name): along a direction of \(name) the gradient gives \(actual), differences give \
                    \(expected); allowed is \(allowed)
                    """, sourceLocation: sourceLocation)
            }
        }
    }
}

private func norm(_ elements: [Double]) -> Double { elements.reduce(0) { $0 + $1 * $1 }.squareRoot() }

extension [String: TensorValue] {
    /// The values that a compiled graph takes.
    fileprivate func limited(to types: [String: TensorType]) -> [String: TensorValue] {
        filter { types[$0.key] != nil }
    }
}
