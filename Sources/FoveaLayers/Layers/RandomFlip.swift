import FoveaGraph

/// Exchanges left and right, or above and below, of half of the images while training. The identity in inference.
///
/// Each image and each direction has a random number of its own.
///
/// - Input and output: `[batch, height, width, channels]`.
public final class RandomFlip: SpatialLayer {
    public static let typeName = "RandomFlip"

    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// Left and right.
        case horizontal
        /// Above and below.
        case vertical
        case horizontalAndVertical = "horizontal_and_vertical"
    }

    public let name: String?
    public let mode: Mode
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - mode: what is exchanged.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        mode: Mode = .horizontalAndVertical, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.mode = mode
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) {}

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        var y = images
        if mode != .vertical { y = try y.randomlyReversed(axis: 2) }
        if mode != .horizontal { y = try y.randomlyReversed(axis: 1) }
        return try .select(.isTraining, y, images)
    }

    public var configuration: Configuration {
        dataFormat.configuration.with(["mode": .string(mode.rawValue)])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            mode: try configuration.choice("mode"), dataFormat: try DataFormat(&configuration), name: name)
    }
}

extension Tensor {
    fileprivate func randomlyReversed(axis: Int) throws(ShapeError) -> Tensor {
        let isReversed = try Tensor.randomUniform([shape[0], 1, 1, 1]).greaterOrEqual(0.5)
        return try .select(isReversed, picking((0..<shape[axis]).reversed(), axis: axis), self)
    }
}
