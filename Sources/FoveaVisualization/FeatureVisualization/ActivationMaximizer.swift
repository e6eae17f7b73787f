import FoveaGraph
import FoveaLayers
import FoveaPictures
import FoveaRuntime
import FoveaTraining

/// Makes inputs that something in a model answers most strongly to: what a filter looks for, what a class looks like to it.
///
/// ```swift
/// let maximizer = try ActivationMaximizer(vgg, layer: "block3_conv1", size: 128)
/// let patterns = try await maximizer.maximize(Array(0..<64), by: .chollet)
/// let pictures = try patterns.pictures
/// ```
///
/// Many units are computed at once: image `i` of a batch maximises unit `i`, and a whole step, from the image to the changed
/// image, is one compiled graph, which has nothing of the model that lies behind the layer.
public final class ActivationMaximizer: Sendable {
    public let model: any ModelProtocol
    /// The path of the layer; nil for the classes of the output.
    public let layer: String?
    /// Of the images that are made; sequences have the height 1.
    public let size: Size2D
    /// How many units there are: channels of feature maps, numbers of a dense layer, or classes.
    public let unitCount: Int
    private let channels: Int
    private let isSequence: Bool
    private let outputIndex: Int
    private let outputName: String
    private let beforeReLU: Bool
    private let device: Device

    /// - Parameters:
    ///   - model: built, with one input, images or sequences with their channels last.
    ///   - layer: the path of a layer, such as `block3_conv1` or `base/block3_conv1`, whose channels (numbers, of a dense layer) are
    ///     maximised; when nil the logits of the classes.
    ///   - size: of the images, where layers up to that one take any; the model's own when nil.
    ///   - beforeReLU: whether a layer that ends with a ReLU is asked for what this reads. A filter that does not answer to the start
    ///     at all has no other gradient to climb, and its image would stay noise.
    ///   - output: the name of the output whose classes are meant, for models with several.
    ///   - device: where it is computed.
    /// - Throws: `InsightError` for an unknown layer and a model that takes something else; `ShapeError` when the model has not been
    ///   built or its layers do not take images of that size.
    public init(
        _ model: any ModelProtocol, layer: String? = nil, size: Size2D? = nil, beforeReLU: Bool = false,
        output: String? = nil, device: Device = .cpu
    ) throws {
        self.model = model
        self.layer = layer
        self.beforeReLU = beforeReLU
        self.device = device
        let shape = try model.inputShape
        guard shape.rank == 2 || shape.rank == 3 else {
            throw InsightError.wrongShape(
                "the input of '\(model.displayName)'", shape,
                expected: "images [height, width, channels] or sequences [steps, channels]")
        }
        guard size != nil || !shape.hasOpenExtents else {
            throw InsightError.invalidArgument(
                "size", "nil",
                expected: "given, because '\(model.displayName)' takes images of any size, \(shape)")
        }
        isSequence = shape.rank == 2
        channels = shape.channels
        let own = isSequence ? Size2D(1, shape[0]) : Size2D(shape[0], shape[1])
        self.size = size ?? own
        guard self.size.isPositive, max(self.size.height, self.size.width) <= 4_096,
            !isSequence || self.size.height == 1
        else {
            throw InsightError.invalidArgument(
                "size", "\(self.size)",
                expected: "from 1 to 4096 in each direction, and of height 1 for sequences")
        }
        let names = model.namedOutputs.map(\.name)
        guard let name = output ?? (names.count == 1 || layer != nil ? names.first : nil),
            let place = names.firstIndex(of: name)
        else { throw InsightError.chooseOne("output", name: output, known: names) }
        (outputIndex, outputName) = (place, name)
        let example = Tensor.argument("images", [1, self.size.height, self.size.width, shape.channels])
        unitCount = try Self.features(
            model, layer, outputIndex: place, outputName: name, isSequence: isSequence,
            beforeReLU: beforeReLU, for: example
        ).shape.channels
    }

