import FoveaFiles
import FoveaGraph
import FoveaLayers

/// The networks known by name: those that speed and accuracy are measured on, and published architectures.
///
/// ```swift
/// let classifier = try NamedNetwork.resNet18.model(input: [64, 64, 3], classes: 5)
/// let base = try NamedNetwork.vgg16.model(input: [150, 150, 3], includeTop: false)
/// ```
///
/// All take images `[height, width, channels]` of any size from `smallestImage` on and end with the probability of each
/// class, but for those whose `output` says otherwise. Parameter counts are those of `model()`; "without top" is
/// `model(includeTop: false)`. Data augmentation, learning rates and weight decay belong to training, so the papers' are
/// not part of these.
public enum NamedNetwork: String, CaseIterable, Sendable {
    // MARK: Measured networks

    case fashionCNN = "fashion-cnn"
    case singleConv = "single-conv"
    case mnistCNN = "mnist-cnn"
    case wideKernelCNN = "wide-kernel-cnn"
    case catsDogsCNN = "cats-dogs-cnn"
    case softmaxRegression = "softmax-regression"

    // MARK: Published architectures

    /// LeNet-5 in the form usual today: 61,706 parameters. LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning
    /// applied to document recognition", Proceedings of the IEEE 86(11), figure 2.
    ///
    /// | layer of the paper | here | output |
    /// |---|---|---|
    /// | input | 28×28×1 | 28×28×1 |
    /// | C1 | 6 convolutions 5×5 | 28×28×6 |
    /// | S2 | mean of 2×2 | 14×14×6 |
    /// | C3 | 16 convolutions 5×5 | 10×10×16 |
    /// | S4 | mean of 2×2 | 5×5×16 |
    /// | C5, F6 | 120 and 84 units | 120, 84 |
    /// | output | 10 units, softmax | 10 |
    ///
    /// The paper's images are 32×32, of which the outermost two pixels are empty; images with fewer than 32 rows or columns
    /// get this border from C1. Different from the paper (60,000 parameters): each filter of C3 sees all six channels, not
    /// those of table 1; S2 and S4 have no parameters and no sigmoid; tanh is not scaled by 1.7159 and 2/3; softmax
    /// replaces the distances to drawn digits.
    case leNet5 = "lenet5"

    /// AlexNet as published: 60,965,224 parameters. Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep
    /// convolutional neural networks", section 3.5.
    ///
    /// | layer | output for 227×227×3 |
    /// |---|---|
    /// | 96 convolutions 11×11, stride 4; normalization, pooling 3×3, stride 2 | 27×27×96 |
    /// | 256 convolutions 5×5 in 2 groups; normalization, pooling | 13×13×256 |
    /// | 384 convolutions 3×3 | 13×13×384 |
    /// | 384 convolutions 3×3 in 2 groups | 13×13×384 |
    /// | 256 convolutions 3×3 in 2 groups; pooling | 6×6×256 |
    /// | 4096 and 4096 units with dropout 0.5 | 4096 |
    /// | 1000 units, softmax | 1000 |
    ///
    /// The groups are what the paper's two GPUs computed. It says 224×224, but its first layer gives 55×55 for 227×227.
    case alexNet = "alexnet"

    /// AlexNet in one column, without groups and normalization, as torchvision has it: 61,100,840 parameters. Krizhevsky
    /// 2014, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997, footnote 1.
    ///
    /// For 224×224×3. The filters are 64, 192, 384, 256 and 256 (the paper has 384 in the fourth layer); dropout stands
    /// before the dense layers.
    case alexNet2014 = "alexnet-2014"

    /// VGG-16, configuration D: 138,357,544 parameters, 14,714,688 without top. Simonyan and Zisserman 2014, "Very deep
    /// convolutional networks for large-scale image recognition", arXiv:1409.1556, table 1.
    ///
    /// | block | convolutions 3×3, then pooling 2×2 | output for 224×224×3 |
    /// |---|---|---|
    /// | `block1` | 2 of 64 | 112×112×64 |
    /// | `block2` | 2 of 128 | 56×56×128 |
    /// | `block3` | 3 of 256 | 28×28×256 |
    /// | `block4` | 3 of 512 | 14×14×512 |
    /// | `block5` | 3 of 512 | 7×7×512 |
    /// | `fc1`, `fc2` | 4096 units each | 4096 |
    /// | `predictions` | 1000 units, softmax | 1000 |
    ///
    /// Names and layers are Keras's: unlike the paper's, without dropout.
    case vgg16

    /// VGG-19, configuration E: as `vgg16` with four convolutions in the last three blocks. 143,667,240 parameters,
    /// 20,024,384 without top.
    case vgg19

