import FoveaGraph
import FoveaRuntime

/// A graph in inference mode that need not depend on all inputs for which there are values: parts of models do not.
struct PartialStep: Sendable {
    private let step: Step
    private let inputs: Set<String>

    init(outputs: [Tensor], updates: [Update] = []) {
        step = Step(outputs: outputs, updates: updates, mode: .inference)
        inputs = Set(
            topologicalOrder(of: outputs + updates.map(\.value)).compactMap { tensor in
                if case .source(.input(let name)) = tensor.operation { name } else { nil }
            })
    }

    /// - Parameters:
    ///   - values: by name; those that the graph does not depend on are left out.
    ///   - number: feeds the random numbers.
    ///   - seed: what random numbers depend on, too.
    @Compute
    func run(
        _ runner: StepRunner, _ values: [String: TensorValue], number: UInt64 = 0, seed: UInt64 = 0
    ) throws -> [TensorValue] {
        let outputs = try runner.run(
            step, values.filter { inputs.contains($0.key) }, number: number, seed: seed)
        return try outputs.map { try $0.value() }
    }
}
