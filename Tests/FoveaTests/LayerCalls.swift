import Fovea
import Testing

/// The layers in the guides' tables.
@Suite struct LayerCalls {
    @Test func keras() {
        let layers: [any Layer] = [
            Dense(units: 128, activation: .relu),
            Conv1D(filters: 8, kernelSize: 3, padding: .causal),
            Conv2D(filters: 8, kernelSize: [3, 5], strides: 2, padding: .same),
            Conv1DTranspose(filters: 8, kernelSize: 3),
            Conv2DTranspose(filters: 8, kernelSize: 3, strides: 2),
            DepthwiseConv1D(kernelSize: 3), DepthwiseConv2D(kernelSize: 3),
            SeparableConv1D(filters: 8, kernelSize: 3), SeparableConv2D(filters: 8, kernelSize: 3),
            MaxPooling2D(poolSize: 2), AveragePooling2D(poolSize: 3, strides: 2),
            GlobalAveragePooling2D(), GlobalMaxPooling2D(keepDims: true),
            AdaptiveAveragePooling2D(outputSize: 7), AdaptiveMaxPooling2D(outputSize: 7),
            ZeroPadding2D(padding: 1), Cropping2D(cropping: 1), UpSampling2D(size: 2),
            Flatten(), Reshape(targetShape: [7, 7, 16]), Permute(dims: [2, 1]), RepeatVector(n: 3),
            Dropout(rate: 0.5), SpatialDropout2D(rate: 0.2), AlphaDropout(rate: 0.1),
            GaussianNoise(stddev: 0.1), GaussianDropout(rate: 0.1),
            BatchNormalization(momentum: 0.99, epsilon: 1e-3),
            LayerNormalization(), GroupNormalization(groups: 8), UnitNormalization(), RMSNormalization(),
            Add(), Subtract(), Multiply(), Average(), Maximum(), Minimum(), Dot(axes: 1),
            Concatenate(axis: -1), Activation(.tanh), Softmax(),
            ReLU(maxValue: 6), LeakyReLU(negativeSlope: 0.3), PReLU(sharedAxes: [1, 2]), ELU(alpha: 1),
            Lambda { x in try x * 2 - 1 }, Identity(), ActivityRegularization(l2: 0.01),
            Rescaling(scale: 2, offset: -1), Normalization(mean: [0.5], variance: [0.1]),
            Resizing(height: 64, width: 64), CenterCrop(height: 56, width: 56),
            RandomFlip(mode: .horizontal), RandomRotation(factor: 0.1), RandomZoom(heightFactor: 0.2),
            Dense(units: 8, kernelInitializer: .heNormal), Dense(units: 8, kernelRegularizer: .l2(1e-4)),
            Dense(units: 8, kernelConstraint: .maxNorm(2)),
        ]
        #expect(layers.allSatisfy { $0.parameters.allSatisfy { $0.parameter.variable == nil } })
    }

    @Test func pyTorch() {
        let layers: [any Layer] = [
            Dense(units: 10), Conv2D(filters: 8, kernelSize: 3, padding: .same),
            Conv2D(filters: 8, kernelSize: 3, useBias: false),
            Dense(
                units: 10, kernelInitializer: .varianceScaling(scale: 1.0 / 3, distribution: .uniform)),
            Conv2DTranspose(filters: 8, kernelSize: 2, strides: 2), AveragePooling2D(poolSize: 2),
            BatchNormalization(momentum: 0.9, epsilon: 1e-5), LayerNormalization(epsilon: 1e-5),
            GroupNormalization(groups: 4, epsilon: 1e-5),
            LocalResponseNormalization(depthRadius: 2, alpha: 1e-4 / 5, beta: 0.75),
            ReLU(), Activation(.gelu), Activation(.swish), LeakyReLU(negativeSlope: 0.01),
            PReLU(sharedAxes: [1, 2], alphaInitializer: .constant(0.25)), Activation(.logSoftmax),
            Normalization(mean: [0.485, 0.456, 0.406], variance: [0.052, 0.050, 0.051]),
            Dense(units: 10, kernelRegularizer: .l2(5e-5)),
        ]
        #expect(layers.allSatisfy { $0.parameters.allSatisfy { $0.parameter.variable == nil } })
    }
}
