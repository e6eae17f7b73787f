import FoveaDatasets
import FoveaGraph

/// Batches of examples that know which they are, also when some are left out (`ElementErrorPolicy.skip`): behind the targets
/// comes the number in the data set.
struct NumberedExamples {
    let batches: Dataset<Examples>

    /// - Throws: `TrainingError` when there are none, or endlessly many; `DatasetError` for a batch size out of range.
    init(
        _ examples: Dataset<Example>, batchSize: Int, onError: ElementErrorPolicy, _ data: TrainingError.Data
    ) throws {
        guard let count = examples.count, count <= Int32.max else {
            throw TrainingError.invalidArgument(
                "the data set", "endless or very long",
                expected: "one with an end; take(_:) gives its first elements")
        }
        guard count > 0 else { throw TrainingError.noExamples(data) }
        let numbers = try Dataset<Int>(count: count) { index, _ in index }
        batches = try examples.zipped(with: numbers).map { example, number in
            Example(
                inputs: example.inputs,
                targets: example.targets + [
                    TensorValue(shape: .scalar, dtype: .int32, doubles: [Double(number)])
                ],
                weight: example.weight)
        }.batched(batchSize, onError: onError)
    }

    /// A batch as it would be without numbers, and these.
    static func separated(_ batch: Examples) throws -> (examples: Examples, numbers: [Int]) {
        let examples = try Examples(
            inputs: batch.inputs, targets: Array(batch.targets.dropLast()), weights: batch.weights)
        return (examples, batch.targets.last?.integers.map { Int($0) } ?? [])
    }
}

/// Rows of tensors of one type that come piece by piece.
struct JoinedRows {
    private var pieces: [TensorValue] = []

    mutating func add(_ rows: TensorValue) { pieces.append(rows) }

    /// All rows; nil when none came.
    func joined() throws -> TensorValue? {
        guard let first = pieces.first else { return nil }
        let count = pieces.reduce(0) { $0 + $1.shape[0] }
        let shape = Shape([count] + first.shape.dimensions.dropFirst())
        if first.dtype == .float32 { return try TensorValue(shape: shape, pieces.flatMap(\.floats)) }
        return TensorValue(
            shape: shape, dtype: first.dtype, doubles: pieces.flatMap { $0.floats.map(Double.init) })
    }
}
