import FoveaFiles
import FoveaGraph

/// Readers for the binary form of CIFAR-10 and CIFAR-100: records of one or two bytes with the class numbers and 32×32
/// pixels, first all red values row by row, then green, then blue.
///
/// Files may be packed with gzip. Krizhevsky 2009, "Learning multiple layers of features from tiny images".
public enum CIFAR {
    /// What the records of a file hold.
    public enum Kind: Hashable, Sendable, CaseIterable {
        /// CIFAR-10: 10 classes.
        case ten
        /// CIFAR-100 by its 100 classes.
        case hundred
        /// CIFAR-100 by the 20 groups of its classes.
        case hundredCoarse

        var classCount: Int {
            switch self {
            case .ten: 10
            case .hundred: 100
            case .hundredCoarse: 20
            }
        }

        fileprivate var labelByteCount: Int { self == .ten ? 1 : 2 }
        /// Coarse labels come first.
        fileprivate var labelOffset: Int { self == .hundred ? 1 : 0 }
        fileprivate var recordByteCount: Int { labelByteCount + channels * pixels }

        /// The files in the published archive: those of training, of testing and of the class names, with the folder that
        /// has them.
        var members: (folder: String, train: [String], test: [String], classNames: String) {
            switch self {
            case .ten:
                (
                    "cifar-10-batches-bin", (1...5).map { "data_batch_\($0).bin" }, ["test_batch.bin"],
                    "batches.meta.txt"
                )
            case .hundred: ("cifar-100-binary", ["train.bin"], ["test.bin"], "fine_label_names.txt")
            case .hundredCoarse: ("cifar-100-binary", ["train.bin"], ["test.bin"], "coarse_label_names.txt")
            }
        }

        /// The files that the archive unpacks to and how long each is published; nil for the class names.
        var byteCounts: [(name: String, byteCount: Int?)] {
            let trainCount = 50_000 / members.train.count
            return members.train.map { ($0, trainCount * recordByteCount) }
                + members.test.map { ($0, 10_000 * recordByteCount) } + [(members.classNames, nil)]
        }
    }

    /// The records of unpacked files, as ``readArchive(_:kind:limit:)`` gives them.
    static func readUnpacked(
        _ folder: String, kind: Kind
    ) throws(DatasetError) -> (train: Examples, test: Examples, classNames: [String]) {
        let members = kind.members
        return (
            try readExamples(members.train.map { folder + "/" + $0 }, kind: kind),
            try readExamples(members.test.map { folder + "/" + $0 }, kind: kind),
            try readClassNames(folder + "/" + members.classNames, kind: kind)
        )
    }

