import FoveaGraph

/// Sums gradients over several runs and gives their mean at every last of them.
struct GradientAccumulation: Sendable {
    /// How many runs make one step.
    let runs: Int
    /// How many runs are in the sums, `int32`.
    let count: Variable
    let sums: [Variable: Variable]
    let variables: [Variable]

    init(runs: Int, for trained: [Variable], optimizerName: String) {
        self.runs = runs
        let count = Variable(
            name: "\(optimizerName)/accumulated_runs",
            initial: TensorValue(shape: .scalar, dtype: .int32, doubles: [0]))
        var sums: [Variable: Variable] = [:]
        for variable in trained {
            sums[variable] = Variable(
                name: "\(optimizerName)/\(variable.name)/gradient_accumulator",
                initial: TensorValue(repeating: 0, shape: variable.shape))
        }
        self.count = count
        self.sums = sums
        variables = [count] + trained.compactMap { sums[$0] }
    }

    struct Result {
        /// Whether this run completes a step, a scalar.
        let isComplete: Tensor
        /// The mean gradients. They are of use only when the step is complete.
        let means: [Tensor]
        /// Of the accumulation's own variables.
        let updates: [Update]
    }

    /// Adds the gradients of one run.
    func adding(_ gradients: [Tensor], for trained: [Variable]) throws -> Result {
        guard (1...Int(Int32.max)).contains(runs) else {
            throw TrainingError.invalidArgument(
                "accumulation", "\(runs)", expected: "a positive number of runs, such as 4")
        }
        func int32(_ number: Int) -> Tensor {
            .constant(TensorValue(shape: .scalar, dtype: .int32, doubles: [Double(number)]))
        }
        let next = try Tensor(count) + 1
        let isComplete = try next.equal(int32(runs))
        var updates = [try Update(count, to: .select(isComplete, int32(0), next))]
        let means = try zip(trained, gradients).map { variable, gradient in
            guard let sum = sums[variable] else { return gradient }
            let total = try Tensor(sum) + gradient
            updates.append(try Update(sum, to: .select(isComplete, .filled(0, sum.shape), total)))
            return try total / Float(runs)
        }
        return Result(isComplete: isComplete, means: means, updates: updates)
    }
}
