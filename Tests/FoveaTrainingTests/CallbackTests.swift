import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import Testing

@testable import FoveaTraining

struct CallbackTests {
    private func stoppedAfter(_ losses: [Double], _ stopping: EarlyStopping) async throws -> Int {
        try await train(lineTrainer(), reporting: losses, callbacks: [stopping]).epochs.count
    }

    // MARK: When and in which order

    @Test func callsComeInOrder() async throws {
        let seen = Collected<String>()
        func note(_ name: String) -> LambdaCallback {
            LambdaCallback(
                trainingBegins: { _ in seen.append(name + " begins") },
                epochBegins: { seen.append("\(name) epoch \($0.completeEpochs)") },
                stepEnds: { seen.append("\(name) step \($0.completeSteps) of \($0.step)") },
                epochEnds: { seen.append("\(name) ends \($0.history.epochs.count)") },
                trainingEnds: { _ in seen.append(name + " done") })
        }
        let trainer = try smallTrainer()
        _ = try await trainer.fit(
            bars(4), epochs: 2, batchSize: 2, callbacks: [note("a"), note("b")], verbosity: .silent)
        let expected = [
            "begins", "epoch 0", "step 1 of 1", "step 2 of 2", "ends 1", "epoch 1", "step 1 of 3",
            "step 2 of 4", "ends 2", "done",
        ].flatMap { ["a " + $0, "b " + $0] }
        #expect(seen.all == expected)
    }

    @Test func whatStepsReportBecomesTheEpochs() async throws {
        let last = Collected<[String: Double]>()
        let names = Collected<[String]>()
        let look = LambdaCallback(
            stepEnds: {
                last.append($0.values)
                names.append($0.stepNames)
            }, epochEnds: { names.append($0.epochNames) })
        let data = try bars(7)
        let history = try await smallTrainer().fit(
            data, batchSize: 3, validation: data, callbacks: [look], verbosity: .silent)
        #expect(last.all.count == 3)
        let epoch = history.epochs[0]
        #expect(last.all.last == epoch.metrics.merging(["loss": epoch.loss]) { $1 })
        #expect(names.all.first == ["accuracy", "loss"])
        #expect(names.all.last == history.epochs[0].values.map(\.name))
        #expect(history.epochs[0]["val_los"] == nil)
    }

