import FoveaGraph

/// Datasets and attributes.
extension HDF5Reader {
    /// - Parameter attributes: those of the dataset; the one that says what opaque data are is taken out.
    mutating func dataset(
        _ content: HDF5ObjectContent, _ attributes: inout [(name: String, value: HDF5Attribute)]
    ) throws(HDF5Problem) -> HDF5Dataset {
        guard var dataspace = content.dataspace, var datatype = content.datatype, var layout = content.layout
        else {
            throw HDF5Problem(
                content.datatype != nil && content.layout == nil
                    ? "it is a named data type, which Fovea does not read"
                    : "it is neither a group nor a dataset")
        }
        let space = try HDF5Dataspace(&dataspace)
        let type = try HDF5Datatype(&datatype)
        let data = try self.data(&layout, byteCount: space.byteCount(of: type))
        let storedType: StoredType
        switch type {
        case .number(let type): storedType = type
        case .opaque(byteCount: 2):
            let index = attributes.firstIndex {
                $0.name == HDF5Dataset.typeAttribute && $0.value.string == HDF5Dataset.bfloat16
            }
            guard let index else { fallthrough }
            attributes.remove(at: index)
            storedType = .bfloat16
        case .opaque: throw HDF5Problem("it has opaque data, which Fovea does not read")
        case .text, .heapText: throw HDF5Problem("it has texts where Fovea reads only numbers")
        }
        return HDF5Dataset(
            attributes: attributes,
            tensor: try tensor(path.joined(separator: "/"), space, storedType, data))
    }

    private mutating func data(
        _ layout: inout HDF5Cursor, byteCount: Int?
    ) throws(HDF5Problem) -> ArraySlice<UInt8> {
        _ = try layout.expectVersion(3...4)
        let kind = try layout.byte()
        let data: ArraySlice<UInt8>
        switch kind {
        case 0: data = try layout.take(layout.uint16())
        case 1:
            let address = try layout.address()
            let size = try layout.length()
            guard let address else {
                guard byteCount == 0 else { throw HDF5Problem("its data were never written") }
                return []
            }
            data = try slice(at: address, byteCount: size, "its data")
        case 2:
            throw HDF5Problem(
                "its data are in chunks, which Fovea does not read; " + HDF5ObjectContent.repackAdvice)
        case 3: throw HDF5Problem("its data are those of other datasets (virtual), which Fovea does not read")
        default: throw HDF5Problem("its data are stored in the unknown way \(kind)")
        }
        guard data.count == byteCount else {
            throw HDF5Problem(
                "it is damaged: \(data.count) bytes are there, its extents and data type say otherwise")
        }
        return data
    }

    mutating func attributes(
        _ cursors: [HDF5Cursor]
    ) throws(HDF5Problem) -> [(name: String, value: HDF5Attribute)] {
        var names: Set<String> = []
        var attributes: [(name: String, value: HDF5Attribute)] = []
        for cursor in cursors {
            var cursor = cursor
            let version = try cursor.expectVersion(1...3)
            guard try cursor.byte() & 3 == 0 || version == 1 else {
                throw HDF5Problem("an attribute shares its data type, which Fovea does not read")
            }
            let nameByteCount = try cursor.uint16()
            let typeByteCount = try cursor.uint16()
            let spaceByteCount = try cursor.uint16()
            if version == 3 { try cursor.skip(1) }
            var name = HDF5Cursor(try cursor.take(nameByteCount), "an attribute's name")
            if version == 1 { cursor.align() }
            var type = HDF5Cursor(try cursor.take(typeByteCount), "an attribute's data type")
            if version == 1 { cursor.align() }
            var space = HDF5Cursor(try cursor.take(spaceByteCount), "an attribute's extents")
            if version == 1 { cursor.align() }
            let text = try name.text()
            guard names.insert(text).inserted else {
                throw HDF5Problem("two attributes are called \(text.debugDescription)")
            }
            do {
                attributes.append(
                    (text, try attribute(text, HDF5Dataspace(&space), HDF5Datatype(&type), &cursor)))
            } catch {
                throw HDF5Problem("attribute \(text.debugDescription): \(error.text)")
            }
        }
        return attributes
    }

    private mutating func attribute(
        _ name: String, _ space: HDF5Dataspace, _ type: HDF5Datatype, _ cursor: inout HDF5Cursor
    ) throws(HDF5Problem) -> HDF5Attribute {
        guard let byteCount = space.byteCount(of: type) else { throw HDF5Problem("it has too many elements") }
        let data = try cursor.take(byteCount)
        var texts: [String] = []
        switch type {
        case .number(let type): return .tensor(try tensor(name, space, type, data))
        case .opaque: throw HDF5Problem("it has opaque data, which Fovea does not read")
        case .text(let byteCount, let isSpacePadded):
            for start in stride(from: data.startIndex, to: data.endIndex, by: byteCount) {
                var text = data[start..<start + byteCount].prefix { $0 != 0 }
                while isSpacePadded, text.last == UInt8(ascii: " ") { text.removeLast() }
                texts.append(try HDF5Cursor.text(text))
            }
        case .heapText:
            var references = HDF5Cursor(data, "it")
            while references.remaining > 0 { texts.append(try heapText(&references)) }
        }
        guard space.shape.rank <= 1 else {
            throw HDF5Problem("it has texts in \(space.shape.rank) dimensions")
        }
        return space.isScalar ? .string(texts.first ?? "") : .strings(texts)
    }

    /// The text that a reference into the global heap leads to.
    private mutating func heapText(_ reference: inout HDF5Cursor) throws(HDF5Problem) -> String {
        let count = try reference.uint32()
        let address = try reference.address()
        let number = try reference.uint32()
        guard count > 0 else { return "" }
        guard let address, let object = try collection(at: address)[number], count <= object.count else {
            throw HDF5Problem("its text is missing")
        }
        try charge(count)
        return try HDF5Cursor.text(object.prefix(count).prefix { $0 != 0 })
    }

    /// The objects of a collection of the global heap by number.
    private mutating func collection(at address: Int) throws(HDF5Problem) -> [Int: ArraySlice<UInt8>] {
        if let objects = collections[address] { return objects }
        let name = "its heap of texts"
        var head = try block(at: address, byteCount: 16, name)
        try head.expect("GCOL")
        _ = try head.expectVersion(1...1)
        try head.skip(3)
        let byteCount = try head.length()
        guard byteCount >= 16 else { throw HDF5Problem("\(name) is damaged: it is too short") }
        var cursor = try block(at: address + 16, byteCount: byteCount - 16, name)
        var objects: [Int: ArraySlice<UInt8>] = [:]
        while cursor.remaining >= 16 {
            let number = try cursor.uint16()
            // Number 0 is the free space at the end.
            guard number > 0 else { break }
            try cursor.skip(6)
            objects[number] = try cursor.take(cursor.length())
            cursor.align()
        }
        collections[address] = objects
        return objects
    }

    private func tensor(
        _ name: String, _ space: HDF5Dataspace, _ type: StoredType, _ bytes: ArraySlice<UInt8>
    ) throws(HDF5Problem) -> StoredTensor {
        guard let tensor = StoredTensor(name: name, shape: space.shape, type: type, bytes: bytes) else {
            throw HDF5Problem("its extents \(space.shape) are more than any file has")
        }
        return tensor
    }
}
