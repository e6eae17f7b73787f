import Foundation
import Fovea
import Testing

extension CommandTests {
    /// Files that are damaged or do not fit together: exit code 1, with the file's name and what is wrong.
    @Suite struct DamagedFiles {
        private static let images = "data/mnist/train-images-idx3-ubyte"
        private static let labels = "data/mnist/t10k-labels-idx1-ubyte"

        private func expectFailure(
            _ name: String, _ part: String, sourceLocation: SourceLocation = #_sourceLocation,
            _ change: (Workplace) throws -> Void
        ) async throws {
            let place = try Workplace()
            try place.writeDigits()
            try change(place)
            let result = try await place.fovea("train mnist --network softmax-regression --epochs 1")
            #expect(result.code == 1 && result.output.isEmpty, sourceLocation: sourceLocation)
            #expect(
                result.errors.hasPrefix("Error: \(place.path(name))"), "\(result)",
                sourceLocation: sourceLocation)
            #expect(result.errors.contains(part), "\(result.errors)", sourceLocation: sourceLocation)
        }

        @Test func images() async throws {
            let name = Self.images
            try await expectFailure(name, "can hold") { try $0.write($0.bytes(name).dropLast(), to: name) }
            try await expectFailure(name, "ends inside the IDX header") {
                try $0.write([0, 0, 8, 3, 0], to: name)
            }
            try await expectFailure(name, "ends inside the IDX header") { try $0.write([], to: name) }
            try await expectFailure(name, "goes on after") { try $0.write($0.bytes(name) + [0], to: name) }
            try await expectFailure(name, "is not an IDX file: it starts with 00 00 07") {
                try $0.write([0, 0, 7] + $0.bytes(name).dropFirst(3), to: name)
            }
            try await expectFailure(name, "float32") {
                try $0.write([0, 0, 13] + $0.bytes(name).dropFirst(3), to: name)
            }
            try await expectFailure(name, "[27, 28, 1]") {
                try $0.write(
                    Workplace.idx([60, 27, 28], [UInt8](repeating: 0, count: 60 * 27 * 28)), to: name)
            }
            try await expectFailure(name, "more than") {
                try $0.write(Workplace.idx([0xFFFF_FFFF, 28, 28], [0]), to: name)
            }
            try await expectFailure(name, "59 images, but 60 labels") {
                try $0.write(Workplace.images([UInt8](repeating: 1, count: 59)), to: name)
            }
        }

        @Test func labels() async throws {
            let name = Self.labels
            try await expectFailure(name, "label 3 is 10, but there are 10 classes") {
                try $0.write(Workplace.idx([20], [0, 1, 2, 10] + [UInt8](repeating: 0, count: 16)), to: name)
            }
            try await expectFailure("data/mnist/t10k-images-idx3-ubyte", "20 images, but 19 labels") {
                try $0.write(Workplace.idx([19], [UInt8](repeating: 0, count: 19)), to: name)
            }
            try await expectFailure(name, "labels need one axis") {
                try $0.write($0.bytes(Self.images), to: name)
            }
            try await expectFailure("data/mnist", "add t10k-labels-idx1-ubyte") {
                try FileManager.default.removeItem(atPath: $0.path(name))
            }
        }

        @Test func packedFiles() async throws {
            let gzipped = Self.images + ".gz"
            func expectFailure(_ part: String, _ change: @escaping ([UInt8]) -> [UInt8]) async throws {
                let place = try Workplace()
                try place.writeDigits()
                #expect(try await place.shell("gzip -n \(Self.images)").code == 0)
                let train = "train mnist --network softmax-regression --epochs 1"
                #expect(try await place.fovea(train).code == 0)
                try place.write(change(place.bytes(gzipped)), to: gzipped)
                let result = try await place.fovea(train)
                #expect(result.code == 1)
                #expect(result.errors.hasPrefix("Error: \(place.path(gzipped)): "))
                #expect(result.errors.contains(part), "\(result.errors)")
            }
            try await expectFailure("cut short") { Array($0.dropLast(100)) }
            try await expectFailure("is damaged") { Array($0.prefix(200) + $0.dropFirst(201)) }
            try await expectFailure("is not an IDX file") { _ in [UInt8]("<html>not found</html>".utf8) }
        }

        @Test func models() async throws {
            let place = try Workplace()
            try place.writeDigits()
            #expect(
                try await place.fovea("train mnist --network softmax-regression --epochs 1 --output r").code
                    == 0)
            let bytes = try place.bytes("r/model.safetensors")
            try place.write(Array(bytes.dropLast(1000)), to: "cut.safetensors")
            try place.write(bytes.dropLast() + [bytes.last.map { $0 ^ 1 } ?? 0], to: "damaged.safetensors")
            // A safetensors file of another program.
            let header = [UInt8](#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8)
            try place.write(
                [UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header + [0, 0, 0, 0], to: "other.safetensors")
            for (file, part) in [
                ("cut.safetensors", "cut short"), ("damaged.safetensors", "SHA-256"),
                ("other.safetensors", "not the model that they are of"),
                ("missing.safetensors", "No such file"),
                ("r", "is a folder"),
            ] {
                for command in ["summary ./", "evaluate ", "predict "] {
                    let rest =
                        ["evaluate ": " mnist", "predict ": " --dataset mnist --index 0"][command] ?? ""
                    let result = try await place.fovea(command + file + rest)
                    #expect(result.code == 1 && result.output.isEmpty)
                    #expect(
                        result.errors.contains("\(file): ") && result.errors.contains(part),
                        "\(result.errors)")
                }
            }
        }

        /// Whoever reads the answers must see that there are none.
        @Test func modelsThatAreNaN() async throws {
            let place = try Workplace()
            try place.writeDigits()
            #expect(
                try await place.fovea("train mnist --network softmax-regression --epochs 1 --output r").code
                    == 0)
            let saved = try await SavedModel(contentsOf: place.path("r/model.safetensors"))
            let (path, parameter) = try #require(saved.model.parameters.last)
            let variable = try #require(parameter.variable)
            let numbers = [Float](repeating: .nan, count: variable.shape.elementCount)
            try await variable.assign(TensorValue(shape: variable.shape, numbers))
            try await saved.write(to: place.path("nan.safetensors"))

            let named = "10 of the 10 numbers of parameter '\(path)' are NaN or infinite"
            let summary = try await place.fovea("summary ./nan.safetensors")
            #expect(summary.code == 0 && summary.errors.contains(named))
            let evaluated = try await place.fovea("evaluate nan.safetensors mnist")
            #expect(evaluated.code == 1 && evaluated.errors.contains(named))
            #expect(evaluated.lines == ["test loss nan", "test accuracy nan"])
            #expect(evaluated.errors.contains("the loss is nan, the accuracy is nan"))
            let predicted = try await place.fovea("predict nan.safetensors --dataset mnist --index 0")
            #expect(predicted.code == 1 && predicted.errors.contains(named))
            #expect(predicted.output.contains("no class") && !predicted.output.contains("%"))
        }
    }
}
