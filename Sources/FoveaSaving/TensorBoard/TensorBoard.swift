#if ProtocolBuffers
    import FoveaDatasets
    import FoveaFiles
    import FoveaGraph
    import FoveaLayers
    import FoveaPictures
    import FoveaTraining

    /// Writes what TensorBoard shows of a training: `tensorboard --logdir runs`.
    ///
    /// ```swift
    /// TensorBoard("runs/first", histogramFrequency: 1, hyperparameters: ["units": .integer(128)])
    /// ```
    ///
    /// Names are those of Keras: the runs `train` and `validation` with the scalars `epoch_loss`, `epoch_accuracy` and so on, and
    /// `epoch_learning_rate`; with `updateFrequency` in steps also `batch_loss` and so on. `train` also has the model's summary as
    /// text, the first batch and the filters of the first convolution as pictures, and histograms of the weights, such as
    /// `conv2d/kernel/histogram`. The table of hyperparameters has the optimizer and what is given. Epochs count from 1 (in Keras
    /// from 0), steps over all epochs.
    ///
    /// Events are written after each epoch. A file that cannot be written is a warning, and what it should have got is written
    /// after the next epoch (`failure`). A training that is resumed (`BackupAndRestore`) goes on in another file of the same
    /// folder, which TensorBoard shows as one. It looks on only, so a checkpoint with or without it can be gone on from.
    public final class TensorBoard: Callback {
        public let logDirectory: String
        public let histogramFrequency: Int
        public let writeImages: Bool
        public let updateFrequency: SaveFrequency
        public let hyperparameters: Configuration
        public let texts: [String: String]
        private var writers: [Run: EventWriter] = [:]
        /// Whether what is written once has been looked after.
        private var hasBegun = false

        private enum Run: String, CaseIterable {
            case root = ""
            case train, validation
        }

        /// Why a file could not be written the last time; nil when all could.
        public var failure: FileError? { Run.allCases.compactMap { writers[$0]?.failure }.first }

        /// - Parameters:
        ///   - logDirectory: the folder; made when training begins. Another training needs another, such as one beside it.
        ///   - histogramFrequency: after every how many epochs histograms of all weights are written; never when 0. It takes the time
        ///     of going through the weights a few times.
        ///   - writeImages: whether the first batch, if it has images, and, when histograms are due, the filters of the first
        ///     convolution are written as pictures. (In Keras: all weights as pictures.)
        ///   - updateFrequency: when the loss and metrics of an epoch under way are written; with `.epoch` only after it.
        ///   - hyperparameters: what tells this training from others, for TensorBoard's table, besides the optimizer and its learning
        ///     rate and the number of epochs.
        ///   - texts: what else is to be read, by its name, such as the command; shown as it is.
        nonisolated public init(
            _ logDirectory: some PathConvertible, histogramFrequency: Int = 0, writeImages: Bool = false,
            updateFrequency: SaveFrequency = .epoch, hyperparameters: Configuration = [:],
            texts: [String: String] = [:]
        ) {
            self.logDirectory = logDirectory.filePath
            self.histogramFrequency = histogramFrequency
            self.writeImages = writeImages
            self.updateFrequency = updateFrequency
            self.hyperparameters = hyperparameters
            self.texts = texts
        }

        /// - Throws: `TrainingError.invalidArgument` for a frequency out of range; `FileError` when no files can be made in the folder.
        public func trainingBegins(_ run: TrainingRun) throws {
            try updateFrequency.check(for: "TensorBoard")
            guard histogramFrequency >= 0 else {
                throw TrainingError.invalidArgument(
                    "histogramFrequency of TensorBoard", "\(histogramFrequency)",
                    expected: "a number of epochs, or 0 for never")
            }
            hasBegun = false
            guard run.writesFiles else { return }
            for kind in Run.allCases {
                let folder = kind == .root ? logDirectory : "\(logDirectory)/\(kind.rawValue)"
                writers[kind] = try EventWriter(folder: folder)
            }
        }

        public func stepEnds(_ run: TrainingRun) throws {
            if !hasBegun {
                hasBegun = true
                let isResumed = run.completeSteps > 1 || !run.history.epochs.isEmpty
                if !isResumed || writers[.train]?.hasEarlierFiles == false { try begin(run) }
            }
            guard updateFrequency != .epoch, updateFrequency.isDue(run) else { return }
            let values = run.values.sorted { $0.key < $1.key }.map {
                EventFileValue.scalar("batch_\($0)", $1)
            }
            try add(values, to: .train, step: run.step)
        }

        public func epochEnds(_ run: TrainingRun) throws {
            guard let epoch = run.history.epochs.last else { return }
            try add(
                scalars(epoch.loss, epoch.metrics) + [
                    .scalar("epoch_learning_rate", run.trainer.learningRate)
                ],
                to: .train, step: epoch.number)
            if let loss = epoch.validationLoss {
                try add(scalars(loss, epoch.validationMetrics), to: .validation, step: epoch.number)
            }
            if histogramFrequency > 0, epoch.number.isMultiple(of: histogramFrequency) {
                try addWeights(run, step: epoch.number)
            }
            try flush(run)
        }

        public func trainingEnds(_ run: TrainingRun) throws {
            if !run.history.wasInterrupted {
                try add([.sessionEnd(.success, time: EventWriter.now)], to: .root, step: run.step)
            }
            try flush(run)
        }

        /// Writes what does not change.
        private func begin(_ run: TrainingRun) throws {
            let configuration = run.trainer.configuration
            let usual: Configuration = [
                "optimizer": .string(type(of: configuration.optimizer).name),
                "learning_rate": .number(configuration.optimizer.learningRate),
                "epochs": .integer(run.epochs),
            ]
            try add(
                [.sessionStart(usual.merging(hyperparameters) { $1 }, time: EventWriter.now)], to: .root,
                step: run.step)
            let all = texts.merging(["summary": run.trainer.model.summary()]) { given, _ in given }
            var values = all.sorted { $0.key < $1.key }.map { EventFileValue.text($0, Self.verbatim($1)) }
            if writeImages {
                for (i, input) in (run.lastBatch?.inputs ?? []).enumerated() {
                    values += try picture(input, isScaled: false, i == 0 ? "first_batch" : "first_batch_\(i)")
                }
            }
            try add(values, to: .train, step: run.step)
            try flush(run)
        }

        private func addWeights(_ run: TrainingRun, step: Int) throws {
            var hasFilters = false
            for (path, parameter) in run.trainer.model.parameters {
                guard let value = try parameter.variable?.value() else { continue }
                try add([.histogram("\(path)/histogram", Histogram(value.floats))], to: .train, step: step)
                // Filters are [height, width, channels, filters].
                if writeImages, !hasFilters, value.shape.rank == 4 {
                    hasFilters = true
                    let filters = try value.filtersFirst()
                    try add(try picture(filters, isScaled: true, "\(path)/image"), to: .train, step: step)
                }
            }
        }

        private func picture(_ images: TensorValue, isScaled: Bool, _ tag: String) throws -> [EventFileValue]
        {
            guard let picture = try PictureGrid.picture(images, isScaled: isScaled) else { return [] }
            return [.image(tag, height: picture.height, width: picture.width, png: try picture.pngData())]
        }

        private func scalars(_ loss: Double, _ metrics: [String: Double]) -> [EventFileValue] {
            metrics.merging(["loss": loss]) { $1 }.sorted { $0.key < $1.key }.map {
                .scalar("epoch_\($0)", $1)
            }
        }

        private func add(_ values: [EventFileValue], to run: Run, step: Int) throws {
            try writers[run]?.add(values, step: step)
        }

        private func flush(_ run: TrainingRun) throws {
            for kind in Run.allCases { try writers[kind]?.flush(run) }
        }

        /// TensorBoard takes text for Markdown, in which indented lines stay as they are.
        private static func verbatim(_ text: String) -> String {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return lines.map { $0.isEmpty ? "" : "    " + $0 }.joined(separator: "\n")
        }
    }

    extension TensorValue {
        /// Kernels `[height, width, channels, filters]` as images `[filters, height, width, channels]`.
        fileprivate func filtersFirst() throws -> TensorValue {
            let count = shape[3]
            let numbers = floats
            let size = count == 0 ? 0 : numbers.count / count
            return try TensorValue(
                shape: [count, shape[0], shape[1], shape[2]],
                (0..<count).flatMap { filter in (0..<size).map { numbers[$0 * count + filter] } })
        }
    }
#endif
