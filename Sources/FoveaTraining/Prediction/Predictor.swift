import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaPictures
import FoveaRuntime

/// A trained model to be used: pictures in, classes with probabilities out.
///
/// ```swift
/// let predictor = try await Predictor(contentsOf: "run/model.safetensors")
/// for answer in try await predictor.classes(ofPictureAt: "cat.jpg") { print(answer) }   // cat 98.2 %
/// ```
///
/// It needs neither loss nor optimizer, and may be asked by many tasks at once: they are answered one after the other. A graph
/// is compiled for each batch size that comes and kept for the next time.
public final class Predictor: Sendable {
    public let model: any ModelProtocol
    /// What each output stands for; empty when unknown.
    public let classNames: [String]
    /// Whether the model's outputs are logits, of which a softmax (of a single output, a sigmoid) makes probabilities.
    public let givesLogits: Bool
    /// What pictures are brought to; nil where they keep their sizes.
    public let imageSize: Size2D?
    let outputs: ModelOutputs

    /// - Parameters:
    ///   - model: built, with the parameters that it is to have.
    ///   - classNames: what each output stands for, or for a single output what 0 and 1 stand for.
    ///   - fromLogits: whether outputs are logits. When nil they are unless they come out of a softmax or sigmoid.
    ///   - imageSize: what pictures are brought to, for a model whose input leaves its height and width open, as
    ///     `[nil, nil, 3]`. When nil the model's, and where that is open pictures keep their sizes.
    ///   - device: where it is computed.
    /// - Throws: `ShapeError` when the model has not been built; `PredictorError` when it takes no pictures of that size.
    public init(
        _ model: any ModelProtocol, classNames: [String] = [], fromLogits: Bool? = nil,
        imageSize: Size2D? = nil, device: Device = .cpu
    ) throws {
        self.model = model
        self.imageSize = try imageSize.map { try model.checkedImageSize($0) } ?? model.imageSize
        self.classNames = classNames
        let compiled = try CompiledModel(model)
        givesLogits = try fromLogits ?? !model.givesProbabilities()
        outputs = ModelOutputs(
            compiled, shapes: model.namedOutputs.map(\.shape), runner: try StepRunner(device: device))
    }

    /// How many graphs were compiled so far.
    @Compute
    public var compiledCount: Int { outputs.runner.compiledCount }

    // MARK: Outputs

    /// The model's outputs as they are.
    ///
    /// - Parameters:
    ///   - inputs: for each input of the model `[count, …]`, float32, or uint8 for images, whose 0…255 stand for 0…1.
    ///   - batchSize: examples computed at once.
    /// - Returns: for each output of the model `[count, …]`, float32.
    /// - Throws: `TrainingError` for inputs that do not fit the model.
    public func outputs(for inputs: [TensorValue], batchSize: Int = 32) async throws -> [TensorValue] {
        guard batchSize > 0 else {
            throw TrainingError.invalidArgument("batchSize", "\(batchSize)", expected: "positive")
        }
        try outputs.model.checkInputs(inputs, .prediction)
        let batches = try Dataset.batches(of: Examples(inputs: inputs, targets: []), size: batchSize)
        return try await outputs.values(for: batches.loadedFromMemory())
    }

    /// The model's outputs as they are, for the inputs of batches; targets are not looked at.
    ///
    /// - Parameters:
    ///   - batches: such as those of a folder of pictures.
    ///   - loaderThreads: how many threads compute examples, as for `Dataset.loaded`.
    /// - Returns: for each output of the model `[count, …]`, float32, where examples that are left out
    ///   (`ElementErrorPolicy.skip`) do not count.
    /// - Throws: `TrainingError` for inputs that do not fit the model, and when there is no example; what computing a batch
    ///   throws.
    public func outputs(
        for batches: Dataset<Examples>, loaderThreads: Int? = nil
    ) async throws -> [TensorValue] {
        guard let count = batches.count else {
            throw TrainingError.invalidArgument("batches", "endless", expected: "a data set with an end")
        }
        guard count > 0 else { throw TrainingError.noExamples(.prediction) }
        return try await outputs.values(for: batches.loaded(threads: loaderThreads))
    }

    // MARK: Classes

