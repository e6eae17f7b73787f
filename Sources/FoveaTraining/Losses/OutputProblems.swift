import FoveaGraph

extension Loss {
    /// What is wrong with an output of a model that is trained with this loss: mistakes that raise no error and teach little
    /// or nothing. Each is a sentence that says what to change.
    ///
    /// What is not known to be wrong is right: an output that is computed in an unusual way gets no message.
    ///
    /// - Parameter output: the model's output, as the model computes it.
    public func problems(of output: Tensor) -> [String] {
        let values = OutputValues(of: output)
        let isOneNumber = output.shape.rank > 1 && output.shape.channels == 1
        if isOneNumber, values == .softmax {
            return [
                "the output is a softmax over one number, which is always 1; end with activation: .sigmoid and "
                    + "binaryCrossentropy, or give the last layer a unit for each class"
            ]
        }
        if isOneNumber, targetKind.isOfClasses {
            return [
                "\(name) compares classes, but the output has one number; use binaryCrossentropy, or give the last "
                    + "layer a unit for each class"
            ]
        }
        switch (outputKind, values) {
        case (.probabilities, .logSoftmax), (.probabilities, .numbers):
            let what =
                values == .logSoftmax ? "has logarithms of probabilities" : "has neither softmax nor sigmoid"
            return [
                "\(name) takes probabilities, but the output \(what); end with activation: .softmax for classes or "
                    + ".sigmoid for outputs that are true or not"
                    + (canTakeLogits ? ", or say fromLogits: true" : "")
            ]
        case (.logits, .softmax), (.logits, .sigmoid):
            let activation = values == .softmax ? "softmax" : "sigmoid"
            return [
                "\(name) takes logits, but the output has been through a \(activation); leave out that activation, or say "
                    + "fromLogits: false"
            ]
        case (.logProbabilities, .softmax), (.logProbabilities, .sigmoid), (.logProbabilities, .numbers):
            return [
                "\(name) takes logarithms of probabilities, but the output is not a log-softmax; end with one, or use "
                    + "sparseCategoricalCrossentropy"
            ]
        default: return []
        }
    }

    /// What is wrong with rows of targets: a sentence, or nil.
    ///
    /// - Parameter targets: of several examples, `[count, …, classes]`. Only losses of `TargetKind.classProbabilities` need rows
    ///   that sum to 1.
    func problem(ofTargets targets: TensorValue) -> String? {
        guard targetKind == .classProbabilities, targets.shape.rank > 1, targets.shape.channels > 1 else {
            return nil
        }
        let (values, classes) = (targets.floats, targets.shape.channels)
        let rowsPerExample = max(1, values.count / classes / max(1, targets.shape[0]))
        for row in 0..<values.count / classes {
            let sum = values[row * classes..<(row + 1) * classes].reduce(0, +)
            if !(abs(sum - 1) <= 1e-3) {
                return
                    "the targets of example \(row / rowsPerExample) sum to \(sum), but those of \(name) are "
                    + "probabilities of classes that exclude each other, such as one-hot rows; for classes that do not, use "
                    + "binaryCrossentropy with a sigmoid"
            }
        }
        return nil
    }
}

extension Trainer {
    /// What is wrong with the outputs that are trained.
    var outputProblems: [String] {
        get throws {
            let predictions = compiled.exampleOutputs
            return outputs.flatMap { output -> [String] in
                guard let loss = output.training.loss else { return [] }
                let place = outputs.count > 1 ? "output '\(output.name)': " : ""
                return loss.problems(of: predictions[output.index]).map { place + $0 }
            }
        }
    }
}

/// What there is to warn of, each once.
struct Warnings {
    private var known: Set<String> = []
    private var unsaid: [String] = []

    /// - Parameter subject: of several problems with one subject, the first is said.
    mutating func note(_ problem: String?, about subject: String) {
        if let problem, known.insert(subject).inserted { unsaid.append(problem) }
    }

    /// What was noted since the last time.
    mutating func take() -> [String] {
        defer { unsaid = [] }
        return unsaid
    }
}

extension TargetKind {
    fileprivate var isOfClasses: Bool {
        switch self {
        case .classNumbers, .classProbabilities: true
        case .probabilities, .numbers: false
        }
    }
}

extension Loss {
    /// Whether it has the setting.
    fileprivate var canTakeLogits: Bool {
        Mirror(reflecting: self).children.contains { $0.label == "fromLogits" }
    }
}

/// What is known of a tensor's numbers by the operation that they come from.
enum OutputValues {
    case softmax, logSoftmax, sigmoid
    /// Of a layer without activation, or with one that gives no probabilities.
    case numbers
    case unknown

    init(of tensor: Tensor, depth: Int = 0) {
        var tensor = tensor
        while tensor.isView { tensor = tensor.inputs[0] }
        switch tensor.operation {
        case .softmax(let rule) where rule.axis == tensor.shape.rank - 1:
            self = rule.isLogarithmic ? .logSoftmax : .softmax
        case .unary(.sigmoid): self = .sigmoid
        case .unary(.relu), .unary(.tanh), .unary(.negate), .matmul, .convolution, .convolutionInputGradient,
            .batchNorm:
            self = .numbers
        case .binary(.add) where depth < 3:
            // Products with a bias.
            let isNumbers = tensor.inputs.contains { OutputValues(of: $0, depth: depth + 1) == .numbers }
            self = isNumbers ? .numbers : .unknown
        default: self = .unknown
        }
    }
}

extension Tensor {
    /// Whether these are the numbers of another tensor.
    fileprivate var isView: Bool {
        switch operation {
        case .reshape, .transpose, .broadcast, .cast, .slice, .attachment: true
        default: false
        }
    }
}
