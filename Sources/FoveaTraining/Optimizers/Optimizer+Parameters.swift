import FoveaGraph
import FoveaLayers

extension Optimizer {
    /// A whole step of training as the updates of a `Step`: gradients, clipping, the step, and the constraints of the
    /// parameters.
    ///
    /// ```swift
    /// let loss = try SparseCategoricalCrossentropy()(targets: labels, predictions: model(images)).mean()
    /// let updates = try Adam().updates(for: model.trainableParameters.map(\.parameter), minimizing: loss)
    /// let step = Step(outputs: [loss], updates: updates, mode: .training)
    /// ```
    ///
    /// The step has the input `learning_rate`, a float32 scalar.
    ///
    /// - Parameters:
    ///   - parameters: what is trained, each built.
    ///   - loss: a float32 scalar. Penalties are part of it when the caller adds `Layer.penalties` and `addedLosses(of:)`.
    ///   - state: what is remembered between steps. Graphs that train the same parameters share one; nil starts anew.
    ///   - clipping: how large gradients are made smaller; nil leaves them.
    ///   - undecayed: parts of the names of parameters that weight decay leaves, such as `bias`.
    ///   - multipliers: what the learning rate is multiplied with for single variables; 1 for all others.
    /// - Throws: `ShapeError` when a parameter is not built or the state is of others; `GradientError` when the loss has no
    ///   gradient; `TrainingError.invalidArgument` for a setting outside its range.
    public func updates(
        for parameters: [Parameter], minimizing loss: Tensor, state: OptimizerState? = nil,
        clipping: GradientClipping? = nil, excludeFromWeightDecay undecayed: [String] = [],
        learningRateMultipliers multipliers: [Variable: Double] = [:]
    ) throws -> [Update] {
        let tensors = try parameters.map { try $0.tensor }
        return try updates(
            for: parameters, gradients: gradient(of: loss, withRespectTo: tensors), state: state,
            clipping: clipping, excludeFromWeightDecay: undecayed, learningRateMultipliers: multipliers)
    }

    /// The same with gradients that are known, one for each parameter.
    func updates(
        for parameters: [Parameter], gradients: [Tensor], state: OptimizerState?,
        clipping: GradientClipping?, excludeFromWeightDecay undecayed: [String],
        learningRateMultipliers multipliers: [Variable: Double]
    ) throws -> [Update] {
        let variables = parameters.compactMap(\.variable)
        var constraints: [Variable: Constraint] = [:]
        for parameter in parameters {
            if let variable = parameter.variable { constraints[variable] = parameter.constraint }
        }
        return try updates(
            for: variables, gradients: gradients, state: state, clipping: clipping,
            excludeFromWeightDecay: undecayed, learningRateMultipliers: multipliers
        ) { variable, value in try constraints[variable].map { try $0(value) } ?? value }
    }
}

extension Layer {
    /// The penalties of the parameters that training changes (`Parameter.regularizer`), each a float32 scalar.
    ///
    /// - Throws: `ShapeError` when the layer has not been built.
    public var penalties: [Tensor] {
        get throws(ShapeError) {
            var penalties: [Tensor] = []
            for (_, parameter) in trainableParameters {
                if let regularizer = parameter.regularizer {
                    penalties.append(try regularizer(parameter.tensor))
                }
            }
            return penalties
        }
    }
}
