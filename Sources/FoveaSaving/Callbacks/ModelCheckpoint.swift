import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining

/// Writes the model to a file from time to time, or whenever it is the best so far.
///
/// ```swift
/// ModelCheckpoint("runs/best.safetensors", monitor: "val_accuracy", saveBestOnly: true)
/// ModelCheckpoint("runs/{epoch:02d}-{val_loss:.4f}.safetensors")
/// ```
///
/// Each file is written whole or not at all. One that cannot be written is a warning, and training goes on (`failure`); a best
/// model that is not in a file does not count, so the next one that is better than the last saved is written. To go on with a training that was interrupted see `BackupAndRestore`.
public final class ModelCheckpoint: Callback {
    public let path: String
    public let saveBestOnly: Bool
    public let saveWeightsOnly: Bool
    public let saveFrequency: SaveFrequency
    public let initialThreshold: Double?
    public let classNames: [String]
    /// What is written in the place of the model that is trained.
    public let model: (any ModelProtocol)?
    private var monitor: Monitor
    private var template: PathTemplate?
    private var writing = RepeatedWriting()

    /// Why a file could not be written the last time; nil when it could, or none had to be.
    public var failure: FileError? { writing.failure }

    /// - Parameters:
    ///   - path: the file; its folder must exist. With places for numbers, as in Keras, there are several files: `{epoch:02d}`
    ///     counts from 1, as does `{batch}` when saving after steps; and everything that is reported, `{val_loss:.4f}`.
    ///   - monitor: the number that says which model is the best, by its name in the history.
    ///   - saveBestOnly: whether only a model that is better than those before is written; never one whose number is NaN,
    ///     and the first whose number is not (in Keras nothing improves on a NaN of the first epoch).
    ///   - saveWeightsOnly: whether the file is one of `saveWeights(to:)` instead of a `SavedModel`.
    ///   - mode: which numbers are better.
    ///   - saveFrequency: when; the numbers of an epoch under way are those of its steps so far.
    ///   - initialThreshold: what the first model has to be better than.
    ///   - classNames: what each output stands for, for the `SavedModel`.
    ///   - model: what is written in the place of the model that is trained, such as the whole that has it as its head.
    nonisolated public init(
        _ path: some PathConvertible, monitor: String = "val_loss", saveBestOnly: Bool = false,
        saveWeightsOnly: Bool = false, mode: MonitorMode = .auto, saveFrequency: SaveFrequency = .epoch,
        initialThreshold: Double? = nil, classNames: [String] = [], model: (any ModelProtocol)? = nil
    ) {
        self.path = path.filePath
        self.saveBestOnly = saveBestOnly
        self.saveWeightsOnly = saveWeightsOnly
        self.saveFrequency = saveFrequency
        self.initialThreshold = initialThreshold
        self.classNames = classNames
        self.model = model
        self.monitor = Monitor(monitor, mode: mode)
    }

    /// - Throws: `TrainingError` when the path or the monitor names what is not reported or a setting is out of range;
    ///   `FileError` when the file could not be written, also for want of room.
    public func trainingBegins(_ run: TrainingRun) throws {
        try saveFrequency.check(for: "ModelCheckpoint")
        let reported = saveFrequency == .epoch ? run.epochNames : run.stepNames
        let places = reported + ["epoch"] + (saveFrequency == .epoch ? [] : ["batch"])
        let template = try PathTemplate(path)
        if let unknown = template.names.first(where: { !places.contains($0) }) {
            throw TrainingError.notReported(
                unknown, callback: "the path of ModelCheckpoint", reported: places)
        }
        self.template = template
        if saveBestOnly {
            try monitor.begin(run, for: self, best: initialThreshold, reported: reported)
        }
        // A place among the folders is not known yet; one in the file's name makes no difference.
        if run.writesFiles, !path.split(separator: "/").dropLast().contains(where: { $0.contains("{") }) {
            try AtomicFile.checkWritable(path, byteCount: (model ?? run.trainer.model).parameterByteCount)
        }
    }

    public func stepEnds(_ run: TrainingRun) throws {
        guard saveFrequency.isDue(run) else { return }
        let numbers = [
            "epoch": Double(run.completeEpochs + 1), "batch": Double(run.completeSteps),
        ]
        try save(run, run.values.merging(numbers) { $1 })
    }

    public func epochEnds(_ run: TrainingRun) throws {
        guard saveFrequency == .epoch, let epoch = run.history.epochs.last else { return }
        let values = Dictionary(epoch.values.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        try save(run, values.merging(["epoch": Double(epoch.number)]) { $1 })
    }

    private func save(_ run: TrainingRun, _ values: [String: Double]) throws {
        // An epoch that was not validated has no place for its numbers.
        guard let template, template.names.allSatisfy({ values[$0] != nil }) else { return }
        let best = monitor.best
        if saveBestOnly, !monitor.improves(values[monitor.name] ?? .nan) { return }
        guard run.writesFiles else { return }
        let path = template.path(values)
        let model = model ?? run.trainer.model
        let isWritten = try writing.attempt(run, path) {
            if saveWeightsOnly {
                try model.saveWeights(to: path)
            } else {
                try SavedModel(model, training: run.trainer.configuration, classNames: classNames)
                    .write(to: path)
            }
        }
        if !isWritten { monitor.best = best }
    }

    public var memory: CallbackMemory {
        get {
            // Not to save the best is to remember nothing.
            var numbers: [String: Double] = saveBestOnly ? ["saves_best": 1] : [:]
            numbers["best"] = monitor.best
            return CallbackMemory(numbers: numbers)
        }
        set { monitor.best = newValue.numbers["best"] }
    }
}
