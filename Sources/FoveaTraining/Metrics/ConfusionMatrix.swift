import FoveaGraph

/// How often examples of each class were taken for each class.
///
/// ```swift
/// let matrix = try ConfusionMatrix(
///     labels: labels, predictions: try await trainer.predict(inputs: images), classes: 3,
///     classNames: ["cat", "dog", "horse"])
/// print(matrix, matrix.f1Score[1])
/// ```
public struct ConfusionMatrix: Hashable, Codable, Sendable {
    /// One row for each true class, with one column for each predicted class.
    public let counts: [[Int]]
    /// The names of the classes: their numbers unless given.
    public let classNames: [String]

    /// - Parameters:
    ///   - labels: the true class numbers.
    ///   - predictions: `[count, classes]`, of which the first largest output of a row is the predicted class; for two
    ///     classes also `[count, 1]`, the output of class 1.
    ///   - classes: how many there are, at most 10,000.
    ///   - threshold: a single output above it means class 1; 0 for logits.
    ///   - classNames: one for each class, or empty.
    /// - Throws: `TrainingError` for predictions of another shape or that are NaN, for labels outside `0..<classes` and for
    ///   a wrong number of labels, classes or names.
    public init(
        labels: [Int], predictions: TensorValue, classes: Int, threshold: Double = 0.5,
        classNames: [String] = []
    ) throws {
        func check(_ isRight: Bool, _ name: String, _ value: String, _ expected: String) throws {
            if !isRight { throw TrainingError.invalidArgument(name, value, expected: expected) }
        }
        try Self.check(classes: classes, classNames)
        let shape = predictions.shape
        let isSingle = classes == 2 && shape.dimensions == [labels.count, 1]
        try check(
            isSingle || shape.dimensions == [labels.count, classes], "the shape of the predictions",
            "\(shape)",
            "\(Shape([labels.count, classes])), for \(labels.count) labels of \(classes) classes")
        let outputs = predictions.floats
        try check(outputs.allSatisfy { !$0.isNaN }, "a prediction", "NaN", "a number")

        var counts = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
        for (example, label) in labels.enumerated() {
            guard (0..<classes).contains(label) else {
                throw TrainingError.labelOutOfRange(
                    label, example: example, classes: classes, in: .evaluation)
            }
            let row = outputs[example * shape[1]..<(example + 1) * shape[1]]
            let predicted = isSingle ? (Double(row[row.startIndex]) > threshold ? 1 : 0) : row.largestOffset
            counts[label][predicted] += 1
        }
        self.init(counts: counts, classNames: classNames)
    }

    /// - Parameters:
    ///   - counts: a square of at least two rows.
    ///   - classNames: one for each class, or empty.
    init(counts: [[Int]], classNames: [String]) {
        self.counts = counts
        self.classNames = classNames.isEmpty ? counts.indices.map { "\($0)" } : classNames
    }

    /// - Throws: `TrainingError` for a number of classes that no matrix has, or another number of names.
    static func check(classes: Int, _ classNames: [String]) throws {
        guard (2...10_000).contains(classes) else {
            throw TrainingError.invalidArgument("classes", "\(classes)", expected: "in 2...10000")
        }
        guard classNames.isEmpty || classNames.count == classes else {
            throw TrainingError.invalidArgument(
                "the number of class names", "\(classNames.count)",
                expected: "\(classes), one for each class, or 0")
        }
    }

    /// The share of examples whose class was found; 0 without examples.
    public var accuracy: Double {
        share(right.reduce(0, +), counts.reduce(0) { $0 + $1.reduce(0, +) })
    }

    /// For each class, how many of the examples predicted to be of it are; 0 where none is.
    public var precision: [Double] { zip(right, predicted).map(share) }

    /// For each class, how many of its examples were found; 0 where it has none.
    public var recall: [Double] { zip(right, support).map(share) }

    /// For each class the harmonic mean of precision and recall, `2 TP / (2 TP + FP + FN)`; 0 where both are.
    public var f1Score: [Double] {
        zip(right, zip(predicted, support)).map { share(2 * $0, $1.0 + $1.1) }
    }

    /// For each class, how many examples it has.
    public var support: [Int] { counts.map { $0.reduce(0, +) } }

    private var right: [Int] { counts.indices.map { counts[$0][$0] } }
    private var predicted: [Int] { counts.indices.map { column in counts.reduce(0) { $0 + $1[column] } } }

    private func share(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
}

extension ArraySlice<Float> {
    /// How far from the start the first of the largest elements is.
    fileprivate var largestOffset: Int {
        var best = startIndex
        for index in indices where self[index] > self[best] { best = index }
        return best - startIndex
    }
}
