import ArgumentParser
import Fovea

/// How the command trains a new head on a network that was trained before.
struct TransferOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Train a new head on this base, which stays as it is: a network's name, or a model file, of which all behind the last "
                + "layer that gives images is left out.", valueName: "name or file"))
    var base: String?

    @Option(
        help: ArgumentHelp("The weights of a base known by name, from a file.", valueName: "file"),
        transform: filePath)
    var baseWeights: String?

    @Option(
        help: ArgumentHelp(
            "The layers between the base's features and the classes, such as dense:256,dropout:0.5, behind a mean over each "
                + "channel, or, if it begins with it, flatten (default: none).", valueName: "layers"))
    var head: String?

    @Option(
        help: ArgumentHelp(
            "Then also train the base from this layer on, or all of it, with a small step size.",
            valueName: "layer or all"))
    var fineTune: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("For how many epochs (default: 5).", valueName: "count"))
    var fineTuneEpochs: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("With this step size, of Adam (default: 0.00001).", valueName: "rate"))
    var fineTuneRate: Double?

    var fineTuning: FineTuning? {
        fineTune.map { FineTuning(from: $0, epochs: fineTuneEpochs ?? 5, learningRate: fineTuneRate ?? 1e-5) }
    }

    func validate() throws {
        _ = try HeadLayers(head)
        try checkPositive("--fine-tune-epochs", fineTuneEpochs)
        if let fineTuneRate, !(fineTuneRate.isFinite && fineTuneRate > 0) {
            throw ValidationError(
                "--fine-tune-rate must be a positive number, such as 0.00001, not \(fineTuneRate)")
        }
        if fineTune == nil, fineTuneEpochs != nil || fineTuneRate != nil {
            throw ValidationError(
                "--fine-tune-epochs and --fine-tune-rate need --fine-tune, the layer to train from, or all")
        }
        if base == nil, baseWeights != nil || head != nil || fineTune != nil {
            throw ValidationError(
                "--base-weights, --head and --fine-tune need --base, the network to begin with")
        }
        if let base, baseWeights != nil, StartingNetwork.isPath(base) {
            throw ValidationError(
                "--base-weights is for bases known by name; the model in \(base) has its weights")
        }
    }
}

/// What is trained of the base behind the head.
struct FineTuning {
    /// A layer's name, or `all`.
    let from: String
    let epochs: Int
    let learningRate: Double

    /// Freezes what stays as it is: all layers before the one named, and batch normalisation everywhere, whose averages are better
    /// than those of the few pictures here.
    func unfreeze(_ model: any ModelProtocol) throws {
        if from == "all" {
            model.isTrainable = true
        } else {
            do { try model.setTrainable(from: from) } catch {
                throw ValidationError("--fine-tune \(from): \(error)")
            }
        }
        func freezeNormalization(_ layer: any Layer) {
            if layer is BatchNormalization { layer.isTrainable = false }
            for (_, inner) in layer.namedLayers { freezeNormalization(inner) }
        }
        freezeNormalization(model)
    }
}
