import Foundation
import FoveaGraph

/// A picture of features in a plane where neighbours stay neighbours: t-distributed stochastic neighbour embedding.
///
/// Distances of examples become probabilities of being neighbours, `pⱼ|ᵢ ∝ exp(-|xᵢ - xⱼ|² / 2σᵢ²)`, made symmetric; points of the
/// plane have the probabilities `qᵢⱼ ∝ 1 / (1 + |yᵢ - yⱼ|²)`; and points move so that the divergence `Σ p log(p / q)` falls. Distances
/// between far groups mean nothing.
///
/// Van der Maaten and Hinton 2008, "Visualizing data using t-SNE". Every pair is computed at every step, which is fast enough for
/// a few thousand examples: plain code, because no library that we use has it. Starts and settings are scikit-learn's.
public struct TSNE: Hashable, Sendable {
    /// How many neighbours an example has, roughly; less than a third of the examples.
    public var perplexity: Double
    public var iterations: Int
    /// The length of a step; when nil the number of examples over 48, at least 50.
    public var learningRate: Double?
    /// Of the noise on the start where examples are equal.
    public var seed: UInt64

    public init(
        perplexity: Double = 30, iterations: Int = 1_000, learningRate: Double? = nil, seed: UInt64 = 0
    ) {
        self.perplexity = perplexity
        self.iterations = iterations
        self.learningRate = learningRate
        self.seed = seed
    }

    /// The longest list of examples: the probabilities of all pairs are kept.
    public static let greatestCount = 10_000

