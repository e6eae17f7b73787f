import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaPictures
import FoveaRuntime
import FoveaTraining

/// Tells which parts of its inputs a model decided by.
///
/// ```swift
/// let explainer = try Explainer(model)
/// let attribution = try await explainer.explain(picture)                 // Grad-CAM of the most probable class
/// print(attribution.classIndex, attribution.probability, attribution.peak)
/// ```
///
/// Everything is computed in inference mode. Graphs are compiled when they are first needed and kept.
public final class Explainer: Sendable {
    public let model: any ModelProtocol
    /// Which number of a class is explained.
    public let score: ClassScore
    let traced: TracedModel
    /// What is explained, and its numbers for classes.
    let output: Tensor
    let scores: ClassScores
    let arguments: ModelArguments
    /// Which of the inputs is explained.
    let inputIndex: Int
    let outputName: String
    let device: Device
    let runner: StepRunner
    private let steps = KeptSteps()

    /// - Parameters:
    ///   - model: built, with the parameters that it is to have; one of its outputs has a number for each class, or one for two
    ///     classes.
    ///   - score: which number of a class is explained.
    ///   - output: the name of the output that is explained, for models with several.
    ///   - input: the name of the input that is explained, for models with several that are images or sequences.
    ///   - device: where it is computed.
    /// - Throws: `ShapeError` when the model has not been built; `InsightError` when there are several outputs or inputs and none is
    ///   named, and when the output has not one number for each class.
    public convenience init(
        _ model: any ModelProtocol, score: ClassScore = .logit, output: String? = nil, input: String? = nil,
        device: Device = .cpu
    ) throws {
        let arguments = ModelArguments(model)
        let traced = try TracedModel(model, on: arguments.tensors)
        try self.init(model, traced, arguments, score, output: output, input: input, device)
    }

    init(
        _ model: any ModelProtocol, _ traced: TracedModel, _ arguments: ModelArguments, _ score: ClassScore,
        output: String?, input: String?, _ device: Device
    ) throws {
        self.model = model
        self.traced = traced
        self.arguments = arguments
        self.score = score
        self.device = device
        let names = model.namedOutputs.map(\.name)
        let place = try Self.choose("output", output, names, suitable: names)
        outputName = names[place]
        self.output = traced.outputs[place]
        scores = try ClassScores(of: self.output, named: outputName)
        let inputs = model.modelInputs
        inputIndex = try Self.choose(
            "input", input, inputs.map(\.name),
            suitable: inputs.filter { $0.shape.rank == 2 || $0.shape.rank == 3 }.map(\.name))
        runner = try StepRunner(device: device)
    }

    /// The place of what was named, or of the only one that is suitable.
    private static func choose(
        _ what: String, _ name: String?, _ all: [String], suitable: [String]
    ) throws -> Int {
        guard let name = name ?? (suitable.count == 1 ? suitable[0] : all.count == 1 ? all[0] : nil),
            let place = all.firstIndex(of: name)
        else { throw InsightError.chooseOne(what, name: name, known: all) }
        return place
    }

    // MARK: What is explained

    /// Which parts of a picture decided.
    ///
    /// - Parameters:
    ///   - picture: of any size; it is brought to that of the model.
    ///   - method: how it is told.
    ///   - classIndex: the class that is explained; the most probable one when nil.
    ///   - layer: the path of the layer whose features are looked at, for methods that do so; when nil what the last convolution
    ///     with more than one pixel gives, after the normalization, activation and sums behind it.
    /// - Returns: with a map of the size that the model takes.
    /// - Throws: `PredictorError` when the model does not take pictures; otherwise as for inputs.
    public func explain(
        _ picture: Picture, method: AttributionMethod = .gradCAM, class classIndex: Int? = nil,
        layer: String? = nil
    ) async throws -> Attribution {
        let value = try Predictor(model, device: device).pictureForm.value(picture)
        let batch = try value.reshaped(to: Shape([1] + value.shape.dimensions))
        return try await explain([batch], method: method, class: classIndex, layer: layer)[0]
    }

    /// Which parts of each of several inputs decided.
    ///
    /// - Parameters:
    ///   - inputs: for each input of the model `[count, …]`, float32, or uint8 for images, whose 0…255 stand for 0…1.
    ///   - method: how it is told.
    ///   - classIndex: the class that is explained for all; for each the most probable one when nil.
    ///   - layer: as for pictures.
    ///   - batchSize: how many are computed at once.
    /// - Throws: `InsightError` for inputs that do not fit, a class that does not exist, an unknown layer, one that gives no images or
    ///   sequences or does not matter for the output, a method that needs another kind of network, and results that are NaN.
    public func explain(
        _ inputs: [TensorValue], method: AttributionMethod = .gradCAM, class classIndex: Int? = nil,
        layer: String? = nil, batchSize: Int = 32
    ) async throws -> [Attribution] {
        try method.check()
        guard batchSize > 0 else {
            throw InsightError.invalidArgument("batchSize", "\(batchSize)", expected: "positive")
        }
        if let classIndex, !(0..<scores.count).contains(classIndex) {
            throw InsightError.invalidArgument(
                "the class", "\(classIndex)",
                expected: "from 0 to \(scores.count - 1), as the output '\(outputName)' has them")
        }
        let (values, count) = try arguments.checked(inputs)
        _ = try explainedSize
        let place = method.usesLayer ? try explainedLayer(layer, method) : nil
        return try await Compute.run {
            var attributions: [Attribution] = []
            for start in stride(from: 0, to: count, by: batchSize) {
                let range = start..<min(count, start + batchSize)
                let question = Question(
                    inputs: values.map { $0[range] }, count: range.count, classIndex: classIndex,
                    method: method, layer: place, batchSize: batchSize)
                attributions += try explain(question)
            }
            return attributions
        }
    }