    /// For each image its most probable classes, the first first.
    ///
    /// - Parameters:
    ///   - images: `[count, height, width, channels]` as the model takes them, uint8 or float32.
    ///   - top: how many classes; fewer when there are fewer.
    ///   - batchSize: images computed at once.
    /// - Returns: a list for each image, which is empty where the model's outputs are NaN.
    /// - Throws: as `outputs(for:)`; `ShapeError` when the model has several outputs.
    public func classes(
        of images: TensorValue, top: Int = 5, batchSize: Int = 32
    ) async throws -> [[ClassProbability]] {
        _ = try model.outputShape
        return ranked(try await outputs(for: [images], batchSize: batchSize)[0], top)
    }

    /// For each example of a data set its most probable classes, the first first.
    ///
    /// - Parameters: as for `outputs(for:)` and the other `classes`.
    public func classes(
        of batches: Dataset<Examples>, top: Int = 5, loaderThreads: Int? = nil
    ) async throws -> [[ClassProbability]] {
        _ = try model.outputShape
        return ranked(try await outputs(for: batches, loaderThreads: loaderThreads)[0], top)
    }

    /// The most probable classes of a picture of any size, the first first.
    ///
    /// - Returns: an empty list where the model's outputs are NaN.
    /// - Throws: `PredictorError` when the model does not take pictures; as the other `classes`.
    public func classes(of picture: Picture, top: Int = 5) async throws -> [ClassProbability] {
        try await classes(of: [picture], top: top)[0]
    }

    /// The most probable classes of pictures of any sizes.
    ///
    /// Where they keep their sizes, those of one size make batches.
    ///
    /// - Parameters: as for images.
    /// - Throws: `PredictorError` when the model does not take pictures; as the other `classes`.
    public func classes(
        of pictures: [Picture], top: Int = 5, batchSize: Int = 32
    ) async throws -> [[ClassProbability]] {
        let form = try pictureForm
        let groups = Dictionary(grouping: pictures.indices) { index in
            form.size ?? Size2D(pictures[index].height, pictures[index].width)
        }
        var answers = pictures.map { _ in [ClassProbability]() }
        for group in groups.values.sorted(by: { $0[0] < $1[0] }) {
            let examples = Dataset(group.map { pictures[$0] }, named: "pictures").map { picture in
                Example(inputs: [try form.value(picture)], targets: [])
            }
            let ofGroup = try await classes(of: examples.batched(batchSize), top: top)
            for (index, answer) in zip(group, ofGroup) { answers[index] = answer }
        }
        return answers
    }

    /// The most probable classes of the picture in a file.
    ///
    /// - Throws: `PictureError` when it cannot be read; as the other `classes`.
    public func classes(ofPictureAt path: some PathConvertible, top: Int = 5) async throws
        -> [ClassProbability]
    {
        try await classes(of: pictureForm.picture(at: path), top: top)
    }

    /// How the model takes pictures.
    ///
    /// - Throws: `PredictorError` when it takes something else.
    public var pictureForm: PictureForm {
        get throws {
            PictureForm(size: imageSize, channels: try model.pictureShape.channels)
        }
    }

    private func ranked(_ outputs: TensorValue, _ top: Int) -> [[ClassProbability]] {
        let width = outputs.shape.channels
        let values = outputs.floats.map(Double.init)
        return stride(from: 0, to: values.count, by: max(1, width)).map { start in
            let probabilities = probabilities(Array(values[start..<(start + width)]))
            if probabilities.contains(where: \.isNaN) { return [] }
            let ranked = probabilities.enumerated().sorted {
                ($1.element, $0.offset) < ($0.element, $1.offset)
            }
            return ranked.prefix(max(0, top)).map { index, probability in
                ClassProbability(
                    index: index, name: classNames.indices.contains(index) ? classNames[index] : nil,
                    probability: probability)
            }
        }
    }

    private func probabilities(_ outputs: [Double]) -> [Double] {
        if outputs.count == 1 {
            let second = givesLogits ? 1 / (1 + exp(-outputs[0])) : outputs[0]
            return [1 - second, second]
        }
        guard givesLogits, let largest = outputs.max() else { return outputs }
        let powers = outputs.map { exp($0 - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }
}

/// How likely a model takes an image for one of a class.
public struct ClassProbability: Hashable, Sendable, CustomStringConvertible {
    /// The number of the class.
    public let index: Int
    /// What the class is called; nil when unknown.
    public let name: String?
    /// In `0...1`.
    public let probability: Double

    /// The name, or the number, and the probability in percent.
    public var description: String {
        // Outputs that were wrongly said to be probabilities may be any numbers, and names come from files.
        "\(visible(name ?? "class \(index)")) \(String(format: "%.1f", probability * 100)) %"
    }
}

/// A model cannot be used for what was asked.
public struct PredictorError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = visible(description) }
}
