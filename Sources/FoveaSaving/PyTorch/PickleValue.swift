import FoveaGraph

/// What a pickle of PyTorch's may be made of. Lists, tuples and dictionaries are places in `Pickle.nodes`: they may contain
/// each other, or themselves, in any depth, and are still let go one by one.
enum PickleValue {
    case none
    case bool(Bool)
    case integer(Int)
    /// A whole number of more than 64 bits, little-endian.
    case large([UInt8])
    case float(Double)
    case text(String)
    case bytes
    case global(PickleGlobal)
    case node(Int)
    case storage(TorchStorage)
    case tensor(Int)
}

struct PickleNode {
    enum Kind { case tuple, list, dictionary }

    var kind: Kind
    /// In a dictionary keys and values in turn.
    var items: [PickleValue] = []
}

/// The names that a pickle may mention. None is ever called: each says what is in the file.
enum PickleGlobal: Equatable {
    case orderedDictionary, tensor, tensorOfVersion2, parameter, size
    case storage(StoredType)

    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor"): self = .tensor
        case ("torch._utils", "_rebuild_tensor_v2"): self = .tensorOfVersion2
        case ("torch._utils", "_rebuild_parameter"): self = .parameter
        case ("torch", "Size"): self = .size
        case ("torch", _):
            guard let type = Self.storageTypes[name] else { return nil }
            self = .storage(type)
        default: return nil
        }
    }

    private static let storageTypes: [String: StoredType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
        "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
        "ByteStorage": .uint8, "BoolStorage": .bool,
    ]

    static func storageName(of type: StoredType) -> String? { storageTypes.first { $0.value == type }?.key }
}

/// Numbers in a row, which tensors show parts of.
struct TorchStorage: Hashable {
    /// What the file calls it.
    let key: String
    let type: StoredType
    let elementCount: Int
}

/// A view of a storage: element (i, j, …) is at `offset + i · strides[0] + j · strides[1] + …`.
struct TorchTensor {
    let storage: TorchStorage
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}
