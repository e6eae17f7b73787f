import FoveaFiles
import FoveaGraph

/// Readers for IDX, the format of MNIST and its relatives: two zero bytes, the element type, the number of
/// axes, the extent of each axis as a big-endian 32-bit number, and the elements in row-major order.
///
/// Files may be packed with gzip, whatever their names. Nothing in a file is trusted: sizes are checked against
/// the file and a limit before memory is taken.
public enum IDX {
    /// The most bytes of elements that a file may hold unless told otherwise: 1 GiB.
    public static let defaultLimit = 1 << 30

    /// The unsigned bytes of an IDX file, with the shape that the file states.
    ///
    /// - Parameters:
    ///   - path: The file, packed with gzip or not.
    ///   - limit: The most elements accepted.
    /// - Throws: `DatasetError`, naming the file, when it is missing, unreadable, damaged, cut short, too long,
    ///   larger than `limit`, empty, not IDX, or of another element type.
    public static func read(
        _ path: some PathConvertible, limit: Int = defaultLimit
    ) throws(DatasetError) -> TensorValue {
        try read(UnpackedFile(path.filePath), limit: limit)
    }

    static func read(_ file: UnpackedFile, limit: Int) throws(DatasetError) -> TensorValue {
        let shape = try readShape(of: file, limit: limit)
        let bytes = try readElements(of: file, count: shape.elementCount)
        return try checkingShape(of: file.path) { () throws(ShapeError) in
            try TensorValue(shape: shape, storage: .uint8(bytes))
        }
    }

    /// Grey images as uint8 `[count, height, width, 1]`.
    ///
    /// - Throws: `DatasetError` as ``read(_:limit:)`` does, and when the file does not have three axes.
    public static func readImages(
        _ path: some PathConvertible, limit: Int = defaultLimit
    ) throws(DatasetError) -> TensorValue {
        let path = path.filePath
        let images = try read(path, limit: limit)
        guard images.shape.rank == 3 else {
            throw DatasetError(
                .wrongShape, file: path,
                "holds a tensor \(images.shape); images need three axes: [count, height, width]")
        }
        return try checkingShape(of: path) { () throws(ShapeError) in
            try images.reshaped(to: Shape(images.shape.dimensions + [1]))
        }
    }

    /// Class numbers as int32 `[count]`.
    ///
    /// - Parameters:
    ///   - path: The file, packed with gzip or not.
    ///   - classCount: Every label must be less than this.
    ///   - limit: The most labels accepted.
    /// - Throws: `DatasetError` as ``read(_:limit:)`` does, and when the file does not have one axis or a label
    ///   is not less than `classCount`.
    public static func readLabels(
        _ path: some PathConvertible, classCount: Int, limit: Int = defaultLimit
    ) throws(DatasetError) -> TensorValue {
        let path = path.filePath
        let labels = try read(path, limit: limit)
        guard labels.shape.rank == 1 else {
            throw DatasetError(
                .wrongShape, file: path, "holds a tensor \(labels.shape); labels need one axis: [count]")
        }
        let classes = labels.integers
        if let index = classes.firstIndex(where: { $0 >= classCount }) {
            throw DatasetError(
                .labelOutOfRange, file: path,
                "label \(index) is \(classes[index]), but there are \(classCount) classes, and labels count "
                    + "from 0")
        }
        return TensorValue(classes)
    }

    /// Images and their labels.
    ///
    /// - Throws: `DatasetError` as ``readImages(_:limit:)`` and ``readLabels(_:classCount:limit:)`` do, and when
    ///   there are not as many images as labels.
    public static func readExamples(
        images imagePath: some PathConvertible, labels labelPath: some PathConvertible, classCount: Int,
        limit: Int = defaultLimit
    ) throws(DatasetError) -> Examples {
        let (imagePath, labelPath) = (imagePath.filePath, labelPath.filePath)
        let images = try readImages(imagePath, limit: limit)
        let labels = try readLabels(labelPath, classCount: classCount, limit: limit)
        guard images.shape[0] == labels.shape[0] else {
            throw DatasetError(
                .mismatchedCounts, file: imagePath,
                "\(images.shape[0]) images, but \(labels.shape[0]) labels in \(labelPath); give two files that "
                    + "belong together")
        }
        return try Examples(inputs: images, targets: labels)
    }

    /// Reads the header and checks what it claims against the size of the file.
    private static func readShape(
        of file: UnpackedFile, limit: Int
    ) throws(DatasetError) -> Shape {
        let magic = try readHeader(of: file, count: 4)
        guard magic[0] == 0, magic[1] == 0, magic[3] > 0, let type = elementTypes[magic[2]] else {
            let found = magic.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
            throw DatasetError(
                .wrongFormat, file: file.path,
                "is not an IDX file: it starts with \(found), expected 00 00 08 and the number of axes")
        }
        guard magic[2] == 0x08 else {
            throw DatasetError(
                .wrongElementType, file: file.path,
                "holds elements of type \(type), expected unsigned bytes; convert the file")
        }
        let extents = try readHeader(of: file, count: 4 * Int(magic[3]))
        let shape = Shape(
            stride(from: 0, to: extents.count, by: 4).map { start in
                extents[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
            })
        guard !shape.dimensions.contains(0) else {
            throw DatasetError(.wrongShape, file: file.path, "holds nothing: its shape is \(shape)")
        }
        var count = 1
        for extent in shape.dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= limit else {
                throw DatasetError(
                    .tooLarge, file: file.path,
                    "claims a tensor \(shape), more than the limit of \(limit) bytes")
            }
            count = product
        }
        guard count <= file.greatestByteCount - 4 - extents.count else {
            throw DatasetError(
                .truncated, file: file.path,
                "claims a tensor \(shape), more than its \(file.storedByteCount) bytes can hold; copy or download "
                    + "it again")
        }
        return shape
    }

    private static func readHeader(
        of file: UnpackedFile, count: Int
    ) throws(DatasetError) -> [UInt8] {
        let bytes = try file.readBytes(count: count)
        guard bytes.count == count else {
            throw DatasetError(
                .truncated, file: file.path, "ends inside the IDX header; copy or download it again")
        }
        return bytes
    }

    private static func readElements(
        of file: UnpackedFile, count: Int
    ) throws(DatasetError) -> [UInt8] {
        let bytes = try file.readBytes(count: count)
        guard bytes.count == count else {
            throw DatasetError(
                .truncated, file: file.path,
                "holds \(bytes.count) bytes of elements, expected \(count); copy or download it again")
        }
        guard try file.readBytes(count: 1).isEmpty else {
            throw DatasetError(
                .trailingBytes, file: file.path,
                "goes on after its \(count) bytes of elements; it is damaged or not an IDX file")
        }
        return bytes
    }

    private static let elementTypes: [UInt8: String] = [
        0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64",
    ]
}
