import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import FoveaSaving
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaXLA

/// Variables on a device: read, assigned, copied, shared by several compiled graphs, and moved between backends.
@Suite(.serialized, .needsPlugin) struct VariableTests {
    private func counter() throws -> (variable: Variable, step: [Update]) {
        let variable = Variable(name: "counter", initial: TensorValue([1, 2, 3]))
        return (variable, [try Update(variable, to: Tensor(variable) + 1)])
    }

    @Test @Compute func executablesShareVariables() throws {
        let (variable, updates) = try counter()
        let backend = try PluginForTests.backend()
        let counting = try backend.compile(outputs: [], updates: updates, mode: .training)
        let doubling = try backend.compile(outputs: [try Tensor(variable) * 2], mode: .inference)
        for step in 0..<3 as Range<UInt64> { try counting.run(step: step, seed: 0) }
        #expect(try doubling.run()[0].floats == [8, 10, 12])
        #expect(variable.currentStorage is DeviceStorage)
        try variable.assign(TensorValue([0, 0, 0]))
        #expect(try doubling.run()[0].floats == [0, 0, 0])
        try counting.run(step: 3, seed: 0)
        #expect(try variable.value().floats == [1, 1, 1])
    }

    /// A run gives a variable's memory to its next value, but not while a copy has it.
    @Test @Compute func copiesStayAsTheyAre() throws {
        let (variable, updates) = try counter()
        let counting = try PluginForTests.backend().compile(outputs: [], updates: updates, mode: .training)
        try counting.run(step: 0, seed: 0)
        let copy = try variable.currentStorage.copied(reusing: nil)
        #expect((copy as? DeviceStorage)?.isShared == true)
        for step in 1..<4 as Range<UInt64> { try counting.run(step: step, seed: 0) }
        #expect(try copy.read().floats == [2, 3, 4])
        #expect(try variable.value().floats == [5, 6, 7])
        #expect((copy as? DeviceStorage)?.isShared == false)
    }

    /// All updates see the values from before the run, also where two variables trade theirs.
    @Test @Compute func variablesTradeValues() throws {
        let (a, b) = (
            Variable(name: "a", initial: TensorValue([1, 2])),
            Variable(name: "b", initial: TensorValue([3, 4]))
        )
        let updates = [try Update(a, to: Tensor(b)), try Update(b, to: Tensor(a))]
        let trade = try PluginForTests.backend().compile(
            outputs: [Tensor(a)], updates: updates, mode: .training)
        #expect(try trade.run()[0].floats == [1, 2])
        #expect(try a.value().floats == [3, 4] && b.value().floats == [1, 2])
        try trade.run(step: 1, seed: 0)
        #expect(try a.value().floats == [1, 2] && b.value().floats == [3, 4])
    }

    @Test @Compute func backendsTakeTurns() throws {
        let (variable, updates) = try counter()
        let backends: [any Backend] = [OneDNNBackend(), try PluginForTests.backend(), ReferenceBackend()]
        let executables = try backends.map { try $0.compile(outputs: [], updates: updates, mode: .training) }
        for round in 0..<3 {
            for executable in executables { try executable.run(step: UInt64(round), seed: 0) }
        }
        #expect(try variable.value().floats == [10, 11, 12])
    }

    /// Trained on the CPU, evaluated on a device, trained on there, and saved from there.
    @Test func modelsMoveBetweenDevices() async throws {
        var generator = PhiloxGenerator(seed: 3, stream: 0, step: 0)
        let pixels = (0..<24 * 30).map { _ in Float(generator.uniform()) }
        let examples = try Examples(
            inputs: TensorValue(shape: [24, 6, 5, 1], pixels),
            targets: TensorValue((0..<24).map { Int32($0 % 2) }))
        let model = try Sequential(input: [6, 5, 1]) {
            Conv2D(filters: 4, kernelSize: 3, activation: .relu)
            BatchNormalization()
            Flatten()
            Dropout(rate: 0.25)
            Dense(units: 2, activation: .softmax)
        }
        let device = Device(try PluginForTests.backend())
        func trainer(_ device: Device) throws -> Trainer {
            try model.compile(
                optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy],
                device: device)
        }
        let cpu = try trainer(.cpu(precision: .strict))
        // Batches of 5 leave one of 4.
        _ = try await cpu.fit(examples, epochs: 2, batchSize: 5, verbosity: .silent)
        let onCPU = try await cpu.evaluate(examples, batchSize: 7)
        let there = try trainer(device)
        let onDevice = try await there.evaluate(examples, batchSize: 7)
        #expect(abs(onCPU.loss - onDevice.loss) < 1e-5)
        #expect(onCPU.metrics == onDevice.metrics)

