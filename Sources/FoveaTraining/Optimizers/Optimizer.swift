import FoveaGraph

/// A rule that changes variables so that a loss becomes smaller.
///
/// An optimizer is a value that holds settings only. What it remembers between steps is in an `OptimizerState`, and the
/// step itself is a part of the graph. A new rule states its `slots` and its `step`; names, the count of steps, weight
/// decay, clipping, accumulation and the checks are common to all.
public protocol Optimizer: Hashable, Codable, Sendable {
    /// The name under which it is saved, in lower case.
    static var name: String { get }

    /// With Keras's settings.
    init()

    /// The step size at the start. The graph takes it as the argument `learning_rate`, so it can change between steps.
    var learningRate: Double { get set }

    /// λ, the part of every variable that is taken away before each step, in units of the learning rate:
    /// `w ← w - η·λ·w`. Not negative; nil decays nothing.
    ///
    /// The decay is decoupled from the gradient, so running means do not see it, as in Keras for every optimizer.
    /// Loshchilov and Hutter 2017, "Decoupled weight decay regularization", arXiv:1711.05101.
    var weightDecay: Double? { get set }

    /// The tensors kept for each variable.
    var slots: [OptimizerSlot] { get }

    /// The shapes of a variable's slots: all the variable's own unless said.
    func slotShapes(for variable: Shape) -> [Shape]

    /// The numbers kept once for all variables.
    var scalars: [OptimizerSlot] { get }

    /// The new values of `scalars` at step `iteration`, 1 for the first.
    func nextScalars(_ scalars: [Tensor], iteration: Tensor) throws -> [Tensor]

    /// The new value of one variable and of its slots.
    func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs

    /// - Throws: `TrainingError.invalidArgument` for a setting outside its range.
    func checkSettings() throws
}

/// The optimizers that files may name without `CustomTypes`.
public let builtInOptimizers: [any Optimizer.Type] = [
    SGD.self, RMSprop.self, Adam.self, AdamW.self, Adamax.self, Nadam.self, Adagrad.self, Adadelta.self,
    Lion.self, Lamb.self, Adafactor.self,
]

/// A tensor that an optimizer keeps between steps. One that is 0 at first may be written as its name alone.
public struct OptimizerSlot: Hashable, Sendable, ExpressibleByStringLiteral {
    public let name: String
    /// What all elements are before the first step.
    public let initialValue: Float

    public init(_ name: String, initialValue: Float) {
        self.name = name
        self.initialValue = initialValue
    }

    public init(stringLiteral name: String) { self.init(name, initialValue: 0) }
}

/// What one variable's step is computed from.
public struct OptimizerInputs: Sendable {
    /// The variable after weight decay.
    public let value: Tensor
    public let gradient: Tensor
    /// In the order of the optimizer's `slots`.
    public let slots: [Tensor]
    /// The new values of the optimizer's `scalars`, in their order.
    public let scalars: [Tensor]
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

extension Optimizer {
    public func slotShapes(for variable: Shape) -> [Shape] { slots.map { _ in variable } }
    public var scalars: [OptimizerSlot] { [] }
    public func nextScalars(_ scalars: [Tensor], iteration: Tensor) throws -> [Tensor] { scalars }

