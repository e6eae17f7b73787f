/// A data set in memory.
public struct NamedDataset: Equatable, Sendable {
    public let name: DatasetName
    /// The name of each class; a label is an index into them.
    public let classNames: [String]
    /// uint8 images `[count, height, width, channels]` and int32 labels `[count]`.
    public let train: Examples
    /// As `train`.
    public let test: Examples
}
