import FoveaGraph

/// The data sets that are known by name.
public enum DatasetName: String, CaseIterable, Codable, Sendable {
    case mnist
    case fashionMNIST = "fashion-mnist"
    case shapes

    /// The data set with this name.
    ///
    /// - Throws: `DatasetError` with the nearest known name, and all of them, when there is none.
    public init(named name: String) throws(DatasetError) {
        if let known = DatasetName(rawValue: name) {
            self = known
            return
        }
        let names = DatasetName.allCases.map(\.rawValue)
        let hint = nearestName(to: name, among: names).map { "did you mean '\($0)'? " } ?? ""
        throw DatasetError(
            .unknownName, "unknown data set '\(name)'; \(hint)known: \(names.joined(separator: ", "))")
    }
}

/// What is known about a data set before any of it is read.
public struct DatasetInfo: Equatable, Sendable {
    /// The name for people, such as `Fashion-MNIST`.
    public let title: String
    /// The name of each class; a label is an index into them.
    public let classNames: [String]
    /// `[height, width, channels]` of every image.
    public let imageShape: Shape
    public let licence: String
    /// The publication to cite.
    public let citation: String
    /// The published files: training images, training labels, test images, test labels. Empty for a data set
    /// that is drawn rather than read.
    public let files: [DatasetFile]
    /// Where each file is published, as the part of its URL before the name; in the order to try them.
    public let sources: [String]

    public var classCount: Int { classNames.count }
}

/// A published file of a data set.
public struct DatasetFile: Equatable, Sendable {
    /// The name after unpacking, such as `train-images-idx3-ubyte`; it is published with `.gz` added.
    public let name: String
    /// The size after unpacking.
    public let byteCount: Int
    /// The SHA-256 after unpacking, so that a copy packed anew is recognized too.
    public let sha256: String

    /// The names that people give copies of the file.
    var spellings: [String] {
        let dotted = String(name.replacing("-idx", with: ".idx"))
        return [name, name + ".gz", dotted, dotted + ".gz"]
    }
}

extension DatasetName {
    public var info: DatasetInfo {
        switch self {
        case .mnist: .mnist
        case .fashionMNIST: .fashionMNIST
        case .shapes: .shapes
        }
    }
}

extension DatasetInfo {
    static let mnist = DatasetInfo(
        title: "MNIST handwritten digits",
        classNames: (0...9).map(String.init),
        imageShape: [28, 28, 1],
        licence: "CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
        citation: """
            Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition. \
            Proceedings of the IEEE 86(11), 1998
            """,
        files: mnistFiles(sha256: [
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ]),
        sources: [
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ])

    static let fashionMNIST = DatasetInfo(
        title: "Fashion-MNIST",
        classNames: [
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
            "Ankle boot",
        ],
        imageShape: [28, 28, 1],
        licence: "MIT, Zalando SE",
        citation: """
            H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine \
            learning algorithms. 2017, arXiv:1708.07747
            """,
        files: mnistFiles(sha256: [
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ]),
        sources: ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"])

    static let shapes = DatasetInfo(
        title: "Shapes, drawn by Fovea",
        classNames: ShapesDataset.classNames,
        imageShape: [28, 28, 1],
        licence: "none needed: the images are drawn by the program",
        citation: "",
        files: [],
        sources: [])

    /// MNIST and the sets made to replace it share names and sizes.
    private static func mnistFiles(sha256: [String]) -> [DatasetFile] {
        let names = [
            ("train-images-idx3-ubyte", 47_040_016), ("train-labels-idx1-ubyte", 60_008),
            ("t10k-images-idx3-ubyte", 7_840_016), ("t10k-labels-idx1-ubyte", 10_008),
        ]
        return zip(names, sha256).map { DatasetFile(name: $0.0, byteCount: $0.1, sha256: $1) }
    }
}
