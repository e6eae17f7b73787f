import ArgumentParser
import Foundation
import Fovea

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a network on a data set or on pictures and save the model.",
        usage: "fovea train <dataset or folder> [<options>]",
        discussion: """
            The pictures of a folder are in a folder for each class, such as pets/cats/1.jpg, or so below 'train' and, if \
            there are any, 'validation' and 'test'.

            Writes model.safetensors, history.csv and metrics.json into the output folder and ends with the line \
            'test accuracy 0.xxxx' if there are test images. Interrupt (Ctrl-C) to end after the current step with the model saved.

            Results that cannot be written there at the end are written to a new folder beside the checkpoint, in the current folder \
            or in that for temporary files, which the message names; the exit code is then 1.

            With --base a new classifier is trained on the features of a network that was trained before: \
            'fovea train pets --base efficientnet-lite0'. These are computed once unless pictures change at random. The saved model \
            is one whole, from pictures to classes.

            With --checkpoint FILE a training that was interrupted or killed goes on where it was when the same command \
            is given again, and comes to the same model, bit for bit. It is refused if the classes of a folder or the names or \
            sizes of its files are not what they were.

            Several processes, on one machine or many, share out each batch: 'mpirun -n 4 fovea train …' needs Open MPI. The first \
            writes the results.
            """)

    @Argument(help: "The data set's name (see 'fovea datasets list'), or a folder of pictures.")
    var dataset: String

    @Option(
        help: ArgumentHelp(
            "The network: \(NamedNetwork.listOfNames); or a file with an architecture, as 'fovea summary --json' prints it or "
                + "as in a model file (default: \(usualNetwork.rawValue)).", valueName: "name or file"))
    var network: String?

    private static let usualNetwork = NamedNetwork.fashionCNN
    private var chosenNetwork: String { network ?? Self.usualNetwork.rawValue }

    @Option(
        help: ArgumentHelp("Train this saved model further instead of a new one.", valueName: "file"),
        transform: filePath)
    var from: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How often to go through the training images (default: 10; on features that are computed once 20, of few images more).",
            valueName: "count"))
    var epochs: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Images per step.", valueName: "count"))
    var batchSize = 32

    @OptionGroup(title: "Training") var training: TrainingOptions

    @Flag(
        help: ArgumentHelp(
            "Train nothing, but try step sizes from small to large and say which fits.",
            discussion: "The loss is shown beside the step size: best is one well below where it is smallest."
        ))
    var findRate = false

    @OptionGroup(title: "Transfer learning") var transfer: TransferOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What to validate on after each epoch: a part of the training images, such as 0.1 (of a data set the last, of a "
                + "folder some of each class), or a folder.", valueName: "part or folder"))
    var validation: String?

    @OptionGroup(title: "Pictures") var pictures: PictureOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The rate of the network's dropout layers, from 0 to below 1 (default: its own).",
            valueName: "rate"))
    var dropout: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "For first weights, order and dropout: the same seed gives the same model, bit for bit.",
            valueName: "number"))
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "float32; mixedBFloat16: products of numbers rounded to bfloat16, where 'fovea plan' says so; or strict: float32 "
                + "without any faster algorithm.",
            valueName: "name"))
    var precision = Precision.float32.rawValue

    @OptionGroup var place: DeviceOption

    @Flag(help: .autotune)
    var autotune = false

    @Option(
        help: ArgumentHelp(
            "The folder for the results (default: runs/DATASET-NETWORK).", valueName: "folder"),
        transform: filePath)
    var output: String?

    @Option(
        help: ArgumentHelp(
            "A file that keeps the state of training, to go on from; removed when training is done.",
            valueName: "file"), transform: filePath)
    var checkpoint: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How often to write the checkpoint (default: after each epoch).", valueName: "steps"))
    var checkpointEvery: Int?

    @Option(
        help: ArgumentHelp(
            "A folder for what TensorBoard shows: losses, metrics, weights and pictures; view it with 'tensorboard --logdir FOLDER'.",
            valueName: "folder"), transform: filePath)
    var tensorboard: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "0 prints no progress, 1 a bar on a terminal, 2 a line per epoch.", valueName: "level"))
    var verbosity = 1

    /// The arguments, checked.
    struct Settings {
        let source: DataSource
        let validation: TrainingData.Validation?
        let precision: Precision
        var verbosity: Verbosity
        let pictures: PictureOptions.Settings
        /// How each batch is cut, and which processes share out the parts.
        var sharding: Sharding?
        /// Whether this process writes files and says what is done: the only one, or the first.
        var isFirst: Bool { (sharding?.group.rank ?? 0) == 0 }
    }

    private func settings() throws -> Settings {
        try checkPositive("--epochs", epochs)
        try checkPositive("--batch-size", batchSize)
        try checkPositive("--checkpoint-every", checkpointEvery)
        if checkpointEvery != nil, checkpoint == nil {
            throw ValidationError("--checkpoint-every needs --checkpoint FILE, the file to write")
        }
        if let dropout, !(0..<1).contains(dropout) {
            throw ValidationError("--dropout must be at least 0 and less than 1, not \(dropout)")
        }
        guard let verbosity = Verbosity(rawValue: verbosity) else {
            throw ValidationError("--verbosity is 0, 1 or 2, not \(verbosity)")
        }
        if transfer.base != nil, from != nil || network != nil {
            throw ValidationError(
                "--base excludes --network and --from: the base is the network, and --from trains a saved model further"
            )
        }
        if transfer.base != nil, dropout != nil {
            throw ValidationError("--dropout is for --network; a head has it with --head dropout:RATE")
        }
        if transfer.fineTune != nil, training.saveBest != nil || training.averageWeights != nil {
            throw ValidationError(
                "--fine-tune excludes --save-best and --average-weights: which of its two trainings is meant? Train the head "
                    + "first, and then its model with --from")
        }
        if training.mixup != nil, transfer.base != nil, pictures.augment == nil || transfer.fineTune != nil {
            throw ValidationError(
                "--mixup mixes pictures at each step, but with --base their features are computed once; add --augment to go "
                    + "through the base each time, without --fine-tune")
        }
        if from != nil, network != nil {
            throw ValidationError("--network and --from exclude each other: the saved model has its network")
        }
        let source = try DataSource(dataset)
        return Settings(
            source: source, validation: try validation.map(TrainingData.Validation.init),
            precision: try named(precision, "precision"), verbosity: verbosity,
            pictures: try pictures.settings(for: source))
    }

    func validate() throws {
        let settings = try settings()
        try checkTensorBoard()
        if let base = transfer.base {
            if !StartingNetwork.isPath(base) { _ = try NamedNetwork(argument: base) }
            return
        }
        guard from == nil, !StartingNetwork.isPath(chosenNetwork) else { return }
        let network = try NamedNetwork(argument: chosenNetwork)
        // How many classes a folder has is not known before it is read.
        if case .named(let name) = settings.source {
            _ = try StartingNetwork.named(network).model(
                input: name.info.imageShape, classNames: name.info.classNames, dropout: dropout, seed: seed,
                for: dataset)
        }
    }

    private func data(
        _ settings: Settings, _ start: StartingNetwork, _ results: ResultsFolder
    ) async throws -> (TrainingData, image: Shape) {
        switch settings.source {
        case .named(let name):
            return (try TrainingData(await load(name), validation: settings.validation), name.info.imageShape)
        case .folder(let path):
            var form = try start.form(size: settings.pictures.size)
            if training.mixup != nil, form.classMode == .sparse { form.classMode = .categorical }
            // Features that are kept need pictures once.
            let areKept = transfer.base == nil || transfer.fineTune != nil || pictures.augment != nil
            let data = try TrainingData(
                folder: path, validation: settings.validation, form, seed: seed, results: results.path,
                areKept: areKept)
            try data.checkOutput(results.path)
            if settings.verbosity != .silent {
                say("\(path): \(data.summary), brought to \(form)")
            }
            return (data, [form.size.height, form.size.width, form.channels])
        }
    }

    func run() async throws {
        var settings = try settings()
        settings.sharding = try makeSharding()
        if !settings.isFirst { settings.verbosity = .silent }
        let tuner = autotune ? makeTuner() : nil
        let device = try place.device(precision: settings.precision, tuner: tuner)
        let start: StartingNetwork
        if let base = transfer.base {
            start = .base(
                try await BaseNetwork(base, weights: transfer.baseWeights, head: transfer.head))
        } else {
            start = try await StartingNetwork(network: chosenNetwork, from: from, seed: seed)
        }
        // An output folder that cannot be written to is better known before training than after.
        var results = try ResultsFolder(
            output
                ?? "runs/\(Self.lastName(dataset))-\(Self.lastName(start.name))",
            checkpoint: checkpoint, best: training.saveBest, isWritten: settings.isFirst)
        do { try await train(settings, start, device, tuner, &results) } catch {
            results.removeIfEmpty()
            throw error
        }
    }

    /// Of a name or path what a folder can be called.
    private static func lastName(_ text: String) -> String {
        let name = URL(fileURLWithPath: text).standardizedFileURL.lastPathComponent
        return name.hasSuffix(".safetensors") || name.hasSuffix(".json")
            ? String(name.prefix { $0 != "." }) : name
    }

    private func train(
        _ settings: Settings, _ start: StartingNetwork, _ device: Device, _ tuner: Tuner?,
        _ results: inout ResultsFolder
    ) async throws {
        let (images, image) = try await data(settings, start, results)
        var data = images
        let beginning = ContinuousClock.now
        let stop = StopSignal()
        let interrupts = InterruptHandler(stop)
        defer { interrupts.cancel() }
        let onBase = try await transferModel(start, image, data)
        let model: any ModelProtocol
        if let onBase {
            model = onBase.whole
        } else {
            model = try start.model(
                input: image, classNames: data.classNames, dropout: dropout, seed: seed, for: dataset)
        }
        let features = try await keptFeatures(onBase, data, settings, start, device, stop)
        let epochs = epochs ?? features?.usualEpochs(batchSize: batchSize) ?? 10
        let usual: (any Optimizer)? =
            onBase?.isLinear == true
            ? features?.usualOptimizer(learningRate: training.learningRate) : start.training?.optimizer
        let optimizer = try training.chosenOptimizer(instead: usual)
        // Its steps are large, and end in noise unless they become smaller.
        let isUsualOfHead = onBase != nil && usual != nil && training.optimizer == nil
        let schedule = training.schedule ?? (isUsualOfHead ? "cosine" : nil)
        let classWeights = try training.classWeights.map {
            try parsedClassWeights(
                $0, labels: features.map { kept in { kept.labels } } ?? data.trainingLabels,
                names: data.classNames)
        }
        let usualLoss = try start.training?.onlyOutput?.loss ?? model.classificationLoss()
        let loss = try training.mixup == nil ? usualLoss : usualLoss.forMixedPictures()
        // Class weights may be of the class numbers, so not before.
        if loss.targetKind.classMode == .categorical { data = try data.withRows() }
        let trainer = try model.compile(
            optimizer: optimizer, loss: loss, metrics: [.accuracy],
            schedule: schedule.map {
                let count = features?.train.count ?? data.train.count
                let batches = (count + batchSize - 1) / batchSize
                return try parsedSchedule(
                    $0, learningRate: optimizer.learningRate, epochs: epochs,
                    stepsPerEpoch: max(1, batches / training.accumulate))
            }, clipping: training.clip.map(parsedClipping), accumulation: training.accumulate,
            excludeFromWeightDecay: onBase == nil ? [] : ["bias"], weightAveraging: training.averaging(),
            device: device)
        let backend = trainer.backend
        // What is trained on features is the head alone, whose layers are those of the whole.
        let fitted =
            features == nil
            ? trainer : try onBase?.head.compile(trainer.configuration, device: device) ?? trainer
        if findRate {
            try await showRates(of: fitted, features, data, settings, classWeights, stop)
            return
        }
        var saved = SavedModel(model, training: trainer.configuration, classNames: data.classNames)
        try results.make(byteCount: saved.parameterByteCount)

        let progress = TrainingProgress()
        func makeBackup(_ path: String, epochs: Int) -> BackupAndRestore {
            BackupAndRestore(
                path, saveFrequency: checkpointEvery.map { .steps($0) } ?? .epoch, deletesWhenDone: false,
                conditions: [
                    "data set": dataset, "precision": backend.precision.rawValue,
                    "choice of algorithms": autotune ? "timed" : "fixed",
                ].merging(onBase == nil ? [:] : ["base": start.name]) { $1 }
            ) { position in
                progress.epochsBefore.withLock { $0 = position.epochs }
                progress.completeEpochs.withLock { $0 = position.completeEpochs }
                say(
                    "Going on from \(path): \(position.completeEpochs) of \(epochs) epochs and "
                        + "\(position.completeSteps) of \(position.stepsPerEpoch) steps are done")
            }
        }
        var backup = checkpoint.map { makeBackup($0, epochs: epochs) }
        let counter = LambdaCallback(epochEnds: { run in
            progress.completeEpochs.withLock { $0 = run.completeEpochs }
        })
        let callbacks =
            (backup.map { [$0] } ?? [])
            + training.callbacks(
                validates: data.validation != nil, classNames: data.classNames,
                model: features == nil ? nil : model)
            + tensorBoard(network: start.name, precision: backend.precision) + [counter]

        var csv: String
        var wasInterrupted: Bool
        do {
            let history: History
            if let features {
                history = try await fit(
                    fitted, features, epochs: epochs, settings, classWeights, callbacks, stop)
            } else {
                history = try await fit(
                    trainer, data, epochs: 0..<epochs, settings, classWeights, callbacks, stop)
            }
            (csv, wasInterrupted) = (history.csv, history.wasInterrupted)
            if let onBase, let tuning = transfer.fineTuning, !wasInterrupted {
                let done = history.epochs.last?.number ?? 0
                backup = fineTuningCheckpoint.map { makeBackup($0, epochs: done + tuning.epochs) }
                let tuned = try await fineTune(
                    onBase, tuning, trainer.configuration, device, data, settings, classWeights,
                    done: done, callbacks: (backup.map { [$0] } ?? []) + [counter], stop)
                csv += tuned.history.csv.drop { $0 != "\n" }.dropFirst()
                wasInterrupted = tuned.history.wasInterrupted
                saved.training = tuned.configuration
            }
        } catch {
            guard settings.isFirst else { throw error }
            // Whatever ended training: what it came to is worth more.
            let epochs = progress.completeEpochs.withLock { $0 }
            guard epochs > 0 else {
                if let error = error as? TrainingError, error.isOfNumbers {
                    throw CommandError("\(error). No epoch was completed, so no model was saved")
                }
                throw error
            }
            try await results.write(saved)
            let which =
                (error as? TrainingError)?.isOfNumbers == true
                ? "The model as it was after epoch \(epochs)" : "The model so far"
            let problem = results.problem.map { "\n\($0)" } ?? ""
            throw CommandError(
                "\(error). \(which) is in \(results.modelPath)\(await advice(backup))\(problem)")
        }
        let seconds = (ContinuousClock.now - beginning) / .seconds(1)
        guard settings.isFirst else {
            if wasInterrupted { throw ExitCode.interrupted }
            return
        }
        if training.averageWeights != nil, !wasInterrupted { try await fitted.useAverages() }
        try await results.write(saved)
        try await results.write(csv, to: .history)
        if wasInterrupted {
            warn("Interrupted: the model so far is in \(results.modelPath)\(await advice(backup))")
            if let problem = results.problem { warn(problem) }
            throw ExitCode.interrupted
        }

        var test: Evaluation?
        if let images = data.test {
            do { test = try await evaluate(trainer, images, settings.pictures) } catch {
                let problem = results.problem.map { "\n\($0)" } ?? ""
                throw CommandError("\(error). The trained model is in \(results.modelPath)\(problem)")
            }
        }
        // Of this run, which may have gone on from another.
        let epochsInAll = epochs + (transfer.fineTuning?.epochs ?? 0)
        let epochsHere = Double(epochsInAll) - progress.epochsBefore.withLock { $0 }
        let metrics = RunMetrics(
            testAccuracy: test?.metrics[AccuracyMetric.name], testLoss: test?.loss, seconds: seconds,
            imagesPerSecond: Double(data.train.count) * epochsHere / seconds, dataset: dataset,
            network: start.name, command: givenCommand, head: transfer.head, fineTune: transfer.fineTune,
            featuresKept: onBase == nil ? nil : features != nil, epochs: epochsInAll, batchSize: batchSize,
            seed: seed,
            optimizer: training.optimizer ?? type(of: optimizer).name, learningRate: optimizer.learningRate,
            schedule: schedule, clip: training.clip, classWeights: training.classWeights,
            mixup: training.mixup,
            validation: validation,
            imageSize: pictures.imageSize, augment: pictures.augment, dropout: dropout,
            device: place.device == "cpu" ? nil : place.device,
            precision: backend.precision.rawValue, threads: backend.threadCount,
            versions: backend.versions.merging(["fovea": FoveaCommand.version]) { $1 },
            autotune: await tuner?.records)
        try await results.write(metrics.json(), to: .metrics)
        // Not before the results are there.
        for checkpoint in [checkpoint, fineTuningCheckpoint].compactMap(\.self)
        where results.problem == nil && unlink(checkpoint) != 0 && errno != ENOENT {
            warn(
                "\(checkpoint): cannot be removed: \(String(cString: strerror(errno))); training is done, so remove it"
            )
        }
        say("model: \(results.modelPath)")
        if let accuracy = metrics.testAccuracy { say("test accuracy \(String(format: "%.4f", accuracy))") }
        if let problem = results.problem { throw CommandError(problem) }
        try test?.checkFinite(results.modelPath)
    }

    /// How a training that was interrupted can go on.
    private func advice(_ backup: BackupAndRestore?) async -> String {
        guard let backup, let checkpoint else { return "" }
        guard let failure = await backup.failure else {
            return "; the same command goes on from \(checkpoint)"
        }
        let isThere = access(checkpoint, F_OK) == 0
        return "; the checkpoint could not be written (\(failure))"
            + (isThere ? ", so the same command goes on from an earlier one" : "")
    }
}
