import CPJRT
import FoveaGraph

/// A program as a device runs it.
final class CompiledProgram: Sendable {
    private let client: Client
    private let resultCount: Int
    private nonisolated(unsafe) let handle: OpaquePointer

    /// - Throws: `PluginError.failed` when the plugin does not compile it.
    @Compute
    init(_ program: Program, for client: Client) throws {
        var handle: OpaquePointer?
        let options = CompileOptions(platform: client.platform).bytes
        var text = program.text
        let reason = text.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { characters in
                takenText(
                    fovea_pjrt_compile(
                        client.handle, characters.baseAddress!, Int64(text.count), options,
                        Int64(options.count),
                        &handle))
            }
        }
        guard reason == nil, let handle else {
            throw client.failure("compile the graph", reason ?? "no reason given")
        }
        self.client = client
        self.handle = handle
        resultCount = program.updated.count + program.outputs.count
    }

    deinit { fovea_pjrt_destroy_executable(handle) }

    /// Computes the results.
    ///
    /// - Parameters:
    ///   - arguments: the handles of buffers, which the caller keeps alive.
    ///   - kept: the places of arguments whose memory results must not take.
    /// - Throws: `PluginError.failed`, such as when the device's memory is full.
    @Compute
    func run(_ arguments: [OpaquePointer], keeping kept: [Int64]) throws -> [Buffer] {
        var results = [OpaquePointer?](repeating: nil, count: resultCount)
        let reason = takenText(
            fovea_pjrt_run(
                handle, arguments, Int64(arguments.count), kept, Int64(kept.count), &results,
                Int64(resultCount)))
        if let reason { throw client.failure("compute", reason) }
        return results.compactMap { $0.map(Buffer.init) }
    }
}

/// What a plugin is told about how to compile: a message CompileOptionsProto.
struct CompileOptions {
    let bytes: [UInt8]

    init(platform: String) {
        var flags = [
            // Maxima would lose NaN.
            ("xla_cpu_enable_fast_min_max", false),
            // Roundings to bfloat16 would be left out.
            ("xla_allow_excess_precision", false),
        ]
        // Sums in an order that depends on chance would have other bits each time.
        if platform == "cuda" { flags.append(("xla_gpu_exclude_nondeterministic_ops", true)) }
        // One replica of one part: without them, plugins end the process.
        bytes =
            [0x1A, 4, 0x20, 1, 0x28, 1]
            + flags.flatMap { name, isOn -> [UInt8] in
                let entry =
                    [0x0A, UInt8(name.utf8.count)] + Array(name.utf8) + [0x12, 2, 0x10, isOn ? 1 : 0]
                return [0x3A, UInt8(entry.count)] + entry
            }
    }
}
