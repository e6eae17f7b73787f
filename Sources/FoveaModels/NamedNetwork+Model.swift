import FoveaGraph
import FoveaLayers

extension NamedNetwork {
    /// The shape of the images that it was made for: height, width, channels.
    public var inputShape: Shape { row.inputShape }

    /// How many classes it was made for.
    public var classCount: Int { row.classCount }

    /// How many numbers it gives for an example of what it was made for.
    public var outputCount: Int { output == .binaryProbability ? 1 : classCount }

    public var output: Output { row.output }

    /// The least height and width of an image, in pixels; smaller ones leave nothing for a later layer.
    public var smallestImage: Int { row.smallestImage }

    /// The network, built. The arguments are those of Keras's applications.
    ///
    /// - Parameters:
    ///   - input: the shape of an image, `[height, width, channels]`; `inputShape` when nil.
    ///   - classes: how many classes it tells apart; `classCount` when nil.
    ///   - includeTop: whether it ends with the dense layers that tell the classes. Without, it gives the features before
    ///     them, `[height', width', filters]`, as the base of another network, and `classes` has no meaning.
    ///   - pooling: what becomes of these features without top.
    ///   - dropoutRate: the rate of all dropout layers, from 0 to below 1; the network's own when nil.
    ///   - seed: the same seed gives the same first values, bit for bit.
    /// - Throws: `ShapeError` when images are too small, naming the smallest size, or when there cannot be so many classes.
    public func model(
        input: Shape? = nil, classes: Int? = nil, includeTop: Bool = true, pooling: FeaturePooling = .none,
        dropoutRate: Double? = nil, seed: UInt64 = 0
    ) throws(ShapeError) -> any ModelProtocol {
        try model(
            behind: nil, input: input, classes: classes, includeTop: includeTop, pooling: pooling,
            dropoutRate: dropoutRate, seed: seed)
    }

    /// The network, built, with a layer before it that prepares its images; the other arguments are those of
    /// `model(input:classes:includeTop:pooling:dropoutRate:seed:)`.
    package func model(
        behind preparation: (any Layer)?, input: Shape?, classes: Int?, includeTop: Bool,
        pooling: FeaturePooling,
        dropoutRate: Double?, seed: UInt64
    ) throws(ShapeError) -> any ModelProtocol {
        let (input, classes) = (input ?? inputShape, classes ?? classCount)
        guard input.rank == 3, input.dimensions.allSatisfy({ $0 > 0 }) else {
            throw ShapeError(rawValue, "it takes images [height, width, channels]", shapes: [input])
        }
        guard min(input[0], input[1]) >= smallestImage else {
            throw ShapeError(
                rawValue,
                "the smallest images that it works on are \(smallestImage)×\(smallestImage); make them larger, or choose "
                    + "another network", shapes: [input])
        }
        if includeTop {
            guard output != .binaryProbability || classes == 2 else {
                throw ShapeError(
                    rawValue, "it tells two classes apart, not \(classes); choose another network")
            }
            guard classes > 0 else {
                throw ShapeError(rawValue, "the number of classes must be positive, not \(classes)")
            }
        }
        return try row.build(
            Design(
                name: rawValue.split(separator: "-").joined(separator: "_"), input: input,
                ending: includeTop ? .classes(classes) : .features(pooling), seed: seed,
                dropoutRate: dropoutRate, preparation: preparation))
    }
}

/// What becomes of the features of a network without top.
public enum FeaturePooling: Hashable, Sendable, CaseIterable {
    /// They stay images.
    case none
    /// The mean of each channel.
    case average
    /// The largest of each channel.
    case max
}
