import Foundation
import FoveaFiles
import FoveaGraph
import FoveaLayers
import TestSupport
import Testing

@testable import FoveaSaving

#if ProtocolBuffers
    /// Files that are damaged, or that ask for what Fovea has not.
    @Suite struct ONNXHostileTests {
        private func read(_ message: ONNXModelProto) async throws -> SavedModel {
            try await SavedModel.onnx(message.serializedBytes(), file: "m.onnx")
        }

        private func expectError(
            _ message: ONNXModelProto, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            do {
                _ = try await read(message)
                Issue.record("nothing was thrown", sourceLocation: sourceLocation)
            } catch let error as ModelFileError {
                for part in parts {
                    #expect(error.description.contains(part), "\(error)", sourceLocation: sourceLocation)
                }
            }
        }

        /// `y = relu(x)` of images `[batch, 3, 4, 5]`, to be changed.
        private func small(_ operation: String = "Relu", _ inputs: [String] = ["x"]) -> ONNXModelProto {
            var message = ONNXModelProto()
            message.irVersion = 8
            var operators = ONNXOperatorSetProto()
            operators.version = 17
            message.opsetImport = [operators]
            message.graph.name = "g"
            message.graph.node = [node(operation, inputs, "y")]
            message.graph.input = [value("x", [0, 3, 4, 5])]
            message.graph.output = [value("y", [])]
            return message
        }

        private func node(
            _ operation: String, _ inputs: [String], _ output: String, _ attributes: [ONNXAttributeProto] = []
        ) -> ONNXNodeProto {
            var node = ONNXNodeProto()
            node.opType = operation
            node.name = "the " + operation
            node.input = inputs
            node.output = [output]
            node.attribute = attributes
            return node
        }

        private func value(_ name: String, _ extents: [Int64]) -> ONNXValueInfoProto {
            var value = ONNXValueInfoProto()
            value.name = name
            value.type.tensorType.elemType = 1
            value.type.tensorType.shape.dim = extents.map { extent in
                var dimension = ONNXDimensionProto()
                if extent > 0 { dimension.dimValue = extent } else { dimension.dimParam = "N" }
                return dimension
            }
            return value
        }

        private func tensor(_ name: String, _ extents: [Int64], _ numbers: [Float]) -> ONNXTensorProto {
            var tensor = ONNXTensorProto()
            tensor.name = name
            tensor.dims = extents
            tensor.dataType = 1
            tensor.floatData = numbers
            return tensor
        }

        @Test func theSmallModelIsRead() async throws {
            let model = try await read(small()).model
            #expect(try model.inputShape == [4, 5, 3])
        }

        @Test func whatIsMissingIsNamed() async throws {
            try await expectError(small("Relu", ["z"]), "the Relu", "\"z\"", "no node before it makes")
            try await expectError(small("NonMaxSuppression"), "NonMaxSuppression", "no layer")
            try await expectError(small("Relu", []), "no input 0")
            var message = small()
            message.graph.output = [value("nowhere", [])]
            try await expectError(message, "nowhere", "made by no node")
            message = small("Conv", ["x", "w"])
            try await expectError(message, "the Conv", "\"w\"", "no constant")
            message.graph.initializer = [tensor("w", [2, 7, 1, 1], [Float](repeating: 0, count: 14))]
            try await expectError(message, "7 channels", "3 channels")
            message = small()
            message.graph.input = [value("x", [1, 3, 0, 5])]
            try await expectError(message, "input \"x\"", "unknown")
            message = small()
            message.opsetImport[0].version = 99
            try await expectError(message, "version 99")
            try await expectError(ONNXModelProto(), "no graph")
        }

        /// Cycles cannot be told from values that come too late.
        @Test func cyclesAndRepetitions() async throws {
            var message = small()
            message.graph.node = [node("Add", ["x", "b"], "a"), node("Relu", ["a"], "b")]
            message.graph.output = [value("b", [])]
            try await expectError(message, "\"b\"", "no node before it makes")
            message.graph.node = [node("Relu", ["x"], "y"), node("Tanh", ["x"], "y")]
            message.graph.output = [value("y", [])]
            try await expectError(message, "two nodes or inputs make \"y\"")
            message = small()
            message.graph.initializer = [tensor("w", [1], [1]), tensor("w", [1], [2])]
            try await expectError(message, "two tensors are named \"w\"")
            // Two bytes for each of many parts, which would each take hundreds.
            let nodes = [[UInt8]](repeating: [0x0A, 0], count: 50).flatMap(\.self)
            let file: [UInt8] = [0x3A, UInt8(nodes.count)] + nodes
            #expect(ONNXSize.isTooLarge(file, limit: 50) && !ONNXSize.isTooLarge(file, limit: 51))
        }

        @Test func tensorsThatDoNotFit() async throws {
            var message = small("Conv", ["x", "w"])
            message.graph.initializer = [tensor("w", [2, 3, 1, 1], [1])]
            try await expectError(message, "tensor \"w\"", "4 bytes")
            message.graph.initializer = [tensor("w", [.max, .max, .max], [1])]
            try await expectError(message, "tensor \"w\"")
            message.graph.initializer = [tensor("w", [-1, -1], [1])]
            try await expectError(message, "tensor \"w\"", "no sensible shape")
            message.graph.initializer = [tensor("w", [2], [1, 2])]
            message.graph.initializer[0].dataType = 8
            try await expectError(message, "elements of type 8")
            // Numbers of every size as settings.
            for extreme in [Int.min, -1, 0, 1 << 31, .max] {
                for name in ["kernel_shape", "strides", "pads", "dilations", "group"] {
                    var message = small("Conv", ["x", "w"])
                    message.graph.initializer = [tensor("w", [1, 3, 1, 1], [1, 2, 3])]
                    message.graph.node[0].attribute = [
                        name == "group"
                            ? .int(name, extreme)
                            : .ints(name, name == "pads" ? [extreme, extreme, 0, 0] : [extreme, extreme])
                    ]
                    _ = try? await read(message)
                }
            }
        }

        /// A few bytes that stand for many: weights that are all one number take no memory, and what makes no sense is refused.
        @Test func fillingsAreBounded() async throws {
            var message = small("Gemm", ["f", "w"])
            message.graph.node.insert(node("Flatten", ["x"], "f"), at: 0)
            var shape = tensor("s", [2], [])
            shape.dataType = 7
            shape.int64Data = [60, 1 << 40]
            message.graph.initializer = [shape]
            message.graph.node.insert(node("ConstantOfShape", ["s"], "w"), at: 0)
            try await expectError(message, "the Gemm", "exceed")
            message.graph.initializer[0].int64Data = [60, 1 << 16]
            #expect(try await read(message).model.outputShape == [1 << 16])
            message.graph.initializer[0].int64Data = [.max, .max]
            try await expectError(message, "ConstantOfShape")
        }

        @Test func filesBesideItStayInItsFolder() async throws {
            try await inTemporaryFolder { folder in
                try FileManager.default.createDirectory(
                    atPath: folder + "/models", withIntermediateDirectories: true)
                let numbers = [Float](repeating: 0.5, count: 6).withUnsafeBytes { Array($0) }
                try AtomicFile.write(numbers, to: folder + "/secret")
                try AtomicFile.write([0, 0, 0, 0] + numbers, to: folder + "/models/weights")
                try FileManager.default.createSymbolicLink(
                    atPath: folder + "/models/link", withDestinationPath: folder + "/secret")
                func read(_ entries: [String: String]) async throws -> SavedModel {
                    var message = small("Conv", ["x", "w"])
                    var weights = tensor("w", [2, 3, 1, 1], [])
                    weights.dataLocation = 1
                    weights.externalData = entries.map { key, value in
                        var entry = ONNXStringEntryProto()
                        (entry.key, entry.value) = (key, value)
                        return entry
                    }
                    message.graph.initializer = [weights]
                    try AtomicFile.write(message.serializedBytes(), to: folder + "/models/m.onnx")
                    return try await SavedModel(contentsOf: folder + "/models/m.onnx")
                }
                let model = try await read(["location": "weights", "offset": "4", "length": "24"]).model
                #expect(try await values(of: model).first??.floats == [Float](repeating: 0.5, count: 6))
                for (entries, part) in [
                    (["location": "../secret"], "only files in the folder"),
                    (["location": folder + "/secret"], "only files in the folder"),
                    (["location": "link"], "is a link"),
                    (["location": "weights", "offset": "8"], "20 bytes"),
                    (["location": "weights", "offset": "-4"], "the offset \"-4\""),
                    (["location": "weights", "offset": "4", "length": "9999"], "the length"),
                    (["location": "none"], "none"), ([:], "does not say"),
                ] as [([String: String], String)] {
                    do {
                        _ = try await read(entries)
                        Issue.record("\(entries) was read")
                    } catch { #expect("\(error)".contains(part), "\(error)") }
                }
            }
        }

        @Test(arguments: ["old", "windows", "movements", "merging"]) func damagedFiles(name: String)
            async throws
        {
            let bytes = try AtomicFile.read("\(ONNXImportTests.folder)/\(name).onnx")
            var random = SplitMix(state: UInt64(name.utf8.reduce(0) { $0 + Int($1) }))
            for _ in 0..<120 {
                var damaged = bytes
                if Bool.random(using: &random) {
                    damaged.removeLast(Int.random(in: 1..<damaged.count, using: &random))
                }
                for _ in 0..<Int.random(in: 1...8, using: &random) where !damaged.isEmpty {
                    damaged[Int.random(in: damaged.indices, using: &random)] = .random(
                        in: 0...255, using: &random)
                }
                do { _ = try await SavedModel.onnx(damaged, file: "damaged") } catch {
                    #expect(error is ModelFileError || error is FileError, "\(error)")
                }
            }
        }
    }
#endif
