import FoveaGraph

/// Inputs and what a model should answer to them; the first axis of all counts the examples.
///
/// Most models have one input and one output. For others there is one tensor for each input and one for each output that has
/// a loss or a metric, in the model's order.
public struct Examples: Equatable, Sendable {
    /// Each `[count, …]`, such as uint8 images `[count, height, width, channels]`.
    public let inputs: [TensorValue]
    /// Each `[count, …]`, such as int32 class numbers `[count]`.
    public let targets: [TensorValue]
    /// How much each example counts in losses and metrics, float32 `[count]`; all alike when nil.
    public let weights: TensorValue?

    /// - Throws: `DatasetError` when a tensor has no axis to count examples along, or the counts differ.
    public init(inputs: TensorValue, targets: TensorValue, weights: TensorValue? = nil) throws(DatasetError) {
        try self.init(inputs: [inputs], targets: [targets], weights: weights)
    }

    /// - Throws: `DatasetError` when there is no input, a tensor has no axis to count examples along, the counts differ, or a
    ///   weight is negative or not finite.
    public init(
        inputs: [TensorValue], targets: [TensorValue], weights: TensorValue? = nil
    ) throws(DatasetError) {
        let all = inputs + targets + (weights.map { [$0] } ?? [])
        guard let first = inputs.first, all.allSatisfy({ $0.shape.rank > 0 }) else {
            throw DatasetError(
                .invalidArgument,
                "inputs \(inputs.map(\.shape)) and targets \(targets.map(\.shape)) each need a first axis that "
                    + "counts examples, and there must be an input"
            )
        }
        if let other = all.first(where: { $0.shape[0] != first.shape[0] }) {
            throw DatasetError(
                .mismatchedCounts,
                "\(first.shape[0]) examples in the first input but \(other.shape[0]) in another input, the targets or "
                    + "the weights; each example needs one of all")
        }
        if let weights {
            guard weights.dtype == .float32, weights.shape.rank == 1,
                weights.floats.allSatisfy({ $0.isFinite && $0 >= 0 })
            else {
                throw DatasetError(
                    .invalidArgument,
                    "weights must be float32 numbers, one per example, finite and not negative, not "
                        + "\(weights.dtype.rawValue)\(weights.shape)")
            }
        }
        self.inputs = inputs
        self.targets = targets
        self.weights = weights
    }

    /// Parts of examples that were found to fit together.
    init(checked inputs: [TensorValue], targets: [TensorValue], weights: TensorValue?) {
        self.inputs = inputs
        self.targets = targets
        self.weights = weights
    }

    /// The number of examples.
    public var count: Int { inputs[0].shape[0] }

    /// A copy of the examples in `range`.
    ///
    /// - Throws: `DatasetError` when `range` is not inside `0..<count`.
    public subscript(range: Range<Int>) -> Examples {
        get throws(DatasetError) {
            guard range.lowerBound >= 0, range.upperBound <= count else {
                throw DatasetError(
                    .invalidArgument, "examples \(range) were asked for, but there are \(count)")
            }
            func rows(_ values: [TensorValue]) throws(DatasetError) -> [TensorValue] {
                try checkingShape { () throws(ShapeError) in
                    var parts: [TensorValue] = []
                    for value in values { parts.append(try value.rows(range)) }
                    return parts
                }
            }
            return try Examples(
                inputs: rows(inputs), targets: rows(targets), weights: rows(weights.map { [$0] } ?? []).first)
        }
    }

    /// The first `length` examples, or all if there are fewer.
    public func prefix(_ length: Int) throws(DatasetError) -> Examples {
        try self[0..<min(max(0, length), count)]
    }

    /// The last `length` examples, or all if there are fewer.
    public func suffix(_ length: Int) throws(DatasetError) -> Examples {
        try self[(count - min(max(0, length), count))..<count]
    }

    /// The last `fraction` of the examples as validation data and those before it as training data, the order
    /// unchanged. Training gets `⌊count · (1 − fraction)⌋` examples, as with Keras's `validation_split`.
    ///
    /// - Parameter fraction: In `0..<1`.
    /// - Throws: `DatasetError` when `fraction` is outside its range or one part would be empty.
    public func split(last fraction: Double) throws(DatasetError) -> (
        training: Examples, validation: Examples
    ) {
        let trainingCount = try countBefore(last: fraction, of: count)
        return (try self[0..<trainingCount], try self[trainingCount..<count])
    }
}

