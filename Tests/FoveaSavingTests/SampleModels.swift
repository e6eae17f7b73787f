import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaTraining

/// A small model of every layer with settings, for images that are not square; no channel count is a multiple of 16.
func sampleModel(seed: UInt64 = 0) throws -> Sequential {
    try Sequential(name: "sample", input: [11, 9, 3], seed: seed) {
        Conv2D(
            filters: 5, kernelSize: [3, 2], padding: .same, activation: .relu, kernelInitializer: .heNormal)
        MaxPooling2D(padding: .same)
        Conv2D(filters: 17, kernelSize: 3, activation: .tanh, useBias: false, name: "second")
        AveragePooling2D(poolSize: 2, strides: 1)
        Dropout(rate: 0.25)
        Flatten()
        Reshape(targetShape: [-1])
        Dense(
            units: 19, activation: .relu, kernelInitializer: .randomUniform(min: -0.1, max: 0.1),
            biasInitializer: .constant(0.125))
        Dense(units: 7, activation: .softmax)
    }
}

/// Images that no model can learn anything from, with labels.
func sampleExamples(_ count: Int = 12) throws -> Examples {
    var generator = PhiloxGenerator(seed: 1, stream: 0, step: 0)
    let pixels = (0..<count * 11 * 9 * 3).map { _ in Float(generator.uniform()) }
    return try Examples(
        inputs: TensorValue(shape: [count, 11, 9, 3], pixels),
        targets: TensorValue((0..<count).map { Int32($0 % 7) }))
}

/// The values of all parameters.
func values(of model: any ModelProtocol) async throws -> [TensorValue?] {
    try await Compute.run { try model.parameters.map { try $0.parameter.variable?.value() } }
}

func predictions(of model: any ModelProtocol) async throws -> [Float] {
    let trainer = try model.compile(optimizer: .sgd(), loss: .meanSquaredError)
    return try await trainer.predict(inputs: sampleExamples().inputs[0]).floats
}

extension TrainingConfiguration {
    /// For a model with one output.
    init(
        optimizer: any Optimizer, output: String = "dense", loss: any Loss, metrics: [any Metric] = []
    ) {
        self.init(optimizer: optimizer, outputs: [output: OutputTraining(loss: loss, metrics: metrics)])
    }
}

/// Steele et al. 2014, "Fast splittable pseudorandom number generators".
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// `y = x - mean`, where the mean moves towards that of each batch while training. Files cannot hold the layer.
final class MovingMean: UnaryLayer {
    let name: String? = nil
    let mean = Parameter("mean", initializer: .zeros, isLearned: false)
    var ownParameters: [Parameter] { [mean] }

    func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try mean.declare(shape: [input.channels], in: &scope)
    }

    func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let batchMean = try x.mean(axes: Array(0..<(x.shape.rank - 1)))
        let y = try x - .select(.isTraining, batchMean, mean.tensor)
        guard let variable = mean.variable else { return y }
        return try y.updating(variable, to: mean.tensor * 0.75 + batchMean * 0.25)
    }
}