    /// GoogLeNet: 6,998,552 parameters, 5,973,552 without top. Szegedy et al. 2014, "Going deeper with convolutions",
    /// arXiv:1409.4842, table 1.
    ///
    /// | layer | output for 224×224×3 |
    /// |---|---|
    /// | 64 convolutions 7×7, stride 2; pooling 3×3, stride 2; normalization | 56×56×64 |
    /// | 64 convolutions 1×1, 192 convolutions 3×3; normalization; pooling | 28×28×192 |
    /// | inception 3a, 3b; pooling | 14×14×480 |
    /// | inception 4a, 4b, 4c, 4d, 4e; pooling | 7×7×832 |
    /// | inception 5a, 5b; mean of each channel, dropout 0.4 | 1024 |
    /// | 1000 units, softmax | 1000 |
    ///
    /// Local response normalization is AlexNet's, because the paper does not say its settings.
    case googLeNet = "googlenet"

    /// `googLeNet` with the two auxiliary classifiers of its training as second and third output: 13,378,280 parameters.
    ///
    /// They stand on 4a and 4d: mean of 5×5 with stride 3, 128 convolutions 1×1, 1024 units, dropout 0.7, 1000 units,
    /// softmax. The paper adds their losses, weighted 0.3, and drops them in inference. Without top it is `googLeNet`.
    case googLeNetAuxiliary = "googlenet-auxiliary"

    /// ResNet-18: 11,689,512 parameters that are learned, 11,176,512 without top. He, Zhang, Ren and Sun 2015, "Deep residual
    /// learning for image recognition", arXiv:1512.03385, table 1.
    ///
    /// | layer | blocks of ResNet-18, 34 | output for 224×224×3 |
    /// |---|---|---|
    /// | `conv1` | 64 convolutions 7×7, stride 2; pooling 3×3, stride 2 | 56×56×64 |
    /// | `conv2` | 2, 3 of two 3×3 with 64 filters | 56×56×64 |
    /// | `conv3` | 2, 4 with 128 | 28×28×128 |
    /// | `conv4` | 2, 6 with 256 | 14×14×256 |
    /// | `conv5` | 2, 3 with 512 | 7×7×512 |
    /// | mean of each channel | | 512 |
    /// | `predictions` | 1000 units, softmax | 1000 |
    ///
    /// Shapes change by projections (the paper's option B). Padding and batch normalization are torchvision's; layers are
    /// named as in `resNet50`.
    case resNet18 = "resnet18"

    /// ResNet-34: see `resNet18`. 21,797,672 parameters that are learned, 21,284,672 without top.
    case resNet34 = "resnet34"

    /// ResNet-50 as Keras has it: 25,636,712 parameters, 23,587,712 without top. He et al. 2015, arXiv:1512.03385, table 1.
    ///
    /// | layer | blocks of ResNet-50, 101, 152 | output for 224×224×3 |
    /// |---|---|---|
    /// | `conv1` | 64 convolutions 7×7, stride 2; pooling 3×3, stride 2 | 56×56×64 |
    /// | `conv2` | 3, 3, 3 of 1×1, 3×3, 1×1 with 64, 64, 256 filters | 56×56×256 |
    /// | `conv3` | 4, 4, 8 with 128, 128, 512 | 28×28×512 |
    /// | `conv4` | 6, 23, 36 with 256, 256, 1024 | 14×14×1024 |
    /// | `conv5` | 3, 3, 3 with 512, 512, 2048 | 7×7×2048 |
    /// | `avg_pool`: mean of each channel | | 2048 |
    /// | `predictions` | 1000 units, softmax | 1000 |
    ///
    /// The stride is that of a block's first convolution, as in the paper. As in Keras and unlike the paper, convolutions
    /// have biases. The counts include moving averages: 53,120, 105,344 and 151,424 numbers that are not learned.
    case resNet50 = "resnet50"

    /// ResNet-101: see `resNet50`. 44,707,176 parameters, 42,658,176 without top.
    case resNet101 = "resnet101"

    /// ResNet-152: see `resNet50`. 60,419,944 parameters, 58,370,944 without top.
    case resNet152 = "resnet152"

    /// ResNet-50 "v1.5", as torchvision has it: 25,557,032 parameters that are learned, 23,508,032 without top. As `resNet50`,
    /// but strides are those of a block's 3×3 convolution, convolutions have no biases, and epsilon is 1e-5: weights of one
    /// give wrong results in the other.
    case resNet50Torch = "resnet50-torch"

    /// ResNet-101 "v1.5": see `resNet50Torch`. 44,549,160 parameters that are learned, 42,500,160 without top.
    case resNet101Torch = "resnet101-torch"