    /// What has the units as its channels, for images `[count, height, width, channels]`: feature maps of four axes, or rows.
    private static func features(
        _ model: any ModelProtocol, _ layer: String?, outputIndex: Int, outputName: String, isSequence: Bool,
        beforeReLU: Bool, for images: Tensor
    ) throws -> Tensor {
        let shape = images.shape
        let input = isSequence ? try images.reshaped(to: [shape[0], shape[2], shape[3]]) : images
        let traced = try TracedModel(model, on: [input], upTo: layer)
        guard let layer else {
            return try ClassScores(of: traced.outputs[outputIndex], named: outputName).logits
        }
        let found = try traced.layer(at: layer)
        let output = beforeReLU ? found.output.beforeReLU : found.output
        return output.shape.rank == 2 ? output : try found.spatial(output)
    }

    // MARK: Ascent

    /// Inputs that units answer strongly to, one for each.
    ///
    /// - Parameters:
    ///   - units: channels, numbers or classes, from 0.
    ///   - ascent: how inputs are changed. `.chollet` is the lesson's way, `.robust` gives clear patterns in deep layers.
    ///   - start: images `[units, height, width, channels]` to begin with, numbers from 0 to 1; when nil noise: of pixels grey with
    ///     128…148 of 255, as in the lesson. For ascents of pixels only.
    ///   - seed: of random numbers.
    ///   - batchSize: how many images are computed at once.
    ///   - progress: called after each step with the part of the work that is done, up to 1.
    /// - Throws: `InsightError` for units that do not exist, settings outside their range and results that are NaN;
    ///   `CancellationError`.
    public func maximize(
        _ units: [Int], by ascent: GradientAscent = .robust, start: TensorValue? = nil, seed: UInt64 = 0,
        batchSize: Int = 16, progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws -> MaximizedActivations {
        try ascent.check()
        guard batchSize > 0 else {
            throw InsightError.invalidArgument("batchSize", "\(batchSize)", expected: "positive")
        }
        if units.isEmpty {
            throw InsightError.invalidArgument("the list of units", "empty", expected: "at least one unit")
        }
        if let wrong = units.first(where: { !(0..<unitCount).contains($0) }) {
            throw InsightError.invalidArgument("unit", "\(wrong)", expected: "from 0 to \(unitCount - 1)")
        }
        let shape: Shape = [units.count, size.height, size.width, channels]
        if let start {
            guard start.shape == shape, ascent.parameterization == .pixels else {
                throw InsightError.wrongShape(
                    "the start", start.shape, expected: "\(shape), for an ascent of pixels")
            }
        }
        let device = device
        let runner = try StepRunner(device: device)
        let results = try await Compute.run {
            var images: [Float] = []
            var activations: [Float] = []
            for first in stride(from: 0, to: units.count, by: batchSize) {
                let range = first..<min(units.count, first + batchSize)
                var generator = PhiloxGenerator(seed: seed, stream: 0x6173_636e, step: UInt64(first))
                let made = try parameterization(
                    count: range.count, ascent, start: start.map { $0[range] }, using: &generator)
                let result = try climb(made, Array(units[range]), ascent, runner, seed: seed) { done in
                    progress((Double(first) + done * Double(range.count)) / Double(units.count))
                }
                images += result.images
                activations += result.activations
            }
            return (images, activations)
        }
        let (images, activations) = results
        guard images.allSatisfy(\.isFinite), activations.allSatisfy(\.isFinite) else {
            throw InsightError.notFinite(
                layer.map { "an image for the layer '\($0)'" } ?? "an image for a class",
                model: model.displayName)
        }
        return MaximizedActivations(
            units: units, images: TensorValue(unchecked: shape, .float32(images)), activations: activations)
    }

    private func parameterization(
        count: Int, _ ascent: GradientAscent, start: TensorValue?, using generator: inout PhiloxGenerator
    ) throws -> ImageParameterization {
        switch ascent.parameterization {
        case .pixels:
            let shape: Shape = [count, size.height, size.width, channels]
            let pixels =
                try start
                ?? TensorValue(
                    shape: shape,
                    (0..<shape.elementCount).map { _ in Float((128 + 20 * generator.uniform()) / 255) })
            return ImageParameterization(pixels: TensorValue(unchecked: shape, .float32(pixels.floats)))
        case .frequencies(let decay):
            return try ImageParameterization(
                count: count, size: size,
                margin: Size2D(ascent.margin(of: size.height), ascent.margin(of: size.width)),
                channels: channels, decay: decay, using: &generator)
        }
    }

    @Compute
    private func climb(
        _ made: ImageParameterization, _ units: [Int], _ ascent: GradientAscent, _ runner: StepRunner,
        seed: UInt64, _ progress: (Double) -> Void
    ) throws -> (images: [Float], activations: [Float]) {
        let chosen = Tensor.argument("units", [units.count], .int32)
        // Each image is asked for every unit of the batch, and answers for its own.
        let own = Tensor.constant(TensorValue((0..<units.count).map { Int32($0) }))
        let mask = try own.oneHot(depth: units.count)
        func objectives(_ images: Tensor) throws -> Tensor {
            let features = try Self.features(
                model, layer, outputIndex: outputIndex, outputName: outputName, isSequence: isSequence,
                beforeReLU: beforeReLU, for: images
            ).picking(channels: chosen)
            let means = features.shape.rank == 4 ? try features.mean(axes: [1, 2]) : features
            return try (means * mask).sum(axes: [1])
        }
        var objective = try objectives(
            made.surroundings.shaken(jitter: ascent.jitter, zoom: ascent.zoom, to: size))
        if ascent.totalVariation > 0 {
            objective = try objective - made.images.totalVariation() * Float(ascent.totalVariation)
        }
        let total = try objective.sum()
        let gradient = try gradient(of: total, withRespectTo: [Tensor(made.variable)])[0]
        let step = PartialStep(outputs: [total], updates: try updates(made, gradient, ascent.rule))
        let values = ["units": TensorValue(units.map { Int32($0) })]
        for number in 0..<ascent.steps {
            try Task.checkCancellation()
            var inputs = values
            if case .adam(let rate) = ascent.rule { inputs["learning_rate"] = TensorValue(Float(rate)) }
            _ = try step.run(runner, inputs, number: UInt64(number), seed: seed)
            progress(Double(number + 1) / Double(ascent.steps))
        }
        let result = PartialStep(outputs: [made.images, try objectives(made.images)])
        let outputs = try result.run(runner, values)
        return (outputs[0].floats, outputs[1].floats)
    }

    private func updates(
        _ made: ImageParameterization, _ gradient: Tensor, _ rule: GradientAscent.StepRule
    ) throws -> [Update] {
        switch rule {
        case .normalized(let stepSize):
            // Both are in 8-bit levels, of which images have 255 from 0 to 1.
            let square = try (gradient * gradient).mean(axes: [1, 2, 3], keepDims: true)
            let length = try square.squareRoot() + 255e-5
            let next = try Tensor(made.variable) + gradient * (Float(stepSize / 255) / length)
            return [try Update(made.variable, to: next)]
        case .adam(let rate):
            return try Adam(learningRate: rate).updates(
                for: [made.variable], gradients: [gradient.negated()])
        }
    }
}

/// Inputs that units of a model answer strongly to.
public struct MaximizedActivations: Sendable {
    public let units: [Int]
    /// `[units, height, width, channels]`, float32, as the model takes them: of ascents of pixels not limited to 0…1.
    public let images: TensorValue
    /// What each unit answers: the mean over all places of a feature map, a number, or a logit.
    public let activations: [Float]

