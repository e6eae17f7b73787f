import FoveaFiles

/// The readers of files, to be tried on bytes in memory.
///
/// Each reads as from a file and gives up on more than `limit` bytes of data; memory for more than that, or for more than
/// 1,032 times the input, is never asked for.
public enum MemoryReader: String, CaseIterable, Sendable {
    case idx = "idx"
    case cifar10 = "cifar-10"
    case cifar100 = "cifar-100"
    case cifarArchive = "cifar-archive"
    case tar = "tar"
    case shard = "shard"
    case mat = "mat"
    case svhnMAT = "svhn-mat"
    case arff = "arff"
    case svhnARFF = "svhn-arff"
    case openML = "openml"

    /// Reads everything and forgets it.
    ///
    /// - Parameters:
    ///   - bytes: the contents of the file, packed with gzip or not.
    ///   - name: what errors call the file.
    ///   - limit: the most bytes of data.
    /// - Throws: `DatasetError` when the bytes are not such a file.
    public func read(_ bytes: [UInt8], name: String, limit: Int = 1 << 26) throws(DatasetError) {
        let file = try UnpackedFile(bytes, named: name)
        switch self {
        case .idx: _ = try IDX.read(file, limit: limit)
        case .cifar10: _ = try CIFAR.readExamples(file, kind: .ten, limit: limit / 4096)
        case .cifar100: _ = try CIFAR.readExamples(file, kind: .hundred, limit: limit / 4096)
        case .cifarArchive: _ = try CIFAR.readArchive(file, kind: .ten, limit: limit / 4096)
        case .tar:
            var archive = TarArchive(
                file, limits: TarArchive.Limits(fileByteCount: limit, byteCount: limit))
            while try archive.next() != nil { _ = try archive.contents() }
        case .shard: _ = try Shard.samples(in: file)
        case .mat:
            // The last name is nobody's, so that the whole file is gone through.
            let names: Set<String> = ["X", "y", "x", "f64", "i16", "u8", "one", "text", "complex", ""]
            _ = try MATFile.read(file, names: names, limit: limit)
        case .svhnMAT: _ = try SVHN.readExamples(file, limit: limit)
        case .arff:
            var reader = try ARFFReader(file)
            var row: [Double] = []
            while try reader.readRow(into: &row) {}
        case .svhnARFF: _ = try SVHN.readExamples(arff: file, trainCount: 1, limit: limit)
        case .openML: _ = try OpenML(bytes, id: 41_081, file: name)
        }
    }
}
