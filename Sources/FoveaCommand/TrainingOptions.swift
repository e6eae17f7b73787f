import ArgumentParser
import Fovea

/// How the command trains.
struct TrainingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "\(builtInOptimizers.map { $0.name }.joined(separator: ", ")); with settings, such as "
                + "sgd,momentum=0.9,nesterov=true (default: that of --from, or adam).", valueName: "name"))
    var optimizer: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Step size (default: the optimizer's, such as 0.001 for adam).", valueName: "rate")
    )
    var learningRate: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The part of every weight that is taken away at each step, in units of the step size.",
            valueName: "part"))
    var weightDecay: Double?

    @Option(
        help: ArgumentHelp(
            "How the step size changes, from --learning-rate on: cosine[,warmup=EPOCHS][,alpha=PART], "
                + "cosine-restarts[,first=EPOCHS][,longer=FACTOR][,lower=FACTOR][,alpha=PART], "
                + "step[,every=EPOCHS][,rate=FACTOR], exponential[,rate=FACTOR], polynomial[,end=RATE][,power=P] or "
                + "one-cycle[,warmup=PART] (default: not at all).", valueName: "name"))
    var schedule: String?

    @Option(
        help: ArgumentHelp(
            "Make large gradients smaller: norm=LIMIT of each, global-norm=LIMIT of all, value=LIMIT of each element.",
            valueName: "limit"))
    var clip: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many batches make one step of the optimizer.", valueName: "batches"))
    var accumulate = 1

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Cut each batch into so many parts, a power of two, whose gradients are computed one by one; the model is then the same, "
                + "bit for bit, for any number of processes that mpirun starts (default: 1; with mpirun 8).",
            valueName: "count"))
    var shards: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "With mpirun: how long a process may keep the others waiting before training ends.",
            valueName: "seconds"))
    var rankTimeout = 60

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Keep a moving average of the weights, which has so much of the average before at each step, such as 0.99, and "
                + "save and test that.", valueName: "part"))
    var averageWeights: Double?

    @Option(
        help: ArgumentHelp(
            "How much the examples of classes count: balanced, or by name or number, such as cats=2,dogs=1.",
            valueName: "weights"))
    var classWeights: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Mix each picture with another of its batch, and their classes, by shares drawn from Beta(ALPHA, ALPHA); 0.2 is usual.",
            valueName: "alpha"))
    var mixup: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "End when the loss, with --validation that of validation, was not better for so many epochs, with the weights of "
                + "the best epoch.", valueName: "epochs"))
    var earlyStopping: Int?

    @Option(
        help: ArgumentHelp(
            "Also write the best model so far to this file, by the loss, with --validation that of validation.",
            valueName: "file"), transform: filePath)
    var saveBest: String?

    func validate() throws {
        _ = try chosenOptimizer(instead: nil)
        _ = try clip.map(parsedClipping)
        _ = try schedule.map { try parsedSchedule($0, learningRate: 0.1, epochs: 1, stepsPerEpoch: 1) }
        _ = try averaging()
        if averageWeights != nil, earlyStopping != nil {
            throw ValidationError(
                "--average-weights and --early-stopping exclude each other: the one ends with averages, the other with the "
                    + "weights of the best epoch")
        }
        if let mixup, !BatchMixing.alphas.contains(mixup) {
            throw ValidationError(
                "--mixup must be from 0.001 to 1000, such as 0.2, not \(mixup)")
        }
        try checkPositive("--accumulate", accumulate)
        try checkPositive("--shards", shards)
        try checkPositive("--rank-timeout", rankTimeout)
        try checkPositive("--early-stopping", earlyStopping)
    }

    func averaging() throws -> WeightAveraging? {
        guard let averageWeights else { return nil }
        let averaging = WeightAveraging(momentum: averageWeights)
        do { try averaging.checkSettings() } catch { throw ValidationError("--average-weights: \(error)") }
        return averaging
    }

    /// Those that end training or write the best model.
    ///
    /// - Parameters:
    ///   - validates: whether there is validation data.
    ///   - model: what is written in the place of the model that is trained, of which that is a part.
    func callbacks(
        validates: Bool, classNames: [String], model: (any ModelProtocol)?
    ) -> [any Callback] {
        let monitor = validates ? "val_loss" : "loss"
        let stopping = earlyStopping.map {
            EarlyStopping(monitor: monitor, patience: $0, restoreBest: true) as any Callback
        }
        let saving = saveBest.map {
            ModelCheckpoint($0, monitor: monitor, saveBestOnly: true, classNames: classNames, model: model)
                as any Callback
        }
        return [saving, stopping].compactMap(\.self)
    }

    /// - Parameter usual: what is taken when none was named.
    func chosenOptimizer(instead usual: (any Optimizer)?) throws -> any Optimizer {
        if let learningRate, !learningRate.isFinite || learningRate < 0 {
            throw ValidationError(
                "--learning-rate must be a number from 0 up, such as 0.001, not \(learningRate)")
        }
        if optimizer == nil, var usual {
            if let learningRate { usual.learningRate = learningRate }
            if let weightDecay { usual.weightDecay = weightDecay }
            do { try usual.checkSettings() } catch { throw ValidationError("\(error)") }
            return usual
        }
        return try parsedOptimizer(
            optimizer ?? Adam.name, learningRate: learningRate, weightDecay: weightDecay)
    }
}
