import FoveaGraph
import FoveaLayers

/// The two kinds of residual blocks, figure 5.
enum ResidualBlock: Equatable {
    /// Two convolutions 3×3; without biases, with torchvision's padding and batch normalization.
    case basic
    /// Convolutions 1×1, 3×3 and 1×1, the last with four times the filters. Keras's have biases, and strides in the first,
    /// as in the paper; torchvision's have no biases, and strides in the second.
    case bottleneck(Origin)
}

extension Design {
    /// He et al. 2015, table 1.
    ///
    /// - Parameters:
    ///   - block: the kind of blocks.
    ///   - counts: how many there are in each of `conv2`, `conv3`, …
    ///   - filters: those of `conv1` and `conv2`, doubled from each stage to the next.
    func resNet(block: ResidualBlock, counts: [Int], filters: Int = 64) throws(ShapeError) -> Model {
        try model { images in
            var x = ZeroPadding2D(padding: 3, name: "conv1_pad")(images)
            x = block.convolution("conv1_conv", filters, 7, strides: 2)(x)
            x = Activation(.relu, name: "conv1_relu")(block.normalization("conv1_bn")(x))
            x = ZeroPadding2D(padding: 1, name: "pool1_pad")(x)
            x = MaxPooling2D(poolSize: 3, strides: 2, name: "pool1_pool")(x)
            for (stage, count) in counts.enumerated() {
                for number in 1...count {
                    x = block(
                        x, "conv\(stage + 2)_block\(number)", filters << stage,
                        strides: stage > 0 && number == 1 ? 2 : 1,
                        isProjected: number == 1 && (stage > 0 || block != .basic))
                }
            }
            return x
        }
    }
}

extension ResidualBlock {
    /// `relu(f(x) + shortcut(x))`.
    ///
    /// - Parameters:
    ///   - x: the block's input.
    ///   - name: what the names of its layers begin with.
    ///   - filters: those of the first convolution.
    ///   - strides: those of one of its convolutions, and of the projection.
    ///   - isProjected: whether the shortcut is a convolution 1×1, because f changes the shape, and not x itself.
    fileprivate func callAsFunction(
        _ x: LayerOutput, _ name: String, _ filters: Int, strides: Size2D, isProjected: Bool
    ) -> LayerOutput {
        func step(
            _ number: Int, _ filters: Int, _ size: Size2D, strides: Size2D = 1, _ x: LayerOutput
        ) -> LayerOutput {
            // A border of one pixel on each side; .same would put all of it at the end.
            let isPadded = size != 1 && strides != 1
            let x = isPadded ? ZeroPadding2D(padding: 1, name: "\(name)_\(number)_pad")(x) : x
            let y = convolution(
                "\(name)_\(number)_conv", filters, size, strides: strides, padding: isPadded ? .valid : .same)(
                    x)
            return normalization("\(name)_\(number)_bn")(y)
        }
        func relu(_ number: Int, _ x: LayerOutput) -> LayerOutput {
            Activation(.relu, name: "\(name)_\(number)_relu")(x)
        }

        var y: LayerOutput
        var filtersOut = filters
        switch self {
        case .basic:
            y = relu(1, step(1, filters, 3, strides: strides, x))
            y = step(2, filters, 3, y)
        case .bottleneck(let origin):
            filtersOut = 4 * filters
            y = relu(1, step(1, filters, 1, strides: origin == .keras ? strides : 1, x))
            y = relu(2, step(2, filters, 3, strides: origin == .keras ? 1 : strides, y))
            y = step(3, filtersOut, 1, y)
        }
        let shortcut = isProjected ? step(0, filtersOut, 1, strides: strides, x) : x
        return Activation(.relu, name: "\(name)_out")(Add(name: "\(name)_add")([shortcut, y]))
    }

    /// First values as in section 3.4: He et al. 2015, arXiv:1502.01852.
    fileprivate func convolution(
        _ name: String, _ filters: Int, _ size: Size2D, strides: Size2D, padding: Padding = .valid
    ) -> Conv2D {
        Conv2D(
            filters: filters, kernelSize: size, strides: strides, padding: padding,
            useBias: self == .bottleneck(.keras), kernelInitializer: .heNormal, name: name)
    }

    fileprivate func normalization(_ name: String) -> BatchNormalization {
        switch self {
        case .basic, .bottleneck(.torchvision):
            BatchNormalization(momentum: 0.9, epsilon: 1e-5, name: name)
        case .bottleneck(.keras): BatchNormalization(epsilon: 1.001e-5, name: name)
        }
    }
}

extension Design {
    /// He et al. 2015, section 4.2, with projections.
    ///
    /// - Parameter depth: 6n + 2 layers, n blocks in each of three stages.
    func cifarResNet(depth: Int) throws(ShapeError) -> Model {
        func normalized(
            _ name: String, _ filters: Int, strides: Size2D = 1, _ x: LayerOutput
        ) -> LayerOutput {
            let y = Conv2D(
                filters: filters, kernelSize: 3, strides: strides, padding: .same,
                kernelInitializer: .heNormal,
                name: "\(name)_conv")(x)
            return BatchNormalization(name: "\(name)_bn")(y)
        }
        return try model { images in
            var x = Activation(.relu, name: "conv1_relu")(normalized("conv1", 16, images))
            for stage in 0..<3 {
                let filters = 16 << stage
                for number in 1...(depth - 2) / 6 {
                    let name = "conv\(stage + 2)_block\(number)"
                    let strides: Size2D = stage > 0 && number == 1 ? 2 : 1
                    var y = Activation(.relu, name: "\(name)_1_relu")(
                        normalized("\(name)_1", filters, strides: strides, x))
                    y = normalized("\(name)_2", filters, y)
                    if strides != 1 {
                        x = Conv2D(
                            filters: filters, kernelSize: 1, strides: strides, kernelInitializer: .heNormal,
                            name: "\(name)_0_conv")(x)
                    }
                    x = Activation(.relu, name: "\(name)_out")(Add(name: "\(name)_add")([x, y]))
                }
            }
            return x
        }
    }
}
