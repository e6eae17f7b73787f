import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Trains a small model with validation losses that are given, one for each epoch.
@Compute
func train(
    _ trainer: Trainer, reporting losses: [Double], callbacks: [any Callback]
) throws -> History {
    let examples = try Examples(
        inputs: TensorValue(shape: [2, 1], [1, 2]), targets: TensorValue(shape: [2, 1], [50, 70]))
    let source = try DatasetSource(
        Dataset.batches(of: examples, size: 2), epochs: losses.count, stepsPerEpoch: nil, conditions: [:],
        loaderThreads: 0, stop: nil)
    var next = losses.makeIterator()
    func evaluate() throws -> Totals {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let loss = next.next() ?? 0
        let text = loss.isFinite ? "\(loss)" : "\"\(loss)\""
        return try decoder.decode(
            Totals.self, from: Data(#"{"examples":1,"loss":\#(text),"parts":[]}"#.utf8))
    }
    let validation = ValidationSource(
        frequency: 1, summary: "given", fingerprints: { [] }, evaluate: evaluate)
    let run = TrainingRun(
        trainer, source: source, classWeights: nil, seed: 0, epochs: losses.count, initialEpoch: 0,
        callbacks: callbacks, stop: nil,
        verbosity: .silent, output: .standard, validation: validation)
    return try run.train()
}

func lineTrainer(learningRate: Double = 1e-3) throws -> Trainer {
    try Sequential(input: [1], seed: 1) { Dense(units: 1) }.compile(
        optimizer: .sgd(learningRate: learningRate), loss: .meanSquaredError, device: .reference)
}

/// `EarlyStopping` and `ReduceLROnPlateau` decide what Keras's decide, but for NaN in the first epoch (`CallbackTests`).
struct CallbackGoldenTests {
    private struct Settings: Decodable {
        let mode: MonitorMode
        let patience: Int?
        let minDelta: Double?
        let baseline: Double?
        let startFromEpoch: Int?
        let factor: Double?
        let cooldown: Int?
        let minLr: Double?
    }

    private struct Stopping: Decodable {
        let sequence: Int
        let settings: Settings
        let epochs: Int
        let restored: Int
    }

    private struct Reducing: Decodable {
        let sequence: Int
        let settings: Settings
        let rates: [Double]
    }

    private struct Records: Decodable {
        let sequences: [[Double?]]
        let stopping: [Stopping]
        let reducing: [Reducing]

        /// JSON has neither NaN nor infinity.
        func values(_ sequence: Int) -> [Double] {
            sequences[sequence].map { value in value.map { $0 == 1e300 ? .infinity : $0 } ?? .nan }
        }
    }

    @Test func earlyStopping() async throws {
        let records = try golden("callbacks", as: Records.self)
        #expect(records.stopping.count == 100)
        for record in records.stopping {
            let settings = record.settings
            let stopping = EarlyStopping(
                minDelta: settings.minDelta ?? 0, patience: settings.patience ?? 0, mode: settings.mode,
                baseline: settings.baseline, restoreBest: true, startFromEpoch: settings.startFromEpoch ?? 0)
            let trainer = try lineTrainer()
            let kernel = try #require(trainer.trained[0].variable)
            let after = Collected<TensorValue>()
            let look = LambdaCallback(epochEnds: { _ in after.append(try kernel.value()) })
            let history = try await train(
                trainer, reporting: records.values(record.sequence), callbacks: [stopping, look])
            let what: Comment = "sequence \(record.sequence), \(settings)"
            #expect(history.epochs.count == record.epochs, what)
            if record.epochs < 16 { #expect(history.stopReason?.hasPrefix("val_loss has not") == true, what) }
            // Every epoch has another kernel.
            let final = try await kernel.value()
            #expect(after.all.firstIndex(of: final) == record.restored - 1, what)
        }
    }

    @Test func reduceLROnPlateau() async throws {
        let records = try golden("callbacks", as: Records.self)
        #expect(records.reducing.count == 80)
        for record in records.reducing {
            let settings = record.settings
            let reducing = ReduceLROnPlateau(
                factor: settings.factor ?? 0.1, patience: settings.patience ?? 10, mode: settings.mode,
                minDelta: settings.minDelta ?? 1e-4, cooldown: settings.cooldown ?? 0,
                minLearningRate: settings.minLr ?? 0)
            // The rate only shows the decisions; as a step size it would be too large.
            let trainer = try lineTrainer(learningRate: 1)
            let rates = Collected<Double>()
            let look = LambdaCallback(
                stepEnds: { _ in try trainer.trained[0].variable?.assign(TensorValue(shape: [1, 1], [0])) },
                epochEnds: { rates.append($0.trainer.learningRate) })
            let values = records.values(record.sequence)
            _ = try await train(trainer, reporting: values, callbacks: [reducing, look])
            expectClose(
                rates.all.map(Float.init), record.rates, 1e-6,
                "sequence \(record.sequence), \(settings)")
        }
    }
}
