import FoveaFiles
import FoveaGraph
import FoveaPictures

/// Labelled pictures in folders: one folder for each class, named after it. Lists them; decodes nothing.
///
/// Class names are the names of the folders, sorted. A class has all pictures in its folder and in the folders below, sorted by
/// their paths. Names are in Unicode's normal form C and sorted by their bytes, so that they and their order are the same on
/// every machine. A picture is a file that begins like one, and one that is named like one (`.jpg`), so that a damaged one is
/// found when it is decoded and not left out unseen. Other files are counted and left out. Folders of such files alone are no
/// classes, they are named and left out, as are folders that hold what a training run wrote, and an empty `runs`. Hidden files
/// and folders are not looked at, nor is `__MACOSX`.
///
/// Symbolic links are followed, out of the folder too. A folder that is reached twice is an error, because its pictures would
/// count twice, and a link to a folder above has no end. So is an empty folder: its name is most likely a mistake; and so are
/// two folders whose names are equal in the normal form.
///
/// In place of folders there may be shards, tar files of pictures as WebDataset has them, see ``init(_:limit:results:)``.
public struct ImageFolder: Equatable, Sendable {
    /// A picture file and the number of its class.
    public struct Item: Equatable, Sendable {
        /// Of a picture in a shard, that of the shard with the name in it.
        public let path: String
        public let label: Int
        /// The size of the file when the folder was listed; 0 for a link that leads nowhere.
        public let byteCount: Int
        /// Where the picture is in a shard; nil for a file of its own.
        var part: ShardPart?
    }

    /// The parts that a folder is divided into.
    public struct Splits: Equatable, Sendable {
        public let train: ImageFolder
        public let validation: ImageFolder?
        public let test: ImageFolder?
        /// The parts for validation and testing that have no classes, as the test pictures of a competition, and so are none.
        public let unlabelled: [ImageFolder]
    }

    public let path: String
    /// The name of each class; a label is an index into them.
    public let classNames: [String]
    /// The folder of each class, as the file system has its name.
    package let classPaths: [String]
    /// The pictures of the first class, then those of the second, and so on; of shards, in the order in which these have them.
    public let items: [Item]
    /// How many files were left out: by the end of their names, such as `.txt`, or `no ending`.
    public let skipped: [String: Int]
    /// The names of folders that are no classes, because they hold what training runs wrote or are going to, or no picture, sorted.
    public let leftOutFolders: [String]
    /// How many links led out of the folder.
    public let outsideLinkCount: Int

    /// The most files that are looked at unless told otherwise.
    public static let defaultLimit = 20_000_000

    /// Lists a folder.
    ///
    /// Shards are tar files in which a picture and a file `.cls` with the number of its class have one name but for the ending; a file
    /// `classes.txt` beside them has the names of the classes, one on each line, otherwise these are called by their numbers.
    /// They may be on an HTTP server, which must send parts of files: pictures are fetched one by one when they are asked for and not
    /// kept. The index that ``writeShards(to:byteCount:seed:progress:)`` puts beside each shard saves a request for each picture
    /// at the start.
    ///
    /// - Parameters:
    ///   - path: the folder that has a folder for each class, or that has shards; or the name of a shard or of several, such as
    ///     `pets/shard-{000..009}.tar` or `https://example.org/pets/shard-{000..009}.tar`.
    ///   - limit: the most files looked at.
    ///   - results: a folder that results are going to be written to: it is no class as long as it is empty.
    /// - Throws: `DatasetError`, naming the file or folder, when it cannot be read, there are no classes, a folder is empty, two
    ///   have one name, a link that is no picture's leads nowhere, a folder is reached twice, a name is not UTF-8, or there are
    ///   more files than `limit`.
    public init(
        _ path: some PathConvertible, limit: Int = defaultLimit, results: (any PathConvertible)? = nil
    ) throws(DatasetError) {
        let path = path.filePath
        try self.init(listing: path, limit: limit, results: results?.filePath)
        guard classNames.isEmpty else { return }
        throw DatasetError(
            .missingFile, file: path,
            "has no folders for classes; put the pictures of each class into a folder of its own"
                + (leftOut.map { "; \($0)" } ?? ""))
    }

