import FoveaGraph

/// A reader for the binary form of CIFAR-10: records of one byte with the class number and 32×32 pixels, first all red
/// values row by row, then green, then blue.
///
/// Files may be packed with gzip. Krizhevsky 2009, "Learning multiple layers of features from tiny images".
public enum CIFAR {
    /// The classes in the order of their numbers.
    public static let classNames = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]

    private static let size = 32
    private static let channels = 3
    private static let pixels = size * size
    private static let recordByteCount = 1 + channels * pixels

    /// The records of several files, one after the other: images uint8 `[count, 32, 32, 3]` and int32 labels `[count]`.
    ///
    /// - Parameters:
    ///   - paths: such as `data_batch_1.bin` to `data_batch_5.bin`.
    ///   - limit: the most records accepted, in all files together.
    /// - Throws: `DatasetError`, naming the file, when it is missing, unreadable, damaged, too long, empty, does not
    ///   consist of whole records, or has a label that is no class.
    public static func readExamples(_ paths: [String], limit: Int = 200_000) throws(DatasetError) -> Examples
    {
        var images: [UInt8] = []
        var labels: [Int32] = []
        for path in paths {
            let records = try readRecords(path, limit: limit - labels.count)
            let count = records.count / recordByteCount
            images.reserveCapacity(images.count + count * channels * pixels)
            for start in stride(from: 0, to: records.count, by: recordByteCount) {
                let label = Int32(records[start])
                guard label < classNames.count else {
                    throw DatasetError(
                        .labelOutOfRange, file: path,
                        "the label of record \(start / recordByteCount) is \(label), but there are "
                            + "\(classNames.count) classes; it is damaged or not CIFAR-10")
                }
                labels.append(label)
                for pixel in 0..<pixels {
                    for channel in 0..<channels {
                        images.append(records[start + 1 + channel * pixels + pixel])
                    }
                }
            }
        }
        let (bytes, count) = (images, labels.count)
        let value = try checkingShape { () throws(ShapeError) in
            try TensorValue(shape: [count, size, size, channels], storage: .uint8(bytes))
        }
        return try Examples(inputs: value, targets: TensorValue(labels))
    }

    private static func readRecords(_ path: String, limit: Int) throws(DatasetError) -> [UInt8] {
        let file = try UnpackedFile(path)
        // One byte more than allowed tells that there is more.
        let most = limit * recordByteCount
        let bytes = try file.readBytes(count: min(most, file.greatestByteCount) + 1)
        guard bytes.count <= most else {
            throw DatasetError(.tooLarge, file: path, "holds more than \(limit) records")
        }
        guard !bytes.isEmpty, bytes.count % recordByteCount == 0 else {
            throw DatasetError(
                .truncated, file: path,
                "holds \(bytes.count) bytes, no whole number of records of \(recordByteCount); copy or download it again"
            )
        }
        return bytes
    }
}
