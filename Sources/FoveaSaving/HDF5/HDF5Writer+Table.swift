/// Where an object is that has been written.
struct HDF5Symbol {
    let header: Int
    /// For groups.
    let table: HDF5SymbolTable?

    static let noAddress = [UInt8](repeating: 0xFF, count: 8)

    /// The entry of a symbol table.
    func append(nameOffset: Int, to bytes: inout [UInt8]) {
        bytes.append(nameOffset, byteCount: 8)
        bytes.append(header, byteCount: 8)
        bytes.append(table == nil ? 0 : 1, byteCount: 8)
        bytes.append(table?.tree ?? 0, byteCount: 8)
        bytes.append(table?.heap ?? 0, byteCount: 8)
    }
}

/// Where the parts of a group's symbol table are: a tree over lists of members, and a heap of their names.
struct HDF5SymbolTable {
    let tree: Int
    let heap: Int
}

extension HDF5Writer {
    /// A node of the tree, or a list below it, with the place of its last name.
    private typealias Child = (address: Int, lastName: Int)

    /// - Parameter symbols: in the order of their names' bytes.
    mutating func writeTable(_ symbols: [(name: String, symbol: HDF5Symbol)]) -> HDF5SymbolTable {
        // The empty name, which is less than all others, begins the heap.
        var names = [UInt8](repeating: 0, count: 8)
        let offsets = symbols.map { name, _ in
            let offset = names.count
            names.append(contentsOf: Array(name.utf8) + [0])
            names.fillToEight()
            return offset
        }
        let data = output.append(names)
        var heap = Array("HEAP".utf8) + [0, 0, 0, 0]
        heap.append(names.count, byteCount: 8)
        // No part of it is free.
        heap.append(1, byteCount: 8)
        heap.append(data, byteCount: 8)
        let heapAddress = output.append(heap)

        var children = stride(from: 0, to: symbols.count, by: 2 * Self.leafOrder).map { start in
            let range = start..<min(symbols.count, start + 2 * Self.leafOrder)
            var leaf = Array("SNOD".utf8) + [1, 0]
            leaf.append(range.count, byteCount: 2)
            for i in range { symbols[i].symbol.append(nameOffset: offsets[i], to: &leaf) }
            let address = output.allocate(8 + 40 * 2 * Self.leafOrder)
            output.put(leaf, at: address)
            return (address: address, lastName: offsets[range.upperBound - 1])
        }
        var level = 0
        repeat {
            children = writeNodes(children, level: level)
            level += 1
        } while children.count > 1
        return HDF5SymbolTable(tree: children[0].address, heap: heapAddress)
    }

    /// The nodes of one level of a tree; one, even where there are no children.
    private mutating func writeNodes(_ children: [Child], level: Int) -> [Child] {
        let capacity = 2 * Self.nodeOrder
        let byteCount = 24 + 8 * capacity + 8 * (capacity + 1)
        let starts = Array(stride(from: 0, to: max(children.count, 1), by: capacity))
        let addresses = starts.map { _ in output.allocate(byteCount) }
        var nodes: [Child] = []
        for (i, start) in starts.enumerated() {
            let part = children[start..<min(children.count, start + capacity)]
            var node = Array("TREE".utf8) + [0, UInt8(level)]
            node.append(part.count, byteCount: 2)
            for sibling in [i - 1, i + 1] {
                if addresses.indices.contains(sibling) {
                    node.append(addresses[sibling], byteCount: 8)
                } else {
                    node.append(contentsOf: HDF5Symbol.noAddress)
                }
            }
            // Between two children stands the last name of the first.
            node.append(nodes.last?.lastName ?? 0, byteCount: 8)
            for child in part {
                node.append(child.address, byteCount: 8)
                node.append(child.lastName, byteCount: 8)
            }
            output.put(node, at: addresses[i])
            nodes.append((addresses[i], part.last?.lastName ?? 0))
        }
        return nodes
    }
}
