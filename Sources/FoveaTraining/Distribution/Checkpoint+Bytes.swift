import Foundation
import FoveaDatasets
import FoveaGraph

/// A checkpoint on its way from one process to others of the same program.
extension Checkpoint {
    private struct Header: Codable {
        let position: TrainingPosition
        let conditions: [String: String]
        let variables: [Tensor]
        let numbers: [String: [String: Double]]
        let memories: [String: [Tensor]]
    }

    private struct Tensor: Codable {
        let name: String
        let extents: [Int]
        let dtype: DType

        init(_ name: String, _ value: TensorValue) {
            (self.name, extents, dtype) = (name, value.shape.dimensions, value.dtype)
        }
    }

    private static func sorted(_ tensors: [String: TensorValue]) -> [(key: String, value: TensorValue)] {
        tensors.sorted { $0.key < $1.key }
    }

    /// The length of a header, the header, and the elements of all tensors.
    func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let memories = memories.sorted { $0.key < $1.key }
        let header = try encoder.encode(
            Header(
                position: position, conditions: conditions,
                variables: Self.sorted(variables).map { Tensor($0.key, $0.value) },
                numbers: self.memories.mapValues(\.numbers),
                memories: self.memories.mapValues { Self.sorted($0.tensors).map { Tensor($0.key, $0.value) } }
            ))
        var bytes = withUnsafeBytes(of: header.count, Array.init)
        bytes += header
        for (_, value) in Self.sorted(variables) + memories.flatMap({ Self.sorted($0.value.tensors) }) {
            value.withUnsafeBytes { bytes += $0 }
        }
        return bytes
    }

    /// - Throws: when it is not what `bytes()` gave.
    init(bytes: [UInt8], _ customTypes: CustomTypes) throws {
        let decoder = JSONDecoder()
        decoder.customTypes = customTypes
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        var rest = bytes[...]
        func take(_ count: Int) throws -> ArraySlice<UInt8> {
            guard count >= 0, count <= rest.count else {
                throw TrainingError.invalidArgument(
                    "what the first process sent", "\(bytes.count) bytes", expected: "all of its state")
            }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        let length = try take(MemoryLayout<Int>.size).withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
        let header = try decoder.decode(Header.self, from: Data(take(length)))
        func values(_ tensors: [Tensor]) throws -> [String: TensorValue] {
            var values: [String: TensorValue] = [:]
            for tensor in tensors {
                let shape = Shape(tensor.extents)
                let part = try take(shape.elementCount * tensor.dtype.byteCount)
                values[tensor.name] = try part.withUnsafeBytes {
                    try TensorValue(shape: shape, dtype: tensor.dtype, bytes: $0)
                }
            }
            return values
        }
        let variables = try values(header.variables)
        var memories: [String: CallbackMemory] = [:]
        for (name, tensors) in header.memories.sorted(by: { $0.key < $1.key }) {
            memories[name] = CallbackMemory(
                numbers: header.numbers[name] ?? [:], tensors: try values(tensors))
        }
        self.init(
            position: header.position, conditions: header.conditions, variables: variables, memories: memories
        )
    }
}

/// The SHA-256 of the program that is running; nil where it cannot be read.
let digestOfProgram: String? = {
    guard let program = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped)
    else { return nil }
    return program.withUnsafeBytes { Digest.sha256($0) }.map(Digest.hexadecimal)
}()
