import FoveaFiles
import FoveaPictures

/// A picture in a shard, and its class.
struct ShardSample: Equatable, Sendable {
    /// The picture's name in the archive.
    let name: String
    let offset: Int
    let byteCount: Int
    let label: Int
}

extension Shard {
    /// No class has a greater number, so that a damaged file does not ask for all memory.
    static let greatestLabel = 999_999

    /// The samples of the archive in their order, found by going from header to header.
    ///
    /// As in WebDataset's archives, files that follow each other and are called the same up to the first dot of the last part of
    /// their names are one sample: a picture and, in a file that ends in `.cls`, the number of its class. Others are left out.
    ///
    /// - Throws: `DatasetError` when the archive is damaged, or a picture has no class, or two stand where one must.
    func samples() throws(DatasetError) -> [ShardSample] {
        try Self.samples(in: UnpackedFile(source()))
    }

    static func samples(in file: UnpackedFile) throws(DatasetError) -> [ShardSample] {
        func wrong(_ name: String, _ problem: String) -> DatasetError {
            DatasetError(.wrongFormat, file: file.path, "'\(name)' \(problem)")
        }
        guard !file.isGzip else {
            throw DatasetError(
                .wrongFormat, file: file.path, "is packed, so that it cannot be read in parts; unpack it")
        }
        var archive = TarArchive(
            file,
            limits: .init(
                memberCount: 100_000_000, fileByteCount: Picture.greatestFileByteCount, byteCount: 1 << 50))
        var samples: [ShardSample] = []
        var key: Substring?
        var picture: TarArchive.Member?
        var label: Int?
        func finish() throws(DatasetError) {
            guard let picture else { return }
            guard let label else {
                throw wrong(
                    picture.name, "has no class; beside it must be a file with its number that ends in .cls")
            }
            samples.append(
                ShardSample(
                    name: picture.name, offset: picture.offset, byteCount: picture.byteCount, label: label))
        }
        while let member = try archive.next() {
            let (ownKey, ending) = parts(of: member.name)
            if ownKey != key {
                try finish()
                (key, picture, label) = (ownKey, nil, nil)
            }
            if ending == "cls" {
                label = number(in: member.byteCount <= 20 ? try archive.contents() : [])
                if label == nil {
                    throw wrong(
                        member.name,
                        "must have the number of a class, from 0 to \(greatestLabel), in digits")
                }
            } else if FolderWalk.isNamedLikePicture(member.name) {
                if let picture {
                    throw wrong(member.name, "and '\(picture.name)' are two pictures of one sample")
                }
                picture = member
            }
        }
        try finish()
        return samples
    }

    /// What a sample's files have in common, and the rest.
    private static func parts(of name: String) -> (key: Substring, ending: Substring) {
        let last = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
        guard let dot = name[last...].firstIndex(of: ".") else { return (name[...], "") }
        return (name[..<dot], name[name.index(after: dot)...])
    }

    private static func number(in bytes: [UInt8]) -> Int? {
        let digits = bytes.split(whereSeparator: { [9, 10, 13, 32].contains($0) })
        guard digits.count == 1, let number = Int(String(decoding: digits[0], as: UTF8.self)),
            (0...greatestLabel).contains(number)
        else { return nil }
        return number
    }
}

/// What `samples()` would find, written down beside a shard, because going through one on a server takes a request for each
/// picture: a line with the archive's size, and one for each sample with its place, size, class and name, with tabs between.
enum ShardIndex {
    static func text(of samples: [ShardSample], byteCount: Int) -> String {
        let lines = samples.map { "\($0.offset)\t\($0.byteCount)\t\($0.label)\t\($0.name)\n" }
        return "\(byteCount)\n" + lines.joined()
    }

    /// - Returns: nil when it is not that of the archive.
    static func samples(_ text: String, byteCount: Int) -> [ShardSample]? {
        var lines = text.split(separator: "\n")[...]
        guard let size = lines.popFirst(), Int(size) == byteCount else { return nil }
        var samples: [ShardSample] = []
        for line in lines {
            let fields = line.split(separator: "\t", maxSplits: 3)
            guard fields.count == 4, let offset = Int(fields[0]), let count = Int(fields[1]),
                let label = Int(fields[2]), (0...Shard.greatestLabel).contains(label), offset >= 512,
                (0...Picture.greatestFileByteCount).contains(count), offset <= byteCount - count
            else { return nil }
            samples.append(
                ShardSample(name: String(fields[3]), offset: offset, byteCount: count, label: label))
        }
        return samples
    }

    /// The name of the index of a shard.
    static func name(of shard: String) -> String {
        let last = shard.split(separator: "/").last.map(String.init) ?? shard
        return (last.hasSuffix(".tar") ? String(last.dropLast(4)) : last) + ".tsv"
    }
}
