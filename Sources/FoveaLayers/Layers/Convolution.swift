import FoveaGraph

/// What `Conv1D` and `Conv2D` have in common, which is all but the number of axes.
protocol ConvolutionLayer: SpatialLayer {
    var filters: Int { get }
    var groups: Int { get }
    var window: WindowArguments { get }
    var arguments: KernelArguments { get }

    init(
        filters: Int, groups: Int, window: WindowArguments, dataFormat: DataFormat,
        arguments: KernelArguments,
        name: String?)
}

extension ConvolutionLayer {
    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        _ = try window.path(over: images.imageSize, layer: Self.typeName)
        try window.checkDilatedStrides(layer: Self.typeName)
        guard filters > 0 else { throw error("filters must be positive, not \(filters)") }
        guard groups > 0, images.channels % groups == 0, filters % groups == 0 else {
            throw error(
                "groups must be positive and divide both the \(images.channels) channels and the \(filters) "
                    + "filters, not \(groups)")
        }
        let extents =
            Self.spatialAxes == 1 ? [window.window.width] : [window.window.height, window.window.width]
        try arguments.declare(
            kernel: Shape(extents + [images.channels / groups, filters]), bias: filters, in: &scope)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let path = try window.path(over: images.shape.imageSize, layer: Self.typeName)
        var kernel = try arguments.kernel.tensor
        if Self.spatialAxes == 1 { kernel = try kernel.reshaped(to: Shape([1] + kernel.shape.dimensions)) }
        return try arguments.finish(images.convolved(with: kernel, Convolution(path, groups: groups)))
    }

    var settings: Configuration {
        arguments.configuration.with(window.configuration(spatialAxes: Self.spatialAxes))
            .with(dataFormat.configuration)
            .with(["filters": .integer(filters), "groups": .integer(groups)])
    }

    init(name: String?, settings reader: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(
            filters: try reader.integer("filters"), groups: try reader.integer("groups"),
            window: try WindowArguments(.kernelSize, spatialAxes: Self.spatialAxes, &reader),
            dataFormat: try DataFormat(&reader), arguments: try KernelArguments(&reader),
            name: name)
    }
}

extension Convolution {
    /// The convolution whose window takes the given path.
    init(_ path: SlidingWindow, groups: Int = 1) {
        self.init(
            strides: path.strides, dilations: path.dilations, padding: path.padding, groups: groups)
    }
}
