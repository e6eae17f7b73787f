import Foundation
import FoveaGraph

/// Batches in which each example is mixed with another one and has a share of both answers.
public enum BatchMixing: Hashable, Sendable {
    /// Pixels are `λ · x + (1 - λ) · x'`, answers likewise. Zhang et al. 2017, "mixup: Beyond empirical risk
    /// minimization", arXiv:1710.09412.
    case mixUp(alpha: Double = 0.2)
    /// A rectangle with `1 - λ` of the image's area comes from the other image; answers are mixed by what is left of
    /// the first one. Yun et al. 2019, "CutMix", arXiv:1905.04899.
    case cutMix(alpha: Double = 1)

    /// How the examples of one batch are mixed.
    public struct Parameters: Hashable, Sendable {
        /// For each example the one that it is mixed with.
        public var partners: [Int]
        /// How much of each example stays, from 0 to 1.
        public var share: Double
        /// The rectangle that comes from the partner; all pixels are mixed when nil.
        public var region: Augmentation.Region?

        public init(partners: [Int], share: Double, region: Augmentation.Region? = nil) {
            self.partners = partners
            self.share = share
            self.region = region
        }
    }

    /// How a batch is mixed: the share is drawn from the Beta distribution with both parameters `alpha`, once for the
    /// batch, and partners are a random order of the examples. Depends on nothing but the arguments.
    ///
    /// - Parameters:
    ///   - batch: the number of the batch, counted on from epoch to epoch.
    ///   - seed: chooses the random numbers.
    ///   - count: examples in the batch.
    ///   - height: that of the images, in pixels.
    ///   - width: that of the images, in pixels.
    /// - Throws: `DatasetError` unless `alpha` is from 0.001 to 1,000, and the count and sizes from 1 to 16,777,216.
    public func parameters(
        for batch: Int, seed: UInt64, count: Int, height: Int, width: Int
    ) throws(DatasetError) -> Parameters {
        var generator = PhiloxGenerator(
            seed: seed, stream: mixingStream, step: UInt64(truncatingIfNeeded: batch))
        return try parameters(&generator, count: count, height: height, width: width)
    }

    /// What `alpha` may be.
    package static let alphas = 1e-3...1e3

    private var alpha: Double {
        switch self {
        case .mixUp(let alpha), .cutMix(let alpha): alpha
        }
    }

    fileprivate func checkAlpha() throws(DatasetError) {
        guard Self.alphas.contains(alpha) else {
            throw invalid("the alpha of mixing must be from 0.001 to 1000, not \(alpha.short)")
        }
    }

    fileprivate func parameters(
        _ generator: inout PhiloxGenerator, count: Int, height: Int, width: Int
    ) throws(DatasetError) -> Parameters {
        try checkAlpha()
        guard [count, height, width].allSatisfy((1...1 << 24).contains) else {
            throw invalid(
                "\(count) images of \(height)×\(width) pixels cannot be mixed; all must be from 1 to \(1 << 24)"
            )
        }
        let partners = randomOrder(Array(0..<count), &generator)
        let share = generator.beta(alpha)
        guard case .cutMix = self else { return Parameters(partners: partners, share: share) }
        let side = (1 - share).squareRoot()
        func stretch(_ extent: Int) -> Range<Int> {
            let (middle, length) = (generator.index(below: extent), Int(Double(extent) * side))
            return max(0, middle - length / 2)..<min(extent, middle + length / 2)
        }
        let (rows, columns) = (stretch(height), stretch(width))
        let part = Double(rows.count * columns.count) / Double(height * width)
        let region = Augmentation.Region(
            top: rows.lowerBound, left: columns.lowerBound, height: rows.count, width: columns.count)
        return Parameters(partners: partners, share: 1 - part, region: region)
    }

