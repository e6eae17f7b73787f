import FoveaGraph
import FoveaLayers

extension Design {
    /// Huang et al. 2017, table 1, as Keras has it: growth rate 32, and half of the channels after each block.
    ///
    /// - Parameter counts: how many layers each block has.
    func denseNet(counts: [Int]) throws(ShapeError) -> Model {
        try model { images in
            var x = ZeroPadding2D(padding: 3, name: "conv1_pad")(images)
            x = convolution("conv1_conv", 64, 7, strides: 2)(x)
            x = normalized("conv1", x)
            x = ZeroPadding2D(padding: 1, name: "pool1_pad")(x)
            x = MaxPooling2D(poolSize: 3, strides: 2, name: "pool1")(x)
            var filters = 64
            for (number, count) in zip(2..., counts) {
                for index in 1...count { x = dense(x, "conv\(number)_block\(index)") }
                filters += 32 * count
                guard number <= counts.count else { break }
                filters /= 2
                x = convolution("pool\(number)_conv", filters, 1)(normalized("pool\(number)", x))
                x = AveragePooling2D(poolSize: 2, name: "pool\(number)_pool")(x)
            }
            return normalized(nil, x)
        }
    }
}

/// A layer of a block: 128 convolutions 1×1 and 32 convolutions 3×3, which join what is there.
private func dense(_ x: LayerOutput, _ name: String) -> LayerOutput {
    var y = convolution("\(name)_1_conv", 128, 1)(normalized("\(name)_0", x))
    y = convolution("\(name)_2_conv", 32, 3)(normalized("\(name)_1", y))
    return Concatenate(name: "\(name)_concat")([x, y])
}

/// `relu` of what batch normalization gives.
private func normalized(_ name: String?, _ x: LayerOutput) -> LayerOutput {
    let prefix = name.map { "\($0)_" } ?? ""
    return Activation(.relu, name: "\(prefix)relu")(
        BatchNormalization(epsilon: 1.001e-5, name: "\(prefix)bn")(x))
}

private func convolution(_ name: String, _ filters: Int, _ size: Size2D, strides: Size2D = 1) -> Conv2D {
    Conv2D(
        filters: filters, kernelSize: size, strides: strides, padding: strides == 1 ? .same : .valid,
        useBias: false, kernelInitializer: .heNormal, name: name)
}
