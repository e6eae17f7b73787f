/// What shards of a batch come to.
struct ShardSums {
    var examples = 0
    /// The loss, the losses of single outputs and the metrics, as `Totals` adds them; nothing where there was no example.
    var numbers: [[Double]] = []
    /// The gradients of all trained variables and the new values of those that layers change, each multiplied by the number of
    /// examples; nothing where there was no example.
    var gradients: [Float] = []
    /// Why an example could not be computed, where none was left.
    var leftOutReason: (any Error)?

    /// What is not there counts as zeros, and is added as such: the sum of 0 and -0 is 0, in whatever process.
    static func += (a: inout ShardSums, b: ShardSums) {
        a.examples += b.examples
        a.leftOutReason = a.leftOutReason ?? b.leftOutReason
        if a.numbers.isEmpty { a.numbers = b.numbers.map { $0.map { _ in 0 } } }
        for (index, numbers) in a.numbers.enumerated() {
            a.numbers[index] =
                b.numbers.isEmpty ? numbers.map { $0 + 0 } : zip(numbers, b.numbers[index]).map(+)
        }
        if a.gradients.isEmpty { a.gradients = [Float](repeating: 0, count: b.gradients.count) }
        a.gradients.withUnsafeMutableBufferPointer { values in
            if b.gradients.isEmpty {
                for index in values.indices { values[index] += 0 }
            } else {
                b.gradients.withUnsafeBufferPointer { add($0, to: values) }
            }
        }
    }
}

/// What all processes tell each other before they go on.
struct Agreement {
    /// The sums of all processes' shards.
    var sums: ShardSums
    /// Whether one of them was asked to stop.
    var isStopRequested: Bool
}

extension ProcessGroup {
    /// Adds what the shards of all processes came to.
    ///
    /// - Parameters:
    ///   - result: the sums of this process's shards, or why it cannot go on.
    ///   - numberCount: how many lists of numbers there are where there was an example.
    ///   - gradientCount: how many gradients, where there was an example.
    /// - Throws: the error of `result`; `TrainingError.otherProcessFailed` when another process cannot go on; as `exchange`.
    func agree(
        _ result: Result<ShardSums, any Error>, numberCount: Int, gradientCount: Int = 0,
        isStopRequested: Bool = false
    ) throws -> Agreement {
        var sums = (try? result.get()) ?? ShardSums()
        let isFailure = if case .failure = result { true } else { false }
        // A process without examples does not know how many numbers a metric has, so the others say it.
        let known = sums.numbers.isEmpty ? 0.0 : 1
        let counts =
            sums.numbers.isEmpty ? Array(repeating: 0, count: numberCount) : sums.numbers.map(\.count)
        var header =
            [Double(sums.examples), isFailure ? 1 : 0, isStopRequested ? 1 : 0, known]
            + counts.map(Double.init)
        try sum(&header)
        if case .failure(let error) = result { throw Agreed(error) }
        if header[1] > 0 { throw Agreed(TrainingError.otherProcessFailed) }
        sums.examples = Int(header[0])
        guard sums.examples > 0 else { return Agreement(sums: sums, isStopRequested: header[2] > 0) }

        if sums.numbers.isEmpty {
            sums.numbers = header[4...].map { [Double](repeating: 0, count: Int($0 / header[3])) }
        }
        var numbers = sums.numbers.flatMap(\.self)
        try sum(&numbers)
        var rest = numbers[...]
        sums.numbers = sums.numbers.map { part in
            defer { rest = rest.dropFirst(part.count) }
            return Array(rest.prefix(part.count))
        }
        if sums.gradients.isEmpty { sums.gradients = [Float](repeating: 0, count: gradientCount) }
        try sum(&sums.gradients)
        return Agreement(sums: sums, isStopRequested: header[2] > 0)
    }
}

/// An error that all processes know of.
struct Agreed: Error {
    let error: any Error
    init(_ error: any Error) { self.error = error }
}