        let history = try await there.fit(
            examples, epochs: 2, batchSize: 5, validation: examples, verbosity: .silent)
        #expect(history.epochs.count == 2)
        let folder = try TemporaryDirectory()
        try await SavedModel(model, training: there.configuration).write(
            to: folder.path + "/model.safetensors")
        let saved = try await SavedModel(contentsOf: folder.path + "/model.safetensors")
        let loaded = try await saved.compile(device: .cpu(precision: .strict)).evaluate(
            examples, batchSize: 24)
        #expect(abs(loaded.loss - (history.epochs[1].validationLoss ?? 0)) < 1e-5)
        let back = try await cpu.evaluate(examples, batchSize: 24)
        #expect(back.loss == loaded.loss)
    }

    /// A training that goes on from a checkpoint has the same bits as one that was not interrupted.
    @Test func checkpointsKeepBits() async throws {
        let folder = try TemporaryDirectory()
        var generator = PhiloxGenerator(seed: 4, stream: 0, step: 0)
        let examples = try Examples(
            inputs: TensorValue(shape: [12, 3], (0..<36).map { _ in Float(generator.uniform()) }),
            targets: TensorValue((0..<12).map { Int32($0 % 2) }))
        func train(_ epochs: [Int], _ path: String) async throws -> [TensorValue] {
            var values: [TensorValue] = []
            for count in epochs {
                let model = try Sequential(input: [3]) {
                    Dense(units: 4, activation: .tanh)
                    Dropout(rate: 0.5)
                    Dense(units: 2, activation: .softmax)
                }
                let trainer = try model.compile(
                    optimizer: .adam(), loss: .sparseCategoricalCrossentropy(),
                    device: Device(PluginForTests.backend()))
                _ = try await trainer.fit(
                    examples, epochs: count, batchSize: 4,
                    callbacks: [BackupAndRestore(path, deletesWhenDone: false)], verbosity: .silent)
                let variables = model.trainableParameters.compactMap(\.parameter.variable)
                values = try await Compute.run { try variables.map { try $0.value() } }
            }
            return values
        }
        let whole = try await train([4], folder.path + "/whole")
        #expect(try await train([2, 4], folder.path + "/parts") == whole)
    }

    /// What runs have computed goes away with the last who wants it.
    @Test @Compute func memoryDoesNotGrow() throws {
        let variable = Variable(name: "v", initial: TensorValue(repeating: 0, shape: [256, 1024]))
        let x = Tensor.argument("x", [256, 1024])
        let next = try Tensor(variable) * 0.5 + x
        let executable = try PluginForTests.backend().compile(
            outputs: [next], updates: [Update(variable, to: next)], mode: .training)
        let value = TensorValue(repeating: 1, shape: [256, 1024])
        func run(_ count: Int) throws {
            for step in 0..<UInt64(count) {
                try executable.setInput("x", to: value)
                try executable.run(step: step, seed: 0)
                _ = try executable.output(0).value()
            }
        }
        try run(20)
        let before = try Self.residentBytes()
        // Each keeps 1 MiB if it keeps anything.
        try run(300)
        #expect(try Self.residentBytes() < before + 64 << 20)
    }

    private static func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(fields[1])) * sysconf(Int32(_SC_PAGESIZE))
    }
}
