/// The matrix that makes the numbers of data uncorrelated and changes them as little as possible (zero-phase component
/// analysis): `U · diag(√count / (s + epsilon)) · Uᵀ` for data whose transpose is `U · diag(s) · Vᵀ`.
///
/// - Parameter rows: `count` rows of equal length.
/// - Throws: `DatasetError` when both the number of rows and their length exceed 1,024, or the length 4,096.
func whiteningMatrix(_ rows: [Double], count: Int, epsilon: Double) throws(DatasetError) -> [Float] {
    let length = rows.count / count
    // The matrix takes the square of this in memory, for 4,096 128 MiB while it is made.
    guard length <= 4096 else {
        throw DatasetError(
            .tooLarge,
            "whitening images of \(length) numbers needs a matrix of the square of that; make them smaller, to at most 4,096 "
                + "numbers (36×36 in colour)")
    }
    guard min(count, length) <= 1024 else {
        throw DatasetError(
            .tooLarge,
            "whitening \(count) images of \(length) numbers takes too long; fit on at most 1,024 images, or on images of "
                + "at most 1,024 numbers (32×32 grey)")
    }
    // The smaller of the two products of the data with themselves has the same eigenvalues, the squares of s.
    let isWide = length > count
    var products = isWide ? productsOfRows(rows, count, length) : productsOfColumns(rows, count, length)
    let size = min(count, length)
    let eigenvalues = diagonalize(&products, size: size)
    let largest = eigenvalues.max() ?? 0
    var matrix = [Double](repeating: 0, count: length * length)
    for (index, eigenvalue) in eigenvalues.enumerated() where eigenvalue > largest * 1e-12 {
        let singular = eigenvalue.squareRoot()
        var direction = Array(products[(index * size)..<((index + 1) * size)])
        if isWide {
            var column = [Double](repeating: 0, count: length)
            for row in 0..<count {
                for place in 0..<length {
                    column[place] += rows[row * length + place] * direction[row] / singular
                }
            }
            direction = column
        }
        addProduct(of: direction, times: Double(count).squareRoot() / (singular + epsilon), to: &matrix)
    }
    return matrix.map { Float($0) }
}

/// Turns a symmetric matrix without negative eigenvalues into its eigenvectors, one in each row, and returns the
/// eigenvalues.
///
/// Jacobi's rotations applied from one side only (Hestenes 1958): pairs of rows are rotated until all are at right
/// angles to each other. Rows of `Qᵀ A` are then eigenvectors times their eigenvalues. Vectors of eigenvalues that
/// vanish against the largest are arbitrary.
func diagonalize(_ matrix: inout [Double], size: Int) -> [Double] {
    // Rows this short are what rounding left of nothing.
    let vanishing = 1e-13 * (0..<size).reduce(0) { $0 + matrix[$1 * size + $1] }
    matrix.withUnsafeMutableBufferPointer { matrix in
        guard let start = matrix.baseAddress else { return }
        // Angles shrink with the square of the former from sweep to sweep; ten or so are enough.
        for _ in 0..<60 {
            var isDone = true
            for first in 0..<size {
                for second in (first + 1)..<max(size, first + 1)
                where rotate(start + first * size, start + second * size, count: size, vanishing: vanishing) {
                    isDone = false
                }
            }
            if isDone { break }
        }
    }
    return (0..<size).map { row in
        let range = (row * size)..<((row + 1) * size)
        let length = matrix[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
        if length > 0 { for index in range { matrix[index] /= length } }
        return length
    }
}

/// Rotates two rows in their plane so that they are at right angles; false when they are already.
private func rotate(
    _ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, count: Int, vanishing: Double
) -> Bool {
    var (aa, bb, ab) = (0.0, 0.0, 0.0)
    for index in 0..<count {
        aa += a[index] * a[index]
        bb += b[index] * b[index]
        ab += a[index] * b[index]
    }
    guard min(aa, bb) > vanishing * vanishing, abs(ab) > 1e-14 * (aa * bb).squareRoot() else { return false }
    let zeta = (bb - aa) / (2 * ab)
    let tangent = (zeta < 0 ? -1 : 1) / (abs(zeta) + (1 + zeta * zeta).squareRoot())
    let cosine = 1 / (1 + tangent * tangent).squareRoot()
    let sine = cosine * tangent
    for index in 0..<count {
        (a[index], b[index]) = (cosine * a[index] - sine * b[index], sine * a[index] + cosine * b[index])
    }
    return true
}

private func productsOfRows(_ rows: [Double], _ count: Int, _ length: Int) -> [Double] {
    var result = [Double](repeating: 0, count: count * count)
    for first in 0..<count {
        for second in 0...first {
            var sum = 0.0
            for place in 0..<length { sum += rows[first * length + place] * rows[second * length + place] }
            result[first * count + second] = sum
            result[second * count + first] = sum
        }
    }
    return result
}

private func productsOfColumns(_ rows: [Double], _ count: Int, _ length: Int) -> [Double] {
    var result = [Double](repeating: 0, count: length * length)
    for row in 0..<count {
        addProduct(of: Array(rows[(row * length)..<((row + 1) * length)]), times: 1, to: &result)
    }
    return result
}

/// Adds `factor · v vᵀ`.
private func addProduct(of v: [Double], times factor: Double, to matrix: inout [Double]) {
    let count = v.count
    matrix.withUnsafeMutableBufferPointer { matrix in
        v.withUnsafeBufferPointer { v in
            for row in 0..<count where v[row] != 0 {
                let scaled = factor * v[row]
                for column in 0..<count { matrix[row * count + column] += scaled * v[column] }
            }
        }
    }
}