/// How many of `count` examples come before the last `fraction` of them: `⌊count · (1 − fraction)⌋`.
///
/// - Throws: `DatasetError` when `fraction` is outside `0..<1` or one part would be empty.
func countBefore(last fraction: Double, of count: Int) throws(DatasetError) -> Int {
    guard (0..<1).contains(fraction) else {
        throw DatasetError(
            .invalidArgument,
            "the validation fraction is \(fraction); it must be at least 0 and less than 1")
    }
    let before = Int(Double(count) * (1 - fraction))
    guard before > 0, before < count else {
        throw DatasetError(
            .invalidArgument,
            """
            a validation fraction of \(fraction) divides \(count) examples into \(before) for training \
            and \(count - before) for validation; neither part may be empty
            """)
    }
    return before
}

/// The numbers `0..<count` in a random order that is the same for the same seed and epoch.
///
/// A Fisher–Yates shuffle with numbers from `PhiloxGenerator`: each order is equally likely, and the order
/// of any epoch can be made without those before it.
public func shuffledOrder(count: Int, seed: UInt64, epoch: Int) -> [Int] {
    var generator = PhiloxGenerator(
        seed: seed, stream: shuffleStream, step: UInt64(bitPattern: Int64(epoch)))
    return randomOrder(Array(0..<max(0, count)), &generator)
}

/// The elements in random order, by a Fisher–Yates shuffle.
func randomOrder(_ elements: [Int], _ generator: inout PhiloxGenerator) -> [Int] {
    var elements = elements
    for last in elements.indices.reversed() {
        elements.swapAt(last, generator.index(below: last + 1))
    }
    return elements
}

/// Random numbers for shuffling come from this stream ("shuf" in ASCII).
private let shuffleStream: UInt32 = 0x7368_7566

extension TensorValue {
    private var rowElementCount: Int { shape[0] == 0 ? 0 : storage.count / shape[0] }

    /// The bytes that one row takes: the part at one place of the first axis, which there must be.
    package var rowByteCount: Int { rowElementCount * dtype.byteCount }

    /// A copy of the part along the first axis; the range must be inside that axis.
    fileprivate func rows(_ range: Range<Int>) throws(ShapeError) -> TensorValue {
        let elements = (range.lowerBound * rowElementCount)..<(range.upperBound * rowElementCount)
        let part: Storage =
            switch storage {
            case .float32(let all): .float32(Array(all[elements]))
            case .bfloat16(let all): .bfloat16(Array(all[elements]))
            case .int32(let all): .int32(Array(all[elements]))
            case .uint8(let all): .uint8(Array(all[elements]))
            case .bool(let all): .bool(Array(all[elements]))
            }
        return try TensorValue(shape: Shape([range.count] + shape.dimensions.dropFirst()), storage: part)
    }

    /// A copy of some rows in the order asked for; each must exist.
    func pickingRows(_ indices: ArraySlice<Int>) -> TensorValue {
        let width = rowElementCount
        func picked<Element>(_ all: [Element]) -> [Element] {
            var result: [Element] = []
            result.reserveCapacity(indices.count * width)
            for index in indices { result += all[(index * width)..<((index + 1) * width)] }
            return result
        }
        let part: Storage =
            switch storage {
            case .float32(let all): .float32(picked(all))
            case .bfloat16(let all): .bfloat16(picked(all))
            case .int32(let all): .int32(picked(all))
            case .uint8(let all): .uint8(picked(all))
            case .bool(let all): .bool(picked(all))
            }
        return TensorValue(unchecked: Shape([indices.count] + shape.dimensions.dropFirst()), part)
    }

    /// Copies rows, such as the inputs of some examples, to `memory`.
    ///
    /// The indices have one type because a generic collection, through whose witnesses each index would be fetched, takes
    /// several times as long as the copies.
    ///
    /// - Parameters:
    ///   - indices: places on the first axis, in the order of the copies; one may come more than once.
    ///   - memory: `indices.count * rowByteCount` bytes.
    /// - Throws: `DatasetError` when an index is outside the first axis or `memory` has another size; then nothing
    ///   has been copied.
    package func copyRows(
        at indices: ArraySlice<Int>, into memory: UnsafeMutableRawBufferPointer
    ) throws(DatasetError) {
        let (rowCount, rowBytes) = (shape[0], rowByteCount)
        guard memory.count == indices.count * rowBytes else {
            throw DatasetError(
                .invalidArgument,
                "\(indices.count) examples of \(rowBytes) bytes do not fill \(memory.count) bytes of memory")
        }
        if let outside = indices.first(where: { $0 < 0 || $0 >= rowCount }) {
            throw DatasetError(
                .invalidArgument, "example \(outside) was asked for, but there are \(rowCount)")
        }
        guard var destination = memory.baseAddress else { return }
        withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            for index in indices {
                destination.copyMemory(from: source + index * rowBytes, byteCount: rowBytes)
                destination += rowBytes
            }
        }
    }
}
