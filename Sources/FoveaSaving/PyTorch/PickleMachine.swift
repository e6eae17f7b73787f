import FoveaGraph

/// What a pickle says, without a Python that does it.
struct Pickle {
    var value: PickleValue
    var nodes: [PickleNode]
    var tensors: [TorchTensor]
}

/// Why a pickle is not read; a text for the middle of a message.
struct PickleProblem: Error {
    let description: String

    init(_ description: String) { self.description = description }

    static let cutShort = PickleProblem("the pickled data is cut short; \(fetchAgain)")
    static let damaged = PickleProblem("the pickled data is damaged; \(fetchAgain)")
    static let fetchAgain = "download or save the file again"
}

/// A machine for the part of Python's pickle language that state dictionaries and checkpoints of tensors are written in. In Python,
/// reading a pickle runs whatever its writer liked; here a name is looked up in a list, and what it would do with its arguments is
/// read off, never done.
///
/// Every instruction takes a bounded amount of memory, and so does the number of instructions.
struct PickleMachine {
    /// A state dictionary of a thousand tensors takes 40,000.
    static let instructionLimit = 2_000_000

    private var reader: PickleReader
    private var stack: [PickleValue] = []
    /// How high the stack was at each mark.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var copiedCount = 0
    private var pickle = Pickle(value: .none, nodes: [], tensors: [])

    private init(_ bytes: ArraySlice<UInt8>) { reader = PickleReader(bytes) }

    /// Reads one pickle.
    ///
    /// - Parameter bytes: begin with it; what follows it is left to the caller.
    static func read(_ bytes: inout ArraySlice<UInt8>) throws(PickleProblem) -> Pickle {
        var machine = PickleMachine(bytes)
        var instructionCount = 0
        while true {
            instructionCount += 1
            guard instructionCount <= instructionLimit else {
                throw PickleProblem("the pickled data has more than \(instructionLimit) instructions")
            }
            let code = try machine.reader.byte()
            guard let instruction = PickleInstruction(rawValue: code) else { throw Self.unknown(code) }
            if instruction == .stop { break }
            try machine.perform(instruction)
        }
        machine.pickle.value = try machine.pop()
        bytes = machine.reader.rest
        return machine.pickle
    }

    private static func unknown(_ code: UInt8) -> PickleProblem {
        // OBJ, INST, NEWOBJ and NEWOBJ_EX make objects of classes.
        if [0x6F, 0x69, 0x81, 0x92].contains(code) { return .wholeObject(nil) }
        return PickleProblem(
            "the pickled data has the instruction 0x\(String(code, radix: 16)), which no state dictionary needs; "
                + PickleProblem.saveStateDictionary)
    }

    private mutating func perform(_ instruction: PickleInstruction) throws(PickleProblem) {
        switch instruction {
        case .stop: break
        case .proto:
            guard try (2...5).contains(reader.byte()) else { throw .damaged }
        case .frame: _ = try reader.count(byteCount: 8)

        case .none: stack.append(.none)
        case .newTrue: stack.append(.bool(true))
        case .newFalse: stack.append(.bool(false))
        case .binInt: stack.append(.integer(try reader.signed()))
        case .binInt1: stack.append(.integer(try reader.count(byteCount: 1)))
        case .binInt2: stack.append(.integer(try reader.count(byteCount: 2)))
        case .long1: stack.append(try reader.long())
        case .binFloat: stack.append(.float(try reader.float()))
        case .shortBinString, .shortBinUnicode: stack.append(.text(try reader.text(lengthByteCount: 1)))
        case .binString, .binUnicode: stack.append(.text(try reader.text(lengthByteCount: 4)))
        case .binUnicode8: stack.append(.text(try reader.text(lengthByteCount: 8)))
        case .shortBinBytes: try pushBytes(lengthByteCount: 1)
        case .binBytes: try pushBytes(lengthByteCount: 4)

        case .mark: marks.append(stack.count)
        case .emptyTuple: push(.tuple, [])
        case .emptyList: push(.list, [])
        case .emptyDictionary: push(.dictionary, [])
        case .tuple: push(.tuple, try popToMark())
        case .tuple1: push(.tuple, try popLast(1))
        case .tuple2: push(.tuple, try popLast(2))
        case .tuple3: push(.tuple, try popLast(3))
        case .append: try extend(.list, with: popLast(1))
        case .appends: try extend(.list, with: popToMark())
        case .setItem: try extend(.dictionary, with: popLast(2))
        case .setItems: try extend(.dictionary, with: popToMark())

        case .binPut: memo[try reader.count(byteCount: 1)] = try top()
        case .longBinPut: memo[try reader.count(byteCount: 4)] = try top()
        case .memoize: memo[memo.count] = try top()
        case .binGet: try recall(reader.count(byteCount: 1))
        case .longBinGet: try recall(reader.count(byteCount: 4))

        case .global:
            let module = try reader.line()
            try pushGlobal(module: module, name: reader.line())
        case .stackGlobal:
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else { throw .damaged }
            try pushGlobal(module: module, name: name)
        case .binPersistentID: try pushStorage()
        case .reduce: try reduce()
        case .build:
            // What PyTorch adds to a dictionary are the versions of its modules.
            _ = try pop()
            guard case .node(let place) = try top(), pickle.nodes[place].kind == .dictionary else {
                throw .wholeObject(nil)
            }
        }
    }