    /// What is in a folder, be it no class at all.
    private init(listing path: String, limit: Int, results: String?) throws(DatasetError) {
        if let shards = try ShardList(path) {
            self = try ImageFolder(shards, limit: limit)
            return
        }
        var walk = try FolderWalk(path, limit: limit)
        var items: [Item] = []
        var classNames: [String] = []
        var classPaths: [String] = []
        var leftOutFolders: [String] = []
        var last: FolderWalk.Entry?
        for entry in try walk.entries(of: path) {
            guard entry.isFolder else {
                walk.skip(entry.path)
                continue
            }
            if try walk.isForResults(entry, results) {
                leftOutFolders.append(entry.name)
                continue
            }
            let earlier = walk.skipped
            let pictures = try walk.pictures(below: entry.path)
            guard !pictures.isEmpty else {
                guard walk.skipped != earlier else {
                    throw DatasetError(
                        .missingFile, file: entry.path,
                        "there are no pictures of this class; remove the folder or add some")
                }
                leftOutFolders.append(entry.name)
                continue
            }
            if let last, last.name == entry.name {
                throw DatasetError(
                    .wrongFormat, file: path,
                    "has two folders of the name '\(entry.name)', which are spelt '\(last.storedName.spelt)' and "
                        + "'\(entry.storedName.spelt)' in Unicode; rename one or move its pictures to the other"
                )
            }
            last = entry
            items += pictures.map { picture in
                Item(path: picture.path, label: classNames.count, byteCount: picture.byteCount)
            }
            classNames.append(entry.name)
            classPaths.append(entry.path)
        }
        self.path = path
        self.classNames = classNames
        self.classPaths = classPaths
        self.items = items
        self.leftOutFolders = leftOutFolders
        skipped = walk.skipped
        outsideLinkCount = walk.outsideLinkCount
    }

    /// Pictures in shards.
    init(path: String, classNames: [String], items: [Item]) {
        self.path = path
        self.classNames = classNames
        self.items = items
        (classPaths, leftOutFolders, skipped, outsideLinkCount) = ([], [], [:], 0)
    }

    private init(_ folder: ImageFolder, keeping items: [Item]) {
        path = folder.path
        classNames = folder.classNames
        classPaths = folder.classPaths
        self.items = items
        leftOutFolders = folder.leftOutFolders
        skipped = folder.skipped
        outsideLinkCount = folder.outsideLinkCount
    }

    /// The parts of a folder that has the folders `train` and, if there are any, `validation` (or `val` or `valid`) and `test`;
    /// nil where `train` is missing or has no folders itself, as when `train` is a class. Parts other than `train` that have no
    /// classes are left out, see ``Splits/unlabelled``.
    ///
    /// - Throws: `DatasetError` as ``init(_:limit:results:)`` does for each part, when there are two of one kind, and when the parts
    ///   have other classes than `train`.
    public static func splits(
        of path: some PathConvertible, limit: Int = defaultLimit, results: (any PathConvertible)? = nil
    ) throws(DatasetError) -> Splits? {
        let path = path.filePath
        if ShardList.isNamed(path) { return nil }
        let walk = try FolderWalk(path, limit: limit)
        let folders = try walk.entries(of: path).filter(\.isFolder)
        guard let train = folders.first(where: { $0.name == "train" }) else { return nil }
        let hasShards = try ShardList(train.path) != nil
        let hasFolders = try walk.entries(of: train.path).contains(where: \.isFolder)
        guard hasShards || hasFolders else { return nil }
        let first = try ImageFolder(train.path, limit: limit, results: results)
        var unlabelled: [ImageFolder] = []
        func part(_ names: [String]) throws(DatasetError) -> ImageFolder? {
            let found = folders.filter { names.contains($0.name) }
            guard found.count <= 1 else {
                throw DatasetError(
                    .wrongFormat, file: path,
                    "has both '\(found[0].name)' and '\(found[1].name)'; keep the one to use")
            }
            guard let folder = found.first else { return nil }
            let other = try ImageFolder(
                listing: folder.path, limit: limit, results: results?.filePath)
            guard !other.classNames.isEmpty else {
                unlabelled.append(other)
                return nil
            }
            guard other.classNames == first.classNames else {
                let differing = Set(other.classNames).symmetricDifference(first.classNames)
                let isLeftOut = !differing.isDisjoint(with: other.leftOutFolders + first.leftOutFolders)
                throw DatasetError(
                    .wrongFormat, file: other.path,
                    "has other classes than \(first.path): only one of them has \(differing.sorted().joined(separator: ", "))"
                        + (isLeftOut ? "; folders without pictures that can be read are no classes" : ""))
            }
            return other
        }
        let (validation, test) = (try part(["validation", "val", "valid"]), try part(["test"]))
        return Splits(train: first, validation: validation, test: test, unlabelled: unlabelled)
    }