    /// The images to be looked at, each with the mean grey and a deviation of a tenth of the way from black to white, as in
    /// Chollet's lesson: what lies beyond black and white is cut off.
    ///
    /// - Throws: `PictureError` unless images have 1 or 3 channels.
    public var pictures: [Picture] { get throws { try pictures(deviation: 0.1) } }

    /// The images to be looked at, with more or less contrast.
    ///
    /// - Parameter deviation: of each, as a part of the way from black to white.
    /// - Throws: `PictureError` unless images have 1 or 3 channels.
    public func pictures(deviation: Double) throws -> [Picture] {
        try units.indices.map { index in
            let image = images[index]
            let levels = image.floats.map { Double($0) * 255 }
            let mean = levels.reduce(0, +) / Double(levels.count)
            let variance = levels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(levels.count)
            let scale = deviation / (variance.squareRoot() + 1e-5)
            return try Picture(
                TensorValue(shape: image.shape, levels.map { Float(($0 - mean) * scale + 0.5) }), white: 1)
        }
    }
}

extension Tensor {
    /// What a ReLU reads that gives this; itself if it is no ReLU's.
    fileprivate var beforeReLU: Tensor {
        var tensor = self
        while true {
            switch tensor.operation {
            case .attachment: tensor = tensor.inputs[0]
            case .unary(.relu): return tensor.inputs[0]
            default: return self
            }
        }
    }
}
