import FoveaDatasets
import FoveaGraph
import FoveaModels

/// Weights of a network that somebody has trained and published. All are of ImageNet's 1,000 classes (`ImageNet.classNames`).
public struct PublishedWeights: Equatable, Sendable {
    /// What they are called here, such as `vgg16-notop`.
    public let name: String
    public let network: NamedNetwork
    /// Whether the file has the layers that tell the classes.
    public let includesTop: Bool
    public let publisher: Publisher
    /// The name of the file.
    public let fileName: String
    /// Its size in bytes; the greatest size accepted where the publisher gives it rounded.
    public let byteCount: Int
    /// As the publisher gives it: MD5 or the first digits of SHA-256 in some cases. Nil where none is published; then what is
    /// downloaded is only known to come from its address.
    public let checksum: Checksum?
    /// Where it is published.
    public let address: String
    /// The archive at that address which has the file in it; nil where the file itself is there.
    let archive: DatasetFile?
    /// What the weights expect of pictures.
    public let scaling: PictureScaling
    public let licence: String

    /// Who published the weights, and so what form the file has.
    public enum Publisher: String, Hashable, Sendable {
        case keras = "Keras"
        case torchvision = "torchvision"
        case other = "ML Illustrated"
    }

    /// The weights called `name`.
    ///
    /// - Throws: `PretrainedError` with the nearest name.
    public static func named(_ name: String) throws(PretrainedError) -> PublishedWeights {
        guard let weights = all.first(where: { $0.name == name }) else {
            throw PretrainedError(
                "there are no published weights '\(name)'; " + adviceOnName(name, among: all.map(\.name)))
        }
        return weights
    }

    /// All weights of a network, those that are taken unless others are named first.
    public static func of(_ network: NamedNetwork) -> [PublishedWeights] {
        all.filter { $0.network == network }
    }
}