    /// Images and answers mixed in a given way, both float32.
    ///
    /// - Parameters:
    ///   - images: `[count, height, width, channels]`, uint8 or float32; uint8 images become numbers from 0 to 1.
    ///   - targets: float32 `[count, classes]`, or int32 class numbers `[count]`, which become such.
    ///   - classCount: of int32 class numbers; not needed for others.
    ///   - parameters: how they are mixed.
    /// - Throws: `DatasetError` for other shapes and types, labels outside `0..<classCount`, and partners or regions
    ///   that do not exist.
    public static func mixed(
        images: TensorValue, targets: TensorValue, classCount: Int? = nil, _ parameters: Parameters
    ) throws(DatasetError) -> (images: TensorValue, targets: TensorValue) {
        let shape = images.shape
        guard shape.rank == 4, shape.elementCount > 0, parameters.partners.count == shape[0],
            parameters.partners.allSatisfy((0..<shape[0]).contains), (0...1).contains(parameters.share)
        else {
            throw DatasetError(
                .wrongShape,
                "images to mix are [count, height, width, channels] with a partner for each and a share from 0 to 1, not "
                    + "\(shape) with \(parameters.partners.count) partners and the share \(parameters.share.short)"
            )
        }
        let pixels = try pixels(of: images)
        let answers = try softTargets(targets, count: shape[0], classCount: classCount)
        let share = Float(parameters.share)
        let result =
            if let region = parameters.region {
                try pasted(pixels, shape, region, parameters.partners)
            } else {
                blended(pixels, parameters.partners, share)
            }
        return (
            TensorValue(unchecked: shape, .float32(result)),
            TensorValue(
                unchecked: answers.shape, .float32(blended(answers.floats, parameters.partners, share)))
        )
    }

    private static func pixels(of images: TensorValue) throws(DatasetError) -> [Float] {
        switch images.storage {
        case .float32(let pixels): return pixels
        case .uint8(let bytes): return bytes.map { Float($0) / 255 }
        default:
            throw DatasetError(
                .wrongElementType,
                "images are uint8 or float32, not \(images.dtype.rawValue); cast them first")
        }
    }

    private static func softTargets(
        _ targets: TensorValue, count: Int, classCount: Int?
    ) throws(DatasetError) -> TensorValue {
        switch targets.storage {
        case .float32 where targets.shape.rank == 2 && targets.shape[0] == count: return targets
        case .int32(let labels) where targets.shape == [count]:
            guard let classCount, classCount > 0 else {
                throw invalid(
                    "class numbers can only be mixed when the number of classes is known; give classCount")
            }
            guard classCount <= answerLimit / count else {
                throw DatasetError(
                    .tooLarge,
                    "the answers of \(count) examples with \(classCount) classes are more than \(answerLimit) numbers; "
                        + "take smaller batches")
            }
            var answers = [Float](repeating: 0, count: count * classCount)
            for (example, label) in labels.enumerated() {
                guard (0..<classCount).contains(Int(label)) else {
                    throw DatasetError(
                        .labelOutOfRange,
                        "example \(example) is of class \(label), but there are \(classCount) classes from 0")
                }
                answers[example * classCount + Int(label)] = 1
            }
            return TensorValue(unchecked: [count, classCount], .float32(answers))
        default:
            throw DatasetError(
                .wrongShape,
                "answers to mix are float32 [\(count), classes] or int32 [\(count)], not "
                    + "\(targets.dtype.rawValue)\(targets.shape)")
        }
    }

    /// `share · row + (1 - share) · partner's row`
    fileprivate static func blended(_ values: [Float], _ partners: [Int], _ share: Float) -> [Float] {
        let length = values.count / partners.count
        var result = values
        result.withUnsafeMutableBufferPointer { result in
            values.withUnsafeBufferPointer { values in
                for (row, partner) in partners.enumerated() {
                    for index in 0..<length {
                        result[row * length + index] =
                            share * values[row * length + index] + (1 - share)
                            * values[partner * length + index]
                    }
                }
            }
        }
        return result
    }

    private static func pasted(
        _ values: [Float], _ shape: Shape, _ region: Augmentation.Region, _ partners: [Int]
    ) throws(DatasetError) -> [Float] {
        let (height, width, channels) = (shape[1], shape[2], shape[3])
        guard region.top >= 0, region.left >= 0, (0...height).contains(region.height),
            (0...width).contains(region.width), region.top <= height - region.height,
            region.left <= width - region.width
        else { throw invalid("\(region) does not lie inside images of \(height)×\(width) pixels") }
        var result = values
        for (image, partner) in partners.enumerated() {
            for row in region.top..<(region.top + region.height) {
                let start = (row * width + region.left) * channels
                let (target, source) = (
                    image * height * width * channels, partner * height * width * channels
                )
                for index in start..<(start + region.width * channels) {
                    result[target + index] = values[source + index]
                }
            }
        }
        return result
    }
}

