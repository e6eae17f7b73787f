import FoveaFiles
import FoveaGraph

/// The files of a data set on this machine.
enum InstalledFiles: Equatable {
    /// Paths in the order of `DatasetInfo.files`.
    case published([String])
    /// The files of CIFAR's archive.
    case unpacked(folder: String, CIFAR.Kind)
}

/// How a file on this machine compares with the published one.
public struct FileCheck: Equatable, Sendable {
    public enum Result: Equatable, Sendable, CustomStringConvertible {
        /// The checksum is the published one.
        case asPublished(Checksum)
        /// Either the checksum or the size is not the published one.
        case different(found: String, expected: String)
        /// The file came out of an archive: its size is right, and a checksum is published for the archive only.
        case rightSize(Int)
        /// A file out of an archive for which neither is known.
        case present

        public var description: String {
            switch self {
            case .asPublished(let checksum): "as published (\(checksum))"
            case .different(let found, let expected): "DIFFERENT: \(found), published \(expected)"
            case .rightSize(let size):
                "of the right size, \(size) bytes; a checksum is published for the archive only"
            case .present: "present"
            }
        }
    }

    public let path: String
    public let result: Result

    init(path: String, result: Result) {
        self.path = path
        self.result = result
    }

    init(_ path: String, isCopyOf file: DatasetFile, with expected: Checksum) throws(DatasetError) {
        self.path = path
        do throws(DatasetError) {
            let found = try file.checksum(ofCopy: path, as: expected)
            result =
                found == expected
                ? .asPublished(found) : .different(found: "\(found)", expected: "\(expected)")
        } catch {
            guard error.kind == .tooLarge else { throw error }
            result = .different(found: "more bytes", expected: "\(file.byteCount) bytes")
        }
    }

    init(_ path: String, byteCount expected: Int?) throws(DatasetError) {
        self.path = path
        let found = try ByteSource(path).byteCount
        guard let expected else {
            result = .present
            return
        }
        result =
            found == expected
            ? .rightSize(found) : .different(found: "\(found) bytes", expected: "\(expected) bytes")
    }
}

extension DatasetName {
    /// Reads a data set from its files.
    ///
    /// - Throws: `DatasetError`, naming the file, when one is damaged, they do not fit together or are another data set's.
    func read(_ files: InstalledFiles) throws(DatasetError) -> NamedDataset {
        let info = info
        switch (info.format, files) {
        case (.idx, .published(let paths)) where paths.count == 4:
            return NamedDataset(
                name: self, classNames: info.classNames,
                train: try readIDX(images: paths[0], labels: paths[1]),
                test: try readIDX(images: paths[2], labels: paths[3]))
        case (.cifar(let kind), .published(let paths)) where paths.count == 1:
            let parts = try CIFAR.readArchive(paths[0], kind: kind)
            return NamedDataset(
                name: self, classNames: parts.classNames, train: parts.train, test: parts.test)
        case (.cifar, .unpacked(let folder, let kind)):
            let parts = try CIFAR.readUnpacked(folder, kind: kind)
            return NamedDataset(
                name: self, classNames: parts.classNames, train: parts.train, test: parts.test)
        case (.svhnMAT, .published(let paths)) where paths.count == 2:
            return NamedDataset(
                name: self, classNames: info.classNames, train: try SVHN.readExamples(paths[0]),
                test: try SVHN.readExamples(paths[1]))
        case (.openML(_, let trainCount), .published(let paths)) where paths.count == 1:
            let parts = try SVHN.readExamples(arff: UnpackedFile(paths[0]), trainCount: trainCount)
            return NamedDataset(
                name: self, classNames: info.classNames, train: parts.train, test: parts.test)
        default:
            throw DatasetError(.invalidArgument, "\(info.title) cannot be read from these files")
        }
    }

    private func readIDX(images: String, labels: String) throws(DatasetError) -> Examples {
        let info = info
        let examples = try IDX.readExamples(images: images, labels: labels, classCount: info.classCount)
        let shape = Shape(Array(examples.inputs[0].shape.dimensions.dropFirst()))
        guard shape == info.imageShape else {
            throw DatasetError(
                .wrongShape, file: images,
                "holds images of shape \(shape); those of \(info.title) are \(info.imageShape)")
        }
        return examples
    }
}
