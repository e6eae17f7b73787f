import ArgumentParser
import Fovea

/// What chooses a training step on the command line.
struct TrainingStepOptions: ParsableArguments {
    @Argument(help: "The network's name: \(NamedNetwork.listOfNames).")
    var network: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Images per step (default: the size that the network is measured with).", valueName: "count"))
    var batchSize: Int?

    private static let batchSizeLimit = 65_536

    func validate() throws {
        _ = try named(network, "network", of: NamedNetwork.self)
        guard (1...Self.batchSizeLimit).contains(batchSize ?? 1) else {
            throw ValidationError("--batch-size must be from 1 to \(Self.batchSizeLimit)")
        }
    }

    func makeStep() throws -> TrainingStep {
        let network = try named(network, "network", of: NamedNetwork.self)
        return try TrainingStep(network, batch: batchSize ?? network.measuredBatchSize)
    }
}

/// One training step of a named network on random images in memory: what is timed and planned.
struct TrainingStep {
    let network: NamedNetwork
    let batch: Int
    let optimizer: any Optimizer
    private let outputs: [Tensor]
    private let updates: [Update]

    init(_ network: NamedNetwork, batch: Int) throws {
        self.network = network
        self.batch = batch
        // The networks of the table in docs/architecture.md are measured with Adam but for the cats and dogs.
        optimizer = network == .catsDogsCNN ? RMSprop(learningRate: 1e-4) : Adam()
        let model = try network.model()
        let images = Tensor.input("images", network.inputShape)
        let labels = Tensor.input("labels", .scalar, .int32)
        let loss = try network.loss(targets: labels, predictions: model(images)).mean()
        let variables = model.trainableParameters.compactMap(\.parameter.variable)
        let gradients = try gradient(of: loss, withRespectTo: variables.map { Tensor($0) })
        outputs = [loss]
        updates = try optimizer.updates(for: variables, gradients: gradients)
    }

    func graph() throws -> BoundGraph {
        try BoundGraph(outputs: outputs, updates: updates, mode: .training, batch: batch)
    }

    /// The compiled step with random images and labels set.
    @Compute
    func executable(on backend: OneDNNBackend) throws -> any Executable {
        let executable = try backend.compile(
            outputs: outputs, updates: updates, mode: .training, batch: batch)
        var generator = PhiloxGenerator(seed: 0, stream: 0, step: 0)
        let shape = Shape([batch] + network.inputShape.dimensions)
        let pixels = (0..<shape.elementCount).map { _ in Float(generator.uniform()) }
        let classes = UInt64(max(2, network.outputCount))
        let labels = (0..<batch).map { _ in Int32(generator.next() % classes) }
        try executable.setInput("images", to: TensorValue(shape: shape, pixels))
        try executable.setInput("labels", to: TensorValue(labels))
        try executable.setInput("learning_rate", to: TensorValue(Float(optimizer.learningRate)))
        return executable
    }
}

extension NamedNetwork {
    /// The batch size that the network is measured with.
    var measuredBatchSize: Int {
        switch self {
        case .fashionCNN, .singleConv: 128
        case .mnistCNN, .wideKernelCNN: 64
        case .catsDogsCNN: 20
        case .softmaxRegression: 32
        }
    }
}
