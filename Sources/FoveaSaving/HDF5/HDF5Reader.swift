import FoveaGraph

/// Reads the objects of a file.
///
/// Whatever the bytes say, it ends soon and takes no more memory than a small multiple of the file: in a file as it should be no
/// two things lie at the same place, so all that is read together is bounded by the size of the file (`budget`); and no
/// object is read twice.
struct HDF5Reader {
    let bytes: [UInt8]
    /// The names of the objects under way from the root, for messages.
    var path: [String] = []
    /// How many bytes may still be read. Texts count twice: with the block that they are in, and by themselves.
    private var budget: Int
    private var visited: Set<Int> = []
    /// Collections of the global heap by address.
    var collections: [Int: [Int: ArraySlice<UInt8>]] = [:]

    static let depthLimit = 64

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        budget = 2 * bytes.count
    }

    /// The root group.
    mutating func root() throws(HDF5Problem) -> HDF5Group {
        guard bytes.starts(with: HDF5File.signature) else { throw HDF5Problem("this is no HDF5 file") }
        var cursor = HDF5Cursor(bytes[...], "the beginning of the file")
        try cursor.skip(HDF5File.signature.count)
        let version = try cursor.expectVersion(0...3)
        guard version != 1 else { throw HDF5Problem("superblock version 1, which Fovea does not read") }
        if version == 0 { try cursor.skip(4) }
        guard try cursor.byte() == 8, try cursor.byte() == 8 else {
            throw HDF5Problem("its addresses and lengths are not of 8 bytes, which Fovea does not read")
        }
        // Old: sizes of nodes. New: no more than flags.
        try cursor.skip(version == 0 ? 9 : 1)
        guard try cursor.address() == 0 else {
            throw HDF5Problem("it is embedded behind other data, which Fovea does not read")
        }
        _ = try cursor.address()
        guard let end = try cursor.address(), end <= bytes.count else {
            throw HDF5Problem("it is cut off: \(bytes.count) bytes are there, which is not all")
        }
        // Old: where a driver's information is, and the name of the root.
        if version == 0 { try cursor.skip(16) }
        guard let address = try cursor.address() else { throw HDF5Problem("it has no root group") }
        guard case .group(let group) = try object(at: address) else {
            throw HDF5Problem("its root is no group")
        }
        return group
    }

    /// The group or dataset at an address, with all that is in it.
    mutating func object(at address: Int) throws(HDF5Problem) -> HDF5Object {
        guard path.count <= Self.depthLimit else {
            throw HDF5Problem("groups are nested more than \(Self.depthLimit) deep")
        }
        guard visited.insert(address).inserted else {
            throw HDF5Problem(
                "it is another object, too: Fovea reads no files in which objects have two names")
        }
        var content = HDF5ObjectContent()
        for message in try messages(at: address) { try content.add(message) }
        var attributes = try self.attributes(content.attributes)
        if content.isGroup {
            return .group(HDF5Group(attributes: attributes, members: try members(content)))
        }
        return .dataset(try dataset(content, &attributes))
    }

    private mutating func members(
        _ content: HDF5ObjectContent
    ) throws(HDF5Problem) -> [(name: String, object: HDF5Object)] {
        var links = try self.links(content.links)
        if let table = content.symbolTable { links += try symbols(table) }
        var names: Set<String> = []
        var members: [(name: String, object: HDF5Object)] = []
        for (name, address) in links {
            path.append(name)
            guard !name.isEmpty, !name.contains("/") else {
                throw HDF5Problem("no object can have this name")
            }
            guard names.insert(name).inserted else { throw HDF5Problem("two objects have this name") }
            members.append((name, try object(at: address)))
            path.removeLast()
        }
        return members
    }

    /// A part of the file that is read now.
    ///
    /// - Parameter name: what it is, for messages.
    mutating func block(at address: Int, byteCount: Int, _ name: String) throws(HDF5Problem) -> HDF5Cursor {
        HDF5Cursor(try slice(at: address, byteCount: byteCount, name), name)
    }

    mutating func slice(at address: Int, byteCount: Int, _ name: String) throws(HDF5Problem) -> ArraySlice<
        UInt8
    > {
        guard address >= 0, byteCount >= 0, address <= bytes.count, byteCount <= bytes.count - address else {
            throw HDF5Problem("\(name) is damaged: it would lie outside the file")
        }
        try charge(byteCount)
        return bytes[address..<address + byteCount]
    }

    mutating func charge(_ byteCount: Int) throws(HDF5Problem) {
        guard byteCount <= budget else {
            throw HDF5Problem("the file is damaged: its parts lie over each other")
        }
        budget -= byteCount
    }
}
