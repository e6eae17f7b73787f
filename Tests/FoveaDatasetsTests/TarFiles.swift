@testable import FoveaDatasets

/// Makes tar archives, honest ones and others.
struct TarFile {
    enum Form { case old, ustar, gnu }

    var bytes: [UInt8] = []

    /// Adds a member with any claims.
    mutating func add(
        _ name: String, _ data: [UInt8] = [], kind: Character = "0", form: Form = .ustar, prefix: String = "",
        size: [UInt8]? = nil, link: String = ""
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ place: Int) {
            block.replaceSubrange(place..<(place + text.utf8.count), with: Array(text.utf8))
        }
        put(name, 0)
        put("0000644", 100)
        put("0000000", 108)
        put("0000000", 116)
        let digits = String(data.count, radix: 8)
        put(String(repeating: "0", count: 11 - digits.count) + digits, 124)
        if let size { block.replaceSubrange(124..<(124 + size.count), with: size) }
        put("00000000000", 136)
        block[156] = kind == "\0" ? 0 : kind.asciiValue ?? 0
        put(link, 157)
        switch form {
        case .old: break
        case .ustar: put("ustar\u{0}00", 257)
        case .gnu: put("ustar  \u{0}", 257)
        }
        put(prefix, 345)
        Self.seal(&block)
        bytes += block + data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    mutating func addPAX(_ records: [(String, String)], kind: Character = "x") {
        let data = records.flatMap { key, value in
            var length = key.utf8.count + value.utf8.count + 3
            length += String(length + String(length).count).count
            return Array("\(length) \(key)=\(value)\n".utf8)
        }
        add("PaxHeader", data, kind: kind)
    }

    /// The archive with its end.
    var ended: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    /// Writes the checksum of a header.
    static func seal(_ block: inout [UInt8]) {
        block.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        let digits = Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 32]
        block.replaceSubrange(148..<156, with: digits)
    }
}

/// The names and contents of an archive in memory.
func members(
    _ bytes: [UInt8], limits: TarArchive.Limits = TarArchive.Limits()
) throws(DatasetError) -> [(name: String, data: [UInt8])] {
    var archive = TarArchive(try UnpackedFile(bytes, named: "a.tar"), limits: limits)
    var all: [(name: String, data: [UInt8])] = []
    while let member = try archive.next() {
        let data = try archive.contents()
        all.append((member.name, data))
    }
    return all
}
