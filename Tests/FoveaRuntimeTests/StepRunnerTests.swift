import Foundation
import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import TestSupport
import Testing

/// Steps on all backends: what is computed for one batch size must not depend on those before.
struct StepRunnerTests {
    static let devices = [Device.reference, .cpu, .cpu(precision: .strict)]

    /// A convolution whose weights one step changes and another one reads.
    private struct Work {
        let weights: Variable
        let training: Step
        let inference: Step

        init() throws {
            let shape: Shape = [3, 3, 2, 16]
            let numbers = (0..<shape.elementCount).map { Float($0 * 37 % 101) / 101 - 0.5 }
            weights = Variable(name: "weights", initial: try TensorValue(shape: shape, numbers))
            let x = Tensor.input("x", [9, 7, 2])
            let y = try x.convolved(with: Tensor(weights)).relu()
            let loss = try (y * y).mean()
            let slope = try gradient(of: loss, withRespectTo: [Tensor(weights)])[0]
            let noise = Tensor.randomNormal(weights.shape)
            let next = try Tensor(weights) - slope * 0.1 + noise * 0.01
            training = Step(outputs: [loss], updates: [try Update(weights, to: next)], mode: .training)
            inference = Step(outputs: [y], mode: .inference)
        }
    }

    private static func images(_ count: Int) throws -> TensorValue {
        let shape: Shape = [count, 9, 7, 2]
        return try TensorValue(
            shape: shape, (0..<shape.elementCount).map { Float(($0 * 7919 + count) % 1000) / 500 - 1 })
    }

    /// In turn, with the memory growing and shrinking, as by executables with memory of their own.
    @Test(arguments: devices) @Compute func sizesInTurnShareMemory(device: Device) throws {
        let backend = try device.backend
        let (work, other) = (try Work(), try Work())
        let runner = try StepRunner(device: device)
        for (number, size) in [3, 1, 8, 3, 2, 8].enumerated() {
            let values = ["x": try Self.images(size)]
            for (step, twin) in [(work.training, other.training), (work.inference, other.inference)] {
                let result = try runner.run(step, values, number: UInt64(number), seed: 5)[0].value()
                let executable = try backend.compile(
                    outputs: twin.outputs, updates: twin.updates, mode: twin.mode, batch: size)
                #expect(try executable.run(values, step: UInt64(number), seed: 5) == [result])
            }
            #expect(try work.weights.value() == other.weights.value())
        }
        #expect(runner.compiledCount == 8)
    }

    @Test @Compute func forgetsWhatWasNotUsedForLongest() throws {
        let (work, runner) = (try Work(), try StepRunner(executableLimit: 2))
        for size in [1, 2, 1, 3, 1] { try runner.run(work.inference, ["x": Self.images(size)]) }
        #expect(runner.compiledCount == 3)
        try runner.run(work.inference, ["x": Self.images(2)])
        #expect(runner.compiledCount == 4)
    }

    @Test(arguments: devices) @Compute func seedsCompileNothing(device: Device) throws {
        let step = Step(outputs: [.randomUniform([8])], mode: .inference)
        let runner = try StepRunner(device: device)
        let values = try [1, 2, 1].map { try runner.run(step, [:], number: 3, seed: $0)[0].value() }
        #expect(values[0] == values[2])
        #expect(values[0] != values[1])
        #expect(runner.compiledCount == 1)
    }

    @Test(arguments: [Device.cpu, .reference])
    @Compute func anOutputIsGoneAfterTheNextRun(device: Device) throws {
        let (work, runner) = (try Work(), try StepRunner(device: device))
        let first = try runner.run(work.inference, ["x": Self.images(2)])[0]
        let value = try first.value()
        #expect(first.type == TensorType(value.shape, .float32))
        #expect(try first.value() == value)
        try runner.run(work.inference, ["x": Self.images(1)])
        // It is never something else.
        do { #expect(try first.value() == value) } catch { #expect(error as? RunError == .outputGone) }
    }

    @Test(arguments: [Device.cpu, .reference])
    @Compute func inputsThatDoNotFitAreNamed(device: Device) throws {
        let (work, runner) = (try Work(), try StepRunner(device: device))
        #expect(throws: RunError.missingInput("x")) { try runner.run(work.inference, [:]) }
        #expect(throws: RunError.unknownInput("y", known: ["x"])) {
            try runner.run(work.inference, ["x": Self.images(1), "y": TensorValue(1 as Float)])
        }
        let wrong = try TensorValue(shape: [2, 5, 7, 2], [Float](repeating: 0, count: 140))
        #expect(throws: RunError.self) { try runner.run(work.inference, ["x": wrong]) }
        // And nothing of it stays.
        let value = try runner.run(work.inference, ["x": Self.images(1)])[0].value()
        #expect(try StepRunner(device: device).run(work.inference, ["x": Self.images(1)])[0].value() == value)
    }

