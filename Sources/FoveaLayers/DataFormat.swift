import FoveaGraph

/// Where images and sequences have their channels. Layers compute with the channels last in either case, so an
/// activation such as softmax, which works on the last axis, is over the channels.
public enum DataFormat: String, Hashable, Sendable, CaseIterable {
    /// `[batch, height, width, channels]` or `[batch, steps, channels]`.
    case channelsLast = "channels_last"
    /// `[batch, channels, height, width]` or `[batch, channels, steps]`.
    case channelsFirst = "channels_first"

    /// The shape with the channels last.
    func channelsLast(_ shape: Shape) -> Shape {
        channelsLastOrder(rank: shape.rank).map { Shape($0.map { shape[$0] }) } ?? shape
    }

    /// A tensor of this format with the channels last.
    package func channelsLast(_ x: Tensor) throws(ShapeError) -> Tensor {
        guard let order = channelsLastOrder(rank: x.shape.rank) else { return x }
        return try x.transposed(order)
    }

    /// A tensor with the channels last in this format.
    func restored(_ y: Tensor) throws(ShapeError) -> Tensor {
        guard let order = channelsLastOrder(rank: y.shape.rank) else { return y }
        return try y.transposed(order.indices.sorted { order[$0] < order[$1] })
    }

    /// The axes in channels-last order; nil where that is the order they have.
    private func channelsLastOrder(rank: Int) -> [Int]? {
        self == .channelsLast || rank < 3 ? nil : [0] + Array(2..<rank) + [1]
    }

    // MARK: Configuration

    /// The setting of it, left out where it is the default.
    var configuration: Configuration { self == .channelsLast ? [:] : ["data_format": .string(rawValue)] }

    init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        self = reader.contains("data_format") ? try reader.choice("data_format") : .channelsLast
    }
}