    /// ResNet-152 "v1.5": see `resNet50Torch`. 60,192,808 parameters that are learned, 58,143,808 without top.
    case resNet152Torch = "resnet152-torch"

    /// GoogLeNet as torchvision has it: 6,624,904 parameters that are learned, 5,599,904 without top. Different from `googLeNet`:
    /// batch normalization behind each convolution (Ioffe and Szegedy 2015, arXiv:1502.03167), 3×3 where the paper has 5×5
    /// convolutions, no local response normalization, no border under pooling, dropout 0.2.
    case googLeNetTorch = "googlenet-torch"

    /// DenseNet-121 as Keras has it: 8,062,504 parameters, 7,037,504 without top. Huang, Liu, van der Maaten and Weinberger
    /// 2017, "Densely connected convolutional networks", arXiv:1608.06993, table 1.
    ///
    /// | layer | output for 224×224×3 |
    /// |---|---|
    /// | `conv1`: 64 convolutions 7×7, stride 2; pooling 3×3, stride 2 | 56×56×64 |
    /// | `conv2`: 6 times 1×1 with 128 and 3×3 with 32 filters; `pool2`: 1×1, mean of 2×2 | 28×28×128 |
    /// | `conv3`: 12 times; `pool3` | 14×14×256 |
    /// | `conv4`: 24 times; `pool4` | 7×7×512 |
    /// | `conv5`: 16 times | 7×7×1024 |
    /// | mean of each channel | 1024 |
    /// | `predictions`: 1000 units, softmax | 1000 |
    ///
    /// Each layer of a block sees what all before it gave. torchvision's is the same but for an epsilon of 1e-5, not 1.001e-5.
    case denseNet121 = "densenet121"

    /// SqueezeNet 1.1 as torchvision has it: 1,235,496 parameters, 722,496 without top. Iandola et al. 2016, "SqueezeNet:
    /// AlexNet-level accuracy with 50x fewer parameters", arXiv:1602.07360.
    ///
    /// | layer | output for 224×224×3 |
    /// |---|---|
    /// | 64 convolutions 3×3, stride 2; pooling 3×3, stride 2 | 55×55×64 |
    /// | `fire2`, `fire3`; pooling | 27×27×128 |
    /// | `fire4`, `fire5`; pooling | 13×13×256 |
    /// | `fire6`, `fire7`, `fire8`, `fire9` | 13×13×512 |
    /// | dropout 0.5, 1000 convolutions 1×1, mean of each channel, softmax | 1000 |
    ///
    /// Version 1.1 needs 2.4 times fewer operations than the paper's: 64 filters 3×3 at first, not 96 of 7×7, and earlier pooling.
    case squeezeNet = "squeezenet"

    /// MobileNetV2 as Keras has it: 3,538,984 parameters, 2,257,984 without top. Sandler, Howard, Zhu, Zhmoginov and Chen 2018,
    /// "MobileNetV2: Inverted residuals and linear bottlenecks", arXiv:1801.04381, table 2.
    ///
    /// | layer | output for 224×224×3 |
    /// |---|---|
    /// | `Conv1`: 32 convolutions 3×3, stride 2 | 112×112×32 |
    /// | `expanded_conv`: 3×3 of each channel, 16 convolutions 1×1 | 112×112×16 |
    /// | 2 blocks that widen 6 times, 3×3, to 24 channels | 56×56×24 |
    /// | 3 to 32 | 28×28×32 |
    /// | 4 to 64, 3 to 96 | 14×14×96 |
    /// | 3 to 160, 1 to 320 | 7×7×320 |
    /// | `Conv_1`: 1280 convolutions 1×1, mean of each channel | 1280 |
    /// | `predictions`: 1000 units, softmax | 1000 |
    ///
    /// ReLU6 behind all but the last convolution of a block.
    case mobileNetV2 = "mobilenet-v2"

    /// MobileNetV2 as torchvision has it: `mobileNetV2` with the same border on all sides under strides, epsilon 1e-5 and
    /// dropout 0.2. 3,504,872 parameters that are learned. Weights of one do not fit the other.
    case mobileNetV2Torch = "mobilenet-v2-torch"

