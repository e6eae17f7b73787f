import FoveaGraph
import FoveaLayers

extension Design {
    /// Iandola et al. 2016 in the authors' version 1.1, as torchvision has it.
    func squeezeNet() throws(ShapeError) -> Model {
        try model { images in
            var extents = Size2D((input[0] - 1) / 2, (input[1] - 1) / 2)
            var x = Conv2D(filters: 64, kernelSize: 3, strides: 2, activation: .relu, name: "conv1")(images)
            for (number, squeeze) in [(2, 16), (3, 16), (4, 32), (5, 32), (6, 48), (7, 48), (8, 64), (9, 64)]
            {
                if [2, 4, 6].contains(number) { x = ceilingPooled(x, &extents, name: "pool\(number - 1)") }
                x = fire(x, "fire\(number)", squeeze: squeeze, expand: 4 * squeeze)
            }
            return x
        } top: { x, classes in
            let x = Conv2D(
                filters: classes, kernelSize: 1, activation: .relu,
                kernelInitializer: .randomNormal(stddev: 0.01), name: "conv10")(
                    dropout(0.5, name: "drop9")(x))
            return [Activation(.softmax, name: "predictions")(GlobalAveragePooling2D(name: "avg_pool")(x))]
        }
    }
}

/// A fire module, figure 1: few convolutions 1×1, and behind these side by side as many 1×1 as 3×3.
private func fire(_ x: LayerOutput, _ name: String, squeeze: Int, expand: Int) -> LayerOutput {
    func convolution(_ ending: String, _ filters: Int, _ size: Size2D) -> Conv2D {
        Conv2D(
            filters: filters, kernelSize: size, padding: .same, activation: .relu,
            kernelInitializer: .heUniform, name: "\(name)_\(ending)")
    }
    let x = convolution("squeeze1x1", squeeze, 1)(x)
    return Concatenate(name: name)([
        convolution("expand1x1", expand, 1)(x), convolution("expand3x3", expand, 3)(x),
    ])
}
