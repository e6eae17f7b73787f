import Foundation
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import Testing

/// The value of a tensor by the reference rules. Inputs that it does not depend on are left out.
func evaluate(
    _ output: Tensor, feeds: [String: TensorValue], batch: Int, training: Bool = false
) async throws -> TensorValue {
    try await Compute.run {
        let mode: Mode = training ? .training : .inference
        let executable = try ReferenceBackend().compile(outputs: [output], mode: mode, batch: batch)
        return try executable.run(feeds.filter { executable.inputs[$0.key] != nil }, seed: 7)[0]
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

/// The values of the parameters of a layer, or of a model, which is one.
func values(of model: any Layer) async throws -> [[Float]] {
    try await Compute.run { try model.parameters.map { try $0.parameter.variable?.value().floats ?? [] } }
}

/// Gives a parameter other values.
func set(_ parameter: Parameter?, _ elements: [Float]) async throws {
    let variable = try #require(parameter?.variable)
    try await variable.assign(TensorValue(shape: variable.shape, elements))
}

/// Gives every parameter values quickly: numbers of a repeating hash, kernels as large as by He et al., moving
/// variances around 1, others small.
func setTiledValues(of model: any ModelProtocol) async throws {
    // A prime, so that rows and filters differ.
    let tile = try hashed(9, [8191]).floats
    for (_, parameter) in model.parameters {
        guard let shape = parameter.variable?.shape else { continue }
        let fanIn = Float(shape.dimensions.dropLast().reduce(1, *))
        let (center, scale): (Float, Float) =
            switch parameter.name {
            case "kernel": (0, (6 / fanIn).squareRoot())
            // Residual networks add up what each block gives.
            case "gamma": (0.25, 0.125)
            case "moving_variance": (1, 0.25)
            default: (0, 0.125)
            }
        let scaled = tile.map { center + scale * $0 }
        var values: [Float] = []
        values.reserveCapacity(shape.elementCount)
        while values.count < shape.elementCount {
            values.append(contentsOf: scaled.prefix(shape.elementCount - values.count))
        }
        try await set(parameter, values)
    }
}

/// A file of the folder Golden.
func golden<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
    let url = try #require(
        Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Golden"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(contentsOf: url))
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
