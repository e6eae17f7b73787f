import FoveaGraph
import FoveaLayers

/// What is known of a network but its name. A new network is a case of `NamedNetwork`, a row here, and the function that makes
/// it.
struct NetworkRow {
    /// What it is, in a line.
    let summary: String
    /// The shape of the images that it was made for.
    let inputShape: Shape
    let classCount: Int
    var output = NamedNetwork.Output.classProbabilities
    /// The least height and width of an image.
    var smallestImage = 1
    let build: @Sendable (Design) throws(ShapeError) -> any ModelProtocol
}

extension NamedNetwork {
    var row: NetworkRow {
        switch self {
        case .fashionCNN:
            NetworkRow(
                summary: "two 3×3 convolutions, dropout; for Fashion-MNIST", inputShape: Self.digits,
                classCount: 10, smallestImage: 10
            ) { design throws(ShapeError) in try design.fashionCNN() }
        case .singleConv:
            NetworkRow(
                summary: "one 3×3 convolution, dropout twice; for Fashion-MNIST", inputShape: Self.digits,
                classCount: 10, smallestImage: 2
            ) { design throws(ShapeError) in try design.singleConv() }
        case .mnistCNN:
            NetworkRow(
                summary: "three 3×3 convolutions, dropout; for MNIST", inputShape: Self.digits,
                classCount: 10, smallestImage: 18
            ) { design throws(ShapeError) in try design.mnistCNN() }
        case .wideKernelCNN:
            NetworkRow(
                summary: "two 5×5 convolutions, 1,024 units, dropout, logits; for MNIST",
                inputShape: Self.digits, classCount: 10, output: .classLogits, smallestImage: 4
            ) { design throws(ShapeError) in try design.wideKernelCNN() }
        case .catsDogsCNN:
            NetworkRow(
                summary: "four 3×3 convolutions, dropout; for two classes of 150×150 photographs",
                inputShape: [150, 150, 3], classCount: 2, output: .binaryProbability, smallestImage: 46
            ) { design throws(ShapeError) in try design.catsDogsCNN() }
        case .softmaxRegression:
            NetworkRow(
                summary: "one dense layer, no convolution; the least that MNIST can be learned with",
                inputShape: Self.digits, classCount: 10
            ) { design throws(ShapeError) in try design.softmaxRegression() }
        case .leNet5:
            NetworkRow(
                summary: "LeCun et al. 1998; for digits", inputShape: Self.digits, classCount: 10,
                smallestImage: 12
            ) { design throws(ShapeError) in try design.leNet5() }
        case .alexNet:
            NetworkRow(
                summary: "Krizhevsky et al. 2012, with groups and normalization; for ImageNet",
                inputShape: [227, 227, 3], classCount: 1000, smallestImage: 67
            ) { design throws(ShapeError) in try design.alexNet() }
        case .alexNet2014:
            NetworkRow(
                summary: "Krizhevsky 2014, without groups and normalization; for ImageNet",
                inputShape: Self.photographs, classCount: 1000, smallestImage: 63
            ) { design throws(ShapeError) in try design.alexNet2014() }
        case .vgg16: Self.vgg(16, convolutions: [2, 2, 3, 3, 3])
        case .vgg19: Self.vgg(19, convolutions: [2, 2, 4, 4, 4])
        case .googLeNet:
            NetworkRow(
                summary: "Szegedy et al. 2014, inception modules; for ImageNet",
                inputShape: Self.photographs, classCount: 1000
            ) { design throws(ShapeError) in try design.googLeNet(auxiliaryClassifiers: false) }
        case .googLeNetAuxiliary:
            NetworkRow(
                summary: "the same with its two auxiliary classifiers, three outputs",
                inputShape: Self.photographs, classCount: 1000, smallestImage: 65
            ) { design throws(ShapeError) in try design.googLeNet(auxiliaryClassifiers: true) }
        case .resNet18: Self.resNet(18, .basic, counts: [2, 2, 2, 2])
        case .resNet34: Self.resNet(34, .basic, counts: [3, 4, 6, 3])
        case .resNet50: Self.resNet(50, .bottleneck(.keras), counts: [3, 4, 6, 3])
        case .resNet101: Self.resNet(101, .bottleneck(.keras), counts: [3, 4, 23, 3])
        case .resNet152: Self.resNet(152, .bottleneck(.keras), counts: [3, 8, 36, 3])
        case .resNet50Torch: Self.resNet(50, .bottleneck(.torchvision), counts: [3, 4, 6, 3])
        case .resNet101Torch: Self.resNet(101, .bottleneck(.torchvision), counts: [3, 4, 23, 3])
        case .resNet152Torch: Self.resNet(152, .bottleneck(.torchvision), counts: [3, 8, 36, 3])
        case .googLeNetTorch:
            NetworkRow(
                summary: "GoogLeNet as torchvision has it, with batch normalization; for ImageNet",
                inputShape: Self.photographs, classCount: 1000, smallestImage: 15
            ) { design throws(ShapeError) in try design.googLeNetOfTorchvision() }
        case .denseNet121:
            NetworkRow(
                summary: "Huang et al. 2017, 121 layers, each of which sees those before it; for ImageNet",
                inputShape: Self.photographs, classCount: 1000, smallestImage: 29
            ) { design throws(ShapeError) in try design.denseNet(counts: [6, 12, 24, 16]) }
        case .squeezeNet:
            NetworkRow(
                summary: "Iandola et al. 2016, version 1.1, few parameters; for ImageNet",
                inputShape: Self.photographs, classCount: 1000, smallestImage: 17
            ) { design throws(ShapeError) in try design.squeezeNet() }
        case .mobileNetV2: Self.mobileNetV2(.keras)
        case .mobileNetV2Torch: Self.mobileNetV2(.torchvision)
        case .efficientNetLite0: Self.efficientNetLite(0, size: 224, width: 1, depth: 1, dropoutRate: 0.2)
        case .efficientNetLite1: Self.efficientNetLite(1, size: 240, width: 1, depth: 1.1, dropoutRate: 0.2)
        case .efficientNetLite2: Self.efficientNetLite(2, size: 260, width: 1.1, depth: 1.2, dropoutRate: 0.3)
        case .efficientNetLite3: Self.efficientNetLite(3, size: 280, width: 1.2, depth: 1.4, dropoutRate: 0.3)
        case .efficientNetLite4: Self.efficientNetLite(4, size: 300, width: 1.4, depth: 1.8, dropoutRate: 0.3)
        case .cifarResNet20: Self.cifarResNet(20)
        case .cifarResNet32: Self.cifarResNet(32)
        case .cifarResNet44: Self.cifarResNet(44)
        case .cifarResNet56: Self.cifarResNet(56)
        case .cifarResNet110: Self.cifarResNet(110)
        }
    }

