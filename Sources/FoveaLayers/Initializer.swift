import Foundation
import FoveaGraph

/// Where a parameter's first values come from. Names, formulas and defaults are those of Keras.
///
/// The variance-scaling family draws with mean 0 and a variance that keeps signals from growing or fading:
/// with fan in (the number of inputs that each output sums) and fan out (the number of outputs that each
/// input reaches),
///
/// - Glorot: `2 / (fanIn + fanOut)` (Glorot and Bengio 2010, "Understanding the difficulty of training deep
///   feedforward neural networks"),
/// - He: `2 / fanIn` (He et al. 2015, arXiv:1502.01852),
/// - LeCun: `1 / fanIn` (LeCun et al. 1998, "Efficient backprop").
///
/// The uniform members reach to `±√(3 · variance)`; the normal ones are truncated.
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
    case glorotUniform
    case glorotNormal
    case heUniform
    case heNormal
    case lecunUniform
    case lecunNormal

    /// The first values of a parameter: the same for the same shape, seed and stream.
    ///
    /// - Parameters:
    ///   - shape: a fixed shape.
    ///   - seed: the model's seed.
    ///   - stream: the parameter's number in the model.
    /// - Throws: `ShapeError` when a setting is not finite, a deviation is negative or limits are reversed.
    public func value(shape: Shape, seed: UInt64, stream: UInt32) throws(ShapeError) -> TensorValue {
        try checkSettings()
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
        }
        return try TensorValue(shape: shape, elements)
    }

    /// How the numbers of a parameter are made.
    private enum Distribution {
        case same(Double)
        case uniform(low: Double, high: Double)
        /// Samples further than `limit` deviations away are drawn again.
        case normal(mean: Double, deviation: Double, limit: Double)
    }

    private func drawn(for shape: Shape) -> Distribution {
        let (fanIn, fanOut) = Self.fans(of: shape)
        return switch self {
        case .zeros: .same(0)
        case .ones: .same(1)
        case .constant(let number): .same(number)
        case .randomUniform(let low, let high): .uniform(low: low, high: high)
        case .randomNormal(let mean, let stddev): .normal(mean: mean, deviation: stddev, limit: .infinity)
        case .truncatedNormal(let mean, let stddev): .normal(mean: mean, deviation: stddev, limit: 2)
        case .glorotUniform: Self.scaledUniform(variance: 2 / (fanIn + fanOut))
        case .glorotNormal: Self.scaledNormal(variance: 2 / (fanIn + fanOut))
        case .heUniform: Self.scaledUniform(variance: 2 / fanIn)
        case .heNormal: Self.scaledNormal(variance: 2 / fanIn)
        case .lecunUniform: Self.scaledUniform(variance: 1 / fanIn)
        case .lecunNormal: Self.scaledNormal(variance: 1 / fanIn)
        }
    }

    private static func scaledUniform(variance: Double) -> Distribution {
        let limit = (3 * variance).squareRoot()
        return .uniform(low: -limit, high: limit)
    }

    /// The standard deviation of a standard normal distribution cut off at two.
    static let truncatedDeviation = 0.87962566103423978

    private static func scaledNormal(variance: Double) -> Distribution {
        .normal(mean: 0, deviation: variance.squareRoot() / truncatedDeviation, limit: 2)
    }

    /// Fan in and fan out of a parameter of the given shape.
    ///
    /// A kernel `[height, width, channels / groups, filters]` has `height · width · channels / groups` and
    /// `height · width · filters`, a dense kernel `[inputs, units]` has its extents. With groups, a filter
    /// sums over its own group of channels only, and so the fan in counts that; the fan out counts all
    /// filters, as in Keras.
    static func fans(of shape: Shape) -> (fanIn: Double, fanOut: Double) {
        let extents = shape.dimensions.map(Double.init)
        guard extents.count >= 2 else { return (extents.first ?? 1, extents.first ?? 1) }
        let receptiveField = extents.dropLast(2).reduce(1, *)
        return (receptiveField * extents[extents.count - 2], receptiveField * extents[extents.count - 1])
    }

    /// - Throws: `ShapeError` when a setting is not finite, a deviation is negative or limits are reversed.
    func checkSettings() throws(ShapeError) {
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
        default: settings = []
        }
        guard isSensible, settings.allSatisfy({ Float($0).isFinite }) else {
            throw ShapeError(
                "initializer \(className)",
                "settings \(settings) must be finite float32 numbers, limits in order, no negative deviation"
            )
        }
    }
}

extension PhiloxGenerator {
    /// A number of the standard normal distribution (Box and Muller 1958; the second of each pair is not
    /// used).
    fileprivate mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }
}

// MARK: - Configuration

extension Initializer {
    /// Keras's name for it.
    var className: String {
        switch self {
        case .zeros: "Zeros"
        case .ones: "Ones"
        case .constant: "Constant"
        case .randomUniform: "RandomUniform"
        case .randomNormal: "RandomNormal"
        case .truncatedNormal: "TruncatedNormal"
        case .glorotUniform: "GlorotUniform"
        case .glorotNormal: "GlorotNormal"
        case .heUniform: "HeUniform"
        case .heNormal: "HeNormal"
        case .lecunUniform: "LecunUniform"
        case .lecunNormal: "LecunNormal"
        }
    }

    /// One of each kind; settings do not matter.
    private static let kinds: [Initializer] = [
        .zeros, .ones, .constant(0), .randomUniform(), .randomNormal(), .truncatedNormal(), .glorotUniform,
        .glorotNormal, .heUniform, .heNormal, .lecunUniform, .lecunNormal,
    ]

    /// Class name and settings, under Keras's keys.
    public var configuration: ConfigurationValue {
        let settings: Configuration =
            switch self {
            case .constant(let number): ["value": .number(number)]
            case .randomUniform(let low, let high): ["minval": .number(low), "maxval": .number(high)]
            case .randomNormal(let mean, let stddev), .truncatedNormal(let mean, let stddev):
                ["mean": .number(mean), "stddev": .number(stddev)]
            default: [:]
            }
        return ["class_name": .string(className), "config": .object(settings)]
    }

    init(configuration: Configuration) throws(ConfigurationError) {
        var (className, reader) = try ConfigurationReader.opened(
            configuration, owner: "initializer", layerTypes: [])
        guard let kind = Self.kinds.first(where: { $0.className == className }) else {
            throw reader.unknown(
                "initializer", className, among: Self.kinds.map(\.className), key: "class_name")
        }
        self =
            switch kind {
            case .constant: .constant(try reader.number("value"))
            case .randomUniform:
                .randomUniform(min: try reader.number("minval"), max: try reader.number("maxval"))
            case .randomNormal:
                .randomNormal(mean: try reader.number("mean"), stddev: try reader.number("stddev"))
            case .truncatedNormal:
                .truncatedNormal(mean: try reader.number("mean"), stddev: try reader.number("stddev"))
            default: kind
            }
        try reader.finish()
    }
}
