import Foundation
import Testing

/// Where commands compute: what is chosen, what is refused, and what becomes known of it.
@Suite struct DeviceTests {
    private static let plugin = ProcessInfo.processInfo.environment["FOVEA_PJRT_PLUGIN"]

    @Test func unknownDevicesAreRefused() async throws {
        let place = try Workplace()
        for command in [
            "train shapes --network single-conv", "bench fashion-cnn", "predict x --dataset shapes --index 0",
            "evaluate x shapes",
        ] {
            let result = try await place.fovea("\(command) --device gpus")
            #expect(result.code == 64, "\(command)")
            #expect(
                result.errors.contains("unknown device 'gpus'; did you mean 'gpu'? known: cpu, gpu, xla-cpu"))
        }
        #expect(try place.names().isEmpty)
    }

    @Test func devicesWithoutAPluginAreRefusedBeforeAnythingIsWritten() async throws {
        let place = try Workplace()
        try place.write(Array("no library".utf8), to: "xla_cuda_plugin.so")
        let missing = try await place.shell(
            "FOVEA_PJRT_PLUGIN=xla_cuda_plugin.so $fovea train shapes --network single-conv --device gpu --output run"
        )
        #expect(missing.code == 1)
        #expect(missing.errors.contains("there is no plugin for the device 'gpu' that can be used"))
        #expect(missing.errors.contains("cannot be opened as a library"))
        #expect(try place.names() == ["xla_cuda_plugin.so"])
        let timed = try await place.fovea("bench single-conv --device gpu --autotune")
        #expect(timed.code != 0 && timed.errors.contains("leave it out with --device gpu"))
    }

    @Test func devicesAreListed() async throws {
        let place = try Workplace()
        let result = try await place.fovea("devices")
        #expect(result.code == 0 && result.errors.isEmpty)
        #expect(result.output.hasPrefix("cpu      bfloat16_unit "))
        #expect(result.output.contains("FOVEA_PJRT_PLUGIN"))
    }

    @Test func programsOfPluginsAreShown() async throws {
        let place = try Workplace()
        let result = try await place.fovea("plan single-conv --stablehlo --batch-size 7")
        #expect(result.code == 0)
        #expect(result.output.hasPrefix("module @fovea {"))
        #expect(result.output.contains("tensor<7x28x28x1xf32>") && result.output.contains("HIGHEST"))
    }

    @Test(
        .enabled(
            if: plugin != nil,
            "needs a plugin for the CPU, whose file FOVEA_PJRT_PLUGIN names (scripts/plugin gets one)"))
    func trainsByAPlugin() async throws {
        let place = try Workplace()
        let fovea = "FOVEA_PJRT_PLUGIN='\(Self.plugin ?? "")' $fovea"
        let train =
            "\(fovea) train shapes --network softmax-regression --epochs 1 --batch-size 500 --device xla-cpu"
        let results = try await [
            place.shell("\(train) --output a"), place.shell("\(train) --output b"),
            place.shell("\(fovea) evaluate a/model.safetensors shapes --device xla-cpu"),
            place.shell("\(fovea) predict a/model.safetensors --dataset shapes --index 0 --device xla-cpu"),
            place.shell("$fovea evaluate a/model.safetensors shapes"),
        ]
        for result in results { #expect(result.code == 0, "\(result.errors)") }
        #expect(try place.bytes("a/model.safetensors") == place.bytes("b/model.safetensors"))
        #expect(results[2].lines.first == results[4].lines.first)
        let metrics = try place.text("a/metrics.json")
        #expect(metrics.contains("\"device\" : \"xla-cpu\"") && metrics.contains("pjrt_api"))
        let list = try await place.shell("\(fovea) devices")
        #expect(list.output.contains("\nxla-cpu  ") && list.output.contains("pjrt_api 0."))
    }
}
