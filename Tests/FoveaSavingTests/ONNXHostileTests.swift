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
            for operation in ["Add", "Concat", "Max", "Div"] {
                try await expectError(small(operation, []), operation, "no input")
            }
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

        /// Where a size is wanted, that of the batch may come, which is not known.
        @Test(arguments: ["Pad", "Slice", "Reshape", "Resize", "ConstantOfShape", "Unsqueeze", "Gather"])
        func theBatchAsASize(operation: String) async throws {
            for count in 1...2 {
                for place in 1...3 {
                    var message = small(operation, ["x"] + [String](repeating: "s", count: place))
                    message.graph.node[0].attribute = []
                    var join = node(
                        "Concat", [String](repeating: "shape", count: count), "s", [.int("axis", 0)])
                    join.name = "join"
                    message.graph.node = [node("Shape", ["x"], "shape"), join] + message.graph.node
                    // Whatever it is, nothing but an error may come of it.
                    do { _ = try await read(message) } catch { #expect(error is ModelFileError, "\(error)") }
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
            let model = try await read(message).model
            #expect(try model.outputShape == [1 << 16])
            // Looking for what is not finite makes none of them.
            #expect(try await model.parametersNotFinite().isEmpty)
            let variables = model.parameters.compactMap(\.parameter.variable)
            #expect(await Compute.run { variables.allSatisfy(\.isUnmade) })
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

        /// Tensors that all are one large file would take its memory many times.
        @Test func filesBesideItAreNotUsedWithoutEnd() async throws {
            try await inTemporaryFolder { folder in
                try AtomicFile.write([UInt8](repeating: 0, count: 24), to: folder + "/weights")
                for count in [4, 5] {
                    var message = small("Conv", ["x", "w0"])
                    message.graph.initializer = (0..<count).map { number in
                        var weights = tensor("w\(number)", [2, 3, 1, 1], [])
                        weights.dataLocation = 1
                        var entry = ONNXStringEntryProto()
                        (entry.key, entry.value) = ("location", "weights")
                        weights.externalData = [entry]
                        return weights
                    }
                    try AtomicFile.write(message.serializedBytes(), to: folder + "/m.onnx")
                    if count == 4 {
                        _ = try await SavedModel(contentsOf: folder + "/m.onnx")
                    } else {
                        let error = await #expect(throws: ModelFileError.self) {
                            try await SavedModel(contentsOf: folder + "/m.onnx")
                        }
                        #expect(error?.problem.contains("again and again") == true)
                    }
                }
            }
        }

        /// A size that the file leaves open is asked for, and taken in the order that the model has.
        @Test func sizesThatAreOpen() async throws {
            try await inTemporaryFolder { folder in
                var message = small()
                message.graph.input = [value("x", [0, 3, 0, 0])]
                let path = folder + "/m.onnx"
                try AtomicFile.write(message.serializedBytes(), to: path)
                func problem(_ shape: Shape?) async -> String {
                    await #expect(throws: ModelFileError.self) {
                        try await SavedModel(contentsOf: path, inputShape: shape)
                    }?.problem ?? ""
                }
                #expect(await problem(nil).contains("inputShape: [224, 224, 3], or --input-shape 224x224x3"))
                let saved = try await SavedModel(contentsOf: path, inputShape: [6, 5, 3])
                #expect(try saved.model.inputShape == [6, 5, 3])
                #expect(await problem([6, 5, 4]).contains("[6, 5, 3], not [6, 5, 4]"))
                #expect(await problem([6, 5]).contains("0 is unknown"))
                #expect(await problem([0, 5, 3]).contains("0 is unknown"))
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
