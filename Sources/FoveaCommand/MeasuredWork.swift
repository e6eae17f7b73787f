import ArgumentParser
import Fovea

/// What chooses the work to time or to plan on the command line.
struct MeasuredWorkOptions: ParsableArguments {
    @Argument(help: "The network's name: \(NamedNetwork.listOfNames).")
    var network: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Images per step (default: the size that the network is measured with).", valueName: "count"))
    var batchSize: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Height and width of the images (default: those that the network was made for).",
            valueName: "pixels"))
    var imageSize: Int?

    @Flag(help: "The network's outputs alone instead of a training step.")
    var inference = false

    @Option(help: ArgumentHelp("float32, mixedBFloat16 or strict.", valueName: "name"))
    var precision = Precision.float32.rawValue

    @Flag(help: "The same as --precision strict: every sum as it is defined, in float32.")
    var strict = false

    @Flag(help: .autotune)
    var autotune = false

    @OptionGroup var place: DeviceOption

    func makeBackend() throws -> any Backend {
        try place.device(precision: chosenPrecision(), tuner: autotune ? makeTuner() : nil).backend
    }

    func chosenPrecision() throws -> Precision {
        let precision: Precision = try named(precision, "precision")
        if strict, precision == .mixedBFloat16 {
            throw ValidationError("--strict is float32 throughout; leave out --precision \(precision)")
        }
        return strict ? .strict : precision
    }

    private static let batchSizeLimit = 65_536
    private static let imageSizeLimit = 4_096

    func validate() throws {
        _ = try named(network, "network", of: NamedNetwork.self)
        _ = try chosenPrecision()
        guard (1...Self.batchSizeLimit).contains(batchSize ?? 1) else {
            throw ValidationError("--batch-size must be from 1 to \(Self.batchSizeLimit)")
        }
        guard (1...Self.imageSizeLimit).contains(imageSize ?? 1) else {
            throw ValidationError("--image-size must be from 1 to \(Self.imageSizeLimit)")
        }
    }

    func makeWork() throws -> MeasuredWork {
        let network = try named(network, "network", of: NamedNetwork.self)
        return try MeasuredWork(
            network, batch: batchSize ?? network.measuredBatchSize, imageSize: imageSize,
            mode: inference ? .inference : .training)
    }
}

/// A training step or the inference of a named network on random images in memory: what is timed and planned.
struct MeasuredWork {
    let network: NamedNetwork
    let batch: Int
    let mode: Mode
    let optimizer: any Optimizer
    let imageShape: Shape
    private let outputs: [Tensor]
    private let updates: [Update]

    /// - Parameter imageSize: height and width of the images; those that the network was made for when nil.
    init(_ network: NamedNetwork, batch: Int, imageSize: Int? = nil, mode: Mode) throws {
        self.network = network
        self.batch = batch
        self.mode = mode
        // The networks of the table in docs/architecture.md are measured with Adam but for the cats and dogs.
        optimizer = network == .catsDogsCNN ? RMSprop(learningRate: 1e-4) : Adam()
        let channels = network.inputShape.channels
        imageShape = imageSize.map { [$0, $0, channels] } ?? network.inputShape
        let model = try network.model(input: imageShape)
        let predictions = try model.outputs(for: [Tensor.input("images", imageShape)])
        guard mode == .training else {
            (outputs, updates) = (predictions, [])
            return
        }
        let labels = Tensor.input("labels", .scalar, .int32)
        let function = try model.classificationLoss()
        var loss = try function(targets: labels, predictions: predictions[0]).mean()
        for others in predictions.dropFirst() {
            loss = try loss + function(targets: labels, predictions: others).mean()
        }
        outputs = [loss]
        updates = try optimizer.updates(for: model.trainableParameters.map(\.parameter), minimizing: loss)
    }

    func graph() throws -> BoundGraph {
        try BoundGraph(outputs: outputs, updates: updates, mode: mode, batch: batch)
    }

    /// The work compiled, with random images and labels set.
    @Compute
    func executable(on backend: any Backend) throws -> any Executable {
        let executable = try backend.compile(outputs: outputs, updates: updates, mode: mode, batch: batch)
        var generator = PhiloxGenerator(seed: 0, stream: 0, step: 0)
        let shape = Shape([batch] + imageShape.dimensions)
        let pixels = (0..<shape.elementCount).map { _ in Float(generator.uniform()) }
        try executable.setInput("images", to: TensorValue(shape: shape, pixels))
        guard mode == .training else { return executable }
        let classes = UInt64(network.classCount)
        let labels = (0..<batch).map { _ in Int32(generator.next() % classes) }
        try executable.setInput("labels", to: TensorValue(labels))
        try executable.setInput("learning_rate", to: TensorValue(Float(optimizer.learningRate)))
        return executable
    }
}

extension NamedNetwork {
    /// The batch size that the network is measured with, smaller for larger images.
    var measuredBatchSize: Int {
        switch self {
        case .mnistCNN, .wideKernelCNN: 64
        case .catsDogsCNN: 20
        case .softmaxRegression: 32
        default: inputShape[0] > 32 ? 8 : 128
        }
    }
}
