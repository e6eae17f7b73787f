import FoveaGraph
import FoveaRuntime

/// A compiled program with the values that it is given.
@Compute
final class XLAExecutable: Executable {
    let inputs: [String: TensorType]
    private let program: Program
    private let compiled: CompiledProgram
    private let client: Client
    private var given: [String: Buffer] = [:]
    private var results: [Buffer] = []
    private let updated: Set<Variable>

    init(_ graph: BoundGraph, precision: Precision, on client: Client) throws {
        inputs = try graph.inputs()
        program = try Program(graph, precision: precision)
        updated = Set(program.updated)
        compiled = try CompiledProgram(program, for: client)
        self.client = client
    }

    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard let type = inputs[name] else { throw unknownInput(name) }
        let count = type.shape.elementCount * type.dtype.byteCount
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { memory, written in
            try fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(memory)[..<count]))
            written = count
        }
        given[name] = try bytes.withUnsafeBytes { try client.send($0, type) }
    }

    func run(step: UInt64, seed: UInt64) throws {
        var (handles, kept): ([OpaquePointer], [Int64]) = ([], [])
        var storages: [DeviceStorage] = []
        var key: Buffer?
        for argument in program.arguments {
            switch argument {
            case .variable(let variable):
                let storage = try DeviceStorage.of(variable, on: client)
                if updated.contains(variable), storage.isShared { kept.append(Int64(handles.count)) }
                storages.append(storage)
                handles.append(storage.handle)
            case .input(let name):
                guard let buffer = given[name] else { throw RunError.missingInput(name) }
                handles.append(buffer.handle)
            case .randomKey:
                let words = randomKey(seed: seed, step: step)
                let buffer = try client.send(TensorValue(words.indices.map { words[$0] }))
                key = buffer
                handles.append(buffer.handle)
            }
        }
        let all = try withExtendedLifetime((storages, key)) { try compiled.run(handles, keeping: kept) }
        for (variable, buffer) in zip(program.updated, all) {
            DeviceStorage.replace(variable, by: buffer, on: client)
        }
        results = Array(all.dropFirst(program.updated.count))
    }

    var outputCount: Int { program.outputs.count }

    func output(_ index: Int) throws -> RunOutput {
        guard results.indices.contains(index) else { throw RunError.noOutput(index, count: outputCount) }
        let (client, buffer, type) = (client, results[index], program.outputs[index])
        return RunOutput(type) { try client.fetch(buffer, type) }
    }

    func table(timedRuns: Int) throws -> String {
        let clock = ContinuousClock()
        var least: Duration?
        for _ in 0..<timedRuns {
            let time = try clock.measure { try run(step: 0, seed: 0) }
            least = min(least ?? time, time)
        }
        return least.map { "// least time of \(timedRuns) runs: \($0)\n\(program.text)" } ?? program.text
    }
}
