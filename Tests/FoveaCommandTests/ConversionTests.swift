import Foundation
import Fovea
import Testing

extension CommandTests {
    /// `fovea convert` and `fovea inspect`.
    @Suite struct Conversions {
        @Test func throughPyTorchAndBack() async throws {
            let place = try Workplace()
            let trained = try await place.fovea(
                "train shapes --epochs 1 --network softmax-regression --verbosity 0 --output a")
            #expect(trained.code == 0, "\(trained)")
            let there = try await place.fovea("convert a/model.safetensors b.pt")
            #expect(there.code == 0, "\(there)")
            #expect(
                there.output.contains(
                    "Kept: weights\nNot kept: architecture, names of classes, how it was trained"))

            let inspected = try await place.fovea("inspect b.pt")
            #expect(inspected.code == 0, "\(inspected)")
            #expect(inspected.lines.first?.contains("2 tensors") == true)
            #expect(inspected.output.contains("dense.weight  float32  [5, 784]"))

            let architecture = try await place.fovea("summary a/model.safetensors --json")
            try place.write(Array(architecture.output.utf8), to: "net.json")
            let back = try await place.fovea("convert b.pt c.safetensors --network net.json")
            #expect(back.code == 0, "\(back)")
            let (first, second) = (
                try await place.fovea("inspect a/model.safetensors"),
                try await place.fovea("inspect c.safetensors")
            )
            #expect(first.lines.last == second.lines.last, "\(first) \(second)")
            let same = try await place.fovea("convert a/model.safetensors d.safetensors")
            #expect(same.code == 0 && !same.output.contains("Not kept"), "\(same)")
            #expect(try place.bytes("d.safetensors") == place.bytes("a/model.safetensors"))
        }

        @Test func whatCannotBeConverted() async throws {
            let place = try Workplace()
            let trained = try await place.fovea(
                "train shapes --epochs 1 --network softmax-regression --verbosity 0 --output a")
            #expect(trained.code == 0, "\(trained)")
            let ending = try await place.fovea("convert a/model.safetensors b.txt")
            #expect(
                ending.code == 64 && ending.errors.contains(".onnx, .pt, .pth"), "\(ending)")
            let itself = try await place.fovea("convert a/model.safetensors a/../a/model.safetensors")
            #expect(itself.code == 1 && itself.errors.contains("would be replaced"), "\(itself)")
            #expect(try await place.fovea("convert a/model.safetensors b.pt").code == 0)
            let weights = try await place.fovea("convert b.pt c.onnx")
            #expect(weights.code == 1 && weights.errors.contains("name that with --network"), "\(weights)")
            let shown = try await place.fovea("summary ./b.pt")
            #expect(
                shown.code == 1
                    && shown.errors.contains("fovea convert FILE model.safetensors --network NAME"),
                "\(shown)")
            let size = try await place.fovea("summary a/model.safetensors --input-shape 28x28x3")
            #expect(size.code == 1 && size.errors.contains("not [28, 28, 3]"), "\(size)")
            for wrong in ["28x28x", "0x1", "28x28x3x99999999", "-1"] {
                let result = try await place.fovea("convert b.pt c.onnx --input-shape \(wrong)")
                #expect(result.code == 64 && result.errors.contains("--input-shape"), "\(result)")
            }
            let other = try await place.fovea("convert b.pt c.onnx --network resnet18")
            #expect(
                other.code == 1 && other.errors.contains("are not the weights of \"resnet18\""), "\(other)")
            #expect(try place.names() == ["a", "b.pt"])
            let missing = try await place.fovea("inspect none.pt")
            #expect(missing.code == 1, "\(missing)")
        }

        @Test func ofWeightsOfKeras() async throws {
            let place = try Workplace()
            let model = try NamedNetwork.softmaxRegression.model(input: [28, 28, 1], classes: 5)
            try await model.saveWeights(to: place.path("a.weights.h5"))
            let alone = try await place.fovea("convert a.weights.h5 b.onnx")
            #expect(alone.code == 1 && alone.errors.contains("name that with --network"), "\(alone)")
            #expect(try place.names() == ["a.weights.h5"])
        }

        #if ProtocolBuffers
            @Test func onnxIsInspected() async throws {
                let place = try Workplace()
                let model = try NamedNetwork.softmaxRegression.model(input: [28, 28, 1], classes: 5)
                try await SavedModel(model).write(to: place.path("a.onnx"))
                let result = try await place.fovea("inspect a.onnx")
                #expect(result.code == 0 && result.output.contains("operator set: 17"), "\(result)")
                #expect(result.output.contains("[784, 5]"), "\(result)")
                try place.write(Array("no model".utf8), to: "b.onnx")
                let other = try await place.fovea("inspect b.onnx")
                #expect(other.code == 1 && other.errors.contains("no ONNX file"), "\(other)")
            }
        #endif

        @Test func longFilesAreShownInPart() async throws {
            let place = try Workplace()
            let tensors = (0..<150).map {
                #""t\#($0)":{"dtype":"U8","shape":[1],"data_offsets":[\#($0),\#($0 + 1)]}"#
            }
            let header = Array(
                "{\"__metadata__\":{\"a\\u001b\":\"b\\u001b\"},\(tensors.joined(separator: ","))}".utf8)
            let length = (0..<8).map { UInt8(header.count >> (8 * $0) & 255) }
            try place.write(length + header + [UInt8](repeating: 7, count: 150), to: "many.safetensors")
            let some = try await place.fovea("inspect many.safetensors")
            #expect(
                some.code == 0 && some.lines.last == "  … and 50 more tensors; --all shows them", "\(some)")
            #expect(some.output.contains("a\\u{1B}: b\\u{1B}") && !some.output.contains("\u{1B}"))
            let all = try await place.fovea("inspect many.safetensors --all")
            #expect(all.code == 0 && all.lines.last == "  t149  uint8  [1]  7", "\(all)")
        }
    }
}