    /// An executable in a workspace that another one has used needs its inputs again.
    @Test @Compute func inputsAreLostWithTheWorkspace() throws {
        let backend = try Device.cpu.backend
        let workspace = backend.makeWorkspace()
        let graphs = try [1, 2].map { size in
            try BoundGraph(outputs: [Tensor.input("x", [3]) * 2], mode: .inference, batch: size)
        }
        let executables = try graphs.map { try backend.compile($0, in: workspace) }
        func run(_ place: Int) throws -> [TensorValue] {
            let count = 3 * (place + 1)
            return try executables[place].run([
                "x": TensorValue(shape: [place + 1, 3], [Float](repeating: Float(place + 4), count: count))
            ])
        }
        _ = try run(0)
        _ = try executables[0].run()
        _ = try run(1)
        #expect(throws: RunError.missingInput("x")) { try executables[0].run() }
        #expect(try run(0)[0].floats == [8, 8, 8])
    }

    /// In a process of its own, which uses memory for nothing else.
    @Test func manySizesTakeHardlyMoreMemoryThanTheLargest() async throws {
        await #expect(processExitsWith: .success) {
            func residentMebibytes() throws -> Int {
                let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
                return try #require(Int(line.split(separator: " ")[1])) / 1024
            }
            let kernel = try TensorValue(
                shape: [3, 3, 8, 32], (0..<2304).map { Float($0 * 37 % 101) / 101 - 0.5 })
            let weights = Variable(name: "weights", initial: kernel)
            let y = try Tensor.input("x", [64, 64, 8]).convolved(with: Tensor(weights)).relu()
            let loss = try (y * y).mean()
            let slope = try gradient(of: loss, withRespectTo: [Tensor(weights)])[0]
            let next = try Update(weights, to: Tensor(weights) - slope * 0.1)
            let step = Step(outputs: [loss], updates: [next], mode: .training)
            let runner = try StepRunner()
            func run(_ size: Int) async throws {
                try await runner.run(
                    step, ["x": TensorValue(repeating: 0.5, shape: [size, 64, 64, 8])])
            }
            try await run(48)
            let largest = try residentMebibytes()
            for size in 1...47 { try await run(size) }
            let all = try residentMebibytes()
            #expect(Double(all) <= 1.3 * Double(largest), "\(largest) MiB, then \(all) MiB")
        }
    }

    // MARK: Variables

    /// Two backends in turn: neither computes with what the other has left behind.
    @Test(arguments: [(Device.cpu, Device.reference), (.cpu, .cpu(precision: .strict))])
    @Compute func variablesFollow(_ first: Device, _ second: Device) throws {
        let (work, alone) = (try Work(), try Work())
        let runners = try [StepRunner(device: first), StepRunner(device: second)]
        let lonely = try StepRunner(device: .reference)
        for number in 0..<6 {
            let values = ["x": try Self.images(2)]
            let runner = runners[number % 2]
            let result = try runner.run(work.training, values, number: UInt64(number))[0].value()
            let expected = try lonely.run(alone.training, values, number: UInt64(number))[0].value()
            expectClose(result, expected, relativeTolerance: 1e-4, "loss \(number)")
            expectClose(
                try work.weights.value(), try alone.weights.value(), relativeTolerance: 1e-4,
                "weights \(number)")
        }
    }

    /// Somebody moves a variable's value elsewhere, as another backend does.
    @Test @Compute func aVariableThatMovedIsBroughtBack() throws {
        let (work, runner) = (try Work(), try StepRunner())
        let values = ["x": try Self.images(1)]
        try runner.run(work.training, values)
        let zeros = TensorValue(repeating: 0, shape: work.weights.shape)
        work.weights.move(to: HostStorage(zeros))
        #expect(try runner.run(work.inference, values)[0].value().floats.allSatisfy { $0 == 0 })
        try runner.run(work.training, values, number: 1)
        #expect(try work.weights.value() != zeros)
    }
}
