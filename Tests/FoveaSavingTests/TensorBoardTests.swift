#if ProtocolBuffers
    import Foundation
    import FoveaDatasets
    import FoveaFiles
    import FoveaGraph
    import FoveaLayers
    import FoveaPictures
    import FoveaTraining
    import Synchronization
    import TestSupport
    import Testing

    @testable import FoveaSaving

    @Suite struct TensorBoardTests {
        private func images(_ count: Int, seed: UInt64 = 1) throws -> Examples {
            var generator = PhiloxGenerator(seed: seed, stream: 0, step: 0)
            let pixels = (0..<count * 6 * 5).map { _ in UInt8(generator.uniform() * 255) }
            return try Examples(
                inputs: TensorValue(shape: [count, 6, 5, 1], storage: .uint8(pixels)),
                targets: TensorValue((0..<count).map { Int32($0 % 2) }))
        }

        private func trainer() throws -> Trainer {
            try Sequential(input: [6, 5, 1]) {
                Conv2D(filters: 3, kernelSize: 3, activation: .relu)
                Flatten()
                Dense(units: 2, activation: .softmax)
            }.compile(
                optimizer: .adam(learningRate: 0.01), loss: .sparseCategoricalCrossentropy(),
                metrics: [.accuracy],
                device: .reference)
        }

        /// The events of each file in a folder, checksums checked.
        private func events(_ folder: String) throws -> [[EventFileEvent]] {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                $0.contains("tfevents")
            }
            return try names.sorted().map { name in
                let bytes = try AtomicFile.read("\(folder)/\(name)")
                var events: [EventFileEvent] = []
                var place = 0
                while place < bytes.count {
                    let length = bytes[place..<place + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
                    let data = Array(bytes[place + 12..<place + 12 + length])
                    #expect(RecordFile.record(data) == Array(bytes[place..<place + length + 16]))
                    events.append(try EventFileEvent(serializedBytes: data))
                    place += length + 16
                }
                #expect(events.first?.fileVersion == "brain.Event:2")
                return events
            }
        }

        private func scalars(_ events: [EventFileEvent], _ tag: String) -> [Int: Float] {
            var found: [Int: Float] = [:]
            for event in events {
                for value in event.summary.value where value.tag == tag {
                    #expect(found.updateValue(value.simpleValue, forKey: Int(event.step)) == nil)
                }
            }
            return found
        }

        private func value(_ events: [EventFileEvent], _ tag: String) throws -> EventFileValue {
            try #require(events.flatMap(\.summary.value).first { $0.tag == tag }, "\(tag)")
        }

        @Test func scalarsAreThoseOfTheHistory() async throws {
            let folder = try TemporaryDirectory()
            let path = folder.path + "/made/logs"
            let board = TensorBoard(path, updateFrequency: .steps(2))
            let history = try await trainer().fit(
                images(10), epochs: 3, batchSize: 4, validation: images(4, seed: 2), callbacks: [board],
                verbosity: .silent)
            let train = try #require(try events(path + "/train").first)
            let validation = try #require(try events(path + "/validation").first)
            for epoch in history.epochs {
                #expect(scalars(train, "epoch_loss")[epoch.number] == Float(epoch.loss))
                #expect(
                    scalars(train, "epoch_accuracy")[epoch.number]
                        == epoch.metrics["accuracy"].map { Float($0) })
                #expect(scalars(train, "epoch_learning_rate")[epoch.number] == 0.01)
                #expect(
                    scalars(validation, "epoch_loss")[epoch.number] == epoch.validationLoss.map { Float($0) })
                #expect(
                    scalars(validation, "epoch_accuracy")[epoch.number]
                        == epoch["val_accuracy"].map { Float($0) })
            }
            // Three steps in an epoch, so every second of all ends in another place of its epoch.
            #expect(scalars(train, "batch_loss").keys.sorted() == [2, 4, 6, 8])
            #expect(scalars(train, "batch_accuracy").count == 4)
            #expect(validation.flatMap(\.summary.value).count == 6)
            #expect(await board.failure == nil)
        }

        @Test func weightsPicturesAndTextsAreThere() async throws {
            let folder = try TemporaryDirectory()
            let trainer = try trainer()
            let board = TensorBoard(
                folder.path, histogramFrequency: 2, writeImages: true,
                hyperparameters: ["units": .integer(2), "odd": [.bool(true)], "epochs": .integer(7)],
                texts: ["command": "fovea *train*\n<b>"])
            try await trainer.fit(images(6), epochs: 3, batchSize: 4, callbacks: [board], verbosity: .silent)
            let train = try #require(try events(folder.path + "/train").first)
            #expect(try events(folder.path + "/validation").isEmpty)

            #expect(try value(train, "command").tensor.stringVal == [Data("    fovea *train*\n    <b>".utf8)])
            let summary = String(
                decoding: try #require(value(train, "summary").tensor.stringVal.first), as: UTF8.self)
            let expected = trainer.model.summary()
            #expect(summary.split(separator: "\n").map { $0.dropFirst(4) } == expected.split(separator: "\n"))

            // After epoch 2 alone.
            for name in ["conv2d/kernel", "conv2d/bias", "dense/kernel", "dense/bias"] {
                let histograms = train.filter { $0.summary.value.contains { $0.tag == name + "/histogram" } }
                #expect(histograms.map(\.step) == [2], "\(name)")
            }
            let histogram = try value(train, "conv2d/kernel/histogram")
            #expect(histogram.metadata.pluginData.pluginName == "histograms")
            #expect(histogram.tensor.tensorShape.dim.map(\.size) == [30, 3])
            let numbers = histogram.tensor.tensorContent.withUnsafeBytes {
                Array($0.bindMemory(to: Double.self))
            }
            #expect(stride(from: 2, to: 90, by: 3).reduce(0) { $0 + numbers[$1] } == 27)

            // Four images of 6×5 pixels, each five times as large, in two rows and columns with a line between.
            for (tag, size) in [("first_batch", [61, 51]), ("conv2d/kernel/image", [61, 61])] {
                let image = try value(train, tag)
                let texts = image.tensor.stringVal
                #expect(
                    texts.count == 3 && texts[0] == Data("\(size[1])".utf8)
                        && texts[1] == Data("\(size[0])".utf8))
                let picture = try Picture.decode(Array(texts[2]))
                #expect([picture.height, picture.width] == size, "\(tag)")
            }

            let root = try #require(try events(folder.path).first)
            let start = try EventFileHyperparameters(
                serializedBytes: value(root, "_hparams_/session_start_info").metadata.pluginData.content
            ).sessionStartInfo.hparams
            #expect(start.keys.sorted() == ["epochs", "learning_rate", "odd", "optimizer", "units"])
            #expect(start["optimizer"]?.stringValue == "adam" && start["learning_rate"]?.numberValue == 0.01)
            #expect(start["odd"]?.stringValue == "[true]" && start["epochs"]?.numberValue == 7)
            let end = try EventFileHyperparameters(
                serializedBytes: value(root, "_hparams_/session_end_info").metadata.pluginData.content)
            #expect(end.sessionEndInfo.status == .success)
        }

        @Test func aResumedTrainingGoesOnInAnotherFile() async throws {
            let folder = try TemporaryDirectory()
            let data = try images(10)
            let stop = StopSignal()
            let stopper = LambdaCallback(epochEnds: { run in if run.completeEpochs == 2 { stop.request() } })
            func callbacks() -> [any Callback] {
                [TensorBoard(folder.path + "/logs"), BackupAndRestore(folder.path + "/checkpoint")]
            }
            try await trainer().fit(
                data, epochs: 4, batchSize: 4, callbacks: callbacks() + [stopper], verbosity: .silent,
                stop: stop)
            try await trainer().fit(data, epochs: 4, batchSize: 4, callbacks: callbacks(), verbosity: .silent)
            let train = try events(folder.path + "/logs/train")
            #expect(train.count == 2)
            #expect(train.map { scalars($0, "epoch_loss").keys.sorted() } == [[1, 2], [3, 4]])
            #expect(train.joined().flatMap(\.summary.value).count { $0.tag == "summary" } == 1)
            // The stop that was asked for ends this one within its first epoch; who looks on from then on gets the summary.
            try await trainer().fit(
                data, epochs: 4, batchSize: 4,
                callbacks: [BackupAndRestore(folder.path + "/checkpoint"), stopper], verbosity: .silent,
                stop: stop)
            let late: [any Callback] = [
                BackupAndRestore(folder.path + "/checkpoint"), TensorBoard(folder.path + "/late"),
            ]
            try await trainer().fit(data, epochs: 4, batchSize: 4, callbacks: late, verbosity: .silent)
            let others = try events(folder.path + "/late/train")
            #expect(others.map { scalars($0, "epoch_loss").keys.sorted() } == [[1, 2, 3, 4]])
            #expect(others.joined().flatMap(\.summary.value).contains { $0.tag == "summary" })
            let root = try events(folder.path + "/logs").joined().flatMap(\.summary.value).map(\.tag)
            #expect(root == ["_hparams_/session_start_info", "_hparams_/session_end_info"])
        }

        @Test func aFolderThatCannotBeMadeIsKnownBeforeTraining() async throws {
            let folder = try TemporaryDirectory()
            try folder.write([], to: "file")
            let trainer = try trainer()
            let before = try await trainer.model.weights().map(\.value)
            for path in ["/file", "/file/logs"] {
                let error = await #expect(throws: FileError.self) {
                    try await trainer.fit(
                        images(4), callbacks: [TensorBoard(folder.path + path)], verbosity: .silent)
                }
                #expect(error?.code == ENOTDIR)
            }
            await #expect(throws: TrainingError.self) {
                try await trainer.fit(
                    images(4), callbacks: [TensorBoard(folder.path, histogramFrequency: -1)],
                    verbosity: .silent)
            }
            #expect(try await trainer.model.weights().map(\.value) == before)
        }

        @Test func whatCannotBeWrittenIsAWarning() async throws {
            let folder = try TemporaryDirectory()
            let warnings = Mutex<[String]>([])
            let output = ProgressOutput(
                isTerminal: false, warn: { text in warnings.withLock { $0.append(text) } }, write: { _ in })
            let board = TensorBoard(folder.path + "/logs")
            let remover = LambdaCallback(epochEnds: { run in
                if run.completeEpochs == 1 {
                    try? FileManager.default.removeItem(atPath: folder.path + "/logs/train")
                }
            })
            let history = try await trainer().fit(
                images(4), epochs: 3, callbacks: [board, remover], verbosity: .silent, output: output)
            #expect(history.epochs.count == 3)
            #expect(await board.failure?.code == ENOENT)
            let texts = warnings.withLock { $0 }
            #expect(texts.count == 1 && texts[0].contains("Training goes on"), "\(texts)")
        }
    }
#endif
