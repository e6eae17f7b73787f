import Foundation
import FoveaGraph

/// The directions in which examples differ most: each the one with the greatest variance that is perpendicular to those before.
///
/// Computed by subspace iteration with a few directions more than are asked for, and the exact eigenvectors within that space (Halko,
/// Martinsson and Tropp 2011, "Finding structure with randomness", arXiv:0909.4061). It is code of our own because no library
/// that we use has eigenvectors, and of features only the first few are wanted.
public struct PrincipalComponents: Sendable {
    /// Of each feature, `[features]`.
    public let mean: TensorValue
    /// Unit vectors `[components, features]`, that with the greatest variance first; the number of greatest magnitude in each is
    /// positive.
    public let components: TensorValue
    /// The variance in each direction, with `count - 1` for the denominator, as scikit-learn has it.
    public let variances: [Double]
    /// What part of the whole variance each direction has.
    public let varianceShares: [Double]

    /// - Parameters:
    ///   - features: one row for each example, `[count, features]`, such as those of a penultimate layer.
    ///   - count: how many directions, at most the number of features and of examples less one.
    /// - Throws: `InsightError` for anything but rows, and for numbers that are not finite.
    public init(of features: TensorValue, count: Int = 2) throws {
        let matrix = try FeatureMatrix(features)
        let most = min(matrix.columns, matrix.rows - 1)
        guard (1...max(1, most)).contains(count), most > 0 else {
            throw InsightError.invalidArgument(
                "count", "\(count)",
                expected: "from 1 to \(most) for \(matrix.rows) examples of \(matrix.columns) features")
        }
        let means = matrix.columnMeans
        let centred = matrix.subtracting(means)
        let denominator = Double(matrix.rows - 1)
        let total = centred.elements.reduce(0) { $0 + $1 * $1 } / denominator
        let (vectors, squares) = centred.singularDirections(count)
        variances = squares.map { $0 / denominator }
        varianceShares = variances.map { total > 0 ? $0 / total : 0 }
        mean = TensorValue(means.map(Float.init))
        components = TensorValue(
            unchecked: [count, matrix.columns], .float32(vectors.flatMap { $0.map(Float.init) }))
    }

    /// Examples in these directions, `[count, components]`.
    ///
    /// - Parameter features: as those that the directions are of.
    /// - Throws: `InsightError` for features of another number.
    public func project(_ features: TensorValue) throws -> TensorValue {
        let matrix = try FeatureMatrix(features)
        let (count, width) = (components.shape[0], components.shape[1])
        guard matrix.columns == width else {
            throw InsightError.wrongShape("features", features.shape, expected: "[count, \(width)]")
        }
        let centred = matrix.subtracting(mean.floats.map(Double.init))
        let vectors = components.floats.map(Double.init)
        let projected = (0..<count).map { centred.times(Array(vectors[($0 * width)..<(($0 + 1) * width)])) }
        return TensorValue(
            unchecked: [matrix.rows, count],
            .float32((0..<matrix.rows).flatMap { row in projected.map { Float($0[row]) } }))
    }
}

/// Rows of features.
struct FeatureMatrix {
    let rows: Int
    let columns: Int
    var elements: [Double]

    init(_ value: TensorValue) throws {
        guard value.shape.rank == 2, value.shape[0] > 0, value.shape[1] > 0 else {
            throw InsightError.wrongShape(
                "features", value.shape,
                expected: "[count, features], a row for each example; flatten images first")
        }
        guard value.isFinite else { throw InsightError.notFinite("a feature", model: "the features") }
        (rows, columns) = (value.shape[0], value.shape[1])
        elements = value.floats.map(Double.init)
    }

    var columnMeans: [Double] {
        var sums = [Double](repeating: 0, count: columns)
        for row in 0..<rows { for column in 0..<columns { sums[column] += elements[row * columns + column] } }
        return sums.map { $0 / Double(rows) }
    }

    func subtracting(_ shift: [Double]) -> FeatureMatrix {
        var result = self
        for row in 0..<rows {
            for column in 0..<columns { result.elements[row * columns + column] -= shift[column] }
        }
        return result
    }

    /// A number for each row.
    func times(_ vector: [Double]) -> [Double] {
        elements.withUnsafeBufferPointer { elements in
            vector.withUnsafeBufferPointer { vector in
                (0..<rows).map { row in
                    var sum = 0.0
                    for column in 0..<columns { sum += elements[row * columns + column] * vector[column] }
                    return sum
                }
            }
        }
    }

