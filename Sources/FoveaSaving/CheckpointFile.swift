import Foundation
import FoveaFiles
import FoveaGraph
import FoveaTraining

extension Checkpoint {
    private static let metadata = ["fovea.checkpoint": "1"]

    private enum Name {
        /// The tensor whose bytes are JSON: as data it is part of the file's checksum.
        static let header = "checkpoint.json"
        static let variables = "variables/"
        static let callbacks = "callbacks/"
    }

    /// All but the tensors.
    private struct Header: Codable {
        let position: TrainingPosition
        let conditions: [String: String]
        /// The numbers that each callback remembers.
        let numbers: [String: [String: Double]]
        /// The types of the tensors that each remembers, because names and shapes in the file have no checksum. Those of
        /// variables are compared with the model's.
        let tensors: [String: [String: String]]
    }

    private static func types(_ memory: CallbackMemory) -> [String: String] {
        memory.tensors.mapValues { "\(TensorType($0.shape, $0.dtype))" }
    }

    /// Writes one safetensors file, whole or not at all.
    ///
    /// - Throws: `FileError`; the file that was there before is then as it was.
    public func write(to path: some PathConvertible) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let header = Header(
            position: position, conditions: conditions, numbers: memories.mapValues(\.numbers),
            tensors: memories.mapValues(Self.types))
        let json = [UInt8](try encoder.encode(header))

        var file = Safetensors(metadata: Self.metadata)
        file.tensors.append((Name.header, try TensorValue(shape: [json.count], storage: .uint8(json))))
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            file.tensors.append((Name.variables + name, value))
        }
        for (callback, memory) in memories.sorted(by: { $0.key < $1.key }) {
            for (name, value) in memory.tensors.sorted(by: { $0.key < $1.key }) {
                file.tensors.append(("\(Name.callbacks)\(callback)/\(name)", value))
            }
        }
        try file.write(to: path)
    }

    /// Reads a file of `write(to:)`.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - customTypes: losses and metrics of your own that it may name.
    /// - Throws: `FileError` when it cannot be read, `SafetensorsError` when it is damaged, `ModelFileError` when it is no
    ///   checkpoint.
    public init(contentsOf path: some PathConvertible, customTypes: CustomTypes = CustomTypes()) throws {
        let path = path.filePath
        let file = try Safetensors(contentsOf: path)
        func failure(_ problem: String) -> ModelFileError { ModelFileError(file: path, problem: problem) }
        // Without its checksum, under another name for one, the file may be damaged anywhere.
        guard file.metadata == Self.metadata else {
            throw failure(
                "it is no checkpoint that this version of Fovea reads; remove the file or name another one")
        }
        var tensors = Dictionary(file.tensors.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        guard case .uint8(let json)? = tensors.removeValue(forKey: Name.header)?.storage else {
            throw failure("it has no '\(Name.header)'; the file is damaged")
        }
        let decoder = JSONDecoder()
        decoder.customTypes = customTypes
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let header: Header
        do { header = try decoder.decode(Header.self, from: Data(json)) } catch {
            throw failure("its '\(Name.header)' cannot be read (\(reason(error)))\(remedy(error))")
        }

        var variables: [String: TensorValue] = [:]
        var memories = header.numbers.mapValues { CallbackMemory(numbers: $0) }
        for (name, value) in tensors {
            if name.hasPrefix(Name.variables) {
                variables[String(name.dropFirst(Name.variables.count))] = value
                continue
            }
            let parts = name.dropFirst(Name.callbacks.count).split(separator: "/", maxSplits: 1)
            guard name.hasPrefix(Name.callbacks), parts.count == 2, memories[String(parts[0])] != nil else {
                throw failure("tensor \(quoted(name)) is no part of a checkpoint; the file is damaged")
            }
            memories[String(parts[0])]?.tensors[String(parts[1])] = value
        }
        guard memories.mapValues(Self.types) == header.tensors else {
            throw failure("the tensors of its callbacks are not those that it lists; the file is damaged")
        }
        self.init(
            position: header.position, conditions: header.conditions, variables: variables, memories: memories
        )
    }
}
