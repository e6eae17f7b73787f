import FoveaFiles
import FoveaGraph

/// How well classes are told apart: what was said of each example, how often classes were taken for each other, and which
/// examples were the most wrong.
///
/// ```swift
/// let report = try await Predictor(contentsOf: "pets.safetensors").report(on: Dataset(pictures, size: 150))
/// print(report)                                            // confusions, precision, recall, F1 score and support
/// for answer in report.worst(5) { print(pictures.items[answer.index].path, answer.loss) }
/// ```
public struct ClassificationReport: Hashable, Codable, Sendable, CustomStringConvertible {
    /// What was said of one example.
    public struct Answer: Hashable, Codable, Sendable {
        /// The number of the example in its data set.
        public let index: Int
        /// The true class.
        public let label: Int
        /// The most probable class.
        public let predicted: Int
        /// The probability of that, in `0...1`.
        public let probability: Double
        /// The cross-entropy `-log p` of the true class's probability, not negative, whatever loss the model was trained with.
        public let loss: Double

        public var isRight: Bool { label == predicted }
    }

    /// How often examples of each class were taken for each class, and what follows for each: precision, recall, F1 score.
    public let confusion: ConfusionMatrix
    /// One for each example that was answered, in the order of the data set.
    public let answers: [Answer]
    /// For how many examples the model's outputs are NaN; they count nowhere else.
    public let unansweredCount: Int

    /// - Parameters:
    ///   - targets: class numbers, `[count]` or `[count, 1]`; or rows such as one-hot ones, `[count, classes]`, of which the first
    ///     largest number is the class; or, for predictions `[count, 1]`, numbers of which those above 0.5 are class 1.
    ///   - predictions: `[count, classes]`, or for two classes `[count, 1]`, what says class 1; the first of the largest outputs
    ///     is the predicted class.
    ///   - fromLogits: whether a softmax (of a single output, a sigmoid) makes probabilities of the predictions.
    ///   - classNames: one for each class, or empty.
    ///   - ignoredClass: a label whose examples count nowhere; none when nil.
    ///   - indices: the numbers of the examples in their data set; `0..<count` when nil.
    /// - Throws: `TrainingError` for targets or predictions of other shapes, labels that are no class, and a wrong number of
    ///   classes (from 2 to 10,000), names or indices.
    public init(
        targets: TensorValue, predictions: TensorValue, fromLogits: Bool = false, classNames: [String] = [],
        ignoredClass: Int? = nil, indices: [Int]? = nil
    ) throws {
        let shape = predictions.shape
        guard shape.rank == 2 else {
            throw TrainingError.invalidArgument(
                "the shape of the predictions", "\(shape)", expected: "[count, classes]")
        }
        let (count, width) = (shape[0], shape[1])
        let classes = width == 1 ? 2 : width
        let labels = try targets.classLabels(count: count, outputs: width)
        let indices = indices ?? Array(0..<count)
        guard indices.count == count else {
            throw TrainingError.invalidArgument(
                "the number of indices", "\(indices.count)", expected: "\(count), one for each example")
        }
        try ConfusionMatrix.check(classes: classes, classNames)

        var counts = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
        var answers: [Answer] = []
        var unanswered = 0
        let outputs = predictions.floats
        for (example, label) in labels.enumerated() where label != ignoredClass {
            guard (0..<classes).contains(label) else {
                throw TrainingError.labelOutOfRange(
                    label, example: example, classes: classes, in: .evaluation)
            }
            let row = outputs[example * width..<(example + 1) * width].map(Double.init)
            guard !row.contains(where: \.isNaN) else {
                unanswered += 1
                continue
            }
            let losses = Self.losses(row, fromLogits: fromLogits)
            // Of the outputs, in which a tie is one before rounding.
            let predicted = width == 1 ? (row[0] > (fromLogits ? 0 : 0.5) ? 1 : 0) : row.largestIndex
            counts[label][predicted] += 1
            answers.append(
                Answer(
                    index: indices[example], label: label, predicted: predicted,
                    probability: exponential(-losses[predicted]), loss: losses[label]))
        }
        confusion = ConfusionMatrix(counts: counts, classNames: classNames)
        self.answers = answers
        unansweredCount = unanswered
    }

    /// `-log p` of each class. Probabilities are clipped to `[1e-7, 1]`, as losses clip them.
    private static func losses(_ row: [Double], fromLogits: Bool) -> [Double] {
        guard fromLogits else {
            let probabilities = row.count == 1 ? [1 - row[0], row[0]] : row
            return probabilities.map { 0 - logarithm(min(1, max(1e-7, $0))) }
        }
        let logits = row.count == 1 ? [0, row[0]] : row
        let largest = logits.max() ?? 0
        // Infinite ones are certain.
        let shifted = logits.map { $0 == largest ? 0 : $0 - largest }
        let sum = logarithm(shifted.reduce(0) { $0 + exponential($1) })
        return shifted.map { max(0, sum - $0) }
    }

    /// The answers with the largest loss, the largest first.
    ///
    /// - Parameter count: how many; fewer when there are fewer.
    public func worst(_ count: Int) -> [Answer] {
        Array(answers.sorted { ($1.loss, $0.index) < ($0.loss, $1.index) }.prefix(max(0, count)))
    }

    /// The table of the confusion matrix, and how many examples were not answered.
    public var description: String {
        confusion.description
            + (unansweredCount == 0
                ? "" : "\nnot counted are \(unansweredCount) examples for which the model's outputs are NaN")
    }
}