    /// MNIST's and Fashion-MNIST's.
    private static let digits: Shape = [28, 28, 1]
    /// ImageNet's.
    private static let photographs: Shape = [224, 224, 3]

    private static func vgg(_ layers: Int, convolutions: [Int]) -> NetworkRow {
        NetworkRow(
            summary: "Simonyan and Zisserman 2014, \(layers) layers; for ImageNet", inputShape: photographs,
            classCount: 1000, smallestImage: 32
        ) { design throws(ShapeError) in try design.vgg(convolutions: convolutions) }
    }

    private static func resNet(_ layers: Int, _ block: ResidualBlock, counts: [Int]) -> NetworkRow {
        let kind =
            switch block {
            case .basic: "basic blocks"
            case .bottleneck(.keras): "bottleneck blocks"
            case .bottleneck(.torchvision): "bottleneck blocks with torchvision's strides"
            }
        return NetworkRow(
            summary: "He et al. 2015, \(layers) layers in \(kind); for ImageNet",
            inputShape: photographs, classCount: 1000
        ) { design throws(ShapeError) in try design.resNet(block: block, counts: counts) }
    }

    private static func mobileNetV2(_ origin: Origin) -> NetworkRow {
        NetworkRow(
            summary:
                "Sandler et al. 2018, inverted residuals\(origin == .keras ? "" : ", torchvision's borders"); for ImageNet",
            inputShape: photographs, classCount: 1000
        ) { design throws(ShapeError) in try design.mobileNetV2(origin) }
    }

    private static func efficientNetLite(
        _ number: Int, size: Int, width: Double, depth: Double, dropoutRate: Double
    ) -> NetworkRow {
        NetworkRow(
            summary: "Tan and Le 2019, for mobile devices, size \(number); for ImageNet",
            inputShape: [size, size, 3], classCount: 1000
        ) { design throws(ShapeError) in
            try design.efficientNetLite(width: width, depth: depth, dropoutRate: dropoutRate)
        }
    }

    private static func cifarResNet(_ layers: Int) -> NetworkRow {
        NetworkRow(
            summary: "He et al. 2015, \(layers) layers; for CIFAR-10", inputShape: [32, 32, 3], classCount: 10
        ) { design throws(ShapeError) in try design.cifarResNet(depth: layers) }
    }
}
