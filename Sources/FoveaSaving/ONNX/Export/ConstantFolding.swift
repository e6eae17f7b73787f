import FoveaGraph

/// The parts of a graph that no input changes, and their values.
struct ConstantFolding {
    private let variables: [Variable: TensorValue]
    private var values: [Tensor: TensorValue] = [:]
    private let constants: Set<Tensor>

    /// - Parameters:
    ///   - tensors: in the order in which they are computed.
    ///   - variables: the value of every variable among them.
    init(_ tensors: [Tensor], variables: [Variable: TensorValue]) {
        self.variables = variables
        var constants = Set<Tensor>()
        for tensor in tensors {
            switch tensor.operation {
            case .source(.constant), .source(.variable): constants.insert(tensor)
            case .source, .random: break
            default:
                if !tensor.shape.isSymbolic, tensor.inputs.allSatisfy(constants.contains) {
                    constants.insert(tensor)
                }
            }
        }
        self.constants = constants
    }

    func contains(_ tensor: Tensor) -> Bool { constants.contains(tensor) }

    mutating func value(of tensor: Tensor) throws -> TensorValue {
        if let value = values[tensor] { return value }
        for part in topologicalOrder(of: [tensor]) where values[part] == nil {
            switch part.operation {
            case .source(.constant(let value)): values[part] = value
            case .source(.variable(let variable)): values[part] = variables[variable]
            default:
                let inputs = part.inputs.compactMap { values[$0] }
                values[part] = try part.operation.rule.evaluate(inputs, part.node.type)
            }
        }
        guard let value = values[tensor] else {
            throw ShapeError("constant", "a variable of the model has no value")
        }
        return value
    }
}
