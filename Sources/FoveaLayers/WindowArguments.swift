import FoveaGraph

/// The arguments that convolution and pooling layers share.
struct WindowArguments<Axes: SpatialAxes, Border: WindowPadding>: Sendable {
    let window: Axes.Size
    let strides: Axes.Size
    let dilations: Axes.Size
    let padding: Border
    private let name: WindowName

    init(kernelSize: Axes.Size, strides: Axes.Size, dilationRate: Axes.Size, padding: Border) {
        name = .kernelSize
        window = kernelSize
        self.strides = strides
        dilations = dilationRate
        self.padding = padding
    }

    init(poolSize: Axes.Size, strides: Axes.Size?, padding: Border) {
        name = .poolSize
        window = poolSize
        self.strides = strides ?? poolSize
        dilations = 1
        self.padding = padding
    }

    /// Checks the sizes.
    ///
    /// - Parameter layer: the kind of layer that asks, for the error.
    func check(layer: String) throws(ShapeError) {
        for (argument, size) in [
            (name.rawValue, window), ("strides", strides), ("dilationRate", dilations),
        ] where !Axes.imageSize(size).isSensible {
            throw ShapeError(
                layer,
                "\(argument) must be from 1 to \(Size2D.sensibleExtents.upperBound)"
                    + "\(Axes.count == 1 ? "" : " in each direction"), not \(size)")
        }
    }

    /// Checks that at most one of strides and dilations exceeds 1, as Keras asks of some layers.
    func checkDilatedStrides(layer: String) throws(ShapeError) {
        guard strides == 1 || dilations == 1 else {
            throw ShapeError(
                layer,
                "strides \(strides) and dilationRate \(dilations) cannot both exceed 1; set one to 1")
        }
    }

    /// The window's path over images of the given size.
    ///
    /// - Parameter layer: the kind of layer that asks, for the error.
    /// - Throws: `ShapeError` for sizes out of range, and when not even one window fits.
    func path(over images: Size2D, layer: String) throws(ShapeError) -> SlidingWindow {
        try check(layer: layer)
        var path = SlidingWindow(
            Axes.imageSize(window), strides: Axes.imageSize(strides), dilations: Axes.imageSize(dilations))
        path.padding = padding.border(of: images, under: path)
        _ = try path.outputSize(of: images, layer, [])
        return path
    }

    // MARK: Configuration

    /// The settings under Keras's keys.
    var configuration: Configuration {
        var settings: Configuration = [
            name.key: Axes.configuration(window), "strides": Axes.configuration(strides),
            "padding": .string(padding.rawValue),
        ]
        if name == .kernelSize { settings["dilation_rate"] = Axes.configuration(dilations) }
        return settings
    }

    init(_ name: WindowName, _ reader: inout ConfigurationReader) throws(ConfigurationError) {
        let window = try reader.size(name.key, along: Axes.self)
        let strides = try reader.size("strides", along: Axes.self)
        switch name {
        case .poolSize:
            self.init(poolSize: window, strides: strides, padding: try reader.choice("padding"))
        case .kernelSize:
            self.init(
                kernelSize: window, strides: strides,
                dilationRate: try reader.size("dilation_rate", along: Axes.self),
                padding: try reader.choice("padding"))
        }
    }
}

/// What a layer calls its window.
enum WindowName: String, Sendable {
    case kernelSize, poolSize

    fileprivate var key: String { snakeCase(rawValue) }
}
