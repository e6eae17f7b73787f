import Foundation
import FoveaGraph
import FoveaLayers
import TestSupport
import Testing

@testable import FoveaSaving

/// Files of a few kilobytes that ask for gigabytes or minutes. They are refused before any of it is spent.
@Suite struct ModelLimitTests {
    /// What is said of a file with an architecture and no tensors.
    private func problem(_ architecture: String, training: String? = nil) async throws -> String {
        var problem = ""
        try await inTemporaryFolder { folder in
            let path = folder + "/model.safetensors"
            var file = Safetensors()
            file.metadata = ["fovea.format": "2", "fovea.architecture": architecture]
            if let training { file.metadata["fovea.training"] = training }
            try file.write(to: path)
            let error = await #expect(throws: ModelFileError.self) { try await SavedModel(contentsOf: path) }
            problem = error?.problem ?? ""
        }
        return problem
    }

    private func layer(_ kind: String, _ settings: String) -> String {
        #"{"class_name":"\#(kind)","config":{\#(settings)}}"#
    }

    private func sequential(_ name: String, input: String, _ layers: [String]) -> String {
        layer(
            "Sequential",
            #""name":"\#(name)","build_input_shape":\#(input),"layers":[\#(layers.joined(separator: ","))]"#)
    }

    private func model(_ name: String, _ layer: String, calls: Int) -> String {
        let list = (0..<calls).map { #"{"layer":0,"inputs":[[\#($0),0]]}"# }.joined(separator: ",")
        return self.layer(
            "Model",
            #""name":"\#(name)","inputs":[{"name":"x","shape":[null,4]}],"layers":[\#(layer)],"calls":[\#(list)],"#
                + #""outputs":[[\#(calls),0]]"#)
    }

    private var activation: String { layer("Activation", #""name":"a","activation":"relu""#) }

    @Test func images() async throws {
        let padding = layer(
            "ZeroPadding2D",
            #""name":"border","data_format":"channels_last","padding":[[20000,20000],[20000,20000]]"#)
        let problem = try await problem(sequential("small", input: "[null,28,28,1]", [padding]))
        #expect(
            problem.contains(
                "small/border: ZeroPadding2D: its output must have positive extents and at most 536870912"))
        #expect(problem.contains("[batch, 40028, 40028, 1]"))

        let resizing = layer(
            "UpSampling2D",
            #""name":"larger","data_format":"channels_last","interpolation":"nearest","size":[65536,65536]"#)
        let larger = try await self.problem(sequential("small", input: "[null,28,28,1]", [resizing]))
        #expect(larger.contains("small/larger: UpSampling2D: its output must have"))
    }

    @Test(arguments: [10_001, 100_000]) func calls(count: Int) async throws {
        let layers = try await problem(
            sequential(
                "long", input: "[null,4]",
                (0..<count).map { layer("Activation", #""name":"a\#($0)","activation":"relu""#) }))
        #expect(
            layers.contains("long: Sequential: it calls more than 10000 layers")
                || layers.contains("too many values"), "\(layers.prefix(300))")
        let calls = try await problem(model("often", activation, calls: count))
        #expect(
            calls.contains("often: Model: it calls more than 10000 layers")
                || calls.contains("too many values"),
            "\(calls.prefix(300))")
    }

    /// 2 to the power of the depth.
    @Test(arguments: [14, 20, 30]) func nestedCalls(depth: Int) async throws {
        var nested = activation
        for level in 0..<depth { nested = model("m\(level)", nested, calls: 2) }
        let problem = try await problem(nested)
        #expect(
            problem.contains("m\(depth - 1): Model: it calls more than 10000 layers"),
            "\(problem.prefix(300))")
    }

    @Test(arguments: [50, 150, 1_000]) func deepNesting(depth: Int) async throws {
        var nested = activation
        for level in 0..<depth { nested = model("m\(level)", nested, calls: 2) }
        let problem = try await problem(nested)
        #expect(problem.contains("its parts are nested more than 128 deep"), "\(problem.prefix(300))")
    }

    /// What is deep takes the decoder longer.
    @Test func manyCallsDeepInside() async throws {
        var nested = model("inner", activation, calls: 5_000)
        for level in 0..<38 { nested = model("m\(level)", nested, calls: 1) }
        #expect(try await problem(nested).contains("too many values within each other"))
    }

    /// Other metadata is decoded as well.
    @Test func training() async throws {
        let architecture = sequential("m", input: "[null,4]", [activation])
        let deep = String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
        let text = #"{"optimizer":\#(deep)}"#
        #expect(
            try await problem(architecture, training: text).contains(
                "'fovea.training' cannot be read: its parts"))
        let wide = "[" + String(repeating: "0,", count: 1_000_000) + "0]"
        #expect(try await problem(architecture, training: wide).contains("too many values"))
    }

    /// Brackets and commas in names are no structure.
    @Test func namesAreNotCounted() {
        let name = String(repeating: "[{,", count: 300_000) + "\\\"["
        #expect(BoundedJSON.problem(in: "{\"\(name)\":[1,\"\(name)\"]}") == nil)
        #expect(BoundedJSON.problem(in: String(repeating: "[", count: 129)) != nil)
        #expect(BoundedJSON.problem(in: String(repeating: "[", count: 128)) == nil)
    }
}
