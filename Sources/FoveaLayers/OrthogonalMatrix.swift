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
        var vectors = [Double](repeating: 0, count: count)
        vectors.withUnsafeMutableBufferPointer { vectors in
            for index in 0..<number {
                let start = index * length
                drawPerpendicular(
                    to: UnsafeBufferPointer(rebasing: vectors[..<start]),
                    UnsafeMutableBufferPointer(rebasing: vectors[start..<start + length]))
            }
        }
        if rows < columns { return vectors }
        return (0..<count).map { vectors[$0 % columns * rows + $0 / columns] }
    }

    /// A vector of length 1 perpendicular to those given, one after another.
    private mutating func drawPerpendicular(
        to others: UnsafeBufferPointer<Double>, _ vector: UnsafeMutableBufferPointer<Double>
    ) {
        let length = vector.count
        while true {
            for place in 0..<length { vector[place] = normal() }
            let before = dot(vector, UnsafeBufferPointer(vector)).squareRoot()
            for start in stride(from: 0, to: others.count, by: length) {
                let other = UnsafeBufferPointer(rebasing: others[start..<start + length])
                let share = dot(vector, other)
                for place in 0..<length { vector[place] -= share * other[place] }
            }
            // What is left of a vector that lay among the others would be rounding errors.
            let rest = dot(vector, UnsafeBufferPointer(vector)).squareRoot()
            if rest > 1e-8 * before {
                for place in 0..<length { vector[place] /= rest }
                return
            }
        }
    }
}

/// Eight sums, so that each addition need not wait for the one before.
private func dot(_ a: UnsafeMutableBufferPointer<Double>, _ b: UnsafeBufferPointer<Double>) -> Double {
    var sums = SIMD8<Double>()
    let whole = a.count - a.count % 8
    var place = 0
    while place < whole {
        for lane in 0..<8 { sums[lane] += a[place + lane] * b[place + lane] }
        place += 8
    }
    var sum = sums.sum()
    for place in whole..<a.count { sum += a[place] * b[place] }
    return sum
}
