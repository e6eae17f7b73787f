import Foundation
import FoveaGraph
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Optimizers against their formulas in `Double`, their state and their settings.
struct OptimizerTests {
    /// The values of the variables after each step, with the given gradients for each.
    private func steps(
        _ optimizer: some Optimizer, start: [TensorValue], gradients: [[TensorValue]],
        learningRates: [Double]? = nil, on backend: any Backend = ReferenceBackend()
    ) async throws -> [[TensorValue]] {
        let variables = start.enumerated().map {
            Variable(name: "layer_\($0.offset)/kernel", initial: $0.element)
        }
        let inputs = start.enumerated().map { Tensor.argument("g\($0.offset)", $0.element.shape) }
        let updates = try optimizer.updates(for: variables, gradients: inputs)
        return try await Compute.run {
            let step = try backend.compile(outputs: [], updates: updates, mode: .training)
            return try gradients.enumerated().map { index, gradients in
                let rate = learningRates?[index] ?? optimizer.learningRate
                var values = ["learning_rate": TensorValue(Float(rate))]
                for (v, gradient) in gradients.enumerated() { values["g\(v)"] = gradient }
                _ = try step.run(values, step: UInt64(index))
                return try variables.map { try $0.value() }
            }
        }
    }

    /// 20 gradients of odd size, falling by steps; one element is always 0 and one tiny.
    private static let gradients: [[Double]] = (0..<20).map { t in
        (0..<7).map { i in
            let size: Double = (i == 3 ? 0 : i == 5 ? 1e-7 : 1) * (t > 10 ? 0.1 : 1)
            return sin(Double(t * 7 + i) * 1.7) * size
        }
    }
    private static let start: [Double] = [0.5, -0.25, 1, 2, -1, 0.125, 0]

    private func expectFormula(
        _ optimizer: some Optimizer, rates: [Double]? = nil,
        _ formula: (_ t: Int, _ g: Double, _ w: inout Double, _ s: inout [Double]) -> Void
    ) async throws {
        let results = try await steps(
            optimizer, start: [TensorValue(Self.start.map(Float.init))],
            gradients: Self.gradients.map { [TensorValue($0.map(Float.init))] }, learningRates: rates)
        var w = Self.start
        var state = [[Double]](repeating: [0, 0, 0], count: w.count)
        for t in 1...20 {
            for i in w.indices { formula(t, Self.gradients[t - 1][i], &w[i], &state[i]) }
            expectClose(results[t - 1][0].floats, w, 3e-6, "step \(t)")
            // Movements, whose errors the values above would hide.
            let moved = zip(w, Self.start).map { $0 - $1 }
            let found = zip(results[t - 1][0].floats, Self.start).map { Float(Double($0) - $1) }
            expectClose(found, moved, 3e-6, "movement at step \(t)")
        }
    }

    @Test(arguments: [(0.0, false), (0.9, false), (0.9, true)])
    func sgd(momentum: Double, nesterov: Bool) async throws {
        try await expectFormula(.sgd(learningRate: 0.1, momentum: momentum, nesterov: nesterov)) {
            _, g, w, s in
            s[0] = momentum * s[0] - 0.1 * g
            w += nesterov ? momentum * s[0] - 0.1 * g : s[0]
        }
    }

    @Test(arguments: [(0.0, false), (0.9, false), (0.0, true), (0.9, true)])
    func rmsprop(momentum: Double, centered: Bool) async throws {
        try await expectFormula(.rmsprop(learningRate: 0.01, momentum: momentum, centered: centered)) {
            _, g, w, s in
            s[0] = 0.9 * s[0] + 0.1 * g * g
            s[1] = 0.9 * s[1] + 0.1 * g
            s[2] = momentum * s[2] + 0.01 * g / (s[0] - (centered ? s[1] * s[1] : 0) + 1e-7).squareRoot()
            w -= s[2]
        }
    }

    @Test(arguments: [false, true])
    func adam(amsgrad: Bool) async throws {
        try await expectFormula(.adam(learningRate: 0.01, amsgrad: amsgrad)) { t, g, w, s in
            s[0] += 0.1 * (g - s[0])
            s[1] += 0.001 * (g * g - s[1])
            s[2] = max(s[2], s[1])
            let alpha = 0.01 * (1 - pow(0.999, Double(t))).squareRoot() / (1 - pow(0.9, Double(t)))
            w -= alpha * s[0] / ((amsgrad ? s[2] : s[1]).squareRoot() + 1e-7)
        }
    }

    @Test func theLearningRateMayChangeBetweenSteps() async throws {
        let rates = (1...20).map { 0.1 / Double($0) }
        try await expectFormula(.sgd(momentum: 0.5), rates: rates) { t, g, w, s in
            s[0] = 0.5 * s[0] - rates[t - 1] * g
            w += s[0]
        }
    }

    // MARK: State

