import Foundation
import FoveaFiles
import FoveaGraph
import FoveaPictures

extension Dataset where Element == Example {
    /// The pictures of a folder, each read when it is asked for: decoded, brought to one size and labelled.
    ///
    /// Pictures are resized without regard to their proportions, bilinearly and antialiased as Pillow does; of JPEG files
    /// only as much is decoded as that needs. An element that cannot be read throws `PictureError`, which names the file, also when
    /// a server does not give it.
    ///
    /// - Parameters:
    ///   - folder: pictures and their classes.
    ///   - size: height and width of all pictures, in pixels.
    ///   - channels: 3 for RGB, 1 for grey.
    ///   - classMode: in which form labels become targets.
    /// - Throws: `DatasetError` for a size that is not positive, other channels, or binary targets of other than two classes.
    public init(
        _ folder: ImageFolder, size: Size2D, channels: Int = 3, classMode: ClassMode = .sparse
    ) throws(DatasetError) {
        let sides = 1...Picture.greatestSide
        guard sides.contains(size.height), sides.contains(size.width),
            size.height * size.width <= Picture.greatestPixelCount
        else {
            throw DatasetError(
                .invalidArgument,
                "pictures cannot be made \(size) pixels large; both sides must be in \(sides), and there may be "
                    + "\(Picture.greatestPixelCount) pixels")
        }
        guard channels == 1 || channels == 3 else {
            throw DatasetError(
                .invalidArgument, "pictures have 1 channel (grey) or 3 (RGB), not \(channels)")
        }
        let (items, classCount) = (folder.items, folder.classNames.count)
        // Says at once what would be wrong with every element.
        _ = try classMode.targets(
            label: 0, classCount: classCount, input: TensorValue(repeating: 0, shape: .scalar))
        let stage = Stage(
            "\(items.count) pictures of \(classCount) classes, \(size), \(channels) channels, \(classMode)",
            sources: [{ DataFingerprint(folder) }])
        self.init(extent: items.count, stages: [stage]) { place in
            let index = place.index
            let picture = try items[index].picture(.init(channels: channels, atLeast: size))
                .resized(height: size.height, width: size.width)
            return try Example(
                TensorValue(picture), label: items[index].label, classCount: classCount, mode: classMode)
        }
    }

    /// Images changed at random, in another way in each epoch. Targets stay, but those of `ClassMode.input` are the changed
    /// images.
    ///
    /// - Parameters:
    ///   - augmentation: how. Of uint8 images it makes uint8 images again, rounded, unless it standardizes them.
    ///   - seed: chooses the random numbers; the same numbers give the same images, whatever the number of threads.
    ///   - white: the value of full brightness in float32 images, such as 255, positive: changes of colour keep pixels between
    ///     0 and this. That of uint8 images is 255.
    public func augmented(_ augmentation: Augmentation, seed: UInt64, white: Float = 1) -> Dataset<Example> {
        let scale = white == 1 ? "" : ", white is \(white)"
        let statistics =
            augmentation.featurewiseCenter
            ? augmentation.statistics.map { ", statistics \($0.digest)" } ?? "" : ""
        return mapped("augmented (\(augmentation)\(scale)\(statistics)) with seed \(seed)") {
            example, place in
            let inputs = try example.inputs.map { input -> TensorValue in
                let image = try FloatImage(input, white: white)
                let augmented = try augmentation.augmented(
                    image, index: place.index, epoch: place.epoch, seed: seed)
                guard input.dtype == .uint8, !augmentation.standardizes else { return augmented.tensorValue }
                return TensorValue(
                    unchecked: [augmented.height, augmented.width, augmented.channels],
                    .uint8(augmented.bytes))
            }
            return Example(
                inputs: inputs,
                targets: example.targetIsInput
                    ? try ClassMode.input.targets(label: 0, classCount: 0, input: inputs[0])
                    : example.targets,
                weight: example.weight, targetIsInput: example.targetIsInput)
        }
    }
}

extension Augmentation {
    /// Batches of augmented examples in memory, as Keras's `flow`: an epoch of them, in another order and augmented in another
    /// way in each epoch. Keras's goes on without end, which `repeated()` makes of this one; `fit` then needs to know how many
    /// steps are an epoch.
    ///
    /// ```swift
    /// let batches = try Augmentation(rotationRange: 10, horizontalFlip: true).flow(examples).repeated()
    /// ```
    ///
    /// - Parameters:
    ///   - examples: with images `[count, height, width, channels]` as inputs.
    ///   - batchSize: examples in a batch; the last one has the rest.
    ///   - shuffle: whether the order is another one in each epoch.
    ///   - seed: for the order and the augmentation.
    ///   - white: the value of full brightness in float32 images, as for `augmented`.
    /// - Throws: `DatasetError` when the batch size is not positive.
    public func flow(
        _ examples: Examples, batchSize: Int = 32, shuffle: Bool = true, seed: UInt64 = 0, white: Float = 1
    ) throws(DatasetError) -> Dataset<Examples> {
        try flow(Dataset(examples), batchSize, shuffle, seed, white)
    }

    /// Batches of augmented pictures of a folder, as Keras's `flow_from_directory`: an epoch of them, as of `flow`; without end
    /// behind `repeated()`.
    ///
    /// - Parameters:
    ///   - folder: that has a folder for each class.
    ///   - targetSize: height and width that pictures are brought to before they are augmented.
    ///   - channels: 3 for RGB, 1 for grey.
    ///   - batchSize: as for `flow`.
    ///   - classMode: in which form labels become targets.
    ///   - shuffle: whether the order is another one in each epoch.
    ///   - seed: for the order and the augmentation.
    ///   - onError: what becomes of pictures that cannot be read.
    /// - Throws: `DatasetError` when the folder cannot be read or a number makes no sense.
    public func flowFromDirectory(
        _ folder: some PathConvertible, targetSize: Size2D = 256, channels: Int = 3, batchSize: Int = 32,
        classMode: ClassMode = .categorical, shuffle: Bool = true, seed: UInt64 = 0,
        onError: ElementErrorPolicy = .stop
    ) throws(DatasetError) -> Dataset<Examples> {
        try flow(
            Dataset(ImageFolder(folder), size: targetSize, channels: channels, classMode: classMode),
            batchSize, shuffle, seed, onError: onError)
    }

    private func flow(
        _ examples: Dataset<Example>, _ batchSize: Int, _ shuffle: Bool, _ seed: UInt64,
        _ white: Float = 1, onError: ElementErrorPolicy = .stop
    ) throws(DatasetError) -> Dataset<Examples> {
        try (shuffle ? examples.shuffled(seed: seed) : examples).augmented(self, seed: seed, white: white)
            .batched(batchSize, onError: onError)
    }
}
