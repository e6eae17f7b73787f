import FoveaGraph

extension Tensor {
    /// The number that training makes smaller: `Σ wᵢ lossᵢ / n` for the losses of the n examples of a batch, `[batch]`.
    ///
    /// The sum is divided by the number of examples, not by the sum of their weights, as Keras does with its reduction
    /// `sum_over_batch_size`. So doubling every weight doubles the gradient, and an example of weight 0 still counts.
    ///
    /// - Parameter weights: `float32`, `[batch]`; all 1 when nil. Sample weights and class weights are multiplied by the
    ///   caller.
    /// - Throws: `ShapeError` when there is not one weight per loss.
    public func weightedMean(_ weights: Tensor?) throws -> Tensor {
        guard let weights else { return try mean() }
        try weights.checkAsWeights("weightedMean", of: shape)
        return try (self * weights).mean()
    }

    func checkAsWeights(_ name: String, of expected: Shape) throws {
        guard shape == expected, dtype == .float32 else {
            throw ShapeError(
                name, "needs one float32 weight per example, \(expected), not \(dtype.rawValue)\(shape)",
                shapes: [shape])
        }
    }
}

/// How much the examples of each class weigh in the loss, such as more for a class with few examples.
public struct ClassWeights: Hashable, Codable, Sendable {
    /// By class number; a class that is missing here weighs 1, as in Keras.
    public let weights: [Int: Double]

    /// - Parameter weights: by class number.
    /// - Throws: `TrainingError` for a negative class number and a weight that is negative or not finite.
    public init(_ weights: [Int: Double]) throws {
        for (label, weight) in weights.sorted(by: { $0.key < $1.key }) {
            guard label >= 0 else {
                throw TrainingError.invalidArgument(
                    "a class of the class weights", "\(label)", expected: "0 or a positive number")
            }
            guard weight >= 0, Float(weight).isFinite else {
                throw TrainingError.invalidArgument(
                    "the weight of class \(label)", "\(weight)",
                    expected: "a finite number that is not negative"
                )
            }
        }
        self.weights = weights
    }

    /// - Parameter weights: of the classes 0, 1 and so on.
    /// - Throws: as the other initializer.
    public init(_ weights: [Double]) throws {
        try self.init(Dictionary(uniqueKeysWithValues: weights.enumerated().map { ($0.offset, $0.element) }))
    }

    /// Weights that make up for classes of different size, `count / (classes · count of the class)`: each class counts as much
    /// as any other in all, and the examples count 1 in the mean.
    ///
    /// - Parameter labels: the classes of all examples; those that do not occur get no weight and do not count.
    /// - Throws: `TrainingError` for a negative class number.
    public init(balancing labels: [Int]) throws {
        let counts = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
        try self.init(counts.mapValues { Double(labels.count) / (Double(counts.count) * Double($0)) })
    }

    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode([Int: Double].self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(weights)
    }

    /// The weight of each example, `[batch]`, for `Tensor.weightedMean`.
    ///
    /// - Parameters:
    ///   - targets: class numbers `[batch]` or `[batch, 1]`; rows `[batch, classes]`, of which the largest element tells
    ///     the class; for predictions with one output numbers, of which those above ½ are class 1 and the others class 0.
    ///   - predictions: `[batch, classes]` or `[batch, 1]`.
    /// - Throws: `ShapeError` when targets do not fit the predictions or an example has several places; `TrainingError`
    ///   for the weight of a class that the predictions do not have.
    public func weights(for targets: Tensor, predictions: Tensor) throws -> Tensor {
        let name = "class weights"
        guard predictions.shape.rank == 2 else {
            throw ShapeError(
                name, "need one class per example, with predictions [batch, classes]; use sample weights",
                shapes: [targets.shape, predictions.shape])
        }
        let outputs = predictions.shape.channels
        let classes = max(outputs, 2)
        if let label = weights.keys.max(), label >= classes {
            throw TrainingError.invalidArgument(
                "a class of the class weights", "\(label)",
                expected: "in 0..<\(classes), one of the model's classes")
        }
        let labels: Tensor
        if outputs == 1 {
            let column = try targets.aligned(with: predictions, for: name)
            labels = try column.greater(0.5).cast(to: .int32).reshaped(to: Shape([predictions.shape[0]]))
        } else if targets.shape == predictions.shape {
            labels = try targets.cast(to: .float32).argMax()
        } else {
            labels = try targets.labels(for: predictions, of: name)
        }
        return try Tensor.constant(TensorValue((0..<classes).map { Float(weights[$0] ?? 1) }))
            .gathered(at: labels)
    }
}