    /// A number for each column.
    private func transposedTimes(_ vector: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: columns)
        elements.withUnsafeBufferPointer { elements in
            result.withUnsafeMutableBufferPointer { result in
                for row in 0..<rows {
                    let factor = vector[row]
                    for column in 0..<columns { result[column] += factor * elements[row * columns + column] }
                }
            }
        }
        return result
    }

    /// The unit vectors `v` with the greatest `|Mv|²`, perpendicular to each other, and these squares.
    func singularDirections(_ count: Int) -> (vectors: [[Double]], squares: [Double]) {
        let width = min(min(rows, columns), count + 10)
        var generator = PhiloxGenerator(seed: 0, stream: 0x7063_6161, step: 0)
        var basis = (0..<width).map { _ in (0..<columns).map { _ in generator.standardNormal() } }
        orthonormalize(&basis)
        var squares: [Double] = []
        for _ in 0..<300 {
            let images = basis.map { times($0) }
            // The eigenvectors of MᵀM within the space.
            let (values, rotation) = symmetricEigenvectors(
                images.map { a in images.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } })
            let turned = rotation.map { weights in combined(images, weights) }
            let directions = rotation.map { weights in combined(basis, weights) }
            let wanted = Array(values.prefix(count))
            let scale = wanted.first ?? 0
            let isDone =
                squares.count == count && zip(squares, wanted).allSatisfy { abs($0 - $1) <= 1e-13 * scale }
            squares = wanted
            if isDone || scale <= 0 {
                return (directions.prefix(count).map(withPositiveGreatest), squares.map { max(0, $0) })
            }
            basis = turned.map { transposedTimes($0) }
            orthonormalize(&basis)
        }
        return (basis.prefix(count).map(withPositiveGreatest), squares.map { max(0, $0) })
    }
}

private func combined(_ vectors: [[Double]], _ weights: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: vectors[0].count)
    for (vector, weight) in zip(vectors, weights) {
        for place in result.indices { result[place] += weight * vector[place] }
    }
    return result
}

private func withPositiveGreatest(_ vector: [Double]) -> [Double] {
    let greatest = vector.max { abs($0) < abs($1) } ?? 0
    return greatest < 0 ? vector.map { -$0 } : vector
}

/// Makes vectors perpendicular to those before them and of length 1 (Gram and Schmidt, twice, for rounding). Those that lie in the
/// space of the others become zeros.
private func orthonormalize(_ vectors: inout [[Double]]) {
    for index in vectors.indices {
        let before = vectors[index].reduce(0) { $0 + $1 * $1 }
        for _ in 0..<2 {
            for other in vectors[..<index] {
                let product = zip(vectors[index], other).reduce(0) { $0 + $1.0 * $1.1 }
                for place in other.indices { vectors[index][place] -= product * other[place] }
            }
        }
        let square = vectors[index].reduce(0) { $0 + $1 * $1 }
        let scale = square > 1e-24 * before ? 1 / square.squareRoot() : 0
        vectors[index] = vectors[index].map { $0 * scale }
    }
}

/// Eigenvalues, the greatest first, and eigenvectors of a small symmetric matrix, by Jacobi's rotations.
func symmetricEigenvectors(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    var a = matrix
    let count = a.count
    var vectors = (0..<count).map { row in (0..<count).map { $0 == row ? 1.0 : 0 } }
    for _ in 0..<100 {
        let off = (0..<count).reduce(0.0) { sum, i in
            sum + (0..<count).reduce(0.0) { $1 == i ? $0 : $0 + a[i][$1] * a[i][$1] }
        }
        let all = a.reduce(0.0) { $0 + $1.reduce(0.0) { $0 + $1 * $1 } }
        if off <= 1e-30 * all { break }
        for p in 0..<count {
            for q in (p + 1)..<max(count, p + 1) where a[p][q] != 0 {
                let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                let t = (theta >= 0 ? 1.0 : -1.0) / (abs(theta) + (theta * theta + 1).squareRoot())
                let c = 1 / (t * t + 1).squareRoot()
                let s = t * c
                for k in 0..<count {
                    (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q])
                }
                for k in 0..<count {
                    (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k])
                }
                for k in 0..<count {
                    (vectors[p][k], vectors[q][k]) = (
                        c * vectors[p][k] - s * vectors[q][k], s * vectors[p][k] + c * vectors[q][k]
                    )
                }
            }
        }
    }
    let order = (0..<count).sorted { a[$0][$0] > a[$1][$1] }
    return (order.map { a[$0][$0] }, order.map { vectors[$0] })
}
