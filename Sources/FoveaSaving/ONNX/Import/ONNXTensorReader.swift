#if ProtocolBuffers
    import Foundation
    import FoveaFiles
    import FoveaGraph

    /// Reads the tensors of a file, whose elements are in it or in files beside it.
    struct ONNXTensorReader {
        let file: String
        /// The contents of files beside it, each read once.
        private var others: [String: [UInt8]] = [:]
        /// How many bytes of each were given to tensors.
        private var taken: [String: Int] = [:]
        /// How often they may be used: weights are shared now and then.
        private static let useLimit = 4

        init(file: String) { self.file = file }

        mutating func tensor(_ message: ONNXTensorProto) throws -> StoredTensor {
            let file = file
            func failure(_ problem: String) -> ModelFileError {
                ModelFileError(file: file, problem: "tensor \(quoted(message.name)) \(problem)")
            }
            guard let type = ONNXElementType(rawValue: message.dataType) else {
                throw failure("has elements of type \(message.dataType), which Fovea does not read")
            }
            guard message.dims.count <= 32, message.dims.allSatisfy({ $0 >= 0 }) else {
                throw failure("has no sensible shape")
            }
            let bytes =
                message.dataLocation == 1
                ? try external(message.externalData, failure) : inside(message, type)
            let shape = Shape(message.dims.map { Int($0) })
            guard let tensor = StoredTensor(name: message.name, shape: shape, type: type.stored, bytes: bytes)
            else {
                throw failure(
                    "has \(bytes.count) bytes, which are not those of \(type.stored.rawValue)\(shape)")
            }
            return tensor
        }

        /// The constant that a tensor is.
        mutating func constant(_ message: ONNXTensorProto) throws -> ONNXConstant {
            let tensor = try tensor(message)
            let elements: ONNXConstant.Elements =
                if tensor.type == .int64 {
                    .integers(
                        tensor.bytes.withUnsafeBytes { source in
                            (0..<source.count / 8).map {
                                ONNXConstant.sensible(
                                    Int64(
                                        littleEndian: source.loadUnaligned(
                                            fromByteOffset: $0 * 8, as: Int64.self)))
                            }
                        })
                } else {
                    .value(try tensor.value(file: file))
                }
            return ONNXConstant(shape: tensor.shape, elements: elements, name: message.name)
        }

        /// The elements that are in the message, as raw bytes or as numbers of whatever field their type uses.
        private func inside(_ message: ONNXTensorProto, _ type: ONNXElementType) -> ArraySlice<UInt8> {
            func bytes<Number: FixedWidthInteger>(_ numbers: some Sequence<Number>) -> ArraySlice<UInt8> {
                numbers.map(\.littleEndian).withUnsafeBytes { Array($0) }[...]
            }
            if message.hasRawData { return [UInt8](message.rawData)[...] }
            switch type {
            case .float32: return bytes(message.floatData.map(\.bitPattern))
            case .float64: return bytes(message.doubleData.map(\.bitPattern))
            case .int64: return bytes(message.int64Data)
            case .uint64: return bytes(message.uint64Data)
            case .uint32: return bytes(message.uint64Data.map { UInt32(truncatingIfNeeded: $0) })
            case .int32: return bytes(message.int32Data)
            case .uint16, .int16, .float16, .bfloat16:
                return bytes(message.int32Data.map { UInt16(truncatingIfNeeded: $0) })
            case .uint8, .int8, .bool: return bytes(message.int32Data.map { UInt8(truncatingIfNeeded: $0) })
            }
        }

        // MARK: Files beside it

        private mutating func external(
            _ entries: [ONNXStringEntryProto], _ failure: (String) -> ModelFileError
        ) throws -> ArraySlice<UInt8> {
            let settings = Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
            guard let location = settings["location"] else {
                throw failure("does not say in which file it is")
            }
            let parts = location.split(separator: "/", omittingEmptySubsequences: false)
            guard !parts.isEmpty, !location.utf8.contains(0),
                parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
            else {
                throw failure(
                    "is in the file \(quoted(location)); only files in the folder of the model are read")
            }
            let bytes = try others[location] ?? contents(parts.map(String.init), location, failure)
            others[location] = bytes
            func number(_ key: String) throws -> Int? {
                guard let text = settings[key] else { return nil }
                guard let number = Int(text), (0...bytes.count).contains(number) else {
                    throw failure("has the \(key) \(quoted(text)) in a file of \(bytes.count) bytes")
                }
                return number
            }
            let start = try number("offset") ?? 0
            let count = try number("length") ?? bytes.count - start
            guard count <= bytes.count - start else {
                throw failure("ends behind the \(bytes.count) bytes of \(quoted(location))")
            }
            taken[location, default: 0] += count
            guard taken[location, default: 0] <= Self.useLimit * bytes.count else {
                throw failure("and others before it show the bytes of \(quoted(location)) again and again")
            }
            return bytes[start..<start + count]
        }

        /// No part of the path may lead elsewhere.
        private func contents(
            _ parts: [String], _ location: String, _ failure: (String) -> ModelFileError
        ) throws -> [UInt8] {
            var path = URL(fileURLWithPath: file).deletingLastPathComponent().path
            for part in parts {
                path += "/" + part
                let type =
                    try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
                guard type != .typeSymbolicLink else {
                    throw failure(
                        "is in \(quoted(location)), which is a link; only files in the model's folder are read"
                    )
                }
            }
            return try AtomicFile.read(path)
        }
    }
#endif
