import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

struct GradientAccumulationTests {
    static let backends: [any Backend] = [ReferenceBackend(), OneDNNBackend()]
    static let optimizers: [any Optimizer] = [
        SGD(learningRate: 0.1, momentum: 0.9, nesterov: true), Adam(learningRate: 0.01, weightDecay: 0.1),
        Nadam(learningRate: 0.01), Adagrad(learningRate: 0.1), Lamb(learningRate: 0.01),
        Adafactor(learningRate: 0.1),
    ]

    /// A regression with a hidden layer, its optimizer's state and the data it learns.
    private struct Training: Sendable {
        let variables: [Variable]
        let state: OptimizerState
        let updates: [Update]
        let rate: Double

        var everything: [Variable] { variables + state.variables }

        init(_ optimizer: some Optimizer, accumulation: Int, clipping: GradientClipping? = nil) throws {
            func variable(_ name: String, _ shape: Shape) throws -> Variable {
                let numbers = (0..<shape.elementCount).map { Float(($0 * 37 + name.count) % 11) / 11 - 0.5 }
                return Variable(name: name, initial: try TensorValue(shape: shape, numbers))
            }
            variables = [
                try variable("hidden/kernel", [3, 5]), try variable("hidden/bias", [5]),
                try variable("output/kernel", [5, 2]),
            ]
            let weights = variables.map { Tensor($0) }
            let hidden = try (Tensor.matmul(.input("x", [3]), weights[0]) + weights[1]).tanh()
            let difference = try Tensor.matmul(hidden, weights[2]) - Tensor.input("y", [2])
            let loss = try (difference * difference).mean()
            state = OptimizerState(optimizer, for: variables, accumulation: accumulation)
            updates = try optimizer.updates(
                for: variables, gradients: gradient(of: loss, withRespectTo: weights), state: state,
                clipping: clipping)
            rate = optimizer.learningRate
        }

        /// Runs batches of the given size, of examples from `first` on, and gives all variables after each.
        @Compute func run(_ count: Int, batch: Int, from first: Int = 0, on backend: any Backend) throws
            -> [[TensorValue]]
        {
            let step = try backend.compile(outputs: [], updates: updates, mode: .training, batch: batch)
            return try (0..<count).map { index in
                let start = first + index * batch
                let x = (start * 3..<(start + batch) * 3).map { i -> Float in Float(i * i % 13) / 13 - 0.4 }
                let y = (start * 2..<(start + batch) * 2).map { i -> Float in Float(i * i % 7) / 3 - 1 }
                _ = try step.run([
                    "x": TensorValue(shape: [batch, 3], x), "y": TensorValue(shape: [batch, 2], y),
                    "learning_rate": TensorValue(Float(rate)),
                ])
                return try everything.map { try $0.value() }
            }
        }
    }

    /// 4 micro-batches of 3 examples give what one batch of 12 gives.
    @Test(arguments: backends, optimizers)
    func equalsOneLargeBatch(_ backend: any Backend, _ optimizer: any Optimizer) async throws {
        let (whole, micro) = (
            try Training(optimizer, accumulation: 1), try Training(optimizer, accumulation: 4)
        )
        let expected = try await Compute.run { try whole.run(5, batch: 12, on: backend) }
        let found = try await Compute.run { try micro.run(20, batch: 3, on: backend) }
        for step in 0..<5 {
            for (v, variable) in whole.everything.enumerated() {
                expectClose(
                    found[step * 4 + 3][v].floats, expected[step][v].doubles, 1e-6,
                    "\(variable.name) after step \(step + 1)")
            }
        }
    }

    @Test(arguments: backends)
    func nothingButTheSumsChangesBetweenSteps(_ backend: any Backend) async throws {
        let training = try Training(Nadam(learningRate: 0.1, weightDecay: 0.1), accumulation: 3)
        let start = try await values(of: training.everything)
        let results = try await Compute.run { try training.run(7, batch: 2, on: backend) }
        let isOfSums = training.everything.map {
            $0.name.hasSuffix("gradient_accumulator") || $0.name.hasSuffix("accumulated_runs")
        }
        #expect(isOfSums.count { $0 } == 4)
        var last = start
        for (run, values) in results.enumerated() {
            let completesStep = run % 3 == 2
            for (v, variable) in training.everything.enumerated() where !isOfSums[v] {
                #expect((values[v] != last[v]) == completesStep, "\(variable.name) in run \(run)")
            }
            for (v, variable) in training.everything.enumerated() where isOfSums[v] {
                #expect(
                    values[v].doubles.allSatisfy { $0 == 0 } == completesStep,
                    "\(variable.name) in run \(run)")
            }
            last = values
        }
        #expect(try await values(of: [training.state.iterations])[0].integers == [2])
    }

    /// The variables of the state are all that must be kept to go on in the middle of a step.
    @Test(arguments: backends)
    func continuesFromItsVariables(_ backend: any Backend) async throws {
        let clipping = GradientClipping.globalNorm(0.1)
        let (through, first, second) = (
            try Training(Adam(), accumulation: 3, clipping: clipping),
            try Training(Adam(), accumulation: 3, clipping: clipping),
            try Training(Adam(), accumulation: 3, clipping: clipping)
        )
        let (expected, found) = try await Compute.run {
            let expected = try through.run(9, batch: 2, on: backend)
            let middle = try first.run(4, batch: 2, on: backend)[3]
            for (variable, value) in zip(second.everything, middle) { try variable.assign(value) }
            return (expected, try second.run(5, batch: 2, from: 8, on: backend))
        }
        #expect(expected[8] == found[4])
    }

    @Test func stateListsItsVariables() {
        let variables = [Variable(name: "w", initial: TensorValue(repeating: 1, shape: [3, 1]))]
        let state = OptimizerState(.sgd(momentum: 0.5), for: variables, accumulation: 2)
        #expect(
            state.variables.map(\.name) == [
                "sgd/iterations", "sgd/w/momentum", "sgd/accumulated_runs", "sgd/w/gradient_accumulator",
            ])
        #expect(OptimizerState(.sgd(), for: variables, accumulation: 1).variables.count == 1)
    }

    @Test(arguments: [0, -4, Int.min, Int.max])
    func runsOutOfRange(_ runs: Int) throws {
        let state = OptimizerState(.sgd(), for: [], accumulation: runs)
        let error = try #require(throws: TrainingError.self) {
            try SGD().updates(for: [], gradients: [], state: state)
        }
        #expect(error.description.hasPrefix("accumulation is \(runs), but must be a positive number"))
    }
}
