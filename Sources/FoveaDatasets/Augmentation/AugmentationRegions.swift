import Foundation
import FoveaGraph

extension Augmentation {
    /// A rectangle of pixels. It may reach beyond the image that it is a part of.
    public struct Region: Hashable, Sendable {
        public var top: Int
        public var left: Int
        public var height: Int
        public var width: Int

        public init(top: Int, left: Int, height: Int, width: Int) {
            self.top = top
            self.left = left
            self.height = height
            self.width = width
        }
    }

    /// Which part of an image is taken.
    public enum Crop: Hashable, Sendable {
        /// A part of the given size at a random place. The image is thought to go on for `padding` pixels at each
        /// side, as `fillMode` says. torchvision's `RandomCrop`.
        case random(size: Size2D, padding: Int = 0)
        /// A part of random area and shape at a random place, made as large as `size` (without averaging over the
        /// pixels that a smaller result leaves out). `area` is in parts of the image's area, `aspectRatio` is width
        /// by height of the part. torchvision's `RandomResizedCrop`; Szegedy et al. 2014, "Going deeper with
        /// convolutions", arXiv:1409.4842.
        case resized(
            size: Size2D, area: ClosedRange<Double> = 0.08...1,
            aspectRatio: ClosedRange<Double> = 0.75...4 / 3)

        /// The size of the result.
        public var size: Size2D {
            switch self {
            case .random(let size, _), .resized(let size, _, _): size
            }
        }
    }

    /// How a part of an image is hidden under one value: torchvision's `RandomErasing`. Zhong et al. 2017, "Random
    /// erasing data augmentation", arXiv:1708.04896; DeVries and Taylor 2017, "Improved regularization of
    /// convolutional neural networks with cutout", arXiv:1708.04552, is the same with one area and an aspect ratio of
    /// 1.
    public struct Erasing: Hashable, Sendable {
        /// How many of the images are changed, from 0 to 1.
        public var probability: Double
        /// Of the part, in parts of the image's area.
        public var area: ClosedRange<Double>
        /// Height by width of the part.
        public var aspectRatio: ClosedRange<Double>
        /// What its pixels become, in the units of the pixels.
        public var value: Double

        public init(
            probability: Double = 0.5, area: ClosedRange<Double> = 0.02...0.33,
            aspectRatio: ClosedRange<Double> = 0.3...3.3, value: Double = 0
        ) {
            self.probability = probability
            self.area = area
            self.aspectRatio = aspectRatio
            self.value = value
        }
    }
}

extension Augmentation.Crop {
    func check() throws(DatasetError) {
        // Limited so that a result fits into memory.
        let extents = 1...8192
        guard extents.contains(size.height), extents.contains(size.width) else {
            throw invalid("a crop must be from 1 to \(extents.upperBound) pixels high and wide, not \(size)")
        }
        switch self {
        case .random(_, let padding):
            guard (0...extents.upperBound).contains(padding) else {
                throw invalid(
                    "a crop's padding must be from 0 to \(extents.upperBound) pixels, not \(padding)")
            }
        case .resized(_, let area, let aspectRatio): try checkPart("a crop", area, aspectRatio)
        }
    }

    /// The part that numbers drawn from the generator stand for.
    func region(
        height: Int, width: Int, _ generator: inout PhiloxGenerator
    ) throws(DatasetError) -> Augmentation.Region {
        switch self {
        case .random(let size, let padding):
            let rows = height + 2 * padding - size.height
            let columns = width + 2 * padding - size.width
            guard rows >= 0, columns >= 0 else {
                throw invalid(
                    "a crop of \(size) pixels does not fit into an image of \(height)×\(width) with a padding of "
                        + "\(padding); resize the images first, or use a smaller crop or more padding")
            }
            return Augmentation.Region(
                top: generator.index(below: rows + 1) - padding,
                left: generator.index(below: columns + 1) - padding, height: size.height, width: size.width)
        case .resized(_, let area, let aspectRatio):
            if let region = randomRegion(
                height: height, width: width, area: area, widthByHeight: aspectRatio, mayFill: true,
                &generator)
            {
                return region
            }
            // No such part fits: the largest one in the middle with a ratio in the range.
            let ratio = min(
                max(Double(width) / Double(height), aspectRatio.lowerBound), aspectRatio.upperBound)
            let part = (
                height: min(height, max(1, Int((Double(width) / ratio).rounded()))),
                width: min(width, max(1, Int((Double(height) * ratio).rounded())))
            )
            return Augmentation.Region(
                top: (height - part.height) / 2, left: (width - part.width) / 2, height: part.height,
                width: part.width)
        }
    }
}

extension Augmentation.Erasing {
    func check() throws(DatasetError) {
        guard (0...1).contains(probability) else {
            throw invalid("the probability of erasing must be from 0 to 1, not \(probability.short)")
        }
        guard Float(value).isFinite else {
            throw invalid("the value of erased pixels must be finite, not \(value)")
        }
        try checkPart("an erased part", area, aspectRatio)
    }

    /// The part that numbers drawn from the generator stand for; nil when none was found that is smaller than the
    /// image.
    func region(height: Int, width: Int, _ generator: inout PhiloxGenerator) -> Augmentation.Region? {
        let widths = (1 / aspectRatio.upperBound)...(1 / aspectRatio.lowerBound)
        return randomRegion(
            height: height, width: width, area: area, widthByHeight: widths, mayFill: false, &generator)
    }
}

private func checkPart(
    _ what: String, _ area: ClosedRange<Double>, _ aspectRatio: ClosedRange<Double>
) throws(DatasetError) {
    guard area.lowerBound > 0, area.upperBound <= 1 else {
        throw invalid(
            "the area of \(what) must be more than 0 and at most 1, in parts of the image's, not "
                + "\(area.lowerBound.short) to \(area.upperBound.short)")
    }
    guard aspectRatio.lowerBound >= 1e-3, aspectRatio.upperBound <= 1e3 else {
        throw invalid(
            "the aspect ratio of \(what) must be from 0.001 to 1000, not \(aspectRatio.lowerBound.short) to "
                + "\(aspectRatio.upperBound.short)")
    }
}

/// A part whose area is drawn evenly and whose aspect ratio is drawn evenly by its logarithm; nil when ten in
/// succession do not fit into the image.
private func randomRegion(
    height: Int, width: Int, area: ClosedRange<Double>, widthByHeight: ClosedRange<Double>, mayFill: Bool,
    _ generator: inout PhiloxGenerator
) -> Augmentation.Region? {
    for _ in 0..<10 {
        let share = area.lowerBound + (area.upperBound - area.lowerBound) * generator.uniform()
        let logarithms = log(widthByHeight.lowerBound)...log(widthByHeight.upperBound)
        let ratio = exp(
            logarithms.lowerBound + (logarithms.upperBound - logarithms.lowerBound) * generator.uniform())
        let pixels = Double(height) * Double(width) * share
        let rows = Int((pixels / ratio).squareRoot().rounded())
        let columns = Int((pixels * ratio).squareRoot().rounded())
        guard rows > 0, columns > 0, rows < height + (mayFill ? 1 : 0), columns < width + (mayFill ? 1 : 0)
        else { continue }
        return Augmentation.Region(
            top: generator.index(below: height - rows + 1), left: generator.index(below: width - columns + 1),
            height: rows, width: columns)
    }
    return nil
}
