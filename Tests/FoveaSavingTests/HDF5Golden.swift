import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import Testing

@testable import FoveaSaving

/// Fixtures/hdf5.json.gz, which Fixtures/make_hdf5.py writes with h5py.
struct HDF5Golden: Decodable, Sendable {
    struct Accepted: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let file: Data
        let objects: [Object]
        var testDescription: String { name }
    }

    struct Refused: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let file: Data
        let problem: String
        var testDescription: String { name }
    }

    /// What h5py says of an object.
    struct Object: Decodable, Sendable {
        let path: String
        let data: Value?
        let attributes: [Attribute]
    }

    struct Attribute: Decodable, Sendable {
        let name: String
        let value: Value

        private enum Keys: CodingKey { case name }

        init(from decoder: any Decoder) throws {
            name = try decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .name)
            value = try Value(from: decoder)
        }
    }

    struct Value: Decodable, Hashable, Sendable {
        var text: String?
        var texts: [String]?
        var type: String?
        var shape: [Int]?
        var bytes: Data?
    }

    let accepted: [Accepted]
    let refused: [Refused]

    static let shared = Result { try HDF5Golden.load() }

    private static func load() throws -> HDF5Golden {
        let path = try #require(Bundle.module.path(forResource: "Fixtures/hdf5.json", ofType: "gz"))
        let bytes = try UnpackedFile<DatasetError>(path).readBytes(count: 1 << 24)
        return try JSONDecoder().decode(HDF5Golden.self, from: Data(bytes))
    }

    static func file(_ name: String) throws -> [UInt8] {
        Array(try #require(shared.get().accepted.first { $0.name == name }).file)
    }
}

/// The objects of a file in the order of their paths, as h5py describes them.
func described(_ file: HDF5File) -> [String: (
    data: HDF5Golden.Value?, attributes: [String: HDF5Golden.Value]
)] {
    var found: [String: (data: HDF5Golden.Value?, attributes: [String: HDF5Golden.Value])] = [:]
    func add(_ object: HDF5Object, _ path: String) {
        let attributes = object.attributes.map { ($0.name, described($0.value)) }
        found[path] = (
            object.dataset.map { described($0.tensor) }, Dictionary(attributes, uniquingKeysWith: { $1 })
        )
        for (name, member) in object.group?.members ?? [] {
            add(member, path.isEmpty ? name : "\(path)/\(name)")
        }
    }
    add(.group(file.root), "")
    return found
}

private func described(_ attribute: HDF5Attribute) -> HDF5Golden.Value {
    switch attribute {
    case .string(let text): HDF5Golden.Value(text: text)
    case .strings(let texts): HDF5Golden.Value(texts: texts)
    case .tensor(let tensor): described(tensor)
    }
}

private func described(_ tensor: StoredTensor) -> HDF5Golden.Value {
    HDF5Golden.Value(
        type: tensor.type.rawValue, shape: tensor.shape.dimensions, bytes: Data(tensor.bytes))
}
