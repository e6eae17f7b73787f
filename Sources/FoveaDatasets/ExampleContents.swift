import FoveaGraph
import FoveaPictures

// What examples of a model with one input and one output hold, without a detour over tensors.

extension Example {
    /// The first input as a picture: a tensor `[height, width]` or `[height, width, channels]`, whose elements mean 0…255.
    ///
    /// - Throws: `PictureError` when it is no picture. One of other numbers is had with `Picture(example.inputs[0], white: 1)`.
    public var image: Picture { get throws(PictureError) { try Picture(inputs[0]) } }

    /// The number of the class: the target, or of scores for each class the place of the largest.
    ///
    /// - Throws: `DatasetError` when there is no target, or it is neither a whole number from 0 on nor a row of scores.
    public var label: Int {
        get throws(DatasetError) {
            guard let target = targets.first else { throw noTarget }
            guard target.shape.rank < 2 else {
                throw noLabel("a target \(TensorType(target.shape, target.dtype))")
            }
            return try labelNumber(target)
        }
    }

    /// The same example with a 1 in the place of the class and 0 elsewhere as its target, float32 `[classes]`, as
    /// `categoricalCrossentropy` takes it. Keras's `to_categorical`.
    ///
    /// - Parameter classCount: how many classes there are.
    /// - Throws: `DatasetError` when it has not one target, which is a label, or that is not below the number of classes.
    public func oneHot(classCount: Int) throws(DatasetError) -> Example {
        guard targets.count == 1 else { throw notOneTarget(targets.count) }
        return Example(
            inputs: inputs,
            targets: try ClassMode.categorical.targets(
                label: label, classCount: classCount, input: inputs[0]),
            weight: weight)
    }
}

extension Examples {
    /// The example at a place, from 0 on.
    ///
    /// - Throws: `DatasetError` when there is none.
    public subscript(index: Int) -> Example {
        get throws(DatasetError) {
            guard index >= 0, index < count else {
                throw DatasetError(
                    .invalidArgument, "there is no example \(index); \(available(count, "examples"))")
            }
            return example(at: index)
        }
    }

    /// The first inputs as pictures; see `Example.image`.
    ///
    /// - Parameter range: which examples; all when nil.
    /// - Throws: `DatasetError` when there are not that many, `PictureError` when one is no picture.
    public func images(_ range: Range<Int>? = nil) throws -> [Picture] {
        var pictures: [Picture] = []
        for index in range ?? 0..<count { pictures.append(try self[index].image) }
        return pictures
    }

    /// The numbers of the classes; see `Example.label`.
    ///
    /// - Throws: `DatasetError` when there are no targets, or they are neither whole numbers from 0 on nor rows of scores.
    public var labels: [Int] {
        get throws(DatasetError) {
            guard let targets = targets.first else { throw noTarget }
            guard targets.shape.rank <= 2 else {
                throw noLabel("each part of targets \(TensorType(targets.shape, targets.dtype))")
            }
            var labels: [Int] = []
            labels.reserveCapacity(count)
            for index in 0..<count { labels.append(try labelNumber(targets[index])) }
            return labels
        }
    }

    /// The same examples with a 1 in the place of the class and 0 elsewhere as targets, float32 `[count, classes]`, as
    /// `categoricalCrossentropy` takes them. Keras's `to_categorical`.
    ///
    /// - Parameter classCount: how many classes there are; one more than the largest label when nil.
    /// - Throws: `DatasetError` when there is not one target for each example, it is no label, or one is not below the number
    ///   of classes.
    public func oneHot(classCount: Int? = nil) throws(DatasetError) -> Examples {
        guard targets.count == 1 else { throw notOneTarget(targets.count) }
        let labels = try labels
        let classCount = classCount ?? (labels.max() ?? -1) + 1
        guard classCount > 0 || count == 0 && classCount == 0 else {
            throw DatasetError(
                .invalidArgument, "there cannot be \(classCount) classes; at least one is needed")
        }
        // A label from a damaged file must not ask for all memory.
        guard classCount <= (1 << 32) / max(1, count) else {
            throw DatasetError(
                .tooLarge,
                "\(count) examples with a number for each of \(classCount) classes are too large; use sparse targets"
            )
        }
        var rows = [Float](repeating: 0, count: count * classCount)
        for (index, label) in labels.enumerated() {
            guard label < classCount else {
                throw DatasetError(
                    .labelOutOfRange,
                    "the label of example \(index) is \(label); with \(classCount) classes labels are 0...\(classCount - 1)"
                )
            }
            rows[index * classCount + label] = 1
        }
        return Examples(
            checked: inputs, targets: [TensorValue(unchecked: [count, classCount], .float32(rows))],
            weights: weights)
    }
}

extension Dataset where Element == Example {
    /// The first inputs of some elements as pictures, such as those to look at before training; see `Example.image`.
    ///
    /// - Parameters:
    ///   - range: which elements.
    ///   - epoch: in which epoch, as for `element(at:epoch:)`.
    /// - Throws: `DatasetError` when there are not that many, what their computation throws, `PictureError` when one is no
    ///   picture.
    public func images(_ range: Range<Int>, epoch: Int = 0) throws -> [Picture] {
        var pictures: [Picture] = []
        for index in range { pictures.append(try element(at: index, epoch: epoch).image) }
        return pictures
    }
}

/// Which places there are, for messages.
func available(_ count: Int, _ things: String) -> String {
    count == 0 ? "there are no \(things)" : "\(count) \(things) are 0...\(count - 1)"
}

private let noTarget = DatasetError(.invalidArgument, "there is no label, because there are no targets")

private func notOneTarget(_ count: Int) -> DatasetError {
    DatasetError(
        .invalidArgument,
        "examples with one target, which is a label, can be made one-hot; these have \(count) targets")
}

private func noLabel(_ what: String) -> DatasetError {
    DatasetError(
        .invalidArgument,
        "\(what) is no label: that is a whole number from 0 on, or a row with a score for each class; take what "
            + "you need of `targets`")
}

/// The class that the target of one example names, of rank 0 or 1.
private func labelNumber(_ target: TensorValue) throws(DatasetError) -> Int {
    let numbers = target.doubles
    if numbers.count > 1 {
        return numbers.indices.reduce(0) { numbers[$1] > numbers[$0] ? $1 : $0 }
    }
    guard let number = numbers.first, number >= 0, number == number.rounded(), number <= Double(Int32.max)
    else {
        throw noLabel(numbers.isEmpty ? "an empty target" : "the target \(Float(numbers[0]))")
    }
    return Int(number)
}
