/// The tensors, numbers and texts of a pickle under names that say where in it they are.
struct PickleContents {
    private(set) var tensors: [(name: String, tensor: TorchTensor)] = []
    private(set) var values: [(name: String, value: String)] = []

    /// State dictionaries of state dictionaries, with room to spare.
    private static let depthLimit = 32
    /// Dictionaries can be in each other many times over, so their number says nothing of that of the names.
    private static let stepLimit = 1_000_000
    private static let nameLimit = 1_000
    private static let nameByteLimit = 1 << 25
    /// Of settings, as of an optimizer, some are enough to say what a file is.
    private static let valueLimit = 1_000

    private let pickle: Pickle
    private var (stepCount, nameByteCount) = (0, 0)
    private var names: Set<String> = []

    init(_ pickle: Pickle) throws(PickleProblem) {
        self.pickle = pickle
        try collect(pickle.value, name: "", depth: 0)
        guard !tensors.isEmpty else {
            throw PickleProblem("the file holds no tensors; \(PickleProblem.saveStateDictionary)")
        }
    }

    private mutating func collect(_ value: PickleValue, name: String, depth: Int) throws(PickleProblem) {
        stepCount += 1
        guard stepCount <= Self.stepLimit, depth <= Self.depthLimit else {
            throw PickleProblem(
                "the lists and dictionaries in the file are nested deeper or are more than any model needs")
        }
        switch value {
        case .tensor(let place):
            let name = name.isEmpty ? "tensor" : name
            try note(name)
            guard names.insert(name).inserted else {
                throw PickleProblem("two tensors have the name \(quoted(name)); \(PickleProblem.fetchAgain)")
            }
            tensors.append((name, pickle.tensors[place]))
        case .node(let place):
            let node = pickle.nodes[place]
            guard node.kind == .dictionary else {
                for (index, item) in node.items.enumerated() {
                    try collect(item, name: Self.joined(name, "\(index)"), depth: depth + 1)
                }
                return
            }
            for index in stride(from: 0, to: node.items.count - 1, by: 2) {
                let key: String
                switch node.items[index] {
                case .text(let text): key = text
                case .integer(let number): key = "\(number)"
                default:
                    throw PickleProblem(
                        "a dictionary in the file has a key that is no text and no whole number")
                }
                guard name.utf8.count + key.utf8.count < Self.nameLimit else {
                    throw PickleProblem("a name in the file has more than \(Self.nameLimit) characters")
                }
                try collect(node.items[index + 1], name: Self.joined(name, key), depth: depth + 1)
            }
        case .bool(let flag): try noteValue(name, "\(flag)")
        case .integer(let number): try noteValue(name, "\(number)")
        case .float(let number): try noteValue(name, "\(number)")
        case .text(let text): try noteValue(name, text)
        case .none, .large, .bytes, .global, .storage: break
        }
    }

    private static func joined(_ name: String, _ key: String) -> String {
        name.isEmpty ? key : "\(name).\(key)"
    }

    private mutating func note(_ name: String) throws(PickleProblem) {
        nameByteCount += name.utf8.count
        guard nameByteCount <= Self.nameByteLimit else {
            throw PickleProblem("the names in the file are longer than any model needs")
        }
    }

    private mutating func noteValue(_ name: String, _ value: String) throws(PickleProblem) {
        guard values.count < Self.valueLimit, !name.isEmpty else { return }
        try note(name)
        values.append((name, value))
    }
}
