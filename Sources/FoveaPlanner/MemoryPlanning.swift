import FoveaGraph

extension Plan {
    /// Bytes between the starts of values: what vector instructions and libraries like.
    static let alignment = 64

    /// Gives every value in the arena a place, values that are never needed at the same time sharing memory: the largest
    /// first, each at the lowest free place.
    mutating func placeInMemory() {
        let lives = lifetimes()
        var placed: [(start: Int, end: Int, life: ClosedRange<Int>)] = []
        let order = values.indices
            .filter { if case .arena = values[$0].place { lives[$0] != nil } else { false } }
            .sorted { (values[$0].byteCount, $1) > (values[$1].byteCount, $0) }
        for value in order {
            guard let life = lives[value] else { continue }
            let size = (values[value].byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
            var start = 0
            for other in placed.filter({ $0.life.overlaps(life) }).sorted(by: { $0.start < $1.start }) {
                if other.start >= start + size { break }
                start = Swift.max(start, other.end)
            }
            placed.append((start, start + size, life))
            values[value].place = .arena(offset: start)
            unsharedByteCount += size
        }
        arenaByteCount = placed.map(\.end).max() ?? 0
    }

    /// From the call that first writes a value to the last one that needs it. Inputs, packed weights that do not change and what
    /// lasting calls leave to others are kept for the runs that follow, results until the next run.
    private func lifetimes() -> [ClosedRange<Int>?] {
        var lives = [ClosedRange<Int>?](repeating: nil, count: values.count)
        for (place, call) in calls.enumerated() {
            for operand in call.operands {
                let first = lives[operand.value]?.lowerBound ?? place
                let isKept = first < lastingCallCount && place >= lastingCallCount
                lives[operand.value] = isKept ? -1...calls.count : first...place
            }
            if keptWeights(call) != nil {
                for operand in call.operands where operand.role == .packedWeights {
                    lives[operand.value] = -1...calls.count
                }
            }
        }
        for (_, value) in inputs { lives[value] = -1...calls.count }
        if let randomKey { lives[randomKey] = -1...calls.count }
        for (value, _) in outputs {
            let first = lives[value]?.lowerBound ?? -1
            lives[value] = (first < lastingCallCount ? -1 : first)...calls.count
        }
        return lives
    }
}
