import FoveaGraph

/// `TP / (TP + FP + FN)`, the intersection of predicted and true places over their union, averaged over classes. The
/// predicted class is that of the largest output.
///
/// Targets: class numbers or one-hot rows for predictions `[batch, …, classes]`, such as `[batch, height, width, classes]`.
/// Classes that are neither in the targets nor predicted do not count in the average; places with a label outside
/// `0..<classes` do not count at all. Keras's `MeanIoU`, and for `classes` its `IoU`; for rows `OneHotMeanIoU` and
/// `OneHotIoU`. Everingham et al. 2010, "The Pascal visual object classes challenge".
public struct IoUMetric: Metric {
    public static let name = "iou"

    /// Which classes are averaged over; all when nil.
    public var classes: [Int]?
    /// A class number whose places do not count; nil when all do.
    public var ignoreClass: Int?

    public init(classes: [Int]? = nil, ignoreClass: Int? = nil) {
        self.classes = classes
        self.ignoreClass = ignoreClass
    }

    public init() { self = .meanIoU() }

    /// - Throws: `ShapeError` when targets do not fit the predictions or these have one output, `TrainingError` for classes
    ///   that the predictions do not have.
    public func sums(_ batch: MetricInputs) throws -> Tensor {
        if let classes, classes.isEmpty || classes.contains(where: { !(0..<batch.outputs).contains($0) }) {
            throw TrainingError.invalidArgument(
                "classes of iou", "\(classes)", expected: "one or more numbers in 0..<\(batch.outputs)")
        }
        let labels = try batch.isSparse ? batch.sparseLabels() : batch.denseLabels()
        var actual = try labels.oneHot(depth: batch.outputs)
        if let ignoreClass, (0..<batch.outputs).contains(ignoreClass) {
            let others = (0..<batch.outputs).map { $0 == ignoreClass ? Float(0) : 1 }
            actual = try actual * .constant(TensorValue(others))
        }
        let isKnown = try actual.sum(axes: [-1], keepDims: true)
        return try batch.counts(
            actual, batch.predictions.argMax().oneHot(depth: batch.outputs) * isKnown)
    }

    public func value(of sums: [Double]) -> Double {
        let counts = PositiveCounts.each(sums)
        let chosen = classes?.filter(counts.indices.contains).map { counts[$0] } ?? counts
        return meanOverlap(chosen.map { ($0.found, $0.predicted + $0.actual - $0.found) })
    }
}

extension Metric where Self == IoUMetric {
    /// The intersection over union of some classes.
    public static func iou(classes: [Int], ignoreClass: Int? = nil) -> IoUMetric {
        IoUMetric(classes: classes, ignoreClass: ignoreClass)
    }

    /// The intersection over union of all classes.
    public static func meanIoU(ignoreClass: Int? = nil) -> IoUMetric { IoUMetric(ignoreClass: ignoreClass) }
}

/// The intersection over union of outputs that are true or not: of those that are, of those that are not, or the mean of
/// both. An output of at least the threshold is predicted to be true.
///
/// Targets: 0 or 1, of the predictions' shape; several outputs are pooled. Keras's `BinaryIoU`.
public struct BinaryIoUMetric: Metric {
    public static let name = "binary_iou"

    /// 0, 1 or both.
    public var classes: [Int]
    /// In `0...1`.
    public var threshold: Double

    public init(classes: [Int] = [0, 1], threshold: Double = 0.5) {
        self.classes = classes
        self.threshold = threshold
    }

    public init() { self = .binaryIoU() }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        guard !classes.isEmpty, classes.allSatisfy((0...1).contains) else {
            throw TrainingError.invalidArgument(
                "classes of binary_iou", "\(classes)", expected: "[0], [1] or [0, 1]")
        }
        let predicted = try batch.isAbove(threshold, orEqual: true).cast(to: .float32)
        let actual = try batch.alignedTargets.greater(0.5).cast(to: .float32)
        let different = try (actual - predicted).unary(.abs)
        return try batch.joined(
            [(1 - actual) * (1 - predicted), actual * predicted, different].map(batch.total))
    }

    public func value(of sums: [Double]) -> Double {
        guard sums.count == 3 else { return 0 }
        return meanOverlap(classes.filter((0...1).contains).map { (sums[$0], sums[$0] + sums[2]) })
    }
}

extension Metric where Self == BinaryIoUMetric {
    /// The intersection over union of outputs that are true or not.
    public static func binaryIoU(classes: [Int] = [0, 1], threshold: Double = 0.5) -> BinaryIoUMetric {
        BinaryIoUMetric(classes: classes, threshold: threshold)
    }
}

/// The mean of intersections over unions, without those that are 0 over 0.
private func meanOverlap(_ overlaps: [(intersection: Double, union: Double)]) -> Double {
    let present = overlaps.filter { $0.union != 0 }
    return divided(present.reduce(0) { $0 + $1.intersection / $1.union }, Double(present.count))
}
