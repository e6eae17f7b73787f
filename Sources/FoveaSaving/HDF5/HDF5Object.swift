import FoveaGraph

/// A group of named objects, the folder of HDF5.
struct HDF5Group: Sendable {
    var attributes: [(name: String, value: HDF5Attribute)] = []
    /// When read in the order of the file, which for most is that of the names.
    var members: [(name: String, object: HDF5Object)] = []

    /// The member at a path such as `model_weights/conv2d`.
    subscript(path: String) -> HDF5Object? {
        let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
        guard let first = parts.first, let member = members.first(where: { $0.name == first })?.object else {
            return nil
        }
        guard parts.count == 2 else { return member }
        return member.group?[parts[1]]
    }

    func attribute(_ name: String) -> HDF5Attribute? { attributes.first { $0.name == name }?.value }
}

enum HDF5Object: Sendable {
    case group(HDF5Group)
    case dataset(HDF5Dataset)

    var group: HDF5Group? { if case .group(let group) = self { group } else { nil } }
    var dataset: HDF5Dataset? { if case .dataset(let dataset) = self { dataset } else { nil } }
    var attributes: [(name: String, value: HDF5Attribute)] {
        switch self {
        case .group(let group): group.attributes
        case .dataset(let dataset): dataset.attributes
        }
    }
}

/// Numbers in a file. HDF5 has no bfloat16: as Keras does, it is kept as opaque data of 2 bytes with an attribute `dtype`, which
/// is not among `attributes`.
struct HDF5Dataset: Sendable {
    var attributes: [(name: String, value: HDF5Attribute)] = []
    /// When read it is named by its path in the file.
    var tensor: StoredTensor

    static let typeAttribute = "dtype"
    static let bfloat16 = "bfloat16"
}

enum HDF5Attribute: Sendable {
    case string(String)
    case strings([String])
    case tensor(StoredTensor)

    var string: String? { if case .string(let text) = self { text } else { nil } }

    /// A list of texts. An empty one has no type in HDF5; h5py writes it as one of numbers.
    var strings: [String]? {
        switch self {
        case .strings(let texts): texts
        case .tensor(let tensor) where tensor.shape.elementCount == 0: []
        default: nil
        }
    }

    var tensor: StoredTensor? { if case .tensor(let tensor) = self { tensor } else { nil } }
}
