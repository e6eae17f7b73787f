/// What the header of an object says, sorted.
struct HDF5ObjectContent {
    private(set) var attributes: [HDF5Cursor] = []
    private(set) var links: [HDF5Cursor] = []
    private(set) var symbolTable: HDF5Cursor?
    private(set) var dataspace: HDF5Cursor?
    private(set) var datatype: HDF5Cursor?
    private(set) var layout: HDF5Cursor?
    /// Whether it has what only groups have.
    private(set) var isGroup = false

    mutating func add(_ message: HDF5Message) throws(HDF5Problem) {
        func once(_ place: inout HDF5Cursor?) throws(HDF5Problem) {
            guard place == nil else {
                throw HDF5Problem("its object header is damaged: it has two \(message.kind)s")
            }
            place = message.cursor
        }
        switch message.kind {
        case .attribute: attributes.append(message.cursor)
        case .link:
            isGroup = true
            links.append(message.cursor)
        case .symbolTable:
            isGroup = true
            try once(&symbolTable)
        case .dataspace: try once(&dataspace)
        case .datatype: try once(&datatype)
        case .layout: try once(&layout)
        case .linkInfo:
            isGroup = true
            try requireNotDense(message.cursor, orderByteCount: 8, "members")
        case .attributeInfo: try requireNotDense(message.cursor, orderByteCount: 2, "attributes")
        case .externalFiles:
            throw HDF5Problem("its data are in other files, which Fovea does not read")
        case .filters: try requireNoFilters(message.cursor)
        case .continuation, .fillValue: break
        }
    }

    /// Newer versions keep more than a few links or attributes in a heap of their own.
    private func requireNotDense(
        _ cursor: HDF5Cursor, orderByteCount: Int, _ what: String
    ) throws(HDF5Problem) {
        var cursor = cursor
        _ = try cursor.expectVersion(0...0)
        if try cursor.byte() & 1 != 0 { try cursor.skip(orderByteCount) }
        guard try cursor.address() == nil else {
            throw HDF5Problem(
                "its many \(what) are stored as newer versions of HDF5 do (libver='latest', track_order), which Fovea does not "
                    + "read; write the file with the default settings of Keras or h5py")
        }
    }

    private func requireNoFilters(_ cursor: HDF5Cursor) throws(HDF5Problem) {
        var cursor = cursor
        let version = try cursor.expectVersion(1...2)
        guard try cursor.byte() > 0 else { return }
        if version == 1 { try cursor.skip(6) }
        let filter = try cursor.uint16()
        let names = [
            1: "gzip", 2: "shuffled", 3: "with checksums", 4: "szip", 5: "n-bit", 6: "scaled", 32000: "LZF",
        ]
        throw HDF5Problem(
            "its data are compressed or filtered (\(names[filter] ?? "filter \(filter)")), which Fovea does not read; "
                + Self.repackAdvice)
    }

    static let repackAdvice = "unpack them with: h5repack -f NONE -l CONTI OLD.h5 NEW.h5"
}
