import FoveaGraph

/// What depthwise and separable convolutions have in common: each channel convolved with filters of its own.
struct DepthwiseArguments<Axes: SpatialAxes>: Sendable {
    /// How many filters each channel has.
    let multiplier: Int
    let window: WindowArguments<Axes, Padding>

    /// How many channels there are behind it.
    ///
    /// - Parameter layer: the kind of layer that asks, for the error.
    /// - Throws: `ShapeError` for arguments out of range, and when not even one window fits.
    func check(images: Shape, layer: String) throws(ShapeError) -> Int {
        _ = try window.path(over: images.imageSize, layer: layer)
        guard let channels = productOfPositive([images.channels, multiplier]) else {
            throw ShapeError(
                layer,
                "depthMultiplier must be positive, and small enough to count channels with, not \(multiplier)"
            )
        }
        return channels
    }

    /// The shape of the parameter: that of the window, channels, multiplier.
    func kernelShape(channels: Int) -> Shape { Axes.kernelShape(window.window, channels, multiplier) }

    /// Channel `c · multiplier + m` of the result is channel `c` convolved with its filter `m`.
    func convolved(_ images: Tensor, with kernel: Tensor, layer: String) throws(ShapeError) -> Tensor {
        let path = try window.path(over: images.shape.imageSize, layer: layer)
        let kernel = try Axes.imageKernel(kernel)
        let extents = kernel.shape
        let grouped = try kernel.reshaped(to: [extents[0], extents[1], 1, extents[2] * extents[3]])
        return try images.convolved(with: grouped, Convolution(path, groups: extents[2]))
    }

    // MARK: Configuration

    var configuration: Configuration {
        window.configuration.with(["depth_multiplier": .integer(multiplier)])
    }
}

extension DepthwiseArguments {
    init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(
            multiplier: try reader.integer("depth_multiplier"),
            window: try WindowArguments(.kernelSize, &reader))
    }
}
