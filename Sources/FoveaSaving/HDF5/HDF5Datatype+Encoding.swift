extension HDF5Datatype {
    /// As a message of version 1, which is what is written.
    var encoded: [UInt8] {
        switch self {
        case .number(.bool):
            // As h5py has it: an enumeration of int8.
            Self.message(8, bits: 2, byteCount: 1, HDF5Datatype.number(.int8).encoded)
                + Array("FALSE\0\0\0TRUE\0\0\0\0".utf8) + [0, 1]
        case .number(let type):
            if let format = HDF5FloatFormat.all.first(where: { $0.type == type })?.format {
                Self.message(
                    1, bits: 0x20 | (8 * format.byteCount - 1) << 8, byteCount: format.byteCount,
                    format.encoded)
            } else {
                Self.message(
                    0, bits: type.isSigned ? 8 : 0, byteCount: type.byteCount,
                    [0, 0, UInt8(8 * type.byteCount), 0])
            }
        case .opaque(let byteCount):
            // Its tag, which says what it is, is empty.
            Self.message(5, bits: 0, byteCount: byteCount, [])
        case .text(let byteCount, let isSpacePadded):
            Self.message(3, bits: isSpacePadded ? 2 : 1, byteCount: byteCount, [])
        case .heapText:
            // UTF-8 that a NUL ends, of elements of uint8.
            Self.message(9, bits: 0x101, byteCount: byteCount, HDF5Datatype.number(.uint8).encoded)
        }
    }

    private static func message(_ type: UInt8, bits: Int, byteCount: Int, _ properties: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x10 | type]
        bytes.append(bits, byteCount: 3)
        bytes.append(byteCount, byteCount: 4)
        return bytes + properties
    }
}

extension HDF5FloatFormat {
    fileprivate var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(0, byteCount: 2)
        bytes.append(8 * byteCount, byteCount: 2)
        bytes.append(contentsOf: [UInt8(exponentLocation), UInt8(exponentSize), 0, UInt8(exponentLocation)])
        bytes.append(bias, byteCount: 4)
        return bytes
    }
}

extension StoredType {
    fileprivate var isSigned: Bool { [.int8, .int16, .int32, .int64].contains(self) }
}
