import FoveaGraph

/// Writes a file from front to back; what an object leads to comes before it.
///
/// Superblock 0, object headers 1, groups as symbol tables, contiguous data and texts in the global heap: what h5py writes unless
/// told otherwise, and every version of the library reads.
struct HDF5Writer {
    var output = HDF5Output()
    /// The names of the objects under way from the root, for messages.
    private(set) var path: [String] = []
    private var heap = HDF5TextHeap()

    private static let superblockByteCount = 96
    /// In the nodes of a tree of this file there are twice as many children, and in its leaves twice as many names.
    static let (nodeOrder, leafOrder) = (16, 4)

    mutating func write(_ root: HDF5Group) throws(HDF5Problem) {
        _ = output.allocate(Self.superblockByteCount)
        let root = try write(group: root)
        var block: [UInt8] = HDF5File.signature
        block.append(contentsOf: [0, 0, 0, 0, 0, 8, 8, 0])
        block.append(Self.leafOrder, byteCount: 2)
        block.append(Self.nodeOrder, byteCount: 2)
        block.append(0, byteCount: 4)
        block.append(0, byteCount: 8)
        block.append(contentsOf: HDF5Symbol.noAddress)
        block.append(output.bytes.count, byteCount: 8)
        block.append(contentsOf: HDF5Symbol.noAddress)
        root.append(nameOffset: 0, to: &block)
        output.put(block, at: 0)
    }

    private mutating func write(_ object: HDF5Object) throws(HDF5Problem) -> HDF5Symbol {
        switch object {
        case .group(let group): try write(group: group)
        case .dataset(let dataset): try write(dataset: dataset)
        }
    }

    private mutating func write(group: HDF5Group) throws(HDF5Problem) -> HDF5Symbol {
        guard path.count <= HDF5Reader.depthLimit else {
            throw HDF5Problem("groups are nested more than \(HDF5Reader.depthLimit) deep")
        }
        var symbols: [(name: String, symbol: HDF5Symbol)] = []
        for (name, object) in group.members.sorted(by: {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }) {
            path.append(name)
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(0), name != "."
            else {
                throw HDF5Problem("no object can have this name")
            }
            guard symbols.last?.name != name else { throw HDF5Problem("two objects have this name") }
            symbols.append((name, try write(object)))
            path.removeLast()
        }
        let table = writeTable(symbols)
        var message: [UInt8] = []
        message.append(table.tree, byteCount: 8)
        message.append(table.heap, byteCount: 8)
        return HDF5Symbol(header: try writeHeader([(.symbolTable, message)], group.attributes), table: table)
    }

    private mutating func write(dataset: HDF5Dataset) throws(HDF5Problem) -> HDF5Symbol {
        let tensor = dataset.tensor
        var attributes = dataset.attributes
        var type = HDF5Datatype.number(tensor.type)
        if tensor.type == .bfloat16 {
            type = .opaque(byteCount: 2)
            attributes.append((HDF5Dataset.typeAttribute, .string(HDF5Dataset.bfloat16)))
        }
        var layout: [UInt8] = [3, 1]
        if tensor.bytes.isEmpty {
            layout.append(contentsOf: HDF5Symbol.noAddress)
        } else {
            layout.append(output.append(tensor.bytes), byteCount: 8)
        }
        layout.append(tensor.bytes.count, byteCount: 8)
        let messages: [(HDF5Message.Kind, [UInt8])] = [
            (.dataspace, HDF5Dataspace(tensor.shape).encoded), (.datatype, type.encoded),
            // Space is there from the beginning, and nothing fills it.
            (.fillValue, [2, 2, 2, 1, 0, 0, 0, 0]), (.layout, layout),
        ]
        return HDF5Symbol(header: try writeHeader(messages, attributes), table: nil)
    }

    /// - Returns: where the header is.
    private mutating func writeHeader(
        _ messages: [(HDF5Message.Kind, [UInt8])], _ attributes: [(name: String, value: HDF5Attribute)]
    ) throws(HDF5Problem) -> Int {
        var all = messages
        var names: Set<String> = []
        for (name, value) in attributes {
            guard !name.isEmpty, !name.utf8.contains(0) else {
                throw HDF5Problem("no attribute can be called \(name.debugDescription)")
            }
            guard names.insert(name).inserted else {
                throw HDF5Problem("two attributes are called \(name.debugDescription)")
            }
            do {
                all.append((.attribute, try encoded(name, value)))
            } catch {
                throw HDF5Problem("attribute \(name.debugDescription): \(error.text)")
            }
        }
        guard all.count <= UInt16.max else { throw HDF5Problem("it has too many attributes for HDF5") }
        var content: [UInt8] = []
        for (kind, message) in all {
            content.append(kind.rawValue, byteCount: 2)
            content.append(message.count.roundedUpToEight, byteCount: 2)
            // Data types never change.
            content.append(contentsOf: [kind == .datatype ? 1 : 0, 0, 0, 0])
            content.append(contentsOf: message)
            content.fillToEight()
        }
        var header: [UInt8] = [1, 0]
        header.append(all.count, byteCount: 2)
        header.append(1, byteCount: 4)
        header.append(content.count, byteCount: 8)
        return output.append(header + content)
    }

    /// An attribute as a message of version 1.
    private mutating func encoded(_ name: String, _ value: HDF5Attribute) throws(HDF5Problem) -> [UInt8] {
        let type: HDF5Datatype
        let space: HDF5Dataspace
        var data: [UInt8] = []
        switch value {
        case .string(let text):
            (type, space) = (.heapText, HDF5Dataspace([]))
            data = try heap.add(text, to: &output)
        case .strings(let texts) where texts.isEmpty:
            (type, space) = (.number(.float64), HDF5Dataspace([0]))
        case .strings(let texts):
            (type, space) = (.heapText, HDF5Dataspace([texts.count]))
            for text in texts { data.append(contentsOf: try heap.add(text, to: &output)) }
        case .tensor(let tensor):
            guard tensor.type != .bfloat16 else { throw HDF5Problem("HDF5 has no bfloat16") }
            (type, space) = (.number(tensor.type), HDF5Dataspace(tensor.shape))
            data = Array(tensor.bytes)
        }
        var message: [UInt8] = [1, 0]
        message.append(name.utf8.count + 1, byteCount: 2)
        message.append(type.encoded.count, byteCount: 2)
        message.append(space.encoded.count, byteCount: 2)
        for part in [Array(name.utf8) + [0], type.encoded, space.encoded] {
            message.append(contentsOf: part)
            message.fillToEight()
        }
        message.append(contentsOf: data)
        guard message.count.roundedUpToEight <= Self.messageByteLimit else {
            throw HDF5Problem(
                "\(data.count) bytes are more than HDF5 allows, which is about \(Self.messageByteLimit)")
        }
        return message
    }

    static let messageByteLimit = 65528
}