    /// A batch of inputs of which one thing is asked.
    struct Question: Sendable {
        /// Each `[count, …]`, float32.
        let inputs: [TensorValue]
        let count: Int
        let classIndex: Int?
        let method: AttributionMethod
        let layer: TracedLayer?
        let batchSize: Int

        /// One of the examples.
        func example(_ index: Int) -> [TensorValue] { inputs.map { $0[index..<(index + 1)] } }
    }

    @Compute
    private func explain(_ question: Question) throws -> [Attribution] {
        switch question.method {
        case .gradCAM, .gradCAMPlusPlus: try classActivationMaps(question)
        case .cam: try weightedFeatureMaps(question)
        case .scoreCAM: try perExample(question, scoreCAM)
        case .gradient, .guidedBackpropagation: try inputGradients(question)
        case .integratedGradients(let steps, let baseline):
            try perExample(question) { try integratedGradients($0, $1, steps: steps, baseline: baseline) }
        case .smoothGrad(let samples, let noise):
            try perExample(question) { try smoothGrad($0, $1, samples: samples, noise: noise) }
        case .occlusion(let window, let stride, let fill):
            try perExample(question) { try occlusion($0, $1, window: window, stride: stride, fill: fill) }
        }
    }

    /// For methods that need many runs for one example: values for it and its decision.
    @Compute
    private func perExample(
        _ question: Question, _ values: (Question, Decision) throws -> TensorValue
    ) throws -> [Attribution] {
        let decisions = try decisions(question.inputs, class: question.classIndex)
        return try decisions.enumerated().map { index, decision in
            let one = Question(
                inputs: question.example(index), count: 1, classIndex: decision.classIndex,
                method: question.method, layer: question.layer, batchSize: question.batchSize)
            return try attribution(one, 0, decision, values: values(one, decision))
        }
    }

    /// Scales what a method gave.
    ///
    /// - Throws: `InsightError.notFinite`.
    func attribution(
        _ question: Question, _ index: Int, _ decision: Decision, values: TensorValue
    ) throws -> Attribution {
        let (method, layer) = (question.method, question.layer)
        guard values.isFinite, decision.score.isFinite else {
            throw InsightError.notFinite(
                "the map of \(method.name)" + (layer.map { " for the layer '\($0.path)'" } ?? ""),
                model: model.displayName)
        }
        let map = method.map(of: values).resized(to: try explainedSize)
        return Attribution(
            method: method, classIndex: decision.classIndex, score: decision.score,
            probability: decision.probability, layer: layer?.path, values: values,
            map: map.normalized(isSigned: method.isSigned).value, inputs: question.example(index))
    }

    // MARK: Graphs

    /// What the model says of an input.
    struct Decision: Sendable {
        let classIndex: Int
        let score: Float
        let probability: Float
    }

    /// The class that is explained, int32 `[batch]`; negative for the most probable one.
    var chosenClass: Tensor { .input("class", [], .int32) }

    /// Values for the graphs' inputs.
    func values(_ inputs: [TensorValue], class classIndex: Int?) -> [String: TensorValue] {
        let count = inputs[0].shape[0]
        let classes = [Int32](repeating: Int32(classIndex ?? -1), count: count)
        return arguments.values(inputs).merging(["class": TensorValue(classes)]) { first, _ in first }
    }

    /// A graph, made when it is first asked for.
    @Compute
    func step(_ key: StepKey, _ outputs: () throws -> [Tensor]) throws -> PartialStep {
        try steps.step(key, outputs)
    }

    /// The scores of examples.
    @Compute
    func decisions(_ inputs: [TensorValue], class classIndex: Int?) throws -> [Decision] {
        let step = try step(.scores) {
            let selected = try scores.selected(score, chosenClass)
            return [selected.chosen, selected.score, selected.probability]
        }
        return Self.decisions(try step.run(runner, values(inputs, class: classIndex)))
    }

    /// Of the first three outputs of a graph: class, score and probability.
    static func decisions(_ outputs: [TensorValue]) -> [Decision] {
        let (classes, scores, probabilities) = (outputs[0].integers, outputs[1].floats, outputs[2].floats)
        return classes.indices.map {
            Decision(classIndex: Int(classes[$0]), score: scores[$0], probability: probabilities[$0])
        }
    }
}

/// What graphs of an explainer are told apart by.
enum StepKey: Hashable {
    case scores
    case featureGradients(layer: String, isPlusPlus: Bool)
    case weightedFeatures
    case features(layer: String)
    case input
    case inputGradients(isGuided: Bool)
    case noisyGradients
    case masked
}

@Compute
private final class KeptSteps {
    private var steps: [StepKey: PartialStep] = [:]

    nonisolated init() {}

    func step(_ key: StepKey, _ outputs: () throws -> [Tensor]) throws -> PartialStep {
        if let step = steps[key] { return step }
        let step = PartialStep(outputs: try outputs())
        steps[key] = step
        return step
    }
}
