import FoveaGraph
import FoveaLayers

extension Design {
    /// GoogLeNet as torchvision has it: batch normalization behind each convolution, 3×3 where the paper has 5×5, no local
    /// response normalization.
    func googLeNetOfTorchvision() throws(ShapeError) -> Model {
        try model { images in
            var extents = Size2D(input[0] - input[0] / 2, input[1] - input[1] / 2)
            func pooled(_ x: LayerOutput, _ name: String) -> LayerOutput {
                ceilingPooled(x, &extents, name: name)
            }
            var x = ZeroPadding2D(padding: 3, name: "conv1_pad")(images)
            x = pooled(normalized("conv1", 64, 7, strides: 2, padding: .valid, x), "pool1")
            x = normalized("conv3", 192, 3, normalized("conv2", 64, 1, x))
            x = pooled(x, "pool2")
            x = inception(x, "3a", 64, (96, 128), (16, 32), 32)
            x = inception(x, "3b", 128, (128, 192), (32, 96), 64)
            x = pooled(x, "pool3")
            x = inception(x, "4a", 192, (96, 208), (16, 48), 64)
            x = inception(x, "4b", 160, (112, 224), (24, 64), 64)
            x = inception(x, "4c", 128, (128, 256), (24, 64), 64)
            x = inception(x, "4d", 112, (144, 288), (32, 64), 64)
            x = inception(x, "4e", 256, (160, 320), (32, 128), 128)
            x = MaxPooling2D(poolSize: 2, padding: .same, name: "pool4")(x)
            x = inception(x, "5a", 256, (160, 320), (32, 128), 128)
            return inception(x, "5b", 384, (192, 384), (48, 128), 128)
        } top: {
            [Design.classified($0, $1, dropout: dropoutRate ?? 0.2)]
        }
    }
}

/// A convolution with batch normalization and ReLU.
private func normalized(
    _ name: String, _ filters: Int, _ size: Size2D, strides: Size2D = 1, padding: Padding = .same,
    _ x: LayerOutput
) -> LayerOutput {
    let y = Conv2D(
        filters: filters, kernelSize: size, strides: strides, padding: padding, useBias: false,
        kernelInitializer: .heNormal, name: "\(name)_conv")(x)
    return Activation(.relu, name: "\(name)_relu")(
        BatchNormalization(momentum: 0.9, epsilon: 1e-3, name: "\(name)_bn")(y))
}

/// An inception module: side by side 1×1, twice 3×3 and pooling 3×3. The arguments are those of table 1 of the paper, where the
/// second branch of 3×3 is of 5×5.
private func inception(
    _ x: LayerOutput, _ name: String, _ ones: Int, _ threes: (Int, Int), _ fives: (Int, Int), _ pooled: Int
) -> LayerOutput {
    let name = "inception_\(name)"
    return Concatenate(name: name)([
        normalized("\(name)_branch1", ones, 1, x),
        normalized("\(name)_branch2_2", threes.1, 3, normalized("\(name)_branch2_1", threes.0, 1, x)),
        normalized("\(name)_branch3_2", fives.1, 3, normalized("\(name)_branch3_1", fives.0, 1, x)),
        normalized(
            "\(name)_branch4", pooled, 1,
            MaxPooling2D(poolSize: 3, strides: 1, padding: .same, name: "\(name)_pool")(x)),
    ])
}
