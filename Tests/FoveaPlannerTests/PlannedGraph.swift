import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// A graph under construction, with values for its inputs and variables of its own.
struct PlannedGraph {
    var outputs: [Tensor] = []
    var updates: [Update] = []
    private(set) var variables: [Variable] = []
    private(set) var values: [String: TensorValue] = [:]
    private var generator = PhiloxGenerator(seed: 5, stream: 0, step: 0)

    private mutating func numbers(_ shape: Shape) -> TensorValue {
        let doubles = (0..<shape.elementCount).map { _ in generator.uniform() * 4 - 2 }
        return TensorValue(shape: shape, dtype: .float32, doubles: doubles)
    }

    /// The value of a new variable.
    mutating func variable(_ shape: Shape) -> Tensor {
        let variable = Variable(name: "v\(variables.count)", initial: numbers(shape))
        variables.append(variable)
        return Tensor(variable)
    }

    /// A new input.
    mutating func input(_ shape: Shape) -> Tensor {
        let name = "x\(values.count)"
        values[name] = numbers(shape)
        return .argument(name, shape)
    }

    /// Lets a run give a variable, named by its value, a new value.
    mutating func update(_ variable: Tensor, to value: Tensor) throws {
        guard case .source(.variable(let variable)) = variable.operation else { return }
        updates.append(try Update(variable, to: value))
    }

    func bound(mode: Mode = .training) throws -> BoundGraph {
        try BoundGraph(outputs: outputs, updates: updates, mode: mode, batch: 1)
    }

    /// The outputs of two runs and the variables after them.
    @Compute
    func results(_ compile: (BoundGraph) throws -> any Executable) throws -> [TensorValue] {
        let executable = try compile(bound())
        var results: [TensorValue] = []
        for step in 0..<2 as Range<UInt64> { results += try executable.run(values, step: step, seed: 9) }
        return try results + variables.map { try $0.value() }
    }
}

/// Plans the graph that `build` makes, expects the plan to compute what the graph says, and returns it.
@discardableResult
@Compute
func checkedPlan(
    _ catalog: FakeCatalog = FakeCatalog(), sourceLocation: SourceLocation = #_sourceLocation,
    _ build: (inout PlannedGraph) throws -> Void
) throws -> Plan {
    // Runs change variables: each side has its own.
    var graphs = [PlannedGraph(), PlannedGraph()]
    for index in graphs.indices { try build(&graphs[index]) }
    let expected = try graphs[0].results { try ReferenceBackend().compile($0) }
    var plan = Plan()
    let actual = try graphs[1].results {
        let interpreter = try PlanInterpreter($0, catalog: catalog)
        plan = interpreter.plan
        return interpreter
    }
    for (index, (actual, expected)) in zip(actual, expected).enumerated() {
        expectClose(
            actual, expected, relativeTolerance: 1e-5, "result \(index)", sourceLocation: sourceLocation)
    }
    return plan
}

extension Plan {
    /// The kinds of its calls.
    var names: [String] { calls.map(\.request.name) }

    func count(_ name: String) -> Int { names.count { $0 == name } }

    /// Sums and means that passes over elementwise work take.
    var sumCount: Int {
        calls.reduce(0) { count, call in
            guard let request = call.request as? ElementwiseRequest else { return count }
            return count + request.program.instructions.count { if case .sum = $0 { true } else { false } }
        }
    }
}
