import FoveaGraph

/// What is done at the border of an image under a moving window.
public enum Padding: String, Hashable, Sendable, CaseIterable {
    /// Nothing: the window stays inside, `floor((size - window) / stride) + 1` outputs.
    case valid
    /// The border is widened to give `ceil(size / stride)` outputs, the odd row or column at the end.
    case same
}

/// What is done at the ends of a sequence under a moving window.
public enum Padding1D: String, Hashable, Sendable, CaseIterable {
    /// Nothing: the window stays inside, `floor((steps - window) / stride) + 1` outputs.
    case valid
    /// The ends are widened to give `ceil(steps / stride)` outputs, the odd step at the end.
    case same
    /// The start is widened by all but one step of the window, so that no output sees a later step than its own.
    /// van den Oord et al. 2016, arXiv:1609.03499.
    case causal
}

/// The arguments that convolution and pooling layers share. One-dimensional layers have windows of height 1.
struct WindowArguments: Hashable, Sendable {
    /// What a layer calls its window.
    enum Name: String, Sendable {
        case kernelSize, poolSize

        fileprivate var key: String { snakeCase(rawValue) }
    }

    let name: Name
    let window: Size2D
    let strides: Size2D
    let dilations: Size2D
    let padding: Padding
    /// Whether padding goes before the first pixels only; `padding` is `.valid` then.
    let isCausal: Bool

    init(kernelSize: Size2D, strides: Size2D, dilationRate: Size2D, padding: Padding) {
        self.init(.kernelSize, kernelSize, strides, dilationRate, padding)
    }

    /// For sequences.
    init(kernelSize: Int, strides: Int, dilationRate: Int, padding: Padding1D) {
        self.init(
            .kernelSize, Size2D(1, kernelSize), Size2D(1, strides), Size2D(1, dilationRate),
            padding == .same ? .same : .valid, isCausal: padding == .causal)
    }

    init(poolSize: Size2D, strides: Size2D?, padding: Padding) {
        self.init(.poolSize, poolSize, strides ?? poolSize, 1, padding)
    }

    private init(
        _ name: Name, _ window: Size2D, _ strides: Size2D, _ dilations: Size2D, _ padding: Padding,
        isCausal: Bool = false
    ) {
        self.name = name
        self.window = window
        self.strides = strides
        self.dilations = dilations
        self.padding = padding
        self.isCausal = isCausal
    }

    /// The padding of sequences.
    var padding1D: Padding1D { isCausal ? .causal : padding == .same ? .same : .valid }

    /// More than any image needs, and small enough that no arithmetic with it overflows.
    static let limit = 65_536

    /// Checks the sizes.
    ///
    /// - Parameter layer: the kind of layer that asks, for the error.
    func check(layer: String) throws(ShapeError) {
        for (argument, size) in [
            (name.rawValue, window), ("strides", strides), ("dilationRate", dilations),
        ] {
            guard (1...Self.limit).contains(size.height), (1...Self.limit).contains(size.width) else {
                throw ShapeError(
                    layer, "\(argument) must be from 1 to \(Self.limit) in each direction, not \(size)")
            }
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
        let border =
            if isCausal {
                Padding2D(
                    top: (window.height - 1) * dilations.height, left: (window.width - 1) * dilations.width)
            } else if padding == .same {
                Padding2D.same(input: images, window: window, strides: strides, dilations: dilations)
            } else { Padding2D.none }
        let path = SlidingWindow(window, strides: strides, dilations: dilations, padding: border)
        _ = try path.outputSize(of: images, layer, [])
        return path
    }

    // MARK: Configuration

    /// The settings under Keras's keys; those of sequences have no height.
    func configuration(spatialAxes: Int) -> Configuration {
        func sizes(_ size: Size2D) -> ConfigurationValue {
            spatialAxes == 1 ? [.integer(size.width)] : .size(size)
        }
        var settings: Configuration = [
            name.key: sizes(window), "strides": sizes(strides), "padding": .string(padding1D.rawValue),
        ]
        if name == .kernelSize { settings["dilation_rate"] = sizes(dilations) }
        return settings
    }

    init(
        _ name: Name, spatialAxes: Int, _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) {
        let window = try reader.size(name.key, spatialAxes: spatialAxes)
        let strides = try reader.size("strides", spatialAxes: spatialAxes)
        switch name {
        case .poolSize:
            self.init(poolSize: window, strides: strides, padding: try reader.choice("padding"))
        case .kernelSize:
            let dilations = try reader.size("dilation_rate", spatialAxes: spatialAxes)
            if spatialAxes == 1 {
                self.init(
                    kernelSize: window.width, strides: strides.width, dilationRate: dilations.width,
                    padding: try reader.choice("padding"))
            } else {
                self.init(
                    kernelSize: window, strides: strides, dilationRate: dilations,
                    padding: try reader.choice("padding"))
            }
        }
    }
}
