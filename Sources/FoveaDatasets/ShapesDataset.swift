import FoveaGraph

/// Images of simple shapes, drawn instead of downloaded: for tests and first steps.
///
/// Each image shows one shape, filled or as an outline, lighter than its background, anywhere in the image, of
/// varying size and brightness, turned by up to 19°, under noise. A small convolutional network gets 19 of 20
/// right; the nearest training image gets 2 of 3. The same arguments give the same bytes on every machine: the
/// drawing uses only arithmetic that IEEE 754 rounds in one way.
public enum ShapesDataset {
    public static let classNames = ["circle", "square", "triangle", "cross", "star"]

    /// Training and test images with as many of each class, to within one, in random order.
    ///
    /// - Parameters:
    ///   - trainCount: Training images, at least 1.
    ///   - testCount: Test images, at least 1; none is drawn as a training image too.
    ///   - height: In pixels, at least 12.
    ///   - width: In pixels, at least 12.
    ///   - seed: Chooses the images.
    /// - Returns: uint8 images `[count, height, width, 1]` and int32 labels `[count]`.
    /// - Throws: `DatasetError` when a size is too small or the images take more than 1 GiB.
    public static func draw(
        trainCount: Int = 2_000, testCount: Int = 500, height: Int = 28, width: Int = 28, seed: UInt64 = 0
    ) throws(DatasetError) -> NamedDataset {
        func examples(_ count: Int, stream: UInt32) throws(DatasetError) -> Examples {
            try drawExamples(count: count, height: height, width: width, seed: seed, stream: stream)
        }
        return NamedDataset(
            name: .shapes, classNames: classNames,
            train: try examples(trainCount, stream: trainStream),
            test: try examples(testCount, stream: testStream))
    }

    /// Random numbers come from these streams ("shpA" and "shpB" in ASCII). Step 0 of each orders the labels;
    /// step 1 + i draws image i.
    private static let trainStream: UInt32 = 0x7368_7041
    private static let testStream: UInt32 = 0x7368_7042

    private static func drawExamples(
        count: Int, height: Int, width: Int, seed: UInt64, stream: UInt32
    ) throws(DatasetError) -> Examples {
        let limit = 1 << 30
        guard count >= 1, height >= 12, width >= 12 else {
            throw DatasetError(
                .invalidArgument,
                "\(count) shapes of \(height)×\(width) pixels cannot be drawn: at least 1 image of 12×12 pixels is "
                    + "needed")
        }
        guard height <= limit / width, count <= limit / (height * width) else {
            throw DatasetError(
                .tooLarge,
                "\(count) shapes of \(height)×\(width) pixels take more than \(limit) bytes; ask for less")
        }
        var generator = PhiloxGenerator(seed: seed, stream: stream, step: 0)
        let labels = randomOrder((0..<count).map { $0 % classNames.count }, &generator)
        var pixels: [UInt8] = []
        pixels.reserveCapacity(count * height * width)
        for (index, label) in labels.enumerated() {
            var generator = PhiloxGenerator(seed: seed, stream: stream, step: UInt64(index) + 1)
            let picture = ShapePicture(
                outline: .all[label], height: height, width: width, using: &generator)
            picture.append(to: &pixels, noise: &generator)
        }
        let inputs = try checkingShape { () throws(ShapeError) in
            try TensorValue(shape: [count, height, width, 1], storage: .uint8(pixels))
        }
        return try Examples(inputs: inputs, targets: TensorValue(labels.map { Int32($0) }))
    }
}
