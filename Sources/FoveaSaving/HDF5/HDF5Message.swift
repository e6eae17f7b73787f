/// A piece of an object's header.
struct HDF5Message {
    /// The messages that Fovea reads or writes; others only serve those who change files.
    enum Kind: Int {
        case dataspace = 0x01
        case linkInfo = 0x02
        case datatype = 0x03
        case fillValue = 0x05
        case link = 0x06
        case externalFiles = 0x07
        case layout = 0x08
        case filters = 0x0B
        case attribute = 0x0C
        case continuation = 0x10
        case symbolTable = 0x11
        case attributeInfo = 0x15
    }

    let kind: Kind
    let cursor: HDF5Cursor

    /// Reads one.
    ///
    /// - Returns: nil for a message of no interest.
    static func read(
        _ cursor: inout HDF5Cursor, version: Int, hasOrder: Bool
    ) throws(HDF5Problem) -> HDF5Message? {
        let type = version == 1 ? try cursor.uint16() : try cursor.byte()
        let byteCount = try cursor.uint16()
        let flags = try cursor.byte()
        if version == 1 { try cursor.skip(3) }
        if hasOrder { try cursor.skip(2) }
        let content = try cursor.take(byteCount)
        guard let kind = Kind(rawValue: type) else {
            // Whoever does not know such a message must not use the object.
            guard type <= 0x18 || flags & 0x80 == 0 else {
                throw HDF5Problem(
                    "its header has what a newer HDF5 wrote (message \(type)), which Fovea does not read")
            }
            return nil
        }
        guard flags & 2 == 0 else {
            throw HDF5Problem("it shares its \(kind) with other objects, which Fovea does not read")
        }
        return HDF5Message(kind: kind, cursor: HDF5Cursor(content, "its \(kind)"))
    }
}

extension HDF5Reader {
    /// All messages of the object whose header begins at an address.
    mutating func messages(at address: Int) throws(HDF5Problem) -> [HDF5Message] {
        let isOld = address < bytes.count && bytes[max(address, 0)] == 1
        return isOld ? try oldMessages(at: address) : try newMessages(at: address)
    }

    /// Those of version 1.
    private mutating func oldMessages(at address: Int) throws(HDF5Problem) -> [HDF5Message] {
        let name = "its object header"
        var prefix = try block(at: address, byteCount: 16, name)
        try prefix.skip(8)
        let byteCount = try prefix.uint32()
        var messages: [HDF5Message] = []
        var continuations = [(address + 16, byteCount)]
        while let (address, byteCount) = continuations.popLast() {
            var cursor = try block(at: address, byteCount: byteCount, name)
            while cursor.remaining >= 8 {
                let message = try HDF5Message.read(&cursor, version: 1, hasOrder: false)
                try take(message, &messages, &continuations)
            }
        }
        return messages
    }

    /// Those of version 2.
    private mutating func newMessages(at address: Int) throws(HDF5Problem) -> [HDF5Message] {
        let name = "its object header"
        // With all that may stand before the messages.
        var prefix = HDF5Cursor(bytes[max(0, min(address, bytes.count))...].prefix(34), name)
        try prefix.expect("OHDR")
        _ = try prefix.expectVersion(2...2)
        let flags = try prefix.byte()
        if flags & 0x20 != 0 { try prefix.skip(16) }
        if flags & 0x10 != 0 { try prefix.skip(4) }
        let byteCount = try prefix.length(byteCount: 1 << (flags & 3))
        var messages: [HDF5Message] = []
        var continuations: [(Int, Int)] = []
        var cursor = try block(at: prefix.position, byteCount: byteCount, name)
        while true {
            // What is shorter than a message is a gap.
            while cursor.remaining >= 4 {
                let message = try HDF5Message.read(&cursor, version: 2, hasOrder: flags & 4 != 0)
                try take(message, &messages, &continuations)
            }
            guard let (address, byteCount) = continuations.popLast() else { return messages }
            // The checksum at the end is none of the messages.
            guard byteCount >= 8 else { throw HDF5Problem("\(name) is damaged: a continuation is too short") }
            cursor = try block(at: address, byteCount: byteCount - 4, name)
            try cursor.expect("OCHK")
        }
    }

    private func take(
        _ message: HDF5Message?, _ messages: inout [HDF5Message], _ continuations: inout [(Int, Int)]
    ) throws(HDF5Problem) {
        guard let message else { return }
        guard message.kind == .continuation else { return messages.append(message) }
        var cursor = message.cursor
        guard let address = try cursor.address() else {
            throw HDF5Problem("its object header is damaged: a continuation is nowhere")
        }
        continuations.append((address, try cursor.length()))
    }
}

extension HDF5Message.Kind: CustomStringConvertible {
    var description: String {
        switch self {
        case .dataspace: "extents"
        case .linkInfo: "information on links"
        case .datatype: "data type"
        case .fillValue: "fill value"
        case .link: "link"
        case .externalFiles: "list of external files"
        case .layout: "layout"
        case .filters: "list of filters"
        case .attribute: "attribute"
        case .continuation: "continuation"
        case .symbolTable: "symbol table"
        case .attributeInfo: "information on attributes"
        }
    }
}
