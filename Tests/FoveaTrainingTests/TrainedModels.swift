import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Adds its two inputs.
final class Sum: Layer {
    let name: String?
    init(name: String? = nil) { self.name = name }

    func call(_ inputs: [Tensor]) throws(ShapeError) -> [Tensor] { [try inputs[0] + inputs[1]] }
}

/// `y = x - mean`, where the mean of each feature moves towards the batch's while training, as in batch normalization:
/// `mean ← 0.75 mean + 0.25 · batch mean`. In training the batch's own mean is taken away.
final class MovingMean: UnaryLayer {
    let name: String?
    let mean = Parameter("mean", initializer: .zeros, isLearned: false)
    var ownParameters: [Parameter] { [mean] }
    init(name: String? = nil) { self.name = name }

    func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try mean.declare(shape: [input.channels], in: &scope)
    }

    func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let batchMean = try x.mean(axes: Array(0..<(x.shape.rank - 1)))
        let y = try x - .select(.isTraining, batchMean, mean.tensor)
        guard let variable = mean.variable, !mean.isFrozen else { return y }
        return try y.updating(variable, to: mean.tensor * 0.75 + batchMean * 0.25)
    }
}

/// Two inputs, `left` [3] and `right` [2]; two outputs, `class` with 3 probabilities and `size` with one number.
func twoHeaded(seed: UInt64 = 1) throws -> Model {
    let (left, right) = (LayerOutput.input("left", [3]), LayerOutput.input("right", [2]))
    let joined = Sum()([
        Dense(units: 5, activation: .tanh)(left), Dense(units: 5, activation: .sigmoid)(right),
    ])
    return try Model(
        inputs: [left, right],
        outputs: [
            Dense(units: 3, activation: .softmax, name: "class")(joined),
            Dense(units: 1, name: "size")(joined),
        ], seed: seed)
}

/// Numbers in -1...1 that differ from place to place.
func numbers(_ shape: Shape, stream: UInt32 = 0) throws -> TensorValue {
    var generator = PhiloxGenerator(seed: 11, stream: stream, step: 0)
    return try TensorValue(
        shape: shape, (0..<shape.elementCount).map { _ in Float(generator.uniform() * 2 - 1) })
}

/// Examples for `twoHeaded`.
func twoHeadedExamples(_ count: Int, weights: TensorValue? = nil) throws -> Examples {
    try Examples(
        inputs: [numbers([count, 3], stream: 1), numbers([count, 2], stream: 2)],
        targets: [
            TensorValue((0..<count).map { Int32(($0 * 7 + $0 / 3) % 3) }), numbers([count, 1], stream: 3),
        ], weights: weights)
}

/// The trainable variables' gradient of the loss of one batch, by central differences of what `fit` reports as loss when
/// the learning rate is 0; the model must have no dropout.
func differences(
    _ trainer: Trainer, step h: Float = 0.02, loss: () async throws -> Double
) async throws -> [[Double]] {
    var gradients: [[Double]] = []
    for variable in trainer.trained.compactMap(\.variable) {
        let value = try await variable.value()
        var gradient: [Double] = []
        for index in value.floats.indices {
            var losses: [Double] = []
            for sign: Float in [1, -1] {
                var moved = value.floats
                moved[index] += sign * h
                try await variable.assign(TensorValue(shape: value.shape, moved))
                losses.append(try await loss())
            }
            gradient.append((losses[0] - losses[1]) / Double(2 * h))
        }
        try await variable.assign(value)
        gradients.append(gradient)
    }
    return gradients
}

/// Checks that a step of SGD on all examples goes down the gradient of the loss that training reports, and returns that
/// loss.
@discardableResult
func expectStepDownTheReportedLoss(
    _ trainer: Trainer, _ examples: Examples, classWeights: ClassWeights? = nil, tolerance: Double = 2e-3,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws -> Double {
    func fit(rate: Double) async throws -> Double {
        trainer.learningRate = rate
        return try await trainer.fit(
            examples, batchSize: examples.count, shuffle: false, classWeights: classWeights,
            verbosity: .silent
        ).epochs[0].loss
    }
    let gradients = try await differences(trainer) { try await fit(rate: 0) }
    let variables = trainer.trained.compactMap(\.variable)
    let before = try await values(of: variables)
    let loss = try await fit(rate: 0.5)
    for (index, after) in try await values(of: variables).enumerated() {
        let moved = zip(before[index].floats, after.floats).map { ($0 - $1) / 0.5 }
        expectClose(
            moved, gradients[index], tolerance, variables[index].name, sourceLocation: sourceLocation)
        #expect(gradients[index].contains { abs($0) > 1e-3 }, sourceLocation: sourceLocation)
    }
    return loss
}
