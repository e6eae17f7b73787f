import FoveaFiles
import FoveaGraph

/// Readers for SVHN's cropped digits: 32×32 pixels with colours; a label is the digit in the middle.
///
/// The files call the digit 0 class 10; here it is class 0. Netzer et al. 2011, "Reading digits in natural images with
/// unsupervised feature learning".
public enum SVHN {
    private static let size = 32
    private static let channels = 3
    static let imageShape: Shape = [32, 32, 3]
    private static let imageByteCount = size * size * channels

    /// The digits of one of the authors' MATLAB files: images uint8 `[count, 32, 32, 3]` and int32 labels `[count]`.
    ///
    /// - Parameters:
    ///   - path: such as `train_32x32.mat`.
    ///   - limit: the most bytes of images and labels.
    /// - Throws: `DatasetError`, naming the file, as `MATFile.read` does, and when the variables are not `X`, uint8 numbers
    ///   `32×32×3×count`, and `y`, as many classes from 1 to 10.
    public static func readExamples(
        _ path: some PathConvertible, limit: Int = MATFile.defaultLimit
    ) throws(DatasetError) -> Examples {
        try readExamples(UnpackedFile(path.filePath), limit: limit)
    }

    static func readExamples(_ file: UnpackedFile, limit: Int) throws(DatasetError) -> Examples {
        let path = file.path
        var variables = try MATFile.read(file, names: ["X", "y"], limit: limit)
        let labels = variables.removeValue(forKey: "y").map { classes($0.elements) } ?? []
        guard let images = variables.removeValue(forKey: "X"), case .bytes(var pixels) = images.elements,
            images.extents.count == 4, Array(images.extents.prefix(3)) == [size, size, channels],
            images.extents[3] > 0
        else {
            throw DatasetError(
                .wrongShape, file: path,
                "its variable X is not uint8 numbers of 32×32×3×count; it is not one of SVHN's cropped digits"
            )
        }
        guard labels.count == images.extents[3] else {
            throw DatasetError(
                .mismatchedCounts, file: path, "holds \(images.extents[3]) images, but \(labels.count) labels"
            )
        }
        transpose(&pixels)
        return try examples(pixels: pixels, labels: labels, of: path)
    }

    /// The digits of OpenML's ARFF file, data set 41081: each row has an image, row by row with the channels of a pixel
    /// together, and its class. The training images come first.
    ///
    /// - Parameters:
    ///   - path: such as `svhn.arff`.
    ///   - trainCount: how many rows are training images; the others are test images.
    ///   - limit: the most bytes of images.
    /// - Throws: `DatasetError`, naming the file and the row, as `ARFFReader` does, and when rows are not 3,072 numbers from 0
    ///   to 255 and the attribute `class` from 1 to 10.
    static func readExamples(
        arff file: UnpackedFile, trainCount: Int, limit: Int = 1 << 30
    ) throws(DatasetError) -> (train: Examples, test: Examples) {
        let path = file.path
        var reader = try ARFFReader(file)
        guard reader.attributes.count == imageByteCount + 1,
            let target = reader.attributes.firstIndex(where: { $0.name.lowercased() == "class" })
        else {
            throw DatasetError(
                .wrongShape, file: path,
                "has \(reader.attributes.count) attributes; SVHN's are \(imageByteCount) pixels and 'class'")
        }
        let classes = reader.attributes[target].classNumbers
        var pixels: [UInt8] = []
        var labels: [Int32] = []
        var row: [Double] = []
        while try reader.readRow(into: &row) {
            guard pixels.count + imageByteCount <= limit else {
                throw DatasetError(
                    .tooLarge, file: path, "holds more than the limit of \(limit) bytes of images")
            }
            let number = Int32(exactly: row[target])
            labels.append(number.map { classes?[Int($0)] ?? $0 } ?? -1)
            for (place, value) in row.enumerated() where place != target {
                guard let pixel = UInt8(exactly: value) else {
                    throw DatasetError(
                        .wrongFormat, file: path,
                        "row \(labels.count) has the pixel \(value), which is no whole number from 0 to 255")
                }
                pixels.append(pixel)
            }
        }
        guard labels.count > trainCount else {
            throw DatasetError(
                .truncated, file: path,
                "holds \(labels.count) rows; there must be more than the \(trainCount) training images")
        }
        let all = try examples(pixels: pixels, labels: labels, of: path)
        return (try all[0..<trainCount], try all[trainCount..<labels.count])
    }

    private static func examples(
        pixels: [UInt8], labels: [Int32], of path: String
    ) throws(DatasetError) -> Examples {
        if let index = labels.firstIndex(where: { !(1...10).contains($0) }) {
            throw DatasetError(
                .labelOutOfRange, file: path,
                "the class of image \(index) is no whole number from 1 to 10; it is damaged or not SVHN")
        }
        let images = try checkingShape(of: path) { () throws(ShapeError) in
            try TensorValue(shape: [labels.count, size, size, channels], storage: .uint8(pixels))
        }
        return try Examples(inputs: images, targets: TensorValue(labels.map { $0 % 10 }))
    }

    /// -1 for what is no whole number.
    private static func classes(_ elements: MATFile.Elements) -> [Int32] {
        switch elements {
        case .bytes(let all): all.map(Int32.init)
        case .numbers(let all): all.map { Int32(exactly: $0) ?? -1 }
        }
    }

    /// Brings the axes of each image from the file's order, channel, column, row, to row, column, channel. An image keeps its
    /// place, so this needs memory for one only.
    private static func transpose(_ pixels: inout [UInt8]) {
        var image = [UInt8](repeating: 0, count: imageByteCount)
        for start in stride(from: 0, to: pixels.count, by: imageByteCount) {
            var place = start
            for channel in 0..<channels {
                for column in 0..<size {
                    for row in 0..<size {
                        image[(row * size + column) * channels + channel] = pixels[place]
                        place += 1
                    }
                }
            }
            pixels.replaceSubrange(start..<place, with: image)
        }
    }
}

extension ARFFAttribute {
    /// The numbers that the values of a nominal attribute are written as, -1 for one that is none; nil for numbers.
    fileprivate var classNumbers: [Int32]? {
        guard case .nominal(let values) = kind else { return nil }
        return values.map { Int32($0) ?? -1 }
    }
}