    // MARK: - Stack

    private func top() throws(PickleProblem) -> PickleValue {
        guard let value = stack.last, stack.count > marks.last ?? 0 else { throw .damaged }
        return value
    }

    private mutating func pop() throws(PickleProblem) -> PickleValue {
        let value = try top()
        stack.removeLast()
        return value
    }

    private mutating func popLast(_ count: Int) throws(PickleProblem) -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else { throw .damaged }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(PickleProblem) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw .damaged }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func push(_ kind: PickleNode.Kind, _ items: [PickleValue]) {
        stack.append(.node(pickle.nodes.count))
        pickle.nodes.append(PickleNode(kind: kind, items: items))
    }

    private mutating func extend(_ kind: PickleNode.Kind, with items: [PickleValue]) throws(PickleProblem) {
        guard case .node(let place) = try top(), pickle.nodes[place].kind == kind,
            kind == .list || items.count % 2 == 0
        else { throw .damaged }
        pickle.nodes[place].items.append(contentsOf: items)
    }

    private mutating func recall(_ number: Int) throws(PickleProblem) {
        guard let value = memo[number] else { throw .damaged }
        stack.append(value)
    }

    private mutating func pushBytes(lengthByteCount: Int) throws(PickleProblem) {
        _ = try reader.bytes(reader.count(byteCount: lengthByteCount))
        stack.append(.bytes)
    }

    // MARK: - Names and what they stand for

    private mutating func pushGlobal(module: String, name: String) throws(PickleProblem) {
        guard let global = PickleGlobal(module: module, name: name) else {
            throw .wholeObject("\(module).\(name)")
        }
        stack.append(.global(global))
    }

    private mutating func pushStorage() throws(PickleProblem) {
        let items = try tuple(pop())
        guard items.count == 5 || items.count == 6, case .text("storage") = items[0],
            case .global(.storage(let type)) = items[1], case .text(let key) = items[2],
            case .integer(let count) = items[4], count >= 0
        else { throw .damaged }
        if items.count == 6 {
            guard case .none = items[5] else {
                throw PickleProblem(
                    "a storage is a part of another one, as only PyTorch 0.1 wrote it; save it again")
            }
        }
        stack.append(.storage(TorchStorage(key: key, type: type, elementCount: count)))
    }

    private mutating func reduce() throws(PickleProblem) {
        let arguments = try tuple(pop())
        guard case .global(let global) = try pop() else { throw .damaged }
        switch global {
        case .orderedDictionary: push(.dictionary, try items(arguments))
        case .size: push(.tuple, try arguments.first.map(tuple) ?? [])
        case .tensor, .tensorOfVersion2:
            guard arguments.count >= 4, case .storage(let storage) = arguments[0],
                case .integer(let offset) = arguments[1]
            else { throw .damaged }
            stack.append(.tensor(pickle.tensors.count))
            pickle.tensors.append(
                TorchTensor(
                    storage: storage, offset: offset, shape: try integers(arguments[2]),
                    strides: try integers(arguments[3])))
        case .parameter:
            guard case .tensor(let place)? = arguments.first else { throw .damaged }
            stack.append(.tensor(place))
        case .storage: throw .damaged
        }
    }

    /// The items of a dictionary that is made of a list of pairs, as Python 2 wrote it, or of nothing.
    private mutating func items(_ arguments: [PickleValue]) throws(PickleProblem) -> [PickleValue] {
        guard let list = arguments.first else { return [] }
        guard case .node(let place) = list, pickle.nodes[place].kind == .list else { throw .damaged }
        var items: [PickleValue] = []
        for pair in pickle.nodes[place].items {
            guard case .node(let place) = pair, pickle.nodes[place].kind != .dictionary,
                pickle.nodes[place].items.count == 2
            else { throw .damaged }
            items += pickle.nodes[place].items
        }
        // One list can be given again and again.
        copiedCount += items.count
        guard copiedCount <= Self.instructionLimit else { throw .damaged }
        return items
    }

    private func tuple(_ value: PickleValue) throws(PickleProblem) -> [PickleValue] {
        guard case .node(let place) = value, pickle.nodes[place].kind == .tuple else { throw .damaged }
        return pickle.nodes[place].items
    }

    private func integers(_ value: PickleValue) throws(PickleProblem) -> [Int] {
        var numbers: [Int] = []
        for item in try tuple(value) {
            guard case .integer(let number) = item, numbers.count < TorchTensor.rankLimit else {
                throw .damaged
            }
            numbers.append(number)
        }
        return numbers
    }
}

extension PickleProblem {
    static let saveStateDictionary =
        "in Python, write its tensors with torch.save(model.state_dict(), path) and load that file"

    /// For a file that only the program which wrote it can read.
    static func wholeObject(_ name: String?) -> PickleProblem {
        let what = name.map { "an object of Python's, \(quoted($0))" } ?? "objects of Python's"
        return PickleProblem(
            "besides tensors the file holds \(what), as a whole module or a checkpoint with settings does; Fovea runs no code "
                + "of a file's: \(saveStateDictionary)")
    }
}
