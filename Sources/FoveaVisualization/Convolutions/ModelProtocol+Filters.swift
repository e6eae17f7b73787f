import FoveaGraph
import FoveaLayers
import FoveaRuntime

extension ModelProtocol {
    /// The kernels of a convolution, to be looked at with `Figure.filters(of:)`.
    ///
    /// - Parameter path: of a `Conv2D` or `DepthwiseConv2D`, such as `base/conv2d`; the first one that the model calls when nil.
    /// - Returns: the layer's path and its kernels `[height, width, channels, filters]`, of depthwise convolutions each filter of each
    ///   channel for itself, `[height, width, 1, channels · filters]`.
    /// - Throws: `InsightError` for an unknown layer, with the nearest path, one that is no such convolution, and when there is none;
    ///   `ShapeError` when the model has not been built.
    public func filters(of path: String? = nil) async throws -> (layer: String, kernel: TensorValue) {
        let traced = try TracedModel(self, on: ModelArguments(self).tensors)
        let known = traced.layers.filter { $0.layer.imageKernel != nil }
        let layer = try path.map(traced.layer) ?? known.first
        guard let layer else { throw InsightError.noConvolution(model: displayName) }
        guard let (kernel, isDepthwise) = layer.layer.imageKernel else {
            throw InsightError.invalidArgument(
                "the layer", "'\(layer.path)', a \(type(of: layer.layer).typeName)",
                expected: "a Conv2D or DepthwiseConv2D"
                    + (known.first.map { ", such as '\($0.path)'" } ?? ", of which the model has none"))
        }
        guard let variable = kernel.variable else {
            throw InsightError.noConvolution(model: displayName)
        }
        let value = try await Compute.run { try variable.value() }
        let shape = value.shape
        return (
            layer.path,
            isDepthwise
                ? try value.reshaped(to: [shape[0], shape[1], 1, shape[2] * shape[3]]) : value
        )
    }
}

extension Layer {
    /// The kernel of a convolution over images.
    fileprivate var imageKernel: (kernel: Parameter, isDepthwise: Bool)? {
        switch self {
        case let layer as Conv2D: (layer.kernel, false)
        case let layer as DepthwiseConv2D: (layer.kernel, true)
        default: nil
        }
    }
}
