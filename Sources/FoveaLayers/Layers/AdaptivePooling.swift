import FoveaGraph

/// The largest pixel under each of `outputSize` windows that cover the image: window `i` of an axis of `n` pixels made `m` long
/// reaches from `⌊i · n / m⌋` to below `⌈(i + 1) · n / m⌉`. He et al. 2014, arXiv:1406.4729, as PyTorch has it.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: those with the layer's height and width.
/// - Errors: `ShapeError` when built, for a size that is not positive or exceeds 65,536.
public typealias AdaptiveMaxPooling2D = AdaptivePooling<TwoAxes, MaximumPooling>

/// The mean of the pixels under each of `outputSize` windows that cover the image: window `i` of an axis of `n` pixels made `m`
/// long reaches from `⌊i · n / m⌋` to below `⌈(i + 1) · n / m⌉`. He et al. 2014, arXiv:1406.4729, as PyTorch has it.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: those with the layer's height and width.
/// - Errors: `ShapeError` when built, for a size that is not positive or exceeds 65,536.
public typealias AdaptiveAveragePooling2D = AdaptivePooling<TwoAxes, MeanPooling>

/// The largest step under each of `outputSize` windows that cover the sequence: `AdaptiveMaxPooling2D` of images of height 1.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: those with the layer's number of steps.
/// - Errors: `ShapeError` when built, as `AdaptiveMaxPooling2D`.
public typealias AdaptiveMaxPooling1D = AdaptivePooling<OneAxis, MaximumPooling>

/// The mean of the steps under each of `outputSize` windows that cover the sequence: `AdaptiveAveragePooling2D` of images of
/// height 1.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: those with the layer's number of steps.
/// - Errors: `ShapeError` when built, as `AdaptiveAveragePooling2D`.
public typealias AdaptiveAveragePooling1D = AdaptivePooling<OneAxis, MeanPooling>

/// Images or sequences of any size pooled to a given one.
public final class AdaptivePooling<Axes: SpatialAxes, Kind: PoolingKind>: SpatialLayer {
    public static var typeName: String { "Adaptive\(Kind.name)Pooling\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let outputSize: Axes.Size
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - outputSize: height and width of the result in pixels, or its length in steps.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(outputSize: Axes.Size, dataFormat: DataFormat = .channelsLast, name: String? = nil) {
        self.outputSize = outputSize
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) {}

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let size = Axes.imageSize(outputSize)
        guard size.isSensible else {
            throw error(
                "outputSize must be from 1 to \(Size2D.sensibleExtents.upperBound)"
                    + "\(Axes.count == 1 ? "" : " in each direction"), not \(outputSize)")
        }
        let rows = AdaptiveWindows(over: images.shape[1], count: size.height)
        let columns = AdaptiveWindows(over: images.shape[2], count: size.width)
        // Windows of one height and width lie side by side, so that an ordinary pooling makes them pixels.
        var strips: [Tensor] = []
        for row in rows.groups {
            let high = try images.picking(row.pixels, axis: 1)
            var blocks: [Tensor] = []
            for column in columns.groups {
                let window = Size2D(row.length, column.length)
                blocks.append(
                    try Kind.pool(
                        high.picking(column.pixels, axis: 2), SlidingWindow(window, strides: window)))
            }
            strips.append(try columns.joined(blocks, axis: 2))
        }
        return try rows.joined(strips, axis: 1)
    }

    public var configuration: Configuration {
        dataFormat.configuration.with(["output_size": Axes.configuration(outputSize)])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            outputSize: try configuration.size("output_size", along: Axes.self),
            dataFormat: try DataFormat(&configuration), name: name)
    }
}

/// The windows along an axis. They overlap where their number does not divide its length, and have at most two lengths.
private struct AdaptiveWindows {
    /// Windows of one length.
    struct Group {
        let length: Int
        var windows: [Int] = []
        /// The pixels under them, one window after another.
        var pixels: [Int] = []
    }

    private(set) var groups: [Group] = []

    init(over extent: Int, count: Int) {
        for window in 0..<count {
            let first = window * extent / count
            let end = ((window + 1) * extent + count - 1) / count
            let place = groups.firstIndex { $0.length == end - first } ?? groups.count
            if place == groups.count { groups.append(Group(length: end - first)) }
            groups[place].windows.append(window)
            groups[place].pixels += first..<end
        }
    }

    /// What has been made of the groups, in the order of the windows.
    func joined(_ parts: [Tensor], axis: Int) throws(ShapeError) -> Tensor {
        if parts.count == 1 { return parts[0] }
        let order = groups.flatMap(\.windows)
        return try Tensor.concatenate(parts, axis: axis)
            .picking(order.indices.sorted { order[$0] < order[$1] }, axis: axis)
    }
}