    /// EfficientNet-Lite0: 4,652,008 parameters that are learned, 3,371,008 without top. Tan and Le 2019, "EfficientNet:
    /// Rethinking model scaling for convolutional neural networks", arXiv:1905.11946, table 1, in the form that the authors
    /// published for mobile devices in 2020.
    ///
    /// | layer | output for 224×224×3 |
    /// |---|---|
    /// | `stem`: 32 convolutions 3×3, stride 2 | 112×112×32 |
    /// | `block1`: 3×3 of each channel, 16 convolutions 1×1 | 112×112×16 |
    /// | `block2`: 2 that widen 6 times, 3×3, to 24 channels | 56×56×24 |
    /// | `block3`: 2 with 5×5 to 40 | 28×28×40 |
    /// | `block4`, `block5`: 3 with 3×3 to 80, 3 with 5×5 to 112 | 14×14×112 |
    /// | `block6`, `block7`: 4 with 5×5 to 192, 1 with 3×3 to 320 | 7×7×320 |
    /// | `top`: 1280 convolutions 1×1, mean of each channel, dropout 0.2 | 1280 |
    /// | `predictions`: 1000 units, softmax | 1000 |
    ///
    /// ReLU6 behind all but the last convolution of a block, no squeeze and excitation. Layers are named as in Keras's
    /// EfficientNet. Dropping whole blocks in training (stochastic depth) is not part of it.
    case efficientNetLite0 = "efficientnet-lite0"

    /// EfficientNet-Lite1 for 240×240: `efficientNetLite0` with 1.1 times the blocks. 5,416,680 parameters that are learned.
    case efficientNetLite1 = "efficientnet-lite1"

    /// EfficientNet-Lite2 for 260×260: 1.1 times the filters, 1.2 times the blocks, dropout 0.3. 6,092,072 parameters that are
    /// learned.
    case efficientNetLite2 = "efficientnet-lite2"

    /// EfficientNet-Lite3 for 280×280: 1.2 times the filters, 1.4 times the blocks, dropout 0.3. 8,197,096 parameters that are
    /// learned.
    case efficientNetLite3 = "efficientnet-lite3"

    /// EfficientNet-Lite4 for 300×300: 1.4 times the filters, 1.8 times the blocks, dropout 0.3. 13,006,568 parameters that are
    /// learned.
    case efficientNetLite4 = "efficientnet-lite4"

    /// The residual network for CIFAR-10 with 20 layers: 274,442 parameters. He et al. 2015, arXiv:1512.03385, section 4.2.
    ///
    /// | layer | output for 32×32×3 |
    /// |---|---|
    /// | `conv1`: 16 convolutions 3×3 | 32×32×16 |
    /// | `conv2`: n blocks of two 3×3 with 16 filters | 32×32×16 |
    /// | `conv3`: n with 32, the first with stride 2 | 16×16×32 |
    /// | `conv4`: n with 64, the first with stride 2 | 8×8×64 |
    /// | mean of each channel | 64 |
    /// | `predictions`: 10 units, softmax | 10 |
    ///
    /// These are `6n + 2` layers. As in Keras's example, shapes change by projections (the paper's option B; its own
    /// experiment has option A, which has no parameters, and 0.27 million in all) and convolutions have biases.
    case cifarResNet20 = "cifar-resnet20"

    /// See `cifarResNet20`. 470,218 parameters.
    case cifarResNet32 = "cifar-resnet32"

    /// See `cifarResNet20`. 665,994 parameters.
    case cifarResNet44 = "cifar-resnet44"

    /// See `cifarResNet20`. 861,770 parameters.
    case cifarResNet56 = "cifar-resnet56"

    /// See `cifarResNet20`. 1,742,762 parameters.
    case cifarResNet110 = "cifar-resnet110"

    /// The networks of the measurements of speed and accuracy.
    public static let measured: [NamedNetwork] = [
        .fashionCNN, .singleConv, .mnistCNN, .wideKernelCNN, .catsDogsCNN, .softmaxRegression,
    ]

    /// What a network's output means, and so which loss it is trained with.
    public enum Output: Hashable, Sendable {
        /// A probability for each class (sparse categorical cross-entropy).
        case classProbabilities
        /// A number for each class, of which softmax makes probabilities (the same, from logits).
        case classLogits
        /// The probability of the second of two classes (binary cross-entropy).
        case binaryProbability
    }

    /// The network called `name`.
    ///
    /// - Throws: `UnknownNetworkError`, with the nearest name.
    public static func named(_ name: String) throws(UnknownNetworkError) -> NamedNetwork {
        guard let network = NamedNetwork(rawValue: name) else { throw UnknownNetworkError(name: name) }
        return network
    }

    /// What it is, in a line.
    public var summary: String { row.summary }
}

/// A network was asked for that does not exist.
public struct UnknownNetworkError: Error, Hashable, Sendable, CustomStringConvertible {
    public let name: String
    /// The network that was probably meant.
    public let suggestion: String?

    init(name: String) {
        self.name = name
        suggestion = nearestName(to: name, among: NamedNetwork.allCases.map(\.rawValue))
    }

    public var description: String {
        visible(
            "there is no network '\(name)'; "
                + adviceOnName(name, among: NamedNetwork.allCases.map(\.rawValue)))
    }
}
