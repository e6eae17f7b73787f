import FoveaGraph

/// Examples in batches, each copied when its turn comes: the data loader of a training loop of one's own.
public struct ExampleBatches: Sequence, IteratorProtocol, Sendable {
    private let examples: Examples
    private let size: Int
    private var remaining: ArraySlice<Int>

    fileprivate init(_ examples: Examples, size: Int, order: [Int]) {
        self.examples = examples
        self.size = size
        remaining = order[...]
    }

    public var underestimatedCount: Int { (remaining.count + size - 1) / size }

    public mutating func next() -> Examples? {
        if remaining.isEmpty { return nil }
        defer { remaining = remaining.dropFirst(size) }
        return examples.picking(remaining.prefix(size))
    }
}

extension Examples {
    /// The examples in batches; the last one has the rest.
    ///
    /// - Parameters:
    ///   - size: examples in a batch.
    ///   - shuffleSeed: for the order of the examples; as they are when nil.
    ///   - epoch: which of the orders that belong to the seed.
    /// - Throws: `DatasetError` when the size is not positive.
    public func batches(
        of size: Int, shuffleSeed: UInt64? = nil, epoch: Int = 0
    ) throws(DatasetError) -> ExampleBatches {
        guard size > 0 else {
            throw DatasetError(.invalidArgument, "the batch size is \(size); it must be positive")
        }
        let order =
            shuffleSeed.map { shuffledOrder(count: count, seed: $0, epoch: epoch) } ?? Array(0..<count)
        return ExampleBatches(self, size: size, order: order)
    }

    /// The examples at places that exist.
    fileprivate func picking(_ indices: ArraySlice<Int>) -> Examples {
        Examples(
            checked: inputs.map { $0.pickingRows(indices) }, targets: targets.map { $0.pickingRows(indices) },
            weights: weights?.pickingRows(indices))
    }
}
