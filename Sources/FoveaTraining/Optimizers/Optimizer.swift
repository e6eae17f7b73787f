import FoveaGraph

/// A rule that changes variables so that a loss becomes smaller.
///
/// An optimizer is a value that holds settings only. What it remembers between steps is in an `OptimizerState`, and the
/// step itself is a part of the graph. A new rule states its `slots` and its `step`; names, the count of steps and the
/// checks are common to all.
public protocol Optimizer: Hashable, Codable, Sendable {
    /// The name under which it is saved, in lower case.
    static var name: String { get }

    /// The step size at the start. The graph takes it as the argument `learning_rate`, so it can change between steps.
    var learningRate: Double { get set }

    /// The names of the tensors kept for each variable, all of its shape and 0 at first.
    var slots: [String] { get }

    /// The new value of one variable and of its slots.
    func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs

    /// - Throws: `TrainingError.invalidArgument` for a setting outside its range.
    func checkSettings() throws
}

/// What one variable's step is computed from.
public struct OptimizerInputs: Sendable {
    public let value: Tensor
    public let gradient: Tensor
    /// In the order of the optimizer's `slots`.
    public let slots: [Tensor]
    /// A float32 scalar.
    public let learningRate: Tensor
    /// The number of this step, 1 for the first, as a float32 scalar.
    public let iteration: Tensor
}

/// The result of one variable's step.
public struct OptimizerOutputs: Sendable {
    public let value: Tensor
    public let slots: [Tensor]

    public init(value: Tensor, slots: [Tensor] = []) {
        self.value = value
        self.slots = slots
    }
}

/// What an optimizer remembers between steps.
///
/// The variables are named after the optimizer and what they belong to, such as `adam/conv2d/kernel/momentum`.
public final class OptimizerState: Sendable {
    /// The number of steps taken, `int32`.
    public let iterations: Variable
    let slots: [Variable: [Variable]]
    /// Every variable of the state, the same order for the same model.
    public let variables: [Variable]

    /// The state before the first step.
    public init(_ optimizer: some Optimizer, for trained: [Variable]) {
        let name = type(of: optimizer).name
        iterations = Variable(
            name: "\(name)/iterations", initial: TensorValue(shape: .scalar, dtype: .int32, doubles: [0]))
        var slots: [Variable: [Variable]] = [:]
        for variable in trained {
            slots[variable] = optimizer.slots.map {
                Variable(
                    name: "\(name)/\(variable.name)/\($0)",
                    initial: TensorValue(repeating: 0, shape: variable.shape))
            }
        }
        self.slots = slots
        variables = [iterations] + trained.flatMap { slots[$0] ?? [] }
    }
}

extension Optimizer {
    /// One step of every variable as updates for `Backend.compile`, those of the optimizer's state included.
    ///
    /// The compiled graph has the input `learning_rate`, a float32 scalar.
    ///
    /// - Parameters:
    ///   - variables: float32 variables, each once.
    ///   - gradients: the loss's gradient with respect to each, from `gradient(of:withRespectTo:)`.
    ///   - state: what is remembered between steps. Graphs that train the same variables share one; nil starts anew.
    /// - Throws: `ShapeError` when gradients do not match the variables or the state is of others;
    ///   `TrainingError.invalidArgument` for a setting outside its range.
    public func updates(
        for variables: [Variable], gradients: [Tensor], state: OptimizerState? = nil
    ) throws -> [Update] {
        try checkSettings()
        let name = Self.name
        guard variables.count == gradients.count, Set(variables).count == variables.count else {
            throw ShapeError(
                name,
                "needs one gradient for each of \(variables.count) different variables, not \(gradients.count)"
            )
        }
        let state = state ?? OptimizerState(self, for: variables)
        let iterations = try Tensor(state.iterations) + 1
        let learningRate = Tensor.argument("learning_rate")

        var updates = [try Update(state.iterations, to: iterations)]
        for (variable, gradient) in zip(variables, gradients) {
            guard variable.dtype == .float32, gradient.node.type == variable.type else {
                throw ShapeError(
                    name,
                    "variable '\(variable.name)' and its gradient must be float32 of one shape, not "
                        + "\(variable.type) and \(gradient.node.type)",
                    shapes: [variable.shape, gradient.shape])
            }
            guard let slots = state.slots[variable], slots.count == self.slots.count else {
                throw ShapeError(
                    name, "the optimizer's state was made for other variables than '\(variable.name)'")
            }
            let result = try step(
                OptimizerInputs(
                    value: Tensor(variable), gradient: gradient, slots: slots.map { Tensor($0) },
                    learningRate: learningRate, iteration: iterations.cast(to: .float32)))
            updates.append(try Update(variable, to: result.value))
            for (slot, value) in zip(slots, result.slots) { updates.append(try Update(slot, to: value)) }
        }
        return updates
    }

    /// Checks one setting.
    func check(_ setting: String, _ value: Double, in range: some RangeExpression<Double>, _ text: String)
        throws
    {
        guard value.isFinite, range.contains(value) else {
            throw TrainingError.invalidArgument("\(setting) of \(Self.name)", "\(value)", expected: text)
        }
    }

    func checkLearningRate() throws {
        try check("learningRate", learningRate, in: 0..., "a number that is not negative, such as 0.001")
    }
}
