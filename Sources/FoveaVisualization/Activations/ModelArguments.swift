import FoveaGraph
import FoveaLayers

/// The inputs of a graph that calls a model, and values for them.
struct ModelArguments: Sendable {
    let inputs: [ModelInput]
    let tensors: [Tensor]

    init(_ model: any ModelProtocol) {
        inputs = model.modelInputs
        tensors = inputs.map { Tensor.input(Self.key($0.name), $0.shape) }
    }

    /// The model's names have no '/', so nothing else in the graph is called alike.
    private static func key(_ name: String) -> String { "input/\(name)" }

    func values(_ values: [TensorValue]) -> [String: TensorValue] {
        Dictionary(zip(inputs.map { Self.key($0.name) }, values), uniquingKeysWith: { first, _ in first })
    }

    /// Inputs as float32, after they have been found to fit: uint8 images are scaled to 0…1.
    ///
    /// - Returns: the values, each `[count, …]`, and how many examples they are.
    /// - Throws: `InsightError` naming the input that does not fit.
    func checked(_ values: [TensorValue]) throws -> (values: [TensorValue], count: Int) {
        guard values.count == inputs.count, let count = values.first?.shape.dimensions.first, count > 0 else {
            throw InsightError.invalidArgument(
                "the number of inputs", "\(values.count)",
                expected: "\(inputs.count), with at least one example each: "
                    + inputs.map(\.name).joined(separator: ", "))
        }
        let floats = try zip(inputs, values).map { input, value in
            let expected = Shape([count] + input.shape.dimensions)
            guard value.shape == expected else {
                throw InsightError.wrongShape(
                    "the input '\(input.name)'", value.shape, expected: "\(expected)")
            }
            switch value.storage {
            case .float32: return value
            case .uint8(let elements):
                return TensorValue(unchecked: value.shape, .float32(elements.map { Float($0) / 255 }))
            default:
                throw InsightError.invalidArgument(
                    "the element type of the input '\(input.name)'", value.dtype.rawValue,
                    expected: "float32, or uint8 for images whose 0...255 stand for 0...1")
            }
        }
        return (floats, count)
    }
}

extension TensorValue {
    /// The same example several times: `[1, …]` as `[count, …]`.
    func repeated(_ count: Int) -> TensorValue {
        let elements = floats
        var all: [Float] = []
        all.reserveCapacity(count * elements.count)
        for _ in 0..<count { all += elements }
        return TensorValue(unchecked: Shape([count] + shape.dimensions.dropFirst()), .float32(all))
    }

    var isFinite: Bool { floats.allSatisfy(\.isFinite) }
}
