import FoveaGraph
import FoveaLayers

extension Design {
    /// Szegedy et al. 2014, table 1.
    func googLeNet(auxiliaryClassifiers: Bool) throws(ShapeError) -> Model {
        func pooling(_ name: String) -> MaxPooling2D {
            MaxPooling2D(poolSize: 3, strides: 2, padding: .same, name: name)
        }
        // What the auxiliary classifiers stand on.
        var branches: [LayerOutput] = []
        return try model { images in
            var x = convolution("conv1", 64, 7, strides: 2)(images)
            x = alexNetNormalization(name: "norm1")(pooling("pool1")(x))
            x = convolution("conv2", 192, 3)(convolution("conv2_reduce", 64, 1)(x))
            x = pooling("pool2")(alexNetNormalization(name: "norm2")(x))
            x = inception("3a", 64, (96, 128), (16, 32), 32)(x)
            x = inception("3b", 128, (128, 192), (32, 96), 64)(x)
            x = pooling("pool3")(x)
            x = inception("4a", 192, (96, 208), (16, 48), 64)(x)
            branches.append(x)
            x = inception("4b", 160, (112, 224), (24, 64), 64)(x)
            x = inception("4c", 128, (128, 256), (24, 64), 64)(x)
            x = inception("4d", 112, (144, 288), (32, 64), 64)(x)
            branches.append(x)
            x = inception("4e", 256, (160, 320), (32, 128), 128)(x)
            x = pooling("pool4")(x)
            x = inception("5a", 256, (160, 320), (32, 128), 128)(x)
            return inception("5b", 384, (192, 384), (48, 128), 128)(x)
        } top: { x, classes in
            let main = Design.classified(x, classes, dropout: dropoutRate ?? 0.4)
            guard auxiliaryClassifiers else { return [main] }
            return [main]
                + zip(1..., branches).map {
                    auxiliaryClassifier("aux\($0)", classes, dropout(0.7, name: "aux\($0)_dropout"))($1)
                }
        }
    }
}

private func convolution(_ name: String, _ filters: Int, _ size: Size2D, strides: Size2D = 1) -> Conv2D {
    Conv2D(
        filters: filters, kernelSize: size, strides: strides, padding: .same, activation: .relu, name: name)
}

/// An inception module, figure 2b: side by side convolutions 1×1, 3×3 and 5×5 and pooling 3×3. The arguments are the filters
/// in the order of table 1: 1×1; those before 3×3, and 3×3; those before 5×5, and 5×5; those behind the pooling.
private func inception(
    _ name: String, _ ones: Int, _ threes: (Int, Int), _ fives: (Int, Int), _ pooled: Int
) -> (LayerOutput) -> LayerOutput {
    let name = "inception_\(name)"
    return { x in
        Concatenate(name: name)([
            convolution("\(name)_1x1", ones, 1)(x),
            convolution("\(name)_3x3", threes.1, 3)(convolution("\(name)_3x3_reduce", threes.0, 1)(x)),
            convolution("\(name)_5x5", fives.1, 5)(convolution("\(name)_5x5_reduce", fives.0, 1)(x)),
            convolution("\(name)_pool_proj", pooled, 1)(
                MaxPooling2D(poolSize: 3, strides: 1, padding: .same, name: "\(name)_pool")(x)),
        ])
    }
}

/// Section 5.
private func auxiliaryClassifier(
    _ name: String, _ classes: Int, _ dropout: Dropout
) -> (LayerOutput) -> LayerOutput {
    { x in
        var x = AveragePooling2D(poolSize: 5, strides: 3, name: "\(name)_pool")(x)
        x = Flatten(name: "\(name)_flatten")(convolution("\(name)_conv", 128, 1)(x))
        x = Dense(units: 1024, activation: .relu, name: "\(name)_fc")(x)
        x = dropout(x)
        return Dense(units: classes, activation: .softmax, name: "\(name)_predictions")(x)
    }
}
