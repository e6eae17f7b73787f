/// A ZIP archive made by hand, so that a test can say anything in it.
struct HandmadeZIP {
    struct Member {
        var name: [UInt8]
        var contents: [UInt8]
        var method: UInt16 = 0
        var flags: UInt16 = 0
        var checksum: UInt32?
        var packedSize: UInt32?
        var unpackedSize: UInt32?
        /// Whose data this entry of the directory has; its own when nil.
        var sharesDataOf: Int?

        init(_ name: String, _ contents: [UInt8] = [1, 2, 3]) {
            self.name = Array(name.utf8)
            self.contents = contents
        }
    }

    var members: [Member]
    /// What the end says of the number of entries.
    var entryCount: UInt16?

    init(_ members: [Member]) { self.members = members }

    var bytes: [UInt8] {
        var data: [UInt8] = []
        var directory: [UInt8] = []
        var offsets: [Int] = []
        for member in members {
            let size = UInt32(member.contents.count)
            let common =
                little(member.flags) + little(member.method) + little(UInt32(1 << 21 | 1 << 16))
                + little(member.checksum ?? crc32(member.contents)) + little(member.packedSize ?? size)
                + little(member.unpackedSize ?? size) + little(UInt16(member.name.count)) + little(UInt16(0))
            let offset = member.sharesDataOf.map { offsets[$0] } ?? data.count
            offsets.append(offset)
            if member.sharesDataOf == nil {
                data += [0x50, 0x4B, 3, 4] + little(UInt16(20)) + common + member.name + member.contents
            }
            directory += [0x50, 0x4B, 1, 2] + little(UInt32(20 << 16 | 20)) + common
            directory += [UInt8](repeating: 0, count: 10) + little(UInt32(offset)) + member.name
        }
        let count = little(entryCount ?? UInt16(members.count))
        let end = [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count
        return data + directory + end + little(UInt32(directory.count)) + little(UInt32(data.count)) + [0, 0]
    }
}

func little(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
}