    /// One step of every variable as updates for `Backend.compile`, those of the optimizer's state included.
    ///
    /// The compiled graph has the input `learning_rate`, a float32 scalar. Gradients are accumulated if the state says so,
    /// then clipped; then variables decay and take their step, and averages follow if the state keeps them.
    ///
    /// - Parameters:
    ///   - variables: float32 variables, each once.
    ///   - gradients: the loss's gradient with respect to each, from `gradient(of:withRespectTo:)`.
    ///   - state: what is remembered between steps. Graphs that train the same variables share one; nil starts anew.
    ///   - clipping: how large gradients are made smaller; nil leaves them.
    ///   - undecayed: parts of the names of variables that weight decay leaves, such as `bias`.
    ///   - multipliers: what the learning rate is multiplied with for single variables; 1 for all others.
    ///   - constrained: what becomes of a variable's new value at the end of a step.
    /// - Throws: `ShapeError` when gradients do not match the variables or the state is of others;
    ///   `TrainingError.invalidArgument` for a setting outside its range.
    public func updates(
        for variables: [Variable], gradients: [Tensor], state: OptimizerState? = nil,
        clipping: GradientClipping? = nil, excludeFromWeightDecay undecayed: [String] = [],
        learningRateMultipliers multipliers: [Variable: Double] = [:],
        constrained: (Variable, Tensor) throws -> Tensor = { $1 }
    ) throws -> [Update] {
        try checkSettings()
        let state = state ?? OptimizerState(self, for: variables)
        try checkMatch(variables, gradients, state)
        let accumulated = try state.accumulation?.adding(gradients, for: variables)
        var gradients = accumulated?.means ?? gradients
        if let clipping { gradients = try clipping.clipped(gradients) }

        let iterations = try Tensor(state.iterations) + 1
        let iteration = iterations.cast(to: .float32)
        let rates = try LearningRates(multipliers)
        let scalars = try nextScalars(state.scalars.map { Tensor($0) }, iteration: iteration)
        var updates = [try Update(state.iterations, to: iterations)]
        for (scalar, value) in zip(state.scalars, scalars) { updates.append(try Update(scalar, to: value)) }
        for (variable, gradient) in zip(variables, gradients) {
            let slots = state.slots[variable] ?? []
            let learningRate = rates[variable]
            var value = Tensor(variable)
            if let weightDecay, !undecayed.contains(where: variable.name.contains) {
                value = try value - value * (learningRate * Float(weightDecay))
            }
            let result = try step(
                OptimizerInputs(
                    value: value, gradient: gradient, slots: slots.map { Tensor($0) }, scalars: scalars,
                    learningRate: learningRate, iteration: iteration))
            updates.append(try Update(variable, to: constrained(variable, result.value)))
            for (slot, value) in zip(slots, result.slots) { updates.append(try Update(slot, to: value)) }
        }
        if let averages = state.averages {
            updates = try averages.following(updates, iteration: iteration)
        }
        guard let accumulated else { return updates }
        return try accumulated.updates
            + updates.map {
                try Update(
                    $0.variable, to: .select(accumulated.isComplete, $0.value, Tensor($0.variable)))
            }
    }

    /// - Throws: `ShapeError` unless there is one gradient for each variable and the state was made for them.
    private func checkMatch(_ variables: [Variable], _ gradients: [Tensor], _ state: OptimizerState) throws {
        let name = Self.name
        guard variables.count == gradients.count, Set(variables).count == variables.count else {
            throw ShapeError(
                name,
                "needs one gradient for each of \(variables.count) different variables, not \(gradients.count)"
            )
        }
        guard state.scalars.count == scalars.count else {
            throw ShapeError(name, "the optimizer's state was made for another optimizer")
        }
        for (variable, gradient) in zip(variables, gradients) {
            guard variable.dtype == .float32, gradient.node.type == variable.type else {
                throw ShapeError(
                    name,
                    "variable '\(variable.name)' and its gradient must be float32 of one shape, not "
                        + "\(variable.type) and \(gradient.node.type)",
                    shapes: [variable.shape, gradient.shape])
            }
            guard let kept = state.slots[variable],
                kept.map(\.shape) == slotShapes(for: variable.shape)
            else {
                throw ShapeError(
                    name, "the optimizer's state was made for other variables than '\(variable.name)'")
            }
        }
    }

    // MARK: Checks of settings

    /// Checks one setting.
    func check(_ setting: String, _ value: Double, in range: some RangeExpression<Double>, _ text: String)
        throws
    {
        guard value.isFinite, range.contains(value) else {
            throw TrainingError.invalidArgument("\(setting) of \(Self.name)", "\(value)", expected: text)
        }
    }

    /// Checks what every optimizer has.
    func checkCommonSettings() throws {
        try check("learningRate", learningRate, in: 0..., "a number that is not negative, such as 0.001")
        if let weightDecay {
            try check("weightDecay", weightDecay, in: 0..., "a number that is not negative, such as 0.004")
        }
    }

    func checkEpsilon(_ epsilon: Double) throws {
        try check("epsilon", epsilon, in: Double.leastNonzeroMagnitude..., "a positive number, such as 1e-7")
    }

    /// Checks the settings of Adam and its relatives.
    func checkMoments(beta1: Double, beta2: Double, epsilon: Double) throws {
        try check("beta1", beta1, in: 0..<1, "a number in 0..<1")
        try check("beta2", beta2, in: 0..<1, "a number in 0..<1")
        try checkEpsilon(epsilon)
    }
}