    /// How many pictures each class has.
    public var counts: [Int] {
        var counts = [Int](repeating: 0, count: classNames.count)
        for item in items { counts[item.label] += 1 }
        return counts
    }

    /// Divides the pictures of each class at random, in the same way for the same seed. The order stays.
    ///
    /// - Parameters:
    ///   - fraction: the part of each class for validation, rounded to whole pictures; at least one of a class that has two, and
    ///     never all.
    ///   - seed: chooses the pictures.
    /// - Throws: `DatasetError` when `fraction` is not between 0 and 1, or no class has two pictures.
    public func split(
        validation fraction: Double, seed: UInt64
    ) throws(DatasetError) -> (train: ImageFolder, validation: ImageFolder) {
        guard fraction > 0, fraction < 1 else {
            throw DatasetError(
                .invalidArgument, "the validation fraction is \(fraction); it must be between 0 and 1")
        }
        var chosen: Set<Int> = []
        let places = Dictionary(grouping: items.indices) { items[$0].label }
        for (label, count) in counts.enumerated() {
            let wanted = (Double(count) * fraction).rounded()
            let taken = count < 2 ? 0 : min(max(1, Int(wanted)), count - 1)
            var generator = PhiloxGenerator(seed: seed, stream: splitStream, step: UInt64(label))
            var order = Array(0..<count)
            for place in 0..<taken { order.swapAt(place, place + generator.index(below: count - place)) }
            for place in order.prefix(taken) { chosen.insert(places[label, default: []][place]) }
        }
        guard !chosen.isEmpty else {
            throw DatasetError(.invalidArgument, file: path, "no class has two pictures to divide")
        }
        func kept(_ isChosen: Bool) -> ImageFolder {
            let kept = items.indices.filter { chosen.contains($0) == isChosen }
            return ImageFolder(self, keeping: kept.map { items[$0] })
        }
        return (kept(false), kept(true))
    }
}

extension ImageFolder {
    /// What of the folder is not used, on one line; nil where all of it is.
    package var leftOut: String? {
        var parts: [String] = []
        if !skipped.isEmpty {
            parts.append("left out files that are no pictures of a class or cannot be read: \(skippedKinds)")
        }
        if !leftOutFolders.isEmpty {
            parts.append(
                "left out folders of results or without pictures that can be read: \(leftOutFolders.joined(separator: ", "))"
            )
        }
        let others = skipped.keys.filter {
            PictureFormat.otherFileExtensions.contains(String($0.dropFirst()))
        }
        if !others.isEmpty {
            parts.append(
                "convert \(others.sorted().joined(separator: " and ")) pictures to JPEG or PNG to use them")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    /// That a part of a folder is not used for want of classes.
    package var withoutClasses: String {
        "\(path): is not used, because it has no folders for classes"
            + (skipped.isEmpty ? "" : ", only files: \(skippedKinds)")
    }

    private var skippedKinds: String {
        skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}

/// Random numbers for dividing folders come from this stream ("fold" in ASCII).
private let splitStream: UInt32 = 0x666F_6C64
