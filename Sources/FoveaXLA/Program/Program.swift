import FoveaGraph
import FoveaRuntime

/// A bound graph as a program of StableHLO, the language that accelerators' compilers read.
///
/// Arguments are the variables that the graph reads, its inputs, and the key of random numbers if there are any. Results are the next
/// values of the variables that it updates, and its outputs. A variable that is read and updated gives its memory to its next value.
struct Program {
    /// In the order of the arguments.
    enum Argument: Hashable {
        case variable(Variable)
        case input(String)
        case randomKey
    }

    let text: String
    let arguments: [Argument]
    /// The variables whose next values are the first results.
    let updated: [Variable]
    /// The types of the results that follow.
    let outputs: [TensorType]

    /// - Throws: `ShapeError` when two inputs of one name differ in type.
    init(_ graph: BoundGraph, precision: Precision) throws {
        var builder = ProgramBuilder(ProductArithmetic(precision))
        try builder.addArguments(of: graph)
        try builder.add(graph.roots)
        arguments = builder.arguments.map(\.argument)
        updated = graph.updates.map(\.variable)
        outputs = graph.outputs.map(\.node.type)
        text = builder.text(graph)
    }
}

/// The program of a graph under way.
private struct ProgramBuilder {
    private(set) var arguments: [(argument: Program.Argument, value: Value)] = []
    private var function = FunctionText()
    private var values: [Tensor: Value] = [:]
    private let arithmetic: ProductArithmetic

    init(_ arithmetic: ProductArithmetic) { self.arithmetic = arithmetic }

    mutating func addArguments(of graph: BoundGraph) throws {
        var found: [Program.Argument: Value] = [:]
        _ = try graph.inputs()
        for tensor in topologicalOrder(of: graph.roots) {
            let argument: Program.Argument
            switch tensor.operation {
            case .source(.variable(let variable)): argument = .variable(variable)
            case .source(.input(let name)): argument = .input(name)
            case .source(.randomKey): argument = .randomKey
            default: continue
            }
            let value =
                found[argument] ?? Value(name: "%arg\(arguments.count)", type: ValueType(tensor.node.type))
            if found.updateValue(value, forKey: argument) == nil { arguments.append((argument, value)) }
            values[tensor] = value
        }
    }

    /// Adds tensors after what they are computed from.
    mutating func add(_ roots: [Tensor]) throws {
        var stack = Array(roots.reversed())
        while let tensor = stack.last {
            let missing = values[tensor] == nil ? tensor.inputs.filter { values[$0] == nil } : []
            guard missing.isEmpty else {
                stack += missing.reversed()
                continue
            }
            stack.removeLast()
            if values[tensor] == nil { values[tensor] = try value(of: tensor) }
        }
    }

    private mutating func value(of composed: Tensor, standingFor tensor: Tensor) throws -> Value {
        try add([composed])
        guard let value = values[composed] else { throw Self.unbound(tensor) }
        return value
    }

    private static func unbound(_ tensor: Tensor) -> RunError {
        .kernel("'\(tensor.operation.rule.name)' has no value in a compiled graph")
    }

    private mutating func value(of tensor: Tensor) throws -> Value {
        let x = try tensor.inputs.map { input in
            guard let value = values[input] else { throw Self.unbound(input) }
            return value
        }
        let type = ValueType(tensor.node.type)
        switch tensor.operation {
        case .source(.constant(let value)): return function.constant(value)
        case .source(.input), .source(.variable), .source(.randomKey), .source(.isTraining),
            .source(.elementCount):
            throw Self.unbound(tensor)
        case .unary(let rule): return function.unary(rule, x[0])
        case .binary(let rule): return function.binary(rule, x[0], x[1])
        case .comparison(let rule): return function.comparison(rule, x[0], x[1])
        case .select: return function.select(x[0], x[1], x[2])
        case .cast(let rule): return function.cast(x[0], to: rule.dtype)
        case .reduction(let rule): return function.reduction(rule, x[0], type)
        case .argMax(let rule): return function.argMax(rule, x[0], type)
        case .reshape: return function.reshape(x[0], type.extents)
        case .transpose(let rule): return function.transpose(x[0], rule.permutation)
        case .broadcast: return function.broadcast(x[0], to: type.extents)
        case .slice(let rule): return function.slice(rule, x[0])
        case .pad(let rule):
            return function.pad(
                x[0], with: rule.value, low: rule.low, high: rule.high, interior: rule.interior)
        case .concatenate(let rule): return function.concatenate(x, axis: rule.axis)
        case .oneHot(let rule): return function.oneHot(rule, x[0], type)
        case .gather(let rule): return function.gather(rule, x[0], x[1], type)
        case .scatterAdd(let rule): return function.scatterAdd(rule, x[0], x[1], type)
        case .matmul(let rule): return function.matmul(rule, x[0], x[1], type, arithmetic)
        case .convolution(let rule): return function.convolution(rule, x[0], x[1], type, arithmetic)
        case .convolutionInputGradient(let rule):
            return function.convolutionInputGradient(rule, x[0], x[1], type, arithmetic)
        case .convolutionKernelGradient(let rule):
            return function.convolutionKernelGradient(rule, x[0], x[1], type, arithmetic)
        case .maxPool(let rule): return function.maxPool(rule, x[0])
        case .maxPoolGradient(let rule): return function.maxPoolGradient(rule, x[0], x[1])
        case .averagePool(let rule): return function.averagePool(rule, x[0], type)
        case .averagePoolGradient(let rule): return function.averagePoolGradient(rule, x[0], type)
        case .softmax(let rule): return function.softmax(rule, x[0])
        // The language's own operation takes the variance from a difference of squares, which keeps no digits beside a large mean.
        case .batchNorm(let rule): return try value(of: rule.composed(tensor.inputs), standingFor: tensor)
        case .batchNormGradient(let rule):
            return try value(of: rule.composed(tensor.inputs), standingFor: tensor)
        case .random(let rule):
            guard case .numbered(let stream) = rule.stream else { throw Self.unbound(tensor) }
            return function.random(rule, stream: stream, key: x[0], type)
        case .attachment: return x[0]
        }
    }

    func text(_ graph: BoundGraph) -> String {
        let results = (graph.updates.map(\.value) + graph.outputs).compactMap { values[$0] }
        let places = Dictionary(
            graph.updates.enumerated().map { ($0.element.variable, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        let parameters = arguments.map { argument, value in
            guard case .variable(let variable) = argument, let place = places[variable] else {
                return "\(value.name): \(value.type)"
            }
            return "\(value.name): \(value.type) {tf.aliasing_output = \(place) : i32}"
        }
        let types = results.map(\.type.description).joined(separator: ", ")
        let names = results.map(\.name).joined(separator: ", ")
        let lines = function.lines.map { $0.replacing("\n", with: "\n    ") }
        return """
            module @fovea {
              func.func public @main(\(parameters.joined(separator: ", "))) -> (\(types)) {
                \(lines.joined(separator: "\n    "))
                return \(names)\(results.isEmpty ? "" : " : \(types)")
              }
            }

            """
    }
}
