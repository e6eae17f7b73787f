import FoveaFiles
import FoveaGraph
import FoveaTraining
import Glibc

/// Lets a training that was killed go on where it was, at the very step and with the same bits: what comes out is what
/// would have come out without the interruption.
///
/// ```swift
/// let backup = BackupAndRestore("runs/checkpoint.safetensors", saveFrequency: .steps(100))
/// let history = try await trainer.fit(data, epochs: 50, callbacks: [backup])   // the same line goes on
/// ```
///
/// One file, written whole or not at all, has everything that training changes: parameters, what the optimizer and the
/// callbacks remember, the place in the order of the data, the learning rate, the history and the sums of the epoch under
/// way. When training begins and the file is there, the run is moved to where it says. The place among the callbacks does
/// not matter.
///
/// A file that cannot be written is a warning, and is written at the next occasion: training goes on, and the file that was
/// there before is as it was (`failure`).
///
/// The model must be made with the values of its frozen parameters, and the data be given as before: both are not in the
/// file. It has what tells other data of the same form: of pictures in a folder the names of the classes and a digest of the
/// names and sizes of the files, of examples in memory one of all numbers. A sequence of batches is followed again from its
/// beginning, whatever it gives.
public final class BackupAndRestore: Callback {
    public let path: String
    public let saveFrequency: SaveFrequency
    public let deletesWhenDone: Bool
    public let conditions: [String: String]
    private let restored: @Sendable (TrainingPosition) -> Void
    private var writing = RepeatedWriting()

    /// Why the file could not be written the last time; nil when it could, or never had to be.
    public var failure: FileError? { writing.failure }

    /// In the file before the names of `conditions`: training has conditions of its own, perhaps of the same names.
    private static let given = "given "

    /// - Parameters:
    ///   - path: the file; its folder must exist.
    ///   - saveFrequency: how often it is written; a training that is interrupted by a `StopSignal` writes it as well.
    ///   - deletesWhenDone: whether the file is removed when training ends, not when it is interrupted.
    ///   - conditions: what else has to be the same for the run that goes on, by what it is called in messages, such as
    ///     `["data set": "mnist"]`.
    ///   - restored: called when training goes on from the file.
    nonisolated public init(
        _ path: some PathConvertible, saveFrequency: SaveFrequency = .epoch, deletesWhenDone: Bool = true,
        conditions: [String: String] = [:],
        restored: @escaping @Sendable (TrainingPosition) -> Void = { _ in }
    ) {
        self.path = path.filePath
        self.saveFrequency = saveFrequency
        self.deletesWhenDone = deletesWhenDone
        self.conditions = conditions
        self.restored = restored
    }

    /// - Throws: `TrainingError.checkpointDoesNotFit` when the file is of another network, optimizer, data or way of training;
    ///   `SafetensorsError` and `ModelFileError` when it is damaged or no checkpoint; `FileError` when it can be neither
    ///   read nor written, also for want of room. Nothing is changed then.
    public func trainingBegins(_ run: TrainingRun) throws {
        try saveFrequency.check(for: "BackupAndRestore")
        // What the first of several processes goes on from, the others get from it.
        guard run.writesFiles else { return }
        let variables =
            run.trainer.model.parameters.compactMap(\.parameter.variable)
            + run.trainer.optimizerState.variables
        try AtomicFile.checkWritable(path, byteCount: variables.reduce(0) { $0 + $1.byteCount })
        guard access(path, F_OK) == 0 else { return }
        var checkpoint = try Checkpoint(
            contentsOf: path, customTypes: CustomTypes(of: run.trainer.configuration))
        for (name, value) in conditions.sorted(by: { $0.key < $1.key }) {
            let other = checkpoint.conditions.removeValue(forKey: Self.given + name)
            guard other == value else {
                throw TrainingError.checkpointDoesNotFit(
                    path, "its \(name) is \(other ?? "none"), this training has \(value)")
            }
        }
        try run.resume(checkpoint, from: path)
        restored(checkpoint.position)
    }

    public func runSettles(_ run: TrainingRun) throws {
        let isDue = saveFrequency == .epoch ? run.completeSteps == 0 : saveFrequency.isDue(run)
        guard run.writesFiles, isDue || run.history.wasInterrupted else { return }
        var checkpoint = try run.checkpoint()
        for (name, value) in conditions { checkpoint.conditions[Self.given + name] = value }
        try writing.attempt(run, path) { try checkpoint.write(to: path) }
    }

    public func trainingEnds(_ run: TrainingRun) throws {
        if run.writesFiles, deletesWhenDone, !run.history.wasInterrupted { unlink(path) }
    }
}
