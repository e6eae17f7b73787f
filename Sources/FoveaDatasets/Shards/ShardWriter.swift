import Foundation
import FoveaFiles
import FoveaGraph
import FoveaPictures

extension ImageFolder {
    /// The size of a shard unless told otherwise: 64 MiB.
    public static let shardByteCount = 1 << 26

    /// Writes the pictures into shards: tar files as WebDataset's, `shard-000.tar` and so on, each with an index beside it, and
    /// `classes.txt` with the names of the classes.
    ///
    /// The files of the pictures are copied as they are, in random order, so that reading the shards from one end to the other is as
    /// good as reading the pictures at random. Each file is written whole or not at all; a shard is in memory until it is written.
    ///
    /// - Parameters:
    ///   - folder: is made if need be, and must have no shards.
    ///   - byteCount: a shard ends before the picture with which it would become larger; at least one picture is in each.
    ///   - seed: chooses the order.
    ///   - progress: called after each shard with how many there will be.
    /// - Returns: how many shards were written.
    /// - Throws: `DatasetError` when the folder has shards, a name of a class cannot be on a line, a picture cannot be read, or
    ///   `byteCount` is not positive; `FileError` when a file cannot be written.
    @discardableResult
    public func writeShards(
        to folder: some PathConvertible, byteCount: Int = shardByteCount, seed: UInt64 = 0,
        progress: (_ written: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws -> Int {
        let folder = folder.filePath
        guard byteCount > 0 else {
            throw DatasetError(.invalidArgument, "shards of \(byteCount) bytes; there must be at least 1")
        }
        if let name = classNames.first(where: { $0.contains { $0.isNewline } }) {
            throw DatasetError(
                .invalidArgument, file: path,
                "the name of the class '\(name)' has a line break, which classes.txt cannot hold; rename the folder"
            )
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let present = try FileManager.default.contentsOfDirectory(atPath: folder)
        if let name = present.first(where: { $0.hasSuffix(".tar") || $0 == "classes.txt" }) {
            throw DatasetError(
                .invalidArgument, file: folder + "/" + name,
                "is in the way; choose a folder without shards")
        }
        let parts = parts(of: byteCount, order: shuffledOrder(count: items.count, seed: seed, epoch: 0))
        let (width, keyWidth) = (max(3, String(parts.count - 1).count), max(6, String(items.count).count))
        var number = 0
        for (index, part) in parts.enumerated() {
            var archive = TarWriter()
            var samples: [ShardSample] = []
            for place in part {
                let item = items[place]
                let key = number.digits(keyWidth)
                let bytes = try item.contents()
                let ending = item.ending ?? PictureFormat(bytes)?.fileExtensions.first ?? "jpg"
                try archive.add("\(key).\(ending)", bytes)
                samples.append(
                    ShardSample(
                        name: "\(key).\(ending)", offset: archive.lastOffset, byteCount: bytes.count,
                        label: item.label))
                try archive.add("\(key).cls", Array("\(item.label)".utf8))
                number += 1
            }
            let name = "shard-\(index.digits(width)).tar"
            let finished = archive.finished()
            let text = ShardIndex.text(of: samples, byteCount: finished.count)
            try AtomicFile.write(Array(text.utf8), to: folder + "/" + ShardIndex.name(of: name))
            try AtomicFile.write(finished, to: folder + "/" + name)
            try progress(index + 1, parts.count)
        }
        // Last: shards without it are not complete.
        try AtomicFile.write(
            Array(classNames.map { $0 + "\n" }.joined().utf8), to: folder + "/classes.txt")
        return parts.count
    }

    /// Which pictures come into which shard.
    private func parts(of byteCount: Int, order: [Int]) -> [[Int]] {
        var parts: [[Int]] = []
        var size = 0
        for place in order {
            // Two headers and the number of the class.
            let added = TarWriter.padded(items[place].byteCount) + 3 * 512
            if parts.isEmpty || size + added > byteCount {
                parts.append([])
                size = 0
            }
            parts[parts.count - 1].append(place)
            size += added
        }
        return parts
    }
}

extension ImageFolder.Item {
    fileprivate func contents() throws -> [UInt8] {
        if let part { return try part.shard.bytes(at: part.offset, count: byteCount) }
        let file = try ByteSource(path)
        guard file.byteCount <= Picture.greatestFileByteCount else {
            throw DatasetError(
                .tooLarge, file: path,
                "has more than \(Picture.greatestFileByteCount) bytes, so it cannot be read")
        }
        return try readingBytes(count: file.byteCount) { memory throws(DatasetError) in
            try file.read(into: memory)
        }
    }

    /// That of a picture's name; nil where the name has none.
    fileprivate var ending: String? {
        FolderWalk.isNamedLikePicture(path) ? path.split(separator: ".").last?.lowercased() : nil
    }
}

extension Int {
    fileprivate func digits(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}

/// A tar archive (POSIX.1-1988) in memory.
struct TarWriter {
    private var bytes: [UInt8] = []
    /// Where the data of the file begins that was added last.
    private(set) var lastOffset = 0

    static func padded(_ count: Int) -> Int { (count + 511) / 512 * 512 }

    /// - Parameter name: at most 100 bytes.
    mutating func add(_ name: String, _ data: [UInt8]) throws(DatasetError) {
        guard name.utf8.count <= 100, data.count < 1 << 33 else {
            throw DatasetError(
                .tooLarge, file: name, "has too long a name or too many bytes for a tar archive")
        }
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) {
            header.replaceSubrange(place..<(place + text.utf8.count), with: text.utf8)
        }
        func octal(_ number: Int, _ width: Int) -> String {
            let digits = String(number, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(name, at: 0)
        put("0000644", at: 100)
        // Owner, group and time are the same on every machine, and so are the bytes.
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(data.count, 11), at: 124)
        put(octal(0, 11), at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar\u{0}00", at: 257)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\u{0} ", at: 148)
        bytes += header
        lastOffset = bytes.count
        bytes += data
        bytes += [UInt8](repeating: 0, count: Self.padded(data.count) - data.count)
    }

    /// The archive with its end.
    func finished() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
