/// The 1,000 classes of ImageNet's classification task, which published weights tell apart. Russakovsky et al. 2015,
/// "ImageNet large scale visual recognition challenge", arXiv:1409.0575.
///
/// Names are WordNet's first words for them, and each is given once: `crane` is the machine, `crane bird` the bird.
public enum ImageNet {
    /// The name of each class, in the order of the networks' outputs.
    public static let classNames = rows.map(\.name)

    /// WordNet's number of each class, such as `n02504458`, the African elephant.
    public static let wordNetIDs = rows.map(\.id)

    private static let rows: [(id: String, name: String)] = imageNetTable.split(separator: "\n").map { line in
        let parts = line.split(separator: " ", maxSplits: 1)
        return (String(parts[0]), String(parts[1]))
    }
}
