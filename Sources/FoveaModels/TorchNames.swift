extension NamedNetwork {
    /// How torchvision names the layers of this network, and for EfficientNet-Lite the package efficientnet-lite-pytorch and timm; nil
    /// when none has the same structure.
    ///
    /// Its ResNet-50, 101 and 152 are `resNet50Torch` and so on. Those of `resNet50` have the stride in another convolution: weights
    /// would fit and results be wrong.
    public var torchMapping: WeightMapping? {
        switch self {
        case .vgg16: Self.vggNames(convolutions: [2, 2, 3, 3, 3])
        case .vgg19: Self.vggNames(convolutions: [2, 2, 4, 4, 4])
        case .alexNet2014:
            WeightMapping(
                zip([0, 3, 6, 8, 10], 1...).map { ("features.\($0)", "conv\($1)") }
                    + zip([1, 4, 6], ["fc6", "fc7", "predictions"]).map { ("classifier.\($0)", $1) })
        case .resNet18, .resNet34, .resNet50Torch, .resNet101Torch, .resNet152Torch: Self.resNetNames
        case .googLeNetTorch: .torchGoogLeNet
        case .denseNet121: .torchDenseNet
        case .squeezeNet: .torchSqueezeNet
        case .mobileNetV2Torch: .torchMobileNetV2
        case .efficientNetLite0: .torchEfficientNetLite(depth: 1)
        case .efficientNetLite1: .torchEfficientNetLite(depth: 1.1)
        case .efficientNetLite2: .torchEfficientNetLite(depth: 1.2)
        case .efficientNetLite3: .torchEfficientNetLite(depth: 1.4)
        case .efficientNetLite4: .torchEfficientNetLite(depth: 1.8)
        default: nil
        }
    }

    /// Each convolution is followed by a ReLU and each block by a pooling, which are numbered, too.
    private static func vggNames(convolutions: [Int]) -> WeightMapping {
        var names: [(module: String, layer: String)] = []
        var place = 0
        for (block, count) in zip(1..., convolutions) {
            for number in 1...count {
                names.append(("features.\(place)", "block\(block)_conv\(number)"))
                place += 2
            }
            place += 1
        }
        return WeightMapping(
            names + [("classifier.0", "fc1"), ("classifier.3", "fc2"), ("classifier.6", "predictions")])
    }

    private static let resNetNames: WeightMapping = [
        "conv1": "conv1_conv", "bn1": "conv1_bn",
        // Before the general ones, which fit these names of layers, too.
        "layer{s}.{b}.downsample.0": "conv{s+1}_block{b+1}_0_conv",
        "layer{s}.{b}.downsample.1": "conv{s+1}_block{b+1}_0_bn",
        "layer{s}.{b}.conv{n}": "conv{s+1}_block{b+1}_{n}_conv",
        "layer{s}.{b}.bn{n}": "conv{s+1}_block{b+1}_{n}_bn",
        "fc": "predictions",
    ]
}
