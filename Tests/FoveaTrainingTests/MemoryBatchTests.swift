import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// The rows at these indices, one slice after the other.
private func rows(_ value: TensorValue, _ indices: some Collection<Int>) -> [Float] {
    let all = value.floats
    let length = all.count / value.shape[0]
    return indices.flatMap { all[($0 * length)..<(($0 + 1) * length)] }
}

/// How many threads that load batches this process has.
private func loaderThreads() throws -> Int {
    let folder = "/proc/self/task"
    return try FileManager.default.contentsOfDirectory(atPath: folder).count { number in
        // A thread may end in between.
        (try? String(contentsOfFile: "\(folder)/\(number)/comm", encoding: .utf8)) == "fovea-dataset\n"
    }
}

private func expectNoLoaderThread(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    for _ in 0..<500 {
        if try loaderThreads() == 0 { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("a loader's thread is left after 10 s", sourceLocation: sourceLocation)
}

/// Training, evaluation and prediction on examples in memory.
struct MemoryBatchTests {
    /// The same steps without a loader: every input set from slices of the examples.
    @Test(arguments: [3, 4, 13, 20], [true, false])
    func trainingHasTheBitsOfAPlainLoop(batchSize: Int, shuffle: Bool) async throws {
        let (data, validation) = (try bars(13), try bars(7, seed: 8))
        for backend in [ReferenceBackend(), OneDNNBackend()] as [any Backend] {
            let fitted = try smallTrainer(dropout: 0.5, on: backend)
            let history = try await fitted.fit(
                data, epochs: 3, batchSize: batchSize, validation: validation, shuffle: shuffle, seed: 4,
                verbosity: .silent)
            let looped = try smallTrainer(dropout: 0.5, on: backend)
            let losses = try await plainLoop(
                looped, data, validation, epochs: 3, batchSize: batchSize, shuffle: shuffle, seed: 4)
            #expect(history.epochs.map(\.loss) == losses.training)
            #expect(history.epochs.map(\.validationLoss) == losses.validation)
            #expect(try await weights(fitted) == weights(looped))

            let predictions = try await fitted.predict(inputs: data.inputs[0], batchSize: batchSize)
            let atOnce = try await fitted.predict(inputs: data.inputs[0], batchSize: 13)
            expectClose(predictions.floats, atOnce.floats.map(Double.init), 1e-6)
        }
    }

    @Compute
    private func plainLoop(
        _ trainer: Trainer, _ data: Examples, _ validation: Examples, epochs: Int, batchSize: Int,
        shuffle: Bool, seed: UInt64
    ) throws -> (training: [Double], validation: [Double?]) {
        func run(_ executable: any Executable, _ examples: Examples, _ indices: [Int], step: Int) throws
            -> Double
        {
            for (name, source) in trainer.values(of: examples) {
                let type = try #require(executable.inputs[name])
                let numbers = rows(source, indices).map(Double.init)
                try executable.setInput(
                    name, to: TensorValue(shape: type.shape, dtype: type.dtype, doubles: numbers))
            }
            try executable.run(step: UInt64(step), seed: seed)
            return Double(try executable.output(0).value().scalar) * Double(indices.count)
        }
        func batches(_ order: [Int]) -> [[Int]] {
            stride(from: 0, to: order.count, by: batchSize).map { Array(order[$0...].prefix(batchSize)) }
        }
        func compiled(_ step: Step, batch: Int) throws -> any Executable {
            try trainer.backend.compile(
                outputs: step.outputs, updates: step.updates, mode: step.mode, batch: batch)
        }
        var losses: (training: [Double], validation: [Double?]) = ([], [])
        var step = 0
        for epoch in 0..<epochs {
            let order =
                shuffle ? shuffledOrder(count: data.count, seed: seed, epoch: epoch) : Array(0..<data.count)
            var sum = 0.0
            for batch in batches(order) {
                let executable = try compiled(trainer.trainingStep(GraphKey(data)), batch: batch.count)
                try executable.setInput("learning_rate", to: TensorValue(Float(trainer.learningRate)))
                sum += try run(executable, data, batch, step: step)
                step += 1
            }
            losses.training.append(sum / Double(data.count))
            sum = 0
            for batch in batches(Array(0..<validation.count)) {
                let executable = try compiled(
                    trainer.evaluationStep(GraphKey(validation)), batch: batch.count)
                sum += try run(executable, validation, batch, step: 0)
            }
            losses.validation.append(sum / Double(validation.count))
        }
        return losses
    }

    // MARK: Threads

    /// In a process of its own, where no other test's loaders run.
    @Test func noThreadIsLeftBehind() async throws {
        await #expect(processExitsWith: .success) {
            let data = try bars(40)

            let stop = StopSignal()
            let stopped = try smallTrainer(
                on: HookedBackend { step in
                    // It names itself, which takes until it has a CPU.
                    var count = try? loaderThreads()
                    for _ in 0..<500 where count == 0 {
                        usleep(20_000)
                        count = try? loaderThreads()
                    }
                    #expect(count == 1)
                    if step == 3 { stop.request() }
                    return nil
                })
            let history = try await stopped.fit(data, batchSize: 2, verbosity: .silent, stop: stop)
            #expect(history.wasInterrupted)
            try await expectNoLoaderThread()

            let broken = try smallTrainer(on: HookedBackend { $0 == 5 ? .nan : nil })
            await #expect(throws: TrainingError.self) {
                try await broken.fit(data, batchSize: 2, verbosity: .silent)
            }
            try await expectNoLoaderThread()

            _ = try await broken.evaluate(data, batchSize: 3)
            _ = try await broken.predict(inputs: data.inputs[0], batchSize: 3)
            try await expectNoLoaderThread()
        }
    }
}
