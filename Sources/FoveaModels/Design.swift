import FoveaGraph
import FoveaLayers

/// What is common to the functions that make networks.
struct Design {
    /// How a network ends.
    enum Ending {
        case classes(Int)
        case features(FeaturePooling)
    }

    let name: String
    let input: Shape
    let ending: Ending
    let seed: UInt64
    /// The rate of all dropout layers; the network's own when nil.
    var dropoutRate: Double?
    /// What is done with the images first.
    var preparation: (any Layer)?

    func dropout(_ rate: Double, name: String? = nil) -> Dropout {
        Dropout(rate: dropoutRate ?? rate, name: name)
    }

    /// The pooling of features without top, if they are pooled.
    private var pooling: (any Layer)? {
        switch ending {
        case .classes, .features(.none): nil
        case .features(.average): GlobalAveragePooling2D(name: "avg_pool")
        case .features(.max): GlobalMaxPooling2D(name: "max_pool")
        }
    }

    /// A network whose layers follow one another.
    ///
    /// - Parameters:
    ///   - features: the layers up to the last features.
    ///   - top: the layers that tell the given number of classes from these.
    func sequential(
        @LayerBuilder features: () -> [any Layer], @LayerBuilder top: (_ classes: Int) -> [any Layer]
    ) throws(ShapeError) -> Sequential {
        try Sequential(name: name, input: input, seed: seed) {
            preparation
            for layer in features() { layer }
            switch ending {
            case .classes(let count): for layer in top(count) { layer }
            case .features: pooling
            }
        }
    }

    /// A network that is a graph of layers.
    ///
    /// - Parameters:
    ///   - features: the last features for the images.
    ///   - top: what the given number of classes gets for these.
    func model(
        features: (LayerOutput) -> LayerOutput,
        top: (_ features: LayerOutput, _ classes: Int) -> [LayerOutput] = { [classified($0, $1)] }
    ) throws(ShapeError) -> Model {
        let images = LayerOutput.input("inputs", input)
        let x = features(preparation.map { $0(images) } ?? images)
        let outputs =
            switch ending {
            case .classes(let count): top(x, count)
            case .features: [pooling.map { $0(x) } ?? x]
            }
        return try Model(inputs: [images], outputs: outputs, name: name, seed: seed)
    }

    /// The probability of each class by the mean of each channel.
    ///
    /// - Parameter dropout: the part of the means that is set to zero in training.
    static func classified(_ features: LayerOutput, _ classes: Int, dropout: Double? = nil) -> LayerOutput {
        var x = GlobalAveragePooling2D(name: "avg_pool")(features)
        if let dropout { x = Dropout(rate: dropout, name: "dropout")(x) }
        return Dense(units: classes, activation: .softmax, name: "predictions")(x)
    }
}

/// Whose form of a network it is, where theirs differ.
enum Origin {
    case keras, torchvision
}