    /// The points of examples.
    ///
    /// - Parameters:
    ///   - features: `[count, features]`; of long rows the first 50 principal components say as much and take less time.
    ///   - progress: called now and then with the part of the work that is done, up to 1.
    /// - Returns: `[count, 2]`, with the mean 0.
    /// - Throws: `InsightError` for anything but rows, numbers that are not finite, fewer than four or more than
    ///   ``greatestCount`` examples, and settings outside their range; `CancellationError`.
    public func embed(
        _ features: TensorValue, progress: @Sendable (Double) -> Void = { _ in }
    ) async throws -> TensorValue {
        let matrix = try FeatureMatrix(features)
        let count = matrix.rows
        guard (4...Self.greatestCount).contains(count) else {
            throw InsightError.invalidArgument(
                "the number of examples", "\(count)", expected: "from 4 to \(Self.greatestCount)")
        }
        guard perplexity > 1, perplexity * 3 <= Double(count - 1) else {
            throw InsightError.invalidArgument(
                "perplexity", "\(perplexity)",
                expected: "more than 1 and at most \(Double(count - 1) / 3), a third of the other examples")
        }
        guard (1...1_000_000).contains(iterations) else {
            throw InsightError.invalidArgument("iterations", "\(iterations)", expected: "from 1 to 1000000")
        }
        if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
            throw InsightError.invalidArgument("learningRate", "\(learningRate)", expected: "positive")
        }
        let probabilities = Self.jointProbabilities(matrix, perplexity: perplexity)
        let points = try await descend(probabilities, from: start(features, count), progress)
        return TensorValue(unchecked: [count, 2], .float32(points.map(Float.init)))
    }

    /// The first two principal components, scaled down to a deviation of 10⁻⁴.
    private func start(_ features: TensorValue, _ count: Int) throws -> [Double] {
        var generator = PhiloxGenerator(seed: seed, stream: 0x7473_6e65, step: 0)
        var points = (0..<(2 * count)).map { _ in 1e-6 * generator.standardNormal() }
        let directions = min(2, features.shape[1])
        let components = try PrincipalComponents(of: features, count: directions)
        let projected = try components.project(features).floats
        guard let variance = components.variances.first, variance > 0 else { return points }
        for row in 0..<count {
            for axis in 0..<directions {
                points[2 * row + axis] +=
                    1e-4 * Double(projected[directions * row + axis]) / variance.squareRoot()
            }
        }
        return points
    }

    /// The probability of each pair, row by row; 1 in all.
    private static func jointProbabilities(_ matrix: FeatureMatrix, perplexity: Double) -> [Double] {
        let count = matrix.rows
        var joint = [Double](repeating: 0, count: count * count)
        for row in 0..<count {
            let distances = matrix.squaredDistances(from: row)
            let probabilities = neighbours(distances, row, entropy: log(perplexity))
            for other in 0..<count {
                joint[row * count + other] += probabilities[other]
                joint[other * count + row] += probabilities[other]
            }
        }
        return joint.map { max($0 / Double(2 * count), 1e-300) }
    }

    /// `exp(-βd)`, normalized, with the β that gives the entropy, found by halving.
    private static func neighbours(_ distances: [Double], _ own: Int, entropy wanted: Double) -> [Double] {
        var (low, high) = (0.0, Double.infinity)
        let nearest = distances.indices.reduce(Double.infinity) { $1 == own ? $0 : min($0, distances[$1]) }
        let mean = distances.reduce(0) { $0 + $1 - nearest } / Double(distances.count)
        var beta = mean > 0 ? 1 / mean : 1
        var result = distances
        for _ in 0..<100 {
            var (sum, weighted) = (0.0, 0.0)
            for place in distances.indices {
                let offset = distances[place] - nearest
                result[place] = place == own ? 0 : exp(-beta * offset)
                sum += result[place]
                weighted += result[place] * offset
            }
            result = result.map { $0 / sum }
            let difference = log(sum) + beta * weighted / sum - wanted
            if abs(difference) < 1e-5 { break }
            if difference > 0 { low = beta } else { high = beta }
            beta = high.isInfinite ? beta * 2 : (low + high) / 2
            if !beta.isFinite { break }
        }
        return result
    }

    /// Gradient descent with momentum, and a gain for each number that grows while it keeps its direction.
    private func descend(
        _ joint: [Double], from start: [Double], _ progress: @Sendable (Double) -> Void
    ) async throws -> [Double] {
        let count = start.count / 2
        let exaggeratedSteps = min(250, iterations / 4)
        let rate = learningRate ?? max(50, Double(count) / 48)
        var points = start
        var velocity = [Double](repeating: 0, count: start.count)
        var gains = [Double](repeating: 1, count: start.count)
        for step in 0..<iterations {
            if step % 10 == 0 {
                try Task.checkCancellation()
                await Task.yield()
                progress(Double(step) / Double(iterations))
            }
            let isEarly = step < exaggeratedSteps
            let gradient = Self.gradient(points, joint, exaggeration: isEarly ? 12 : 1)
            for place in points.indices {
                let turns = (gradient[place] > 0) == (velocity[place] > 0)
                gains[place] = max(0.01, turns ? gains[place] * 0.8 : gains[place] + 0.2)
                velocity[place] =
                    (isEarly ? 0.5 : 0.8) * velocity[place] - rate * gains[place] * gradient[place]
                points[place] += velocity[place]
            }
            for axis in 0..<2 {
                let mean = (0..<count).reduce(0) { $0 + points[2 * $1 + axis] } / Double(count)
                for row in 0..<count { points[2 * row + axis] -= mean }
            }
        }
        return points
    }

    /// `4 Σⱼ (e·pᵢⱼ - qᵢⱼ) (yᵢ - yⱼ) / (1 + |yᵢ - yⱼ|²)`.
    private static func gradient(_ points: [Double], _ joint: [Double], exaggeration: Double) -> [Double] {
        let count = points.count / 2
        var attraction = [Double](repeating: 0, count: points.count)
        var repulsion = attraction
        var sum = 0.0
        points.withUnsafeBufferPointer { y in
            joint.withUnsafeBufferPointer { p in
                for i in 0..<count {
                    for j in (i + 1)..<max(count, i + 1) {
                        let (dx, dy) = (y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1])
                        let near = 1 / (1 + dx * dx + dy * dy)
                        sum += 2 * near
                        let pull = exaggeration * p[i * count + j] * near
                        let push = near * near
                        attraction[2 * i] += pull * dx
                        attraction[2 * i + 1] += pull * dy
                        attraction[2 * j] -= pull * dx
                        attraction[2 * j + 1] -= pull * dy
                        repulsion[2 * i] += push * dx
                        repulsion[2 * i + 1] += push * dy
                        repulsion[2 * j] -= push * dx
                        repulsion[2 * j + 1] -= push * dy
                    }
                }
            }
        }
        return zip(attraction, repulsion).map { 4 * ($0 - $1 / sum) }
    }
}

extension FeatureMatrix {
    fileprivate func squaredDistances(from row: Int) -> [Double] {
        elements.withUnsafeBufferPointer { elements in
            (0..<rows).map { other in
                var sum = 0.0
                for column in 0..<columns {
                    let difference = elements[row * columns + column] - elements[other * columns + column]
                    sum += difference * difference
                }
                return sum
            }
        }
    }
}
