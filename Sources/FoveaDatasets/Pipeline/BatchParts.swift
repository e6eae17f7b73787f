import FoveaGraph

/// Some of the parts that a batch is cut into, for those who compute it part by part.
package struct BatchParts<Batch: Sendable>: Sendable {
    /// In their order; nil for one without elements.
    package private(set) var parts: [Batch?]
    /// Why the first element failed of a part of which nothing is left (`ElementErrorPolicy.skip`).
    package private(set) var leftOutReason: (any Error)?

    package init(_ parts: [Batch?] = []) { self.parts = parts }

    /// The parts `range` of the `count` that examples are cut into by position.
    package init(_ range: Range<Int>, of count: Int, in examples: Examples) throws where Batch == Examples {
        parts = try range.map { number in
            let part = partRange(number, of: count, in: examples.count)
            return part.isEmpty ? nil : try examples[part]
        }
    }

    /// Parts of which nothing is left.
    package init(leftOut: LeftOut, count: Int) {
        parts = Array(repeating: nil, count: count)
        leftOutReason = leftOut.reason
    }

    mutating func append(_ part: () throws -> Batch?) throws {
        do { parts.append(try part()) } catch let leftOut as LeftOut {
            parts.append(nil)
            leftOutReason = leftOutReason ?? leftOut.reason
        }
    }
}

/// The places in a whole of `total` that one of `count` parts has: as many as the others, or one more or less, and none where
/// there are fewer places than parts.
package func partRange(_ number: Int, of count: Int, in total: Int) -> Range<Int> {
    // Without the product of both, which may be too large.
    func start(_ number: Int) -> Int { total / count * number + total % count * number / count }
    return start(number)..<start(number + 1)
}

extension Dataset where Element == Examples {
    /// Some of the parts that each batch falls into when it is cut by position into `count` parts. Other parts are not computed,
    /// unless something was done with whole batches, such as mixing. An element that fails leaves the others where they are.
    ///
    /// - Parameters:
    ///   - range: which parts, in `0..<count`.
    ///   - count: how many there are, positive.
    package func parts(_ range: Range<Int>, of count: Int) -> Dataset<BatchParts<Examples>> {
        @Sendable func work(_ batch: Place) -> Work<BatchParts<Examples>> {
            if let parts { return parts(batch, range, count) }
            let whole = self.work(at: batch)
            return Work(pieces: whole.pieces) { try BatchParts(range, of: count, in: whole.result()) }
        }
        return Dataset<BatchParts<Examples>>(
            extent: extent, isEndless: isEndless, reorders: reorders,
            stages: stages + ["parts \(range) of \(count)"], pieces: work
        ) { batch in
            let work = work(batch)
            for piece in work.pieces { piece() }
            return try work.result()
        }
    }
}