    @Test func anErrorOfACallbackEndsTraining() async throws {
        struct Enough: Error {}
        let trainer = try smallTrainer()
        let stop = LambdaCallback(stepEnds: { if $0.step == 3 { throw Enough() } })
        await #expect(throws: Enough.self) {
            try await trainer.fit(bars(8), epochs: 3, batchSize: 4, callbacks: [stop], verbosity: .silent)
        }
        #expect(try await trainer.optimizerState.iterations.value().integers == [3])
    }

    @Test func aStopAskedForInAStepIsAfterTheEpoch() async throws {
        let stop = LambdaCallback(stepEnds: { if $0.step == 4 { $0.stopTraining("enough") } })
        let history = try await smallTrainer().fit(
            bars(8), epochs: 9, batchSize: 3, callbacks: [stop], verbosity: .silent)
        #expect(history.epochs.count == 2 && history.stopReason == "enough" && !history.wasInterrupted)
    }

    @Test func terminateOnNaN() async throws {
        let trainer = try smallTrainer(on: HookedBackend { $0 == 4 ? .infinity : nil })
        let ended = Collected<Int>()
        let data = try bars(9)
        let history = try await trainer.fit(
            data, epochs: 5, batchSize: 3,
            callbacks: [TerminateOnNaN(), LambdaCallback(trainingEnds: { ended.append($0.completeEpochs) })],
            verbosity: .silent)
        #expect(history.epochs.count == 1 && ended.all == [1])
        #expect(history.stopReason == "the loss was inf at step 2 of epoch 2")
        let good = try smallTrainer()
        _ = try await good.fit(data, batchSize: 3, verbosity: .silent)
        #expect(try await weights(trainer) == weights(good))
    }

    // MARK: Numbers to watch

    @Test func autoKnowsWhichWayIsBetter() async throws {
        let data = try bars(8)
        let metrics: [any Metric] = [
            .accuracy, .auc(), .rootMeanSquaredError, .meanAbsoluteError, .cosineSimilarity,
        ]
        let model = try Sequential(input: [6, 5, 1]) {
            Flatten()
            Dense(units: 1, activation: .sigmoid)
        }
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .binaryCrossentropy(), metrics: metrics, device: .reference)
        let (up, down) = (
            ["accuracy", "auc", "cosine_similarity"],
            ["loss", "root_mean_squared_error", "mean_absolute_error"]
        )
        let look = LambdaCallback(trainingBegins: { run in
            for prefix in ["", "val_"] {
                for (names, isLargerBetter) in [(up, true), (down, false)] {
                    for name in names {
                        var monitor = Monitor(prefix + name, mode: .auto)
                        try monitor.begin(run, for: TerminateOnNaN())
                        #expect(monitor.isImprovement(2, over: 1) == isLargerBetter, "\(prefix)\(name)")
                        #expect(monitor.isImprovement(1, over: 2) != isLargerBetter)
                        #expect(!monitor.isImprovement(1, over: 1) && !monitor.isImprovement(.nan, over: 1))
                    }
                }
            }
            var forced = Monitor("loss", mode: .max)
            try forced.begin(run, for: TerminateOnNaN())
            #expect(forced.isImprovement(2, over: 1))
        })
        _ = try await trainer.fit(data, validation: data, callbacks: [look], verbosity: .silent)
    }

    @Test func lossesOfOutputsAreToBecomeSmaller() async throws {
        let trainer = try twoHeaded().compile(
            TrainingConfiguration(
                optimizer: .sgd(),
                outputs: [
                    "class": OutputTraining(
                        loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy]),
                    "size": OutputTraining(loss: .meanSquaredError),
                ]), device: .reference)
        let look = LambdaCallback(trainingBegins: { run in
            for (name, isLargerBetter) in [
                ("class_loss", false), ("class_accuracy", true), ("size_loss", false),
            ] {
                var monitor = Monitor(name, mode: .auto)
                try monitor.begin(run, for: TerminateOnNaN())
                #expect(monitor.isImprovement(2, over: 1) == isLargerBetter)
            }
        })
        _ = try await trainer.fit(twoHeadedExamples(4), callbacks: [look], verbosity: .silent)
    }

    @Test func aNumberThatIsNotReported() async throws {
        let data = try bars(4)
        let trainer = try smallTrainer()
        let before = try await weights(trainer)
        for (callback, name) in [
            (EarlyStopping(), "EarlyStopping"), (ReduceLROnPlateau(), "ReduceLROnPlateau"),
        ] as [(any Callback, String)] {
            let error = await #expect(throws: TrainingError.self) {
                try await trainer.fit(data, callbacks: [callback], verbosity: .silent)
            }
            #expect(error == .notReported("val_loss", callback: name, reported: ["accuracy", "loss"]))
            #expect(error?.description.contains("give validation data") == true)
        }
        let typo = await #expect(throws: TrainingError.self) {
            try await trainer.fit(
                data, callbacks: [EarlyStopping(monitor: "acuracy")], verbosity: .silent)
        }
        #expect(typo?.description.contains("did you mean 'accuracy'?") == true)
        let other = await #expect(throws: TrainingError.self) {
            try await trainer.fit(data, callbacks: [EarlyStopping(monitor: "f1")], verbosity: .silent)
        }
        #expect(other?.description.contains("accuracy, loss") == true)
        #expect(try await weights(trainer) == before)
    }

    // MARK: Early stopping

    @Test func aCallbackCanBeUsedAgain() async throws {
        let stopping = EarlyStopping(patience: 2)
        #expect(try await stoppedAfter([3, 2, 2, 2, 2], stopping) == 4)
        // The best of the first training, 2, no longer counts.
        #expect(try await stoppedAfter([9, 8, 7, 6, 5], stopping) == 5)
        let reducing = ReduceLROnPlateau(factor: 0.5, patience: 1)
        for _ in 0..<2 {
            let trainer = try lineTrainer(learningRate: 0.004)
            _ = try await train(trainer, reporting: [1, 1], callbacks: [reducing])
            #expect(trainer.learningRate == 0.002)
        }
    }

    @Test func theReasonTellsTheBestEpoch() async throws {
        let history = try await train(
            lineTrainer(), reporting: [3, 2, 1.5, 2, 2, 2], callbacks: [EarlyStopping(patience: 2)])
        #expect(history.stopReason == "val_loss has not improved on 1.5 of epoch 3 for 2 epochs")
    }

    @Test func anInterruptedTrainingKeepsItsLastWeights() async throws {
        let stop = StopSignal()
        let data = try bars(6)
        let trainer = try smallTrainer(.adam(learningRate: 0.1))
        let after = Collected<[Float]>()
        let look = LambdaCallback(epochEnds: { run in
            after.append(try run.trainer.trained[0].variable?.value().floats ?? [])
            if run.completeEpochs == 3 { stop.request() }
        })
        // The first epoch stays the best.
        let stopping = EarlyStopping(monitor: "loss", patience: 9, mode: .max, restoreBest: true)
        let history = try await trainer.fit(
            data, epochs: 5, callbacks: [stopping, look], verbosity: .silent, stop: stop)
        #expect(history.wasInterrupted && history.epochs.count == 3)
        #expect(try await values(of: [#require(trainer.trained[0].variable)])[0].floats == after.all[2])
        #expect(after.all[2] != after.all[0])
        let best = await stopping.bestEpoch
        #expect(best == 1)
    }

    @Test func bestWeightsAreOfLayersOwnStateAndNotOfFrozenParameters() async throws {
        let layer = MovingMean()
        let model = try Sequential(input: [2]) {
            layer
            Dense(units: 2, name: "frozen")
            Dense(units: 1)
        }
        model.layers[1].isTrainable = false
        let trainer = try model.compile(
            optimizer: .sgd(learningRate: 0.1), loss: .meanSquaredError, device: .reference)
        let first = Collected<[TensorValue?]>()
        let stopping = EarlyStopping(monitor: "loss", patience: 9, mode: .max, restoreBest: true)
        let look = LambdaCallback(epochEnds: { _ in
            first.append(try model.parameters.map { try $0.parameter.variable?.value() })
        })
        let data = try Examples(inputs: numbers([6, 2]), targets: numbers([6, 1], stream: 1))
        _ = try await trainer.fit(data, epochs: 4, callbacks: [stopping, look], verbosity: .silent)
        let final = try await Compute.run { try model.parameters.map { try $0.parameter.variable?.value() } }
        #expect(final == first.all[0] && final[0] != first.all[3][0])
        #expect(
            await stopping.memory.tensors.keys.sorted() == ["dense/bias", "dense/kernel", "moving_mean/mean"])
    }

    // MARK: NaN

    /// One rule for all that watch a number.
    @Test func anyNumberIsBetterThanNaN() async throws {
        var monitor = Monitor("val_loss", mode: .min, minDelta: 0.5)
        #expect(!monitor.improves(.nan) && monitor.best == nil)
        #expect(monitor.improves(7) && !monitor.improves(.nan) && monitor.best == 7)
        #expect(!monitor.improves(6.75) && monitor.improves(6))
        #expect(monitor.isImprovement(9, over: .nan) && !monitor.isImprovement(.nan, over: .nan))
        // As older checkpoints remember it.
        monitor.best = .nan
        #expect(monitor.best == nil && monitor.improves(.infinity) && monitor.improves(1e9))
    }

    @Test func earlyStoppingWaitsForANumberAndNeverRestoresNaN() async throws {
        func trained(
            _ losses: [Double], patience: Int, memory: CallbackMemory? = nil
        ) async throws -> (epochs: Int, best: Int?, restored: Int?, reason: String?) {
            let trainer = try lineTrainer()
            let kernel = try #require(trainer.trained[0].variable)
            let after = Collected<TensorValue>()
            let stopping = EarlyStopping(patience: patience, restoreBest: true)
            let look = LambdaCallback(epochEnds: { _ in after.append(try kernel.value()) })
            let begin = LambdaCallback(trainingBegins: { _ in if let memory { stopping.memory = memory } })
            let history = try await train(trainer, reporting: losses, callbacks: [stopping, begin, look])
            let final = try await kernel.value()
            return (
                history.epochs.count, await stopping.bestEpoch,
                after.all.firstIndex(of: final).map { $0 + 1 },
                history.stopReason
            )
        }
        let late = try await trained([.nan, 3, 2, .nan, 2.5, 2.5, 1], patience: 3)
        #expect(late.epochs == 6 && late.best == 3 && late.restored == 3)
        #expect(late.reason == "val_loss has not improved on 2.0 of epoch 3 for 3 epochs")
        let never = try await trained([.nan, .nan, .nan, .nan], patience: 3)
        #expect(never.epochs == 3 && never.best == nil && never.restored == 3)
        #expect(never.reason == "val_loss has not been a number for 3 epochs")
        // Resumed from a checkpoint in which NaN was the best: its weights are not given back either.
        let old = CallbackMemory(
            numbers: ["wait": 1, "best_epoch": 1, "best": .nan],
            tensors: ["dense/kernel": try TensorValue(shape: [1, 1], [.nan])])
        let healed = try await trained([5, 6, 7], patience: 3, memory: old)
        #expect(healed.best == 1 && healed.restored == 1)
        let stillNone = try await trained([.nan, .nan], patience: 3, memory: old)
        #expect(stillNone.best == nil && stillNone.restored == 2)
    }

    @Test func theLearningRateFollowsTheFirstNumberAfterNaN() async throws {
        let rates = Collected<Double>()
        let look = LambdaCallback(epochEnds: { rates.append($0.trainer.learningRate) })
        _ = try await train(
            lineTrainer(learningRate: 0.008), reporting: [.nan, 3, 2, 1, 1],
            callbacks: [ReduceLROnPlateau(factor: 0.5, patience: 1), look])
        #expect(rates.all == [0.004, 0.004, 0.004, 0.004, 0.002])
    }

    // MARK: Learning rate

    @Test func learningRateScheduler() async throws {
        let rates = Collected<Double>()
        let trainer = try smallTrainer(.sgd(learningRate: 0.5))
        let scheduler = LearningRateScheduler { epoch, rate in epoch == 0 ? rate : rate / Double(epoch + 1) }
        let look = LambdaCallback(stepEnds: { rates.append($0.trainer.learningRate) })
        _ = try await trainer.fit(
            bars(4), epochs: 3, batchSize: 2, callbacks: [scheduler, look], verbosity: .silent)
        let third = 0.25 / 3.0
        #expect(rates.all == [0.5, 0.5, 0.25, 0.25, third, third])
        for wrong in [-1, .nan, .infinity] {
            let error = await #expect(throws: TrainingError.self) {
                try await trainer.fit(
                    bars(4), callbacks: [LearningRateScheduler { _, _ in wrong }], verbosity: .silent)
            }
            #expect(error?.description.contains("the learning rate of epoch 1 is \(wrong)") == true)
        }
    }

    @Test func aScheduleAndACallbackDoNotGoTogether() async throws {
        let data = try bars(4)
        let trainer = try smallNetwork().compile(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(), schedule: .constant(0.1),
            device: .reference)
        for callback in [
            LearningRateScheduler { _, rate in rate }, ReduceLROnPlateau(monitor: "loss"),
        ] as [any Callback] {
            let error = await #expect(throws: TrainingError.self) {
                try await trainer.fit(data, callbacks: [callback], verbosity: .silent)
            }
            #expect(error?.description.contains("schedule is constant") == true)
        }
    }

    @Test func settingsOfReduceLROnPlateau() async throws {
        let data = try bars(4)
        for callback in [
            ReduceLROnPlateau(monitor: "loss", factor: 1), ReduceLROnPlateau(monitor: "loss", factor: -0.1),
            ReduceLROnPlateau(monitor: "loss", factor: .nan),
            ReduceLROnPlateau(monitor: "loss", minLearningRate: -1),
            ReduceLROnPlateau(monitor: "loss", minLearningRate: .infinity),
        ] {
            let error = await #expect(throws: TrainingError.self) {
                try await smallTrainer().fit(data, callbacks: [callback], verbosity: .silent)
            }
            #expect(error?.description.contains("of ReduceLROnPlateau is") == true)
        }
    }

    // MARK: Memory

    @Test func memoriesComeBack() async throws {
        let stopping = EarlyStopping(patience: 5, restoreBest: true)
        _ = try await train(lineTrainer(), reporting: [3, 2, 4, 5], callbacks: [stopping])
        let memory = await stopping.memory
        #expect(memory.numbers == ["wait": 2, "best_epoch": 2, "best": 2])
        #expect(memory.tensors.keys.sorted() == ["dense/bias", "dense/kernel"])
        let other = EarlyStopping(patience: 5, restoreBest: true)
        await Compute.run { other.memory = memory }
        #expect(await other.memory == memory)

        let reducing = ReduceLROnPlateau(patience: 1, cooldown: 4)
        _ = try await train(lineTrainer(), reporting: [3, 2, 2, 2], callbacks: [reducing])
        #expect(await reducing.memory.numbers == ["wait": 0, "cooldown_left": 3, "best": 2])
        // Numbers that count nothing are 0, and no trap.
        let hostile = CallbackMemory(numbers: ["wait": 1e300, "cooldown_left": .nan, "best_epoch": 0.5])
        await Compute.run {
            reducing.memory = hostile
            stopping.memory = hostile
        }
        #expect(await reducing.memory.numbers == ["wait": 0, "cooldown_left": 0])
        #expect(await stopping.memory.numbers == ["wait": 0, "best_epoch": 0])
    }
}
