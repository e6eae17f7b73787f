import FoveaGraph
import FoveaLayers

/// The networks that the command knows by name. Speed and accuracy are measured on them.
public enum NamedNetwork: String, CaseIterable, Sendable {
    case fashionCNN = "fashion-cnn"
    case singleConv = "single-conv"
    case mnistCNN = "mnist-cnn"
    case wideKernelCNN = "wide-kernel-cnn"
    case catsDogsCNN = "cats-dogs-cnn"
    case softmaxRegression = "softmax-regression"

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
    public var summary: String {
        switch self {
        case .fashionCNN: "two 3×3 convolutions, dropout; for Fashion-MNIST"
        case .singleConv: "one 3×3 convolution, dropout twice; for Fashion-MNIST"
        case .mnistCNN: "three 3×3 convolutions, dropout; for MNIST"
        case .wideKernelCNN: "two 5×5 convolutions, 1,024 units, dropout, logits; for MNIST"
        case .catsDogsCNN: "four 3×3 convolutions, dropout; for two classes of 150×150 photographs"
        case .softmaxRegression: "one dense layer, no convolution; the least that MNIST can be learned with"
        }
    }

    /// The shape of one example: height, width, channels.
    public var inputShape: Shape { self == .catsDogsCNN ? [150, 150, 3] : [28, 28, 1] }

    /// How many numbers it gives for an example.
    public var outputCount: Int { self == .catsDogsCNN ? 1 : 10 }

    public var output: Output {
        switch self {
        case .catsDogsCNN: .binaryProbability
        case .wideKernelCNN: .classLogits
        default: .classProbabilities
        }
    }

    /// The network, built.
    ///
    /// - Parameter seed: the same seed gives the same first values, bit for bit.
    public func model(seed: UInt64 = 0) throws(ShapeError) -> Sequential {
        try Sequential(
            name: rawValue.split(separator: "-").joined(separator: "_"), input: inputShape, seed: seed
        ) {
            switch self {
            case .fashionCNN:
                Conv2D(filters: 32, kernelSize: 3, activation: .relu)
                MaxPooling2D()
                Conv2D(filters: 64, kernelSize: 3, activation: .relu)
                MaxPooling2D()
                Flatten()
                Dense(units: 128, activation: .relu)
                Dropout(rate: 0.5)
                Dense(units: outputCount, activation: .softmax)
            case .singleConv:
                Conv2D(filters: 32, kernelSize: 3, padding: .same, activation: .relu)
                MaxPooling2D()
                Dropout(rate: 0.25)
                Flatten()
                Dense(units: 128, activation: .relu)
                Dropout(rate: 0.25)
                Dense(units: outputCount, activation: .softmax)
            case .mnistCNN:
                Conv2D(filters: 32, kernelSize: 3, activation: .relu)
                MaxPooling2D()
                Conv2D(filters: 64, kernelSize: 3, activation: .relu)
                MaxPooling2D()
                Conv2D(filters: 64, kernelSize: 3, activation: .relu)
                Flatten()
                Dense(units: 64, activation: .relu)
                Dropout(rate: 0.5)
                Dense(units: outputCount, activation: .softmax)
            case .wideKernelCNN:
                Conv2D(filters: 32, kernelSize: 5, padding: .same, activation: .relu)
                MaxPooling2D()
                Conv2D(filters: 64, kernelSize: 5, padding: .same, activation: .relu)
                MaxPooling2D()
                Flatten()
                Dense(units: 1024, activation: .relu)
                Dropout(rate: 0.5)
                Dense(units: outputCount)
            case .catsDogsCNN:
                for filters in [32, 64, 128, 128] {
                    Conv2D(filters: filters, kernelSize: 3, activation: .relu)
                    MaxPooling2D()
                }
                Flatten()
                Dropout(rate: 0.5)
                Dense(units: 512, activation: .relu)
                Dense(units: outputCount, activation: .sigmoid)
            case .softmaxRegression:
                Flatten()
                Dense(units: outputCount, activation: .softmax)
            }
        }
    }
}

/// A network was asked for that does not exist.
public struct UnknownNetworkError: Error, Hashable, Sendable, CustomStringConvertible {
    public let name: String
    /// The network that was probably meant.
    public let suggestion: String?

    init(name: String) {
        self.name = String(name.prefix(60))
        suggestion = nearestName(to: self.name, among: NamedNetwork.allCases.map(\.rawValue))
    }

    public var description: String {
        let advice =
            suggestion.map { "did you mean '\($0)'?" }
            ?? "known are " + NamedNetwork.allCases.map(\.rawValue).joined(separator: ", ")
        return "there is no network '\(name)'; \(advice)"
    }
}
