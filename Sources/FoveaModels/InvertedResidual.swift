import FoveaGraph
import FoveaLayers

/// Inverted residual blocks, Sandler et al. 2018, arXiv:1801.04381, figure 3b: a convolution 1×1 that widens, a depthwise one,
/// and a convolution 1×1 that narrows without a nonlinearity. Where the shape stays, the input is added. No convolution has
/// biases, because batch normalization follows each.
struct InvertedResidual {
    /// What the names of a block's layers end with.
    struct Names {
        let expand, depthwise: (convolution: String, normalization: String, relu: String)
        let project: (convolution: String, normalization: String)
    }

    let names: Names
    /// Whether images get the same border on all sides under a convolution with strides, as in PyTorch; `.same` has the odd row
    /// and column at the end.
    var isPaddedEvenly = false
    let momentum, epsilon: Double

    /// - Parameters:
    ///   - x: the block's input, of which `filtersIn` is the number of channels.
    ///   - name: what the names of its layers begin with.
    ///   - expansion: how many times as many channels the depthwise convolution has.
    func callAsFunction(
        _ x: LayerOutput, _ name: String, filtersIn: Int, filters: Int, size: Int, strides: Int,
        expansion: Int
    ) -> LayerOutput {
        func join(_ ending: String) -> String { "\(name)_\(ending)" }
        var y = x
        if expansion != 1 {
            y = convolution(join(names.expand.convolution), expansion * filtersIn, 1)(y)
            y = relu(join(names.expand.relu), normalization(join(names.expand.normalization))(y))
        }
        let (padding, padded) = padded(y, join("pad"), size: size, strides: strides)
        y = DepthwiseConv2D(
            kernelSize: Size2D(size, size), strides: Size2D(strides, strides), padding: padding,
            useBias: false, depthwiseInitializer: Self.initializer, name: join(names.depthwise.convolution))(
                padded)
        y = relu(join(names.depthwise.relu), normalization(join(names.depthwise.normalization))(y))
        y = convolution(join(names.project.convolution), filters, 1)(y)
        y = normalization(join(names.project.normalization))(y)
        return strides == 1 && filters == filtersIn ? Add(name: join("add"))([x, y]) : y
    }

    /// The convolution 3×3 with stride 2 that such networks begin with.
    func stem(
        _ images: LayerOutput, _ filters: Int, convolution name: String,
        normalization normalizationName: String,
        relu reluName: String
    ) -> LayerOutput {
        let (padding, padded) = padded(images, "\(name)_pad", size: 3, strides: 2)
        let x = convolution(name, filters, 3, strides: 2, padding: padding)(padded)
        return relu(reluName, normalization(normalizationName)(x))
    }

    /// The convolution 1×1 that they end with.
    func head(
        _ x: LayerOutput, _ filters: Int, convolution name: String, normalization normalizationName: String,
        relu reluName: String
    ) -> LayerOutput {
        relu(reluName, normalization(normalizationName)(convolution(name, filters, 1)(x)))
    }

    private func padded(
        _ x: LayerOutput, _ name: String, size: Int, strides: Int
    ) -> (Padding, LayerOutput) {
        guard isPaddedEvenly, strides != 1 else { return (.same, x) }
        return (.valid, ZeroPadding2D(padding: Size2D(size / 2, size / 2), name: name)(x))
    }

    /// Keeps the variance of gradients, as in Keras's EfficientNet.
    private static let initializer = Initializer.varianceScaling(scale: 2, mode: .fanOut)

    private func convolution(
        _ name: String, _ filters: Int, _ size: Size2D, strides: Size2D = 1, padding: Padding = .same
    ) -> Conv2D {
        Conv2D(
            filters: filters, kernelSize: size, strides: strides, padding: padding, useBias: false,
            kernelInitializer: Self.initializer, name: name)
    }

    private func normalization(_ name: String) -> BatchNormalization {
        BatchNormalization(momentum: momentum, epsilon: epsilon, name: name)
    }

    private func relu(_ name: String, _ x: LayerOutput) -> LayerOutput { ReLU(maxValue: 6, name: name)(x) }
}