    /// The classes of CIFAR-10 in the order of their numbers.
    public static let classNames = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]

    /// The most records accepted unless told otherwise.
    public static let defaultLimit = 200_000

    private static let size = 32
    private static let channels = 3
    private static let pixels = size * size

    /// The records of several files, one after the other: images uint8 `[count, 32, 32, 3]` and int32 labels `[count]`.
    ///
    /// - Parameters:
    ///   - paths: such as `data_batch_1.bin` to `data_batch_5.bin`.
    ///   - kind: which data set, and for CIFAR-100 which of its two labels.
    ///   - limit: the most records accepted, in all files together.
    /// - Throws: `DatasetError`, naming the file, when it is missing, unreadable, damaged, too long, empty, does not
    ///   consist of whole records, or has a label that is no class.
    public static func readExamples(
        _ paths: [String], kind: Kind = .ten, limit: Int = defaultLimit
    ) throws(DatasetError) -> Examples {
        var records = Records(kind: kind, limit: limit)
        for path in paths { try records.append(UnpackedFile(path)) }
        return try records.examples()
    }

    static func readExamples(_ file: UnpackedFile, kind: Kind, limit: Int) throws(DatasetError) -> Examples {
        var records = Records(kind: kind, limit: limit)
        try records.append(file)
        return try records.examples()
    }

    /// The data set in a published archive, read without unpacking it to files.
    ///
    /// - Parameters:
    ///   - path: such as `cifar-10-binary.tar.gz`.
    ///   - kind: which data set, and for CIFAR-100 which of its two labels.
    ///   - limit: the most records accepted in each of the two parts.
    /// - Throws: `DatasetError`, naming the archive and the file in it, when a file is missing, comes twice or is damaged, and
    ///   when the archive is not safe to read.
    public static func readArchive(
        _ path: some PathConvertible, kind: Kind, limit: Int = defaultLimit
    ) throws(DatasetError) -> (train: Examples, test: Examples, classNames: [String]) {
        try readArchive(UnpackedFile(path.filePath), kind: kind, limit: limit)
    }

    static func readArchive(
        _ file: UnpackedFile, kind: Kind, limit: Int
    ) throws(DatasetError) -> (train: Examples, test: Examples, classNames: [String]) {
        let members = kind.members
        var archive = TarArchive(file)
        var classNames: [String]?
        var parts: [String: Records] = [:]
        while let member = try archive.next() {
            let name = member.name.split(separator: "/").last.map(String.init) ?? ""
            let described = "\(file.path), \(member.name)"
            if name == members.classNames {
                try checkOnce(classNames == nil, described)
                guard member.byteCount <= 1 << 16 else {
                    throw DatasetError(
                        .tooLarge, file: described, "has \(member.byteCount) bytes; class names take less")
                }
                classNames = try Self.classNames(in: archive.contents(), of: described, kind: kind)
            } else if (members.train + members.test).contains(name) {
                try checkOnce(parts[name] == nil, described)
                var records = Records(kind: kind, limit: limit)
                guard member.byteCount <= records.roomInBytes else { throw records.tooMany(described) }
                try records.append(archive.contents(), of: described)
                parts[name] = records
            }
        }
        func examples(_ names: [String]) throws(DatasetError) -> Examples {
            var all = Records(kind: kind, limit: limit)
            for name in names {
                guard let records = parts.removeValue(forKey: name) else { throw missing(name, file.path) }
                try all.append(records, of: "\(file.path), \(name)")
            }
            return try all.examples()
        }
        guard let classNames else { throw missing(members.classNames, file.path) }
        return (try examples(members.train), try examples(members.test), classNames)
    }

    /// The class names in a text file, one on each line.
    ///
    /// - Throws: `DatasetError` when there are not as many as classes or one comes twice.
    static func readClassNames(_ path: String, kind: Kind) throws(DatasetError) -> [String] {
        try classNames(in: UnpackedFile(path).readBytes(count: 1 << 16), of: path, kind: kind)
    }

    private static func classNames(
        in bytes: [UInt8], of file: String, kind: Kind
    ) throws(DatasetError) -> [String] {
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        let names = lines.map(String.init).filter { $0.contains { !$0.isWhitespace } }
        guard names.count == kind.classCount, Set(names).count == names.count else {
            throw DatasetError(
                .wrongFormat, file: file,
                "holds \(names.count) names (\(Set(names).count) different ones), expected \(kind.classCount)"
            )
        }
        return names
    }

    private static func checkOnce(_ isFirst: Bool, _ file: String) throws(DatasetError) {
        guard isFirst else {
            throw DatasetError(.wrongFormat, file: file, "comes twice in the archive; download it again")
        }
    }

    private static func missing(_ name: String, _ archive: String) -> DatasetError {
        DatasetError(
            .missingFile, file: archive,
            "has no '\(name)'; it is cut short or another archive, so download it again")
    }

    /// Labels and images, the channels of each pixel side by side.
    private struct Records {
        let kind: Kind
        let limit: Int
        private var images: [UInt8] = []
        private var labels: [Int32] = []

        init(kind: Kind, limit: Int) {
            self.kind = kind
            self.limit = limit
        }

        /// How many more are accepted, and how many bytes they have.
        var room: Int { max(0, limit - labels.count) }
        var roomInBytes: Int { min(room, Int.max / 2 / kind.recordByteCount) * kind.recordByteCount }

        mutating func append(_ file: UnpackedFile) throws(DatasetError) {
            // One byte more than allowed tells that there is more.
            let count = min(roomInBytes, file.greatestByteCount) + 1
            try append(file.readBytes(count: count), of: file.path)
        }

        mutating func append(_ records: [UInt8], of file: String) throws(DatasetError) {
            let width = kind.recordByteCount
            let count = records.count / width
            guard records.count <= roomInBytes else { throw tooMany(file) }
            guard count > 0, records.count % width == 0 else {
                throw DatasetError(
                    .truncated, file: file,
                    "holds \(records.count) bytes, no whole number of records of \(width); copy or download it again"
                )
            }
            images.reserveCapacity(images.count + count * channels * pixels)
            for start in stride(from: 0, to: records.count, by: width) {
                let label = Int32(records[start + kind.labelOffset])
                guard label < kind.classCount else {
                    throw DatasetError(
                        .labelOutOfRange, file: file,
                        "the label of record \(start / width) is \(label), but there are \(kind.classCount) classes; "
                            + "it is damaged or another data set")
                }
                labels.append(label)
                let first = start + kind.labelByteCount
                for pixel in first..<(first + pixels) {
                    for channel in 0..<channels { images.append(records[pixel + channel * pixels]) }
                }
            }
        }

        mutating func append(_ other: Records, of file: String) throws(DatasetError) {
            guard other.labels.count <= room else { throw tooMany(file) }
            images += other.images
            labels += other.labels
        }

        func examples() throws(DatasetError) -> Examples {
            let value = try checkingShape { () throws(ShapeError) in
                try TensorValue(shape: [labels.count, size, size, channels], storage: .uint8(images))
            }
            return try Examples(inputs: value, targets: TensorValue(labels))
        }

        func tooMany(_ file: String) -> DatasetError {
            DatasetError(.tooLarge, file: file, "holds more than \(limit) records")
        }
    }
}
