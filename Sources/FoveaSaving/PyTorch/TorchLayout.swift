import FoveaGraph
import FoveaLayers

/// How PyTorch keeps a parameter: seen as an array of the shape `view`, its axes in the order `axes` are Fovea's parameter, row by
/// row.
struct TorchLayout: Equatable {
    let shape: [Int]
    let view: [Int]
    let axes: [Int]

    private init(shape: [Int], view: [Int], axes: [Int]) {
        self.shape = shape
        self.view = view
        self.axes = axes
    }

    private init(_ shape: [Int], axes: [Int]) { self.init(shape: shape, view: shape, axes: axes) }

    /// - Parameters:
    ///   - parameter: the name in its layer.
    ///   - shape: Fovea's.
    ///   - order: that of the features which the layer reads.
    init(_ parameter: String, of layer: any Layer, shape: [Int], order: FeatureOrder) {
        switch (layer, parameter) {
        case (is Conv2D, "kernel"), (is Conv2DTranspose, "kernel"), (is SeparableConv2D, "pointwise_kernel"):
            self.init([shape[3], shape[2], shape[0], shape[1]], axes: [2, 3, 1, 0])
        case (is Conv1D, "kernel"), (is Conv1DTranspose, "kernel"), (is SeparableConv1D, "pointwise_kernel"):
            self.init([shape[2], shape[1], shape[0]], axes: [2, 1, 0])
        case (is DepthwiseConv2D, "kernel"), (is SeparableConv2D, "depthwise_kernel"):
            self.init(
                shape: [shape[2] * shape[3], 1, shape[0], shape[1]],
                view: [shape[2], shape[3], shape[0], shape[1]], axes: [2, 3, 0, 1])
        case (is DepthwiseConv1D, "kernel"), (is SeparableConv1D, "depthwise_kernel"):
            self.init(
                shape: [shape[1] * shape[2], 1, shape[0]], view: [shape[1], shape[2], shape[0]],
                axes: [2, 0, 1])
        case (is Dense, "kernel"):
            guard case .flattened(let images) = order else {
                self.init([shape[1], shape[0]], axes: [1, 0])
                return
            }
            // The channels are the first of the axes that PyTorch flattens and the last of Fovea's.
            let last = images.count
            self.init(
                shape: [shape[1], shape[0]], view: [shape[1], images[last - 1]] + images.dropLast(),
                axes: Array(2...last) + [1, 0])
        case (is PReLU, "alpha") where shape.count > 1:
            self.init(shape: [shape[shape.count - 1]], view: shape, axes: Array(shape.indices))
        default:
            if !(layer is Dense), case .flattened(let images) = order, shape == [images.reduce(1, *)] {
                let last = images.count - 1
                self.init(
                    shape: shape, view: [images[last]] + images.dropLast(), axes: Array(1...last) + [0])
            } else {
                self.init(shape, axes: Array(shape.indices))
            }
        }
    }

    /// Whether a tensor of the file can be the parameter. Convolutions 1×1 and dense layers have the same numbers, so extents of 1
    /// do not count.
    func fits(_ other: Shape) -> Bool {
        other.dimensions.filter { $0 != 1 } == shape.filter { $0 != 1 }
    }

    /// The bytes of Fovea's parameter for those of PyTorch's.
    func imported(_ bytes: ArraySlice<UInt8>, elementByteCount: Int) -> ArraySlice<UInt8> {
        if axes == Array(axes.indices) { return bytes }
        return StridedView(view, axes: axes).copied(from: bytes, elementByteCount: elementByteCount)
    }

    /// The bytes of PyTorch's parameter for those of Fovea's.
    func exported(_ bytes: ArraySlice<UInt8>, elementByteCount: Int) -> ArraySlice<UInt8> {
        if axes == Array(axes.indices) { return bytes }
        var back = axes
        for (place, axis) in axes.enumerated() { back[axis] = place }
        return StridedView(axes.map { view[$0] }, axes: back)
            .copied(from: bytes, elementByteCount: elementByteCount)
    }

    /// What PyTorch calls a parameter, and the module inside that has it where PyTorch needs two for a layer.
    static func name(of parameter: String, in layer: any Layer) -> (module: String?, name: String) {
        let isSeparable = layer is SeparableConv2D || layer is SeparableConv1D
        return switch parameter {
        case "depthwise_kernel" where isSeparable: ("depthwise", "weight")
        case "pointwise_kernel" where isSeparable: ("pointwise", "weight")
        case "bias" where isSeparable: ("pointwise", "bias")
        case "kernel", "gamma", "alpha", "scale": (nil, "weight")
        case "beta": (nil, "bias")
        case "moving_mean": (nil, "running_mean")
        case "moving_variance": (nil, "running_var")
        default: (nil, parameter)
        }
    }
}
