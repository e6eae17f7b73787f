import Foundation
import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaXLA

/// Files that are no plugins, where plugins are looked for, and what a device says of itself.
@Suite struct PluginTests {
    private func expectUnusable(
        _ path: String, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: PluginError.self, sourceLocation: sourceLocation) {
            try Device.xla(plugin: path).backend
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(reason), "\(text)", sourceLocation: sourceLocation)
        #expect(text.contains(URL(fileURLWithPath: path).lastPathComponent), sourceLocation: sourceLocation)
    }

    @Test func filesThatAreNoPluginsAreRefused() throws {
        let folder = try TemporaryDirectory()
        expectUnusable(folder.path + "/missing.so", "No such file or directory")
        expectUnusable(folder.path, "cannot be opened as a library")
        expectUnusable(
            try folder.write(Array("no library".utf8), to: "text.so"), "cannot be opened as a library")
        expectUnusable(try folder.write([], to: "empty.so"), "cannot be opened as a library")
    }

    @Test(.enabled(if: library != nil, "needs a zlib to take for a plugin"))
    func librariesThatAreNoPluginsAreRefused() throws {
        expectUnusable(try #require(Self.library), "it has no function GetPjrtApi")
    }

    private static let library = [
        "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
    ].map { $0 + "/libz.so.1" }.first { FileManager.default.fileExists(atPath: $0) }

    @Test(.needsPlugin) func damagedPluginsAreRefused() throws {
        let folder = try TemporaryDirectory()
        let whole = try #require(FileHandle(forReadingAtPath: PluginForTests.path ?? ""))
        let start = [UInt8](try whole.read(upToCount: 100_000) ?? Data())
        expectUnusable(try folder.write(start, to: "cut.so"), "whose end is missing")
    }

    @Test func pluginsAreFoundInTheirPlaces() throws {
        let folder = try TemporaryDirectory()
        let cpu = try folder.write(
            [], to: "venv/lib/python3.12/site-packages/some_cpu/pjrt_c_api_cpu_plugin.so")
        let cuda = try folder.write(
            [], to: "venv/lib/python3.12/site-packages/jax_plugins/xla_cuda13/xla_cuda_plugin.so")
        let cached = try folder.write([], to: "cache/plugins/pjrt_c_api_gpu_plugin.so")
        let system = try folder.write([], to: "usr/lib/pjrt_c_api_cpu_plugin.so")
        try folder.write([], to: "usr/lib/another.so")
        let found = PluginFile.all(
            environment: [
                "FOVEA_PJRT_PLUGIN": "/named/libone.so:/named/two_cpu.so",
                "VIRTUAL_ENV": folder.path + "/venv",
                "FOVEA_CACHE": folder.path + "/cache",
            ], home: folder.path + "/home", system: [folder.path + "/usr"])
        #expect(
            found.map(\.path) == ["/named/libone.so", "/named/two_cpu.so", cached, cuda, cpu, system])
        #expect(found.map(\.kind) == [nil, .cpu, nil, .gpu, .cpu, .cpu])
    }

    @Test func unknownDevicesAreRefused() {
        let error = #expect(throws: RunError.self) { try Device(named: "tpu") }
        #expect(error.map { "\($0)" } == "there is no device 'tpu'; it may be cpu, gpu, xla-cpu")
    }

    @Test(.needsPlugin) func aDeviceSaysWhatItIs() throws {
        let backend = try Device.xla(plugin: #require(PluginForTests.path), precision: .strict).backend
        #expect(backend.name == "xla" && backend.precision == .strict)
        #expect(backend.summary == "xla cpu, strict")
        #expect(backend.versions["pjrt_api"]?.hasPrefix("0.") == true)
        #expect(backend.threadCount > 0 && backend.threadShortage == nil)
        #expect(try Device.xlaCPU.backend.summary == "xla cpu, float32")
        #expect(Device.xlaCPU.description == "xla-cpu")
    }

    @Test(.needsPlugin) @Compute func whatAPluginRefusesIsSaid() throws {
        // More memory than any machine has.
        let huge = Tensor.filled(1, [1 << 24, 1 << 22])
        let error = #expect(throws: PluginError.self) {
            let backend = try PluginForTests.backend()
            let executable = try backend.compile(outputs: [huge * Tensor.argument("x")], mode: .inference)
            _ = try executable.run(["x": TensorValue(2)])
        }
        guard case .failed? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(.needsPlugin) @Compute func runsThatLackSomethingAreRefused() throws {
        let sum = try Tensor.input("x", [2]) + Tensor.argument("y")
        let executable = try PluginForTests.backend().compile(outputs: [sum], mode: .inference, batch: 3)
        #expect(throws: RunError.noOutput(0, count: 1)) { try executable.output(0) }
        #expect(throws: RunError.missingInput("x")) { try executable.run(["y": TensorValue(1)]) }
        #expect(throws: RunError.unknownInput("z", known: ["x", "y"])) {
            try executable.setInput("z", to: TensorValue(1))
        }
        #expect(throws: RunError.self) { try executable.setInput("x", to: TensorValue(1)) }
        let value = TensorValue(repeating: 2, shape: [3, 2])
        #expect(try executable.run(["x": value])[0].floats == [3, 3, 3, 3, 3, 3])
        #expect(throws: RunError.noOutput(1, count: 1)) { try executable.output(1) }
    }
}
