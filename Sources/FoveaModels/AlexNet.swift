import FoveaGraph
import FoveaLayers

extension Design {
    /// Krizhevsky et al. 2012, with the first values of section 5: kernels N(0, 0.01²); biases 1 in the second, fourth and fifth
    /// convolution and in the hidden dense layers.
    func alexNet() throws(ShapeError) -> Sequential {
        func convolution(
            _ number: Int, _ filters: Int, _ size: Size2D, strides: Size2D = 1, padding: Padding = .same,
            groups: Int = 1, bias: Initializer
        ) -> Conv2D {
            Conv2D(
                filters: filters, kernelSize: size, strides: strides, padding: padding, groups: groups,
                activation: .relu, kernelInitializer: .randomNormal(stddev: 0.01), biasInitializer: bias,
                name: "conv\(number)")
        }
        return try sequential {
            convolution(1, 96, 11, strides: 4, padding: .valid, bias: .zeros)
            alexNetNormalization(name: "norm1")
            MaxPooling2D(poolSize: 3, strides: 2, name: "pool1")
            convolution(2, 256, 5, groups: 2, bias: .ones)
            alexNetNormalization(name: "norm2")
            MaxPooling2D(poolSize: 3, strides: 2, name: "pool2")
            convolution(3, 384, 3, bias: .zeros)
            convolution(4, 384, 3, groups: 2, bias: .ones)
            convolution(5, 256, 3, groups: 2, bias: .ones)
            MaxPooling2D(poolSize: 3, strides: 2, name: "pool5")
        } top: { classes in
            Flatten(name: "flatten")
            for number in [6, 7] {
                Dense(
                    units: 4096, activation: .relu, kernelInitializer: .randomNormal(stddev: 0.01),
                    biasInitializer: .ones, name: "fc\(number)")
                dropout(0.5, name: "drop\(number)")
            }
            Dense(
                units: classes, activation: .softmax, kernelInitializer: .randomNormal(stddev: 0.01),
                name: "predictions")
        }
    }
}

/// Local response normalization with the settings of section 3.3: five channels, k = 2, α = 10⁻⁴, β = 0.75.
func alexNetNormalization(name: String) -> LocalResponseNormalization {
    LocalResponseNormalization(depthRadius: 2, bias: 2, alpha: 1e-4, beta: 0.75, name: name)
}

extension Design {
    /// Krizhevsky 2014, as torchvision has it.
    func alexNet2014() throws(ShapeError) -> Sequential {
        try sequential {
            ZeroPadding2D(padding: 2, name: "conv1_pad")
            Conv2D(filters: 64, kernelSize: 11, strides: 4, activation: .relu, name: "conv1")
            MaxPooling2D(poolSize: 3, strides: 2, name: "pool1")
            Conv2D(filters: 192, kernelSize: 5, padding: .same, activation: .relu, name: "conv2")
            MaxPooling2D(poolSize: 3, strides: 2, name: "pool2")
            for (number, filters) in [(3, 384), (4, 256), (5, 256)] {
                Conv2D(
                    filters: filters, kernelSize: 3, padding: .same, activation: .relu, name: "conv\(number)")
            }
            MaxPooling2D(poolSize: 3, strides: 2, name: "pool5")
        } top: { classes in
            Flatten(name: "flatten")
            for number in [6, 7] {
                dropout(0.5, name: "drop\(number)")
                Dense(units: 4096, activation: .relu, name: "fc\(number)")
            }
            Dense(units: classes, activation: .softmax, name: "predictions")
        }
    }
}
