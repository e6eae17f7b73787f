import FoveaGraph

extension PhiloxGenerator {
    /// A matrix whose rows, or columns where these are fewer, are perpendicular and of length 1, evenly distributed among all
    /// such matrices: vectors of normal numbers, each made perpendicular to those before (Gram and Schmidt in the form that
    /// keeps precision). That is the factor Q of a matrix of normal numbers with a positive diagonal of R.
    ///
    /// - Parameters:
    ///   - columns: extent of the last axis.
    ///   - count: how many numbers there are.
    mutating func orthogonalMatrix(columns: Int, count: Int) -> [Double] {
        let rows = count / columns
        let (number, length) = (min(rows, columns), max(rows, columns))
        var vectors: [Double] = []
        vectors.reserveCapacity(count)
        for _ in 0..<number { vectors += perpendicular(to: vectors, length: length) }
        if rows < columns { return vectors }
        return (0..<count).map { vectors[$0 % columns * rows + $0 / columns] }
    }

    /// A vector of length 1 perpendicular to those given.
    private mutating func perpendicular(to others: [Double], length: Int) -> [Double] {
        while true {
            var vector: [Double] = []
            for _ in 0..<length { vector.append(normal()) }
            let before = dot(vector[...], vector[...]).squareRoot()
            for start in stride(from: 0, to: others.count, by: length) {
                let other = others[start..<start + length]
                let share = dot(vector[...], other)
                for place in 0..<length { vector[place] -= share * other[start + place] }
            }
            // What is left of a vector that lay among the others would be rounding errors.
            let rest = dot(vector[...], vector[...]).squareRoot()
            if rest > 1e-8 * before { return vector.map { $0 / rest } }
        }
    }
}

/// Four sums, so that each addition need not wait for the one before.
private func dot(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
    a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
            var (first, second, third, fourth) = (0.0, 0.0, 0.0, 0.0)
            let whole = a.count - a.count % 4
            var place = 0
            while place < whole {
                first += a[place] * b[place]
                second += a[place + 1] * b[place + 1]
                third += a[place + 2] * b[place + 2]
                fourth += a[place + 3] * b[place + 3]
                place += 4
            }
            var sum = (first + second) + (third + fourth)
            for place in whole..<a.count { sum += a[place] * b[place] }
            return sum
        }
    }
}
