import FoveaGraph
import FoveaLayers
import FoveaPlanner
import FoveaRuntime
import Testing

/// The value of a tensor by the reference rules. Inputs that it does not depend on are left out.
func evaluate(
    _ output: Tensor, feeds: [String: TensorValue], batch: Int, training: Bool = false
) async throws -> TensorValue {
    try await Compute.run {
        let mode: Mode = training ? .training : .inference
        let executable = try ReferenceBackend().compile(outputs: [output], mode: mode, batch: batch, seed: 7)
        return try executable.run(feeds.filter { executable.inputs[$0.key] != nil })[0]
    }
}

/// A model of one layer.
func model(_ layer: any Layer, input: Shape, seed: UInt64 = 0) throws(ShapeError) -> Sequential {
    try Sequential(name: "model", input: input, seed: seed) { layer }
}

/// The output of a model for the given examples.
func outputs(of model: any ModelProtocol, for x: TensorValue, training: Bool = false) async throws
    -> TensorValue
{
    let input = Tensor.input("x", try model.inputShape)
    return try await evaluate(model(input), feeds: ["x": x], batch: x.shape[0], training: training)
}

/// The first values of a model's parameters.
func values(of model: any ModelProtocol) async throws -> [[Float]] {
    try await Compute.run { try model.parameters.map { try $0.parameter.variable?.value().floats ?? [] } }
}

/// Gives a parameter other values.
func set(_ parameter: Parameter?, _ elements: [Float]) async throws {
    let variable = try #require(parameter?.variable)
    try await variable.assign(TensorValue(shape: variable.shape, elements))
}

/// Numbers that a hash makes of their positions, as in the scripts that make the golden files.
func hashed(_ stream: UInt64, _ shape: Shape) throws -> TensorValue {
    try TensorValue(
        shape: shape,
        (0..<UInt64(shape.elementCount)).map { index in
            var z = (stream << 32 + index) &+ 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            z ^= z >> 31
            return Float(Double(z >> 40) / 0x1p24 * 2 - 1)
        })
}

/// The largest difference relative to the largest expected magnitude.
func difference(_ values: [Float], _ expected: [Double]) -> Double {
    guard values.count == expected.count else { return .infinity }
    let largest = expected.map(abs).max() ?? 0
    let errors = zip(values, expected).map { abs(Double($0) - $1) }
    // A NaN must not hide behind `max`.
    guard errors.allSatisfy(\.isFinite) else { return .infinity }
    return (errors.max() ?? 0) / (largest > 0 ? largest : 1)
}
