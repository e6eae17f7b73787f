import FoveaGraph

/// The number of terms that the variance of first values is divided by. The raw value is Keras's name for it.
public enum FanMode: String, Hashable, Sendable, CaseIterable {
    /// The number of inputs that each output sums.
    case fanIn = "fan_in"
    /// The number of outputs that each input reaches.
    case fanOut = "fan_out"
    /// The mean of both.
    case fanAvg = "fan_avg"

    /// The number for a parameter of the given shape.
    ///
    /// A kernel `[height, width, channels / groups, filters]` has the fans `height · width · channels / groups` and
    /// `height · width · filters`, a dense kernel `[inputs, units]` has its extents. With groups, a filter
    /// sums over its own group of channels only, and so the fan in counts that; the fan out counts all
    /// filters, as in Keras.
    func count(of shape: Shape) -> Double {
        let extents = shape.dimensions.map(Double.init)
        guard extents.count >= 2 else { return extents.first ?? 1 }
        let receptiveField = extents.dropLast(2).reduce(1, *)
        let (fanIn, fanOut) = (
            receptiveField * extents[extents.count - 2], receptiveField * extents[extents.count - 1]
        )
        return switch self {
        case .fanIn: fanIn
        case .fanOut: fanOut
        case .fanAvg: (fanIn + fanOut) / 2
        }
    }
}

/// How numbers of a given variance are distributed. The raw value is Keras's name for it.
public enum ScaledDistribution: String, Hashable, Sendable, CaseIterable {
    /// Normal, cut off at two deviations of the normal distribution, which is widened so that the variance is as given.
    case truncatedNormal = "truncated_normal"
    /// Normal.
    case untruncatedNormal = "untruncated_normal"
    /// Even between `±√(3 · variance)`.
    case uniform

    /// The standard deviation of a standard normal distribution cut off at two.
    static let truncatedDeviation = 0.87962566103423978
}
