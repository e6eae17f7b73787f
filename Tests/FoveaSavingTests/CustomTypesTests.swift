import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

/// Twice its input.
private final class Twice: UnaryLayer {
    static let typeName = "Twice"
    let name: String?
    init(name: String? = nil) { self.name = name }
    init(name: String?, configuration: inout ConfigurationReader) { self.name = name }
    var configuration: Configuration { [:] }
    func call(_ x: Tensor) throws(ShapeError) -> Tensor { try x * 2 }
}

/// `|p - t| · scale`.
private struct ScaledError: Loss {
    static let name = "scaled_error"
    var scale = 1.0

    func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let error = try predictions - targets.aligned(with: predictions, for: name)
        return try (error.unary(.abs) * Float(scale)).meanPerExample()
    }
}

private struct MeanOutput: Metric {
    static let name = "mean_output"
    var scale = 1.0

    func sums(_ batch: MetricInputs) throws -> Tensor { try batch.mean(batch.predictions * Float(scale)) }
}

/// A program's own layers, losses and metrics in files.
@Suite struct CustomTypesTests {
    private let types = CustomTypes(
        layers: [Twice.self], losses: [ScaledError.self], metrics: [MeanOutput.self])

    private func trainer() throws -> Trainer {
        try Sequential(input: [3], seed: 2) {
            Twice()
            Dense(units: 2)
        }.compile(
            optimizer: .adam(learningRate: 0.05), loss: ScaledError(scale: 0.5),
            metrics: [MeanOutput(scale: 3), .loss(ScaledError())], device: .reference)
    }

    private func examples() throws -> Examples {
        try Examples(
            inputs: TensorValue(shape: [6, 3], (0..<18).map { Float($0 % 5) / 4 }),
            targets: TensorValue(shape: [6, 2], (0..<12).map { Float($0 % 7) / 3 }))
    }

    @Test func aModelComesBack() async throws {
        try await inTemporaryFolder { folder in
            let trainer = try trainer()
            try await SavedModel(trainer.model, training: trainer.configuration).write(to: folder + "/m")
            let read = try await SavedModel(contentsOf: folder + "/m", customTypes: types)
            #expect(read.training?.outputs == trainer.configuration.outputs)
            let training = try #require(read.training)
            let again = try read.model.compile(training, device: .reference)
            let expected = try await trainer.evaluate(examples())
            #expect(try await again.evaluate(examples()) == expected)
        }
    }

    @Test func whatIsMissingIsNamed() async throws {
        try await inTemporaryFolder { folder in
            let trainer = try trainer()
            try await SavedModel(trainer.model, training: trainer.configuration).write(to: folder + "/m")
            for (lacking, name) in [
                (CustomTypes(losses: types.losses, metrics: types.metrics), "layer 'Twice'"),
                (CustomTypes(layers: types.layers, metrics: types.metrics), "loss 'scaledError'"),
                (CustomTypes(layers: types.layers, losses: types.losses), "metric 'mean_output'"),
            ] {
                let error = await #expect(throws: ModelFileError.self) {
                    try await SavedModel(contentsOf: folder + "/m", customTypes: lacking)
                }
                #expect(error?.problem.contains(name) == true, "\(error as Any)")
                #expect(error?.problem.contains("damaged") == false, "\(error as Any)")
            }
        }
    }

    /// Stopped in the middle of an epoch, whose sums are those of the program's own metrics.
    @Test func trainingGoesOn() async throws {
        struct Killed: Error {}
        try await inTemporaryFolder { folder in
            func fit(killed: Bool) async throws -> History {
                let backup = BackupAndRestore(folder + "/c", saveFrequency: .steps(1), deletesWhenDone: false)
                let kill = LambdaCallback(stepEnds: { if killed, $0.step == 5 { throw Killed() } })
                return try await trainer().fit(
                    examples(), epochs: 3, batchSize: 2, callbacks: [backup, kill], verbosity: .silent)
            }
            let whole = try await trainer().fit(examples(), epochs: 3, batchSize: 2, verbosity: .silent)
            await #expect(throws: Killed.self) { try await fit(killed: true) }
            let resumed = try await fit(killed: false)
            #expect(resumed.epochs.map(\.values.description) == whole.epochs.map(\.values.description))

            #expect(throws: ModelFileError.self) { try Checkpoint(contentsOf: folder + "/c") }
            let checkpoint = try Checkpoint(contentsOf: folder + "/c", customTypes: types)
            #expect(checkpoint.position.completeEpochs == 3)
        }
    }
}
