/// How groups name their members.
extension HDF5Reader {
    typealias Link = (name: String, address: Int)

    /// Links in an object's header, as newer versions write them.
    func links(_ cursors: [HDF5Cursor]) throws(HDF5Problem) -> [Link] {
        var links: [Link] = []
        for cursor in cursors {
            var cursor = cursor
            _ = try cursor.expectVersion(1...1)
            let flags = try cursor.byte()
            let type = flags & 8 != 0 ? try cursor.byte() : 0
            if flags & 4 != 0 { try cursor.skip(8) }
            if flags & 0x10 != 0 { try cursor.skip(1) }
            let name = try HDF5Cursor.text(cursor.take(cursor.length(byteCount: 1 << (flags & 3))))
            guard type == 0, let address = try cursor.address() else {
                throw Self.refusal(name, type == 64 ? "a link to another file" : "a soft link")
            }
            links.append((name, address))
        }
        return links
    }

    /// Links in a symbol table: a tree whose leaves list names, which are in a heap, and addresses.
    mutating func symbols(_ table: HDF5Cursor) throws(HDF5Problem) -> [Link] {
        var table = table
        guard let tree = try table.address(), let heapAddress = try table.address() else {
            throw HDF5Problem("its symbol table is damaged: an address is missing")
        }
        var heap = try block(at: heapAddress, byteCount: 32, "its heap of names")
        try heap.expect("HEAP")
        try heap.skip(4)
        let byteCount = try heap.length()
        try heap.skip(8)
        guard let start = try heap.address() else {
            throw HDF5Problem("its heap of names is damaged: an address is missing")
        }
        guard start <= bytes.count, byteCount <= bytes.count - start else {
            throw HDF5Problem("its heap of names is damaged: it would lie outside the file")
        }
        var links: [Link] = []
        try addSymbols(inTree: tree, level: nil, names: bytes[start..<start + byteCount], to: &links)
        return links
    }

    /// - Parameter level: how many levels are below this part of the tree; nil for its root, where any number is right.
    private mutating func addSymbols(
        inTree address: Int, level: Int?, names: ArraySlice<UInt8>, to links: inout [Link]
    ) throws(HDF5Problem) {
        let name = "its symbol table"
        var head = try block(at: address, byteCount: 24, name)
        try head.expect("TREE")
        guard try head.byte() == 0 else {
            throw HDF5Problem("\(name) is damaged: its tree is not one of groups")
        }
        let found = try head.byte()
        guard found == level ?? found, found <= 16 else {
            throw HDF5Problem("\(name) is damaged: its tree is too deep")
        }
        let count = try head.uint16()
        var cursor = try block(at: address + 24, byteCount: 16 * count, name)
        for _ in 0..<count {
            try cursor.skip(8)
            guard let child = try cursor.address() else {
                throw HDF5Problem("\(name) is damaged: an address is missing")
            }
            if found > 0 {
                try addSymbols(inTree: child, level: found - 1, names: names, to: &links)
            } else {
                try addSymbols(inLeaf: child, names: names, to: &links)
            }
        }
    }

    private mutating func addSymbols(
        inLeaf address: Int, names: ArraySlice<UInt8>, to links: inout [Link]
    ) throws(HDF5Problem) {
        let name = "its symbol table"
        var head = try block(at: address, byteCount: 8, name)
        try head.expect("SNOD")
        try head.skip(2)
        let count = try head.uint16()
        var cursor = try block(at: address + 8, byteCount: 40 * count, name)
        for _ in 0..<count {
            let offset = try cursor.length()
            let address = try cursor.address()
            let cache = try cursor.uint32()
            try cursor.skip(20)
            guard offset < names.count else { throw HDF5Problem("\(name) is damaged: a name is missing") }
            let text = names[(names.startIndex + offset)...].prefix { $0 != 0 }
            try charge(text.count)
            let symbol = try HDF5Cursor.text(text)
            guard cache != 2, let address else { throw Self.refusal(symbol, "a soft link") }
            links.append((symbol, address))
        }
    }

    private static func refusal(_ name: String, _ what: String) -> HDF5Problem {
        HDF5Problem("its member \(name.debugDescription) is \(what), which Fovea does not follow")
    }
}
