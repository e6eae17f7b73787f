import Foundation
import FoveaGraph

/// Where a parameter's first values come from. Names, formulas and defaults are those of Keras.
///
/// Glorot's, He's and LeCun's are cases of variance scaling, which draws with mean 0 and a variance that keeps signals from
/// growing or fading (see ``FanMode``):
///
/// - Glorot: `2 / (fanIn + fanOut)` (Glorot and Bengio 2010, "Understanding the difficulty of training deep
///   feedforward neural networks"),
/// - He: `2 / fanIn` (He et al. 2015, arXiv:1502.01852),
/// - LeCun: `1 / fanIn` (LeCun et al. 1998, "Efficient backprop").
public enum Initializer: Hashable, Sendable {
    case zeros
    case ones
    case constant(Double)
    /// Even between two limits.
    case randomUniform(min: Double = -0.05, max: Double = 0.05)
    case randomNormal(mean: Double = 0, stddev: Double = 0.05)
    /// Normal, where samples more than two deviations from the mean are drawn again. `stddev` is that of the
    /// normal distribution before truncation; the samples' own is 0.8796 times that.
    case truncatedNormal(mean: Double = 0, stddev: Double = 0.05)
    /// Drawn with mean 0 and variance `scale / fan`, where `mode` says which fan that is.
    case varianceScaling(
        scale: Double = 1, mode: FanMode = .fanIn, distribution: ScaledDistribution = .truncatedNormal)
    case glorotUniform
    case glorotNormal
    case heUniform
    case heNormal
    case lecunUniform
    case lecunNormal
    /// Rows, or columns where these are fewer, that are perpendicular to each other and of length `gain`; of a kernel as a
    /// matrix of filters. For shapes of two or more axes. Saxe et al. 2013, arXiv:1312.6120.
    case orthogonal(gain: Double = 1)
    /// `gain` where row and column have the same number, else 0. For matrices.
    case identity(gain: Double = 1)

    /// The first values of a parameter: the same for the same shape, seed and stream.
    ///
    /// - Parameters:
    ///   - shape: a fixed shape.
    ///   - seed: the model's seed.
    ///   - stream: the parameter's number in the model.
    /// - Throws: `ShapeError` when a setting is not finite, a deviation is negative, limits are reversed, or the shape is none
    ///   that the initializer works for.
    public func value(shape: Shape, seed: UInt64, stream: UInt32) throws(ShapeError) -> TensorValue {
        try check(for: shape)
        var generator = PhiloxGenerator(seed: seed, stream: stream, step: 0)
        let count = shape.elementCount
        var elements: [Float] = []
        elements.reserveCapacity(count)
        switch drawn(for: shape) {
        case .same(let number):
            elements = [Float](repeating: Float(number), count: count)
        case .uniform(let low, let high):
            for _ in 0..<count { elements.append(Float(low + (high - low) * generator.uniform())) }
        case .normal(let mean, let deviation, let limit):
            for _ in 0..<count {
                var sample = generator.normal()
                while Swift.abs(sample) > limit { sample = generator.normal() }
                elements.append(Float(mean + deviation * sample))
            }
        case .orthogonal(let gain):
            elements = generator.orthogonalMatrix(columns: shape.channels, count: count).map {
                Float(gain * $0)
            }
        case .identity(let gain):
            elements = [Float](repeating: 0, count: count)
            for place in stride(from: 0, to: count, by: shape.channels + 1) { elements[place] = Float(gain) }
        }
        return try TensorValue(shape: shape, elements)
    }

    /// How the numbers of a parameter are made.
    private enum Recipe {
        case same(Double)
        case uniform(low: Double, high: Double)
        /// Samples further than `limit` deviations away are drawn again.
        case normal(mean: Double, deviation: Double, limit: Double)
        case orthogonal(gain: Double)
        case identity(gain: Double)
    }

