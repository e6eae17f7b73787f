import FoveaGraph

/// What is known about a data set before any of it is read.
public struct DatasetInfo: Equatable, Sendable {
    /// How the files are read.
    enum Format: Equatable, Sendable {
        /// Training images, training labels, test images, test labels.
        case idx
        /// One archive.
        case cifar(CIFAR.Kind)
        /// Training and test images of SVHN.
        case svhnMAT
        /// One ARFF file of training images and then test images.
        case openML(id: Int, trainCount: Int)
        case drawn
    }

    /// The name for people, such as `Fashion-MNIST`.
    public let title: String
    /// The name of each class; a label is an index into them.
    public let classNames: [String]
    /// `[height, width, channels]` of every image.
    public let imageShape: Shape
    /// How many images there are for training and for testing.
    public let trainCount: Int, testCount: Int
    public let licence: String
    /// The publication to cite.
    public let citation: String
    let format: Format
    /// The published files, in the order that their reader wants. Empty for a data set that is drawn rather than read.
    public let files: [DatasetFile]
    /// Where each file is published, as the part of its URL before the name; in the order to try them.
    public let sources: [String]

    public var classCount: Int { classNames.count }
}

/// A published file of a data set.
public struct DatasetFile: Equatable, Sendable {
    /// The name, after unpacking where the file is packed, such as `train-images-idx3-ubyte`.
    public let name: String
    /// The size, after unpacking where the file is packed; the greatest size accepted where none is published.
    public let byteCount: Int
    /// Of the file, or of what it unpacks to where it is packed, so that a copy packed anew is recognized too. nil where only
    /// the publisher's description tells it.
    public let checksum: Checksum?
    /// Whether it is published with gzip, as `name` with `.gz` added.
    public let isPacked: Bool

    package init(name: String, byteCount: Int, checksum: Checksum?, isPacked: Bool = false) {
        self.name = name
        self.byteCount = byteCount
        self.checksum = checksum
        self.isPacked = isPacked
    }

    var publishedName: String { isPacked ? name + ".gz" : name }

    /// The names that people give copies of the file; the last are those of a file in a folder of its name.
    var spellings: [String] {
        let dotted = String(name.replacing("-idx", with: ".idx"))
        let names = isPacked ? [name, name + ".gz", dotted, dotted + ".gz"] : [name]
        return names + names.map { "\($0)/\($0)" }
    }

    /// The checksum that a copy of the file has, by the method of `published`.
    ///
    /// - Throws: `DatasetError` when it cannot be read or has more than `byteCount` bytes.
    func checksum(ofCopy path: String, as published: Checksum) throws(DatasetError) -> Checksum {
        try published.ofFile(path, unpacking: isPacked, limit: byteCount)
    }
}
