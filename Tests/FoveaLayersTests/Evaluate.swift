import FoveaGraph
import FoveaLayers
import Testing

struct EvaluationError: Error { let message: String }

/// The value of a tensor by the reference rules.
func evaluate(
    _ output: Tensor, feeds: [Tensor: TensorValue], batch: Int, training: Bool = false
) throws -> TensorValue {
    var values: [Tensor: TensorValue] = [:]
    var streams: [RandomStream: UInt32] = [:]
    for tensor in topologicalOrder(of: [output]) {
        var operation = tensor.operation.bound(batch: batch)
        switch operation {
        case .source(.constant(let value)): values[tensor] = value
        case .source(.isTraining):
            values[tensor] = try TensorValue(shape: .scalar, storage: .bool([training]))
        case .source(.randomKey): values[tensor] = TensorValue([7, 0, 0, 0] as [Int32])
        case .source(.variable(let variable)):
            values[tensor] = (variable.currentStorage as? HostStorage)?.current
        case .source: values[tensor] = feeds[tensor]
        default:
            if case .random(let random) = operation, case .unnumbered(let stream) = random.stream {
                let number = streams[stream] ?? UInt32(streams.count)
                streams[stream] = number
                operation = .random(
                    Random(random.distribution, shape: random.shape, stream: .numbered(number)))
            }
            let inputs = tensor.inputs.compactMap { values[$0] }
            let type = try operation.rule.infer(inputs.map { TensorType($0.shape, $0.dtype) })
            values[tensor] = try operation.rule.evaluate(inputs, type)
        }
        if values[tensor] == nil {
            throw EvaluationError(message: "\(operation.rule.name) was given no value")
        }
    }
    guard let value = values[output] else { throw EvaluationError(message: "nothing was computed") }
    return value
}

/// A model of one layer.
func model(_ layer: any Layer, input: Shape, seed: UInt64 = 0) throws(ShapeError) -> Sequential {
    try Sequential(name: "model", input: input, seed: seed) { layer }
}

/// The output of a model for the given examples.
func outputs(of model: Sequential, for x: TensorValue, training: Bool = false) throws -> TensorValue {
    let input = Tensor.input("x", try model.inputShape)
    return try evaluate(model(input), feeds: [input: x], batch: x.shape[0], training: training)
}

/// The first values of a model's parameters.
func values(of model: Sequential) -> [[Float]] {
    model.parameters.map { ($0.parameter.variable?.currentStorage as? HostStorage)?.current.floats ?? [] }
}

/// Gives a parameter other values.
func set(_ parameter: Parameter?, _ elements: [Float]) throws {
    let variable = try #require(parameter?.variable)
    variable.move(to: HostStorage(try TensorValue(shape: variable.shape, elements)))
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