    private func drawn(for shape: Shape) -> Recipe {
        switch self {
        case .zeros: return .same(0)
        case .ones: return .same(1)
        case .constant(let number): return .same(number)
        case .randomUniform(let low, let high): return .uniform(low: low, high: high)
        case .randomNormal(let mean, let stddev):
            return .normal(mean: mean, deviation: stddev, limit: .infinity)
        case .truncatedNormal(let mean, let stddev): return .normal(mean: mean, deviation: stddev, limit: 2)
        case .orthogonal(let gain): return .orthogonal(gain: gain)
        case .identity(let gain): return .identity(gain: gain)
        case .varianceScaling(let scale, let mode, let distribution):
            let variance = scale / mode.count(of: shape)
            switch distribution {
            case .uniform:
                let limit = (3 * variance).squareRoot()
                return .uniform(low: -limit, high: limit)
            case .truncatedNormal:
                return .normal(
                    mean: 0, deviation: variance.squareRoot() / ScaledDistribution.truncatedDeviation,
                    limit: 2
                )
            case .untruncatedNormal:
                return .normal(mean: 0, deviation: variance.squareRoot(), limit: .infinity)
            }
        case .glorotUniform, .glorotNormal, .heUniform, .heNormal, .lecunUniform, .lecunNormal:
            return scaling.drawn(for: shape)
        }
    }

    /// What Glorot's, He's and LeCun's are cases of; others are themselves.
    private var scaling: Initializer {
        switch self {
        case .glorotUniform: .varianceScaling(mode: .fanAvg, distribution: .uniform)
        case .glorotNormal: .varianceScaling(mode: .fanAvg)
        case .heUniform: .varianceScaling(scale: 2, distribution: .uniform)
        case .heNormal: .varianceScaling(scale: 2)
        case .lecunUniform: .varianceScaling(distribution: .uniform)
        case .lecunNormal: .varianceScaling()
        default: self
        }
    }

    /// - Throws: `ShapeError` when a setting is not finite, a deviation is negative, limits are reversed, or the shape is none
    ///   that the initializer works for.
    func check(for shape: Shape) throws(ShapeError) {
        let settings: [Double]
        var isSensible = true
        switch self {
        case .constant(let number): settings = [number]
        case .randomUniform(let low, let high):
            settings = [low, high]
            isSensible = low <= high
        case .randomNormal(let mean, let stddev), .truncatedNormal(let mean, let stddev):
            settings = [mean, stddev]
            isSensible = stddev >= 0
        case .varianceScaling(let scale, _, _):
            settings = [scale]
            isSensible = scale > 0
        case .orthogonal(let gain):
            settings = [gain]
            try checkOrthogonal(shape)
        case .identity(let gain):
            settings = [gain]
            guard shape.rank == 2 else {
                throw error("it makes matrices only; choose another for kernels of convolutions", shape)
            }
        default: settings = []
        }
        guard isSensible, settings.allSatisfy({ Float($0).isFinite }) else {
            throw error(
                "settings \(settings) must be finite float32 numbers, limits in order, no negative deviation, and a "
                    + "scale above 0")
        }
    }

    /// More would take minutes.
    private static let orthogonalWorkLimit = 1 << 36

    private func checkOrthogonal(_ shape: Shape) throws(ShapeError) {
        guard shape.rank >= 2 else {
            throw error("it needs two or more axes; choose another for biases", shape)
        }
        let columns = shape.channels
        let rows = productOfPositive(shape.dimensions.dropLast()) ?? 0
        let (shorter, longer) = (min(rows, columns), max(rows, columns))
        guard let work = productOfPositive([shorter, shorter, longer]), work <= Self.orthogonalWorkLimit
        else {
            throw error(
                "\(shorter) perpendicular vectors of \(longer) numbers would take too long; choose another, such as "
                    + "glorotNormal", shape)
        }
    }

    private func error(_ message: String, _ shapes: Shape...) -> ShapeError {
        ShapeError("initializer \(className)", message, shapes: shapes)
    }
}

extension PhiloxGenerator {
    /// A number of the standard normal distribution (Box and Muller 1958; the second of each pair is not
    /// used).
    mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }
}