    @Test func stateIsNamedAfterWhatItBelongsTo() {
        let variables = [Variable(name: "conv2d/kernel", initial: TensorValue(repeating: 1, shape: [3, 1]))]
        func names(_ optimizer: some Optimizer) -> [String] {
            OptimizerState(optimizer, for: variables).variables.map(\.name)
        }
        #expect(names(.sgd()) == ["sgd/iterations"])
        #expect(names(.sgd(momentum: 0.1)) == ["sgd/iterations", "sgd/conv2d/kernel/momentum"])
        #expect(
            names(.rmsprop(momentum: 0.1, centered: true)) == [
                "rmsprop/iterations", "rmsprop/conv2d/kernel/velocity", "rmsprop/conv2d/kernel/momentum",
                "rmsprop/conv2d/kernel/average_gradient",
            ])
        #expect(
            names(.adam(amsgrad: true)) == [
                "adam/iterations", "adam/conv2d/kernel/momentum", "adam/conv2d/kernel/velocity",
                "adam/conv2d/kernel/velocity_hat",
            ])
        #expect(
            names(.nadam()) == [
                "nadam/iterations", "nadam/u_product", "nadam/conv2d/kernel/momentum",
                "nadam/conv2d/kernel/velocity",
            ])
    }

    /// Of rows and columns instead of elements, where there are two axes or more.
    @Test func adafactorKeepsLittle() {
        func shapes(_ shape: Shape) -> [Shape] {
            let variable = Variable(name: "w", initial: TensorValue(repeating: 1, shape: shape))
            return OptimizerState(.adafactor(), for: [variable]).variables.dropFirst().map(\.shape)
        }
        #expect(shapes([5]) == [.scalar, .scalar, [5]])
        #expect(shapes([3, 4]) == [[3], [4], .scalar])
        #expect(shapes([3, 3, 8, 16]) == [[3, 3, 8], [3, 3, 16], .scalar])
        #expect(shapes(.scalar) == [.scalar, .scalar, .scalar])
    }

    /// A variable of nothing but zeros and a gradient of zeros have no length to divide by.
    @Test(arguments: [Lamb(), Adafactor(), Lion()] as [any Optimizer])
    func zerosGiveNoNaN(_ optimizer: any Optimizer) async throws {
        for shape in [[2, 3], [4]] as [Shape] {
            let zeros = TensorValue(repeating: 0, shape: shape)
            let ones = TensorValue(repeating: 1, shape: shape)
            for (start, gradient) in [(zeros, ones), (ones, zeros), (zeros, zeros)] {
                let results = try await steps(optimizer, start: [start], gradients: [[gradient], [gradient]])
                #expect(results.allSatisfy { $0[0].floats.allSatisfy { $0.isFinite } })
                #expect((results[1][0] == start) == (gradient == zeros), "\(optimizer) of \(shape)")
            }
        }
    }

    @Test func stateBeginsWithInitialValues() async throws {
        let variables = [Variable(name: "w", initial: TensorValue(repeating: 1, shape: [3, 1]))]
        let adagrad = OptimizerState(.adagrad(initialAccumulatorValue: 0.25), for: variables)
        #expect(try await values(of: adagrad.variables).map(\.doubles) == [[0], [0.25, 0.25, 0.25]])
        let nadam = OptimizerState(.nadam(), for: variables)
        #expect(try await values(of: nadam.variables).map(\.doubles) == [[0], [1], [0, 0, 0], [0, 0, 0]])
    }

    @Test func graphsThatShareAStateContinueEachOther() async throws {
        let optimizer = Adam()
        let variable = Variable(name: "w", initial: TensorValue([1, 2] as [Float]))
        let state = OptimizerState(optimizer, for: [variable])
        let gradient = Tensor.constant(TensorValue([0.5, -3] as [Float]))
        let updates = try (0..<2).map { _ in
            try optimizer.updates(for: [variable], gradients: [gradient], state: state)
        }
        let result = try await Compute.run {
            let rate = ["learning_rate": TensorValue(0.001 as Float)]
            for updates in updates {
                _ = try ReferenceBackend().compile(outputs: [], updates: updates, mode: .training).run(rate)
            }
            return (try state.iterations.value(), try variable.value())
        }
        #expect(result.0.integers == [2])
        let alone = try await steps(
            optimizer, start: [TensorValue([1, 2] as [Float])],
            gradients: [[TensorValue([0.5, -3] as [Float])], [TensorValue([0.5, -3] as [Float])]])
        #expect(alone[1][0] == result.1)
    }

    @Test func mismatchesAreErrors() throws {
        let w = Variable(name: "w", initial: TensorValue([1, 2] as [Float]))
        let other = Variable(name: "v", initial: TensorValue([1, 2] as [Float]))
        let good = Tensor.constant(TensorValue([0, 0] as [Float]))
        #expect(throws: ShapeError.self) { try SGD().updates(for: [w], gradients: []) }
        #expect(throws: ShapeError.self) { try SGD().updates(for: [w, w], gradients: [good, good]) }
        #expect(throws: ShapeError.self) {
            try SGD().updates(for: [w], gradients: [.constant(TensorValue([0, 0, 0] as [Float]))])
        }
        #expect(throws: ShapeError.self) {
            try Adam().updates(for: [w], gradients: [good], state: OptimizerState(Adam(), for: [other]))
        }
        #expect(throws: ShapeError.self) {
            try Nadam().updates(for: [w], gradients: [good], state: OptimizerState(Adam(), for: [w]))
        }
    }

    @Test(
        arguments: [
            SGD(learningRate: -1), SGD(learningRate: .nan), SGD(momentum: 1.5), RMSprop(rho: -0.1),
            RMSprop(epsilon: 0),
            Adam(beta1: 1), Adam(beta2: .infinity), Adam(epsilon: -1), RMSprop(learningRate: .infinity),
            SGD(weightDecay: -0.1), Adam(weightDecay: .nan), AdamW(weightDecay: -1), AdamW(beta1: -0.1),
            Adamax(beta2: 1), Adamax(epsilon: 0), Nadam(beta1: 1), Nadam(weightDecay: .infinity),
            Adagrad(initialAccumulatorValue: -0.1), Adagrad(epsilon: .nan), Adadelta(rho: 1.5),
            Adadelta(epsilon: 0), Lion(beta1: 1.5), Lion(beta2: -0.1), Lion(learningRate: -1), Lamb(beta1: 1),
            Lamb(epsilon: 0), Lamb(weightDecay: -1), Adafactor(beta2Decay: 0), Adafactor(epsilon1: 0),
            Adafactor(epsilon1: 1e-60), Adafactor(epsilon2: -1), Adafactor(clipThreshold: 0),
            Adafactor(beta2Decay: .nan),
        ] as [any Optimizer])
    func settingsOutOfRange(_ optimizer: any Optimizer) throws {
        let error = try #require(throws: TrainingError.self) { try optimizer.updates(for: [], gradients: []) }
        #expect(error.description.contains(" of \(type(of: optimizer).name) is "))
    }

    @Test func adamWNeedsAWeightDecay() throws {
        var optimizer = AdamW()
        optimizer.weightDecay = nil
        let error = try #require(throws: TrainingError.self) { try optimizer.checkSettings() }
        #expect(error.description.contains("weightDecay of adamw is nil"))
    }

    @Test func shortFormsHaveTheSameDefaults() {
        #expect(.sgd() == SGD() && .rmsprop() == RMSprop() && .adam() == Adam() && .adamW() == AdamW())
        #expect(.adamax() == Adamax() && .nadam() == Nadam() && .adagrad() == Adagrad())
        #expect(.adadelta() == Adadelta() && .lion() == Lion() && .lamb() == Lamb())
        #expect(.adafactor() == Adafactor())
    }

    // MARK: Configuration

    @Test func configurationRoundTrip() throws {
        let optimizers: [any Optimizer] = [
            SGD(momentum: 0.9, nesterov: true), RMSprop(rho: 0.8, centered: true), Adam(learningRate: 3e-4),
            AdamW(weightDecay: 0.1), Adamax(beta2: 0.9), Nadam(weightDecay: 0.2), Adagrad(epsilon: 1e-3),
            Adadelta(rho: 0.5), Lion(beta1: 0.5), Lamb(epsilon: 1e-6), Adafactor(clipThreshold: 2),
        ]
        #expect(optimizers.map { type(of: $0).name } == builtInOptimizers.map { $0.name })
        for optimizer in optimizers {
            let saved = TrainingConfiguration(
                optimizer: optimizer,
                outputs: ["dense": OutputTraining(loss: .meanSquaredError, metrics: [.accuracy])])
            let text = try JSONEncoder().encode(saved)
            let read = try JSONDecoder().decode(TrainingConfiguration.self, from: text)
            #expect(AnyHashable(read.optimizer) == AnyHashable(optimizer))
            #expect(read.outputs == saved.outputs)
        }
    }

    @Test func configurationsFromFilesAreChecked() throws {
        func decode(_ optimizer: String) throws -> TrainingConfiguration {
            let text = #"{"optimizer":\#(optimizer),"outputs":{},"accumulation":1}"#
            return try JSONDecoder().decode(TrainingConfiguration.self, from: Data(text.utf8))
        }
        #expect(
            try decode(#"{"name":"sgd","settings":{"learningRate":1,"momentum":0,"nesterov":false}}"#)
                .optimizer.learningRate == 1)
        let unknown = try #require(throws: DecodingError.self) {
            try decode(#"{"name":"adan","settings":{}}"#)
        }
        #expect("\(unknown)".contains("did you mean 'adam'?"))
        #expect(throws: DecodingError.self) { try decode(#"{"name":"sgd","settings":{}}"#) }
        #expect(throws: TrainingError.self) {
            try decode(#"{"name":"sgd","settings":{"learningRate":-1,"momentum":0,"nesterov":false}}"#)
        }
    }
}
