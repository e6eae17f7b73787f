import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Examples whose numbers tell which they are: inputs `[count, 3]` of bytes and targets `[count, 2]`.
private func numbered(_ count: Int) throws -> Examples {
    let bytes = (0..<count).flatMap { row in (0..<3).map { UInt8((7 * row + $0) % 251) } }
    let targets = (0..<count).flatMap { [Float($0), -Float($0)] }
    return try Examples(
        inputs: TensorValue(shape: [count, 3], storage: .uint8(bytes)),
        targets: TensorValue(shape: [count, 2], targets))
}

private func sources(_ examples: Examples) -> [String: TensorValue] {
    ["inputs": examples.inputs[0], "targets": examples.targets[0]]
}

/// Computes nothing; has its inputs.
@Compute
private final class InputsOnly: Executable {
    let inputs: [String: TensorType]
    private(set) var values: [String: TensorValue] = [:]

    init(_ examples: Examples, batch: Int) {
        func type(_ value: TensorValue) -> TensorType {
            TensorType(Shape([batch] + value.shape.dimensions.dropFirst()), value.dtype)
        }
        inputs = ["inputs": type(examples.inputs[0]), "targets": type(examples.targets[0])]
    }

    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard let type = inputs[name] else { throw RunError.unknownInput(name, known: inputs.keys.sorted()) }
        var bytes = [UInt8](repeating: 0xEE, count: type.shape.elementCount * type.dtype.byteCount)
        try bytes.withUnsafeMutableBytes(fill)
        values[name] = try bytes.withUnsafeBytes {
            try TensorValue(shape: type.shape, dtype: type.dtype, bytes: $0)
        }
    }

    func run(step: UInt64) {}
    func output(_ index: Int) throws -> TensorValue { throw RunError.noOutput(index, count: 0) }
    var outputCount: Int { 0 }
}

/// The rows at these indices, one slice after the other.
private func rows(_ value: TensorValue, _ indices: some Collection<Int>) -> [Float] {
    let all = value.floats
    let length = all.count / value.shape[0]
    return indices.flatMap { all[($0 * length)..<(($0 + 1) * length)] }
}

/// How many threads of loaders this process has.
private func loaderThreads() throws -> Int {
    let folder = "/proc/self/task"
    return try FileManager.default.contentsOfDirectory(atPath: folder).count { number in
        // A thread may end in between.
        (try? String(contentsOfFile: "\(folder)/\(number)/comm", encoding: .utf8)) == "fovea-loader\n"
    }
}

private func expectNoLoaderThread(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    for _ in 0..<500 {
        if try loaderThreads() == 0 { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("a loader's thread is left after 10 s", sourceLocation: sourceLocation)
}

struct BatchLoaderTests {
    @Test(arguments: [(10, 3), (12, 4), (7, 7), (5, 1), (1, 1), (9, 8)], [0, 1])
    func batchesComeInTheOrderAsked(size: (count: Int, batch: Int), milliseconds: UInt32) async throws {
        let examples = try numbered(40)
        let order = shuffledOrder(count: 40, seed: 2, epoch: 0).prefix(size.count - 1) + [3]
        let batches = stride(from: 0, to: size.count, by: size.batch).map {
            $0..<min($0 + size.batch, size.count)
        }
        try await Compute.run {
            let loader = BatchLoader(sources(examples), order: Array(order), batches: batches)
            for batch in batches {
                let executable = InputsOnly(examples, batch: batch.count)
                try loader.load(into: executable)
                #expect(executable.values["inputs"]?.floats == rows(examples.inputs[0], order[batch]))
                #expect(executable.values["targets"]?.floats == rows(examples.targets[0], order[batch]))
                // A loader that did not wait for its turn would be two batches further.
                usleep(milliseconds * 1000)
            }
        }
    }

    @Test(arguments: 0..<4, [-1, 6, Int.max])
    func anExampleThatDoesNotExistIsReportedWithItsBatch(place: Int, index: Int) async throws {
        let examples = try numbered(6)
        var order = [5, 4, 3, 2, 1, 0, 5]
        let batches = [0..<2, 2..<4, 4..<6, 6..<7]
        order[batches[place].upperBound - 1] = index
        let asked = order
        try await Compute.run {
            let loader = BatchLoader(sources(examples), order: asked, batches: batches)
            for (number, batch) in batches.enumerated() {
                let executable = InputsOnly(examples, batch: batch.count)
                if number == place {
                    let error = #expect(throws: DatasetError.self) { try loader.load(into: executable) }
                    #expect(error?.message.contains("example \(index) ") == true)
                    #expect(executable.values.isEmpty)
                } else {
                    try loader.load(into: executable)
                    #expect(executable.values["inputs"]?.floats == rows(examples.inputs[0], asked[batch]))
                }
            }
        }
    }

    @Test func anErrorOfTheExecutableDoesNotStopTheLoader() async throws {
        let examples = try numbered(6)
        await Compute.run {
            let loader = BatchLoader(
                ["inputs": examples.inputs[0], "typo": examples.targets[0]], order: Array(0..<6),
                batches: [0..<2, 2..<4, 4..<6])
            for _ in 0..<3 {
                #expect(throws: RunError.self) {
                    try loader.load(into: InputsOnly(examples, batch: 2))
                }
            }
        }
    }

    // MARK: Training

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
            for (name, source) in examples.sources(for: trainer) {
                let type = try #require(executable.inputs[name])
                let numbers = rows(source, indices).map(Double.init)
                try executable.setInput(
                    name, to: TensorValue(shape: type.shape, dtype: type.dtype, doubles: numbers))
            }
            try executable.run(step: UInt64(step))
            return Double(try executable.output(0).scalar) * Double(indices.count)
        }
        func batches(_ order: [Int]) -> [[Int]] {
            stride(from: 0, to: order.count, by: batchSize).map { Array(order[$0...].prefix(batchSize)) }
        }
        var losses: (training: [Double], validation: [Double?]) = ([], [])
        var step = 0
        for epoch in 0..<epochs {
            let order =
                shuffle ? shuffledOrder(count: data.count, seed: seed, epoch: epoch) : Array(0..<data.count)
            var sum = 0.0
            for batch in batches(order) {
                let executable = try trainer.trainingExecutable(
                    GraphKey(data), batch: batch.count, seed: seed)
                try executable.setInput("learning_rate", to: TensorValue(Float(trainer.learningRate)))
                sum += try run(executable, data, batch, step: step)
                step += 1
            }
            losses.training.append(sum / Double(data.count))
            sum = 0
            for batch in batches(Array(0..<validation.count)) {
                let executable = try trainer.evaluationExecutable(GraphKey(validation), batch: batch.count)
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

            let examples = try numbered(8)
            await #expect(throws: DatasetError.self) {
                try await Compute.run {
                    let loader = BatchLoader(
                        sources(examples), order: [0, 1, 8, 3, 4, 5, 6, 7],
                        batches: (0..<8).map { $0..<($0 + 1) })
                    for _ in 0..<8 { try loader.load(into: InputsOnly(examples, batch: 1)) }
                }
            }
            try await expectNoLoaderThread()

            _ = try await broken.evaluate(data, batchSize: 3)
            _ = try await broken.predict(inputs: data.inputs[0], batchSize: 3)
            try await expectNoLoaderThread()
        }
    }
}
