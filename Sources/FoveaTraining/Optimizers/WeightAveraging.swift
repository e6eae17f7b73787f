import FoveaGraph

/// An exponential moving average of every trained variable, which is often better than the variable itself.
///
/// After each step of the optimizer, when constraints have been applied, `a ← m·a + (1 - m)·w` with `a = w` at the first.
/// Training goes on with the variables; their averages come into the model with `Trainer.useAverages`, or during training
/// with an `overwriteFrequency`.
///
/// Keras's `use_ema`, `ema_momentum` and `ema_overwrite_frequency`, but for this: Keras moves averages at every batch, also
/// those that only accumulate gradients; it does so before it applies constraints; and its `fit` puts the averages into the
/// model at the end, so that another `fit` goes on from them. Polyak and Juditsky 1992, "Acceleration of stochastic
/// approximation by averaging".
public struct WeightAveraging: Hashable, Codable, Sendable {
    /// m, how much of the average is kept at each step, in `0...1`.
    public var momentum: Double
    /// After how many steps variables become their averages, again and again; never when nil.
    public var overwriteFrequency: Int?

    public init(momentum: Double = 0.99, overwriteFrequency: Int? = nil) {
        self.momentum = momentum
        self.overwriteFrequency = overwriteFrequency
    }

    /// - Throws: `TrainingError.invalidArgument` for a setting outside its range.
    public func checkSettings() throws {
        guard (0...1).contains(momentum) else {
            throw TrainingError.invalidArgument(
                "momentum of weight averaging", "\(momentum)", expected: "a number in 0...1, such as 0.99")
        }
        if let overwriteFrequency, !(1...Int(Int32.max)).contains(overwriteFrequency) {
            throw TrainingError.invalidArgument(
                "overwriteFrequency", "\(overwriteFrequency)", expected: "nil or a positive number of steps")
        }
    }
}

/// The averages of variables, part of an `OptimizerState`.
struct WeightAverages: Sendable {
    let averaging: WeightAveraging
    let averages: [Variable: Variable]
    /// How many steps were taken since variables became their averages, `int32`; nil where they never do.
    let count: Variable?
    let variables: [Variable]

    init(_ averaging: WeightAveraging, for trained: [Variable], optimizerName: String) {
        self.averaging = averaging
        var averages: [Variable: Variable] = [:]
        for variable in trained {
            averages[variable] = Variable(
                name: "\(optimizerName)/\(variable.name)/average",
                initial: TensorValue(repeating: 0, shape: variable.shape))
        }
        let count = averaging.overwriteFrequency.map { _ in
            Variable(
                name: "\(optimizerName)/steps_since_overwriting",
                initial: TensorValue(shape: .scalar, dtype: .int32, doubles: [0]))
        }
        self.averages = averages
        self.count = count
        variables = trained.compactMap { averages[$0] } + [count].compactMap { $0 }
    }

    /// The updates of one step: those of trained variables as they become, and those of the averages.
    ///
    /// - Parameters:
    ///   - updates: of trained variables.
    ///   - iteration: the number of the step, 1 for the first.
    func following(_ updates: [Update], iteration: Tensor) throws -> [Update] {
        try averaging.checkSettings()
        let momentum = try iteration.greater(1).cast(to: .float32) * Float(averaging.momentum)
        var isDue: Tensor?
        var result: [Update] = []
        if let count, let frequency = averaging.overwriteFrequency {
            func int32(_ number: Int) -> Tensor {
                .constant(TensorValue(shape: .scalar, dtype: .int32, doubles: [Double(number)]))
            }
            let next = try Tensor(count) + 1
            let isNow = try next.equal(int32(frequency))
            result.append(try Update(count, to: .select(isNow, int32(0), next)))
            isDue = isNow
        }
        for update in updates {
            guard let average = averages[update.variable] else {
                result.append(update)
                continue
            }
            let next = try momentum * Tensor(average) + (1 - momentum) * update.value
            result.append(try Update(average, to: next))
            result.append(
                try isDue.map { try Update(update.variable, to: .select($0, next, update.value)) } ?? update)
        }
        return result
    }
}

extension OptimizerState {
    /// Gives every trained variable its average. Before the first step nothing changes.
    ///
    /// - Throws: `TrainingError.invalidArgument` when the state was made without weight averaging.
    @Compute
    public func useAverages() throws {
        guard let averages else {
            throw TrainingError.invalidArgument(
                "weightAveraging", "nil",
                expected: "given to compile, such as WeightAveraging(momentum: 0.99)")
        }
        guard try iterations.value().scalar > 0 else { return }
        for (variable, average) in averages.averages { try variable.assign(average.value()) }
    }
}

extension Trainer {
    /// Puts the averages of what is trained into the model (`WeightAveraging`), for evaluation, predictions and files.
    /// Training that goes on does so from them.
    ///
    /// - Throws: `TrainingError.invalidArgument` when the model was compiled without weight averaging.
    public func useAverages() throws { try optimizerState.useAverages() }
}
