import FoveaFiles

/// What a network begins with instead of random numbers.
public enum NetworkWeights: Sendable {
    /// Its published weights, the first of `PublishedWeights.of(_:)` that have what is asked for; downloaded where this machine
    /// does not have them.
    case pretrained
    /// Certain published weights.
    case published(PublishedWeights)
    /// Those in a file of Keras (`.h5`, `.weights.h5`, `.keras`), of PyTorch (`.pt`, `.pth`), or of Fovea (`.safetensors`), which need not have
    /// a top if the network has none.
    ///
    /// The second is what they expect of pictures. When nil, it is that of the network's published weights whose publisher has
    /// files of this format, and `.unchanged` in files of Fovea.
    case file(String, scaling: PictureScaling? = nil)
}