extension Dataset where Element == Examples {
    /// Batches in which each example is mixed with another one of its batch: images as `BatchMixing` says, targets and
    /// weights by the share that stays of each example.
    ///
    /// ```swift
    /// let batches = try Dataset(training).shuffled(seed: 1).batched(128)
    ///     .mixed(.cutMix(), classCount: 10, seed: 2)
    /// ```
    ///
    /// How a batch is mixed depends on the seed, the epoch and the number of the batch only. Targets become numbers from 0 to 1
    /// for each class, so the loss is `categoricalCrossentropy`, also for the data that are validated with.
    ///
    /// - Parameters:
    ///   - mixing: how.
    ///   - classCount: of int32 class numbers; not needed for others.
    ///   - seed: chooses the random numbers.
    /// - Throws: `DatasetError` when `alpha` is out of range. A batch throws it when it has more than one input or target; as
    ///   `BatchMixing.mixed`.
    public func mixed(
        _ mixing: BatchMixing, classCount: Int? = nil, seed: UInt64
    ) throws(DatasetError) -> Dataset<Examples> {
        try mixing.checkAlpha()
        let classes = classCount.map { " of \($0) classes" } ?? ""
        return mapped("\(mixing)\(classes) with seed \(seed)") { batch, place in
            var generator = PhiloxGenerator(
                seed: seed, epoch: place.epoch, index: place.index, stream: mixingStream)
            return try batch.mixed(mixing, classCount: classCount, &generator)
        }
    }
}

extension Examples {
    fileprivate func mixed(
        _ mixing: BatchMixing, classCount: Int?, _ generator: inout PhiloxGenerator
    ) throws(DatasetError) -> Examples {
        guard inputs.count == 1, targets.count == 1, inputs[0].shape.rank == 4 else {
            throw DatasetError(
                .wrongShape,
                "batches to mix have one input, images [count, height, width, channels], and one target, not the inputs "
                    + "\(inputs.map(\.shape)) and the targets \(targets.map(\.shape))")
        }
        let shape = inputs[0].shape
        let parameters = try mixing.parameters(
            &generator, count: count, height: shape[1], width: shape[2])
        let mixed = try BatchMixing.mixed(
            images: inputs[0], targets: targets[0], classCount: classCount, parameters)
        return Examples(
            checked: [mixed.images], targets: [mixed.targets],
            weights: weights.map {
                TensorValue(BatchMixing.blended($0.floats, parameters.partners, Float(parameters.share)))
            })
    }
}

/// The most numbers in the answers of a batch, so that they fit into memory.
private let answerLimit = 1 << 28

/// Random numbers for mixing come from this stream ("mixu" in ASCII).
private let mixingStream: UInt32 = 0x6D69_7875

extension PhiloxGenerator {
    /// A number of the Beta distribution with both parameters `alpha`, as the share of one of two numbers of the
    /// Gamma distribution. These are compared by their logarithms, because for a small `alpha` both may be too small
    /// to be written.
    fileprivate mutating func beta(_ alpha: Double) -> Double {
        let (first, second) = (logarithmOfGamma(alpha), logarithmOfGamma(alpha))
        return 1 / (1 + exp(second - first))
    }

    /// The logarithm of a number of the Gamma distribution of shape `alpha` and scale 1. Marsaglia and Tsang 2000, "A
    /// simple method for generating gamma variables"; shapes below 1 are led back to those above by its section 6.
    private mutating func logarithmOfGamma(_ alpha: Double) -> Double {
        // Never 0, whose logarithm is infinite.
        if alpha < 1 { return logarithmOfGamma(alpha + 1) + log(1 - uniform()) / alpha }
        let d = alpha - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            // Box and Muller 1958.
            let normal = (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
            let root = 1 + c * normal
            guard root > 0 else { continue }
            let v = root * root * root
            if log(1 - uniform()) < normal * normal / 2 + d - d * v + d * log(v) { return log(d * v) }
        }
    }
}
