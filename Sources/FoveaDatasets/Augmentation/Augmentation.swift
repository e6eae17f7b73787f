import FoveaGraph

/// Random changes of images that leave what they show: more varied training data from few pictures.
///
/// The options have the names, meanings and defaults of Keras's `ImageDataGenerator`, and some of torchvision's
/// transforms are added. All changes of place are combined into one map, so pixels are interpolated once.
///
/// ```swift
/// let augmentation = try Augmentation(
///     rotationRange: 40, widthShiftRange: 0.2, heightShiftRange: 0.2, shearRange: 0.2, zoomRange: 0.2,
///     horizontalFlip: true)
/// let varied = try augmentation.augmented(image, index: 17, epoch: 3, seed: 1)
/// ```
///
/// What is drawn for an image depends on the seed, the epoch and the image's number only, so any number of threads
/// may work on any images in any order. The changes come in this order: rotation, shift, shear and zoom as one map
/// (``AffineMap``), flips, crop; channel shift, brightness, contrast, saturation, hue; erasing; and the
/// standardization, which is the same for all images.
public struct Augmentation: Hashable, Sendable {
    // MARK: Place

    /// Images are rotated by `-rotationRange … rotationRange` degrees.
    public let rotationRange: Double
    /// Images move left or right by up to this part of their width, or, from 1 on, by up to as many pixels.
    public let widthShiftRange: Double
    /// Images move up or down by up to this part of their height, or, from 1 on, by up to as many pixels.
    public let heightShiftRange: Double
    /// Images are sheared by `-shearRange … shearRange` degrees.
    public let shearRange: Double
    /// Height and width are zoomed by a factor each; more than 1 makes what is shown smaller.
    public let zoomRange: FactorRange
    /// Whether half of the images show left and right exchanged.
    public let horizontalFlip: Bool
    /// Whether half of the images show above and below exchanged.
    public let verticalFlip: Bool
    /// Which part of the image is taken; the whole when nil.
    public let crop: Crop?
    /// What is shown where the image does not reach.
    public let fillMode: FillMode
    /// The value for `FillMode.constant`, in the units of the pixels.
    public let fillValue: Double
    /// How pixels between pixels come about.
    public let sampling: Sampling

    // MARK: Colour

    /// All pixels become higher or lower by the same number of up to this, in the units of the pixels; none exceeds the
    /// image's smallest and largest values.
    public let channelShiftRange: Double
    /// Pixels are multiplied by a factor.
    public let brightnessRange: FactorRange
    /// Distances of pixels from the image's mean grey are multiplied by a factor.
    public let contrastRange: FactorRange
    /// Distances of colours from the grey of equal lightness are multiplied by a factor.
    public let saturationRange: FactorRange
    /// Colours move along the colour circle by `-hueRange … hueRange` of its whole; at most 0.5.
    public let hueRange: Double
    /// Whether a part of the image is hidden; none when nil.
    public let erasing: Erasing?

    // MARK: The same for all images

    /// Every pixel is multiplied by this first; not when nil.
    public let rescale: Double?
    /// The mean of each channel over the data is subtracted.
    public let featurewiseCenter: Bool
    /// Each channel is divided by its standard deviation over the data.
    public let featurewiseStdNormalization: Bool
    /// The mean of the image is subtracted.
    public let samplewiseCenter: Bool
    /// Pixels are divided by the standard deviation of the image.
    public let samplewiseStdNormalization: Bool
    /// Pixels are made uncorrelated over the data.
    public let zcaWhitening: Bool
    /// Added to each singular value that whitening divides by.
    public let zcaEpsilon: Double

    /// What ``fit(on:)`` found in the data.
    public internal(set) var statistics: Statistics?

    /// Unless said, an option changes nothing. As in Keras, whitening implies `featurewiseCenter` and replaces
    /// `featurewiseStdNormalization`, and dividing by a standard deviation implies centring in the same way.
    ///
    /// - Parameters:
    ///   - rotationRange: degrees, from 0.
    ///   - widthShiftRange: less than 1: a part of the width; otherwise pixels.
    ///   - heightShiftRange: less than 1: a part of the height; otherwise pixels.
    ///   - brightnessRange: factors; `0.2` and `[0.8, 1.2]` are the same.
    ///   - shearRange: degrees, from 0.
    ///   - zoomRange: positive factors; `0.2` and `[0.8, 1.2]` are the same.
    ///   - channelShiftRange: in the units of the pixels, from 0.
    ///   - fillMode: what is shown where the image does not reach.
    ///   - fillValue: the value for `FillMode.constant`, Keras's `cval`.
    ///   - sampling: how pixels between pixels come about, Keras's `interpolation_order`.
    ///   - horizontalFlip: whether half of the images show left and right exchanged.
    ///   - verticalFlip: whether half of the images show above and below exchanged.
    ///   - contrastRange: factors; for images of one or three channels, others are refused.
    ///   - saturationRange: factors; for images of three channels. Grey ones stay as they are, others are refused.
    ///   - hueRange: part of the colour circle, 0 to 0.5; for images of three channels. Grey ones stay as they are, others are
    ///     refused.
    ///   - crop: which part is taken; the result has the crop's size.
    ///   - erasing: how a part of the image is hidden.
    ///   - rescale: a factor for all pixels.
    ///   - featurewiseCenter: whether the mean of each channel over the data is subtracted; needs ``fit(on:)``.
    ///   - featurewiseStdNormalization: whether each channel is divided by its deviation over the data; needs ``fit(on:)``.
    ///   - samplewiseCenter: whether the mean of the image is subtracted.
    ///   - samplewiseStdNormalization: whether pixels are divided by the deviation of the image.
    ///   - zcaWhitening: whether pixels are made uncorrelated over the data; needs ``fit(on:)``.
    ///   - zcaEpsilon: added to each singular value that whitening divides by.
    /// - Throws: `DatasetError` for numbers that are not finite or outside their range.
    public init(
        rotationRange: Double = 0, widthShiftRange: Double = 0, heightShiftRange: Double = 0,
        brightnessRange: FactorRange = .none, shearRange: Double = 0, zoomRange: FactorRange = .none,
        channelShiftRange: Double = 0, fillMode: FillMode = .nearest, fillValue: Double = 0,
        sampling: Sampling = .bilinear, horizontalFlip: Bool = false, verticalFlip: Bool = false,
        contrastRange: FactorRange = .none, saturationRange: FactorRange = .none, hueRange: Double = 0,
        crop: Crop? = nil, erasing: Erasing? = nil, rescale: Double? = nil,
        featurewiseCenter: Bool = false, featurewiseStdNormalization: Bool = false,
        samplewiseCenter: Bool = false, samplewiseStdNormalization: Bool = false,
        zcaWhitening: Bool = false, zcaEpsilon: Double = 1e-6
    ) throws(DatasetError) {
        self.rotationRange = rotationRange
        self.widthShiftRange = widthShiftRange
        self.heightShiftRange = heightShiftRange
        self.brightnessRange = brightnessRange
        self.shearRange = shearRange
        self.zoomRange = zoomRange
        self.channelShiftRange = channelShiftRange
        self.fillMode = fillMode
        self.fillValue = fillValue
        self.sampling = sampling
        self.horizontalFlip = horizontalFlip
        self.verticalFlip = verticalFlip
        self.contrastRange = contrastRange
        self.saturationRange = saturationRange
        self.hueRange = hueRange
        self.crop = crop
        self.erasing = erasing
        self.rescale = rescale
        self.featurewiseCenter = featurewiseCenter || featurewiseStdNormalization || zcaWhitening
        self.featurewiseStdNormalization = featurewiseStdNormalization && !zcaWhitening
        self.samplewiseCenter = samplewiseCenter || samplewiseStdNormalization
        self.samplewiseStdNormalization = samplewiseStdNormalization
        self.zcaWhitening = zcaWhitening
        self.zcaEpsilon = zcaEpsilon
        try check()
    }

    // MARK: Checks

    /// Numbers beyond this make no sense as pixels or degrees, and squares of them are still exact enough.
    private static let limit = 1e6

    private func check() throws(DatasetError) {
        for (name, value, upper) in [
            ("rotationRange", rotationRange, Self.limit), ("widthShiftRange", widthShiftRange, Self.limit),
            ("heightShiftRange", heightShiftRange, Self.limit), ("shearRange", shearRange, 89),
            ("channelShiftRange", channelShiftRange, Self.limit), ("hueRange", hueRange, 0.5),
            ("zcaEpsilon", zcaEpsilon, Self.limit),
        ] {
            guard (0...upper).contains(value) else {
                throw invalid("\(name) must be from 0 to \(upper.short), not \(value.short)")
            }
        }
        for (name, range) in [
            ("brightnessRange", brightnessRange), ("contrastRange", contrastRange),
            ("saturationRange", saturationRange), ("zoomRange", zoomRange),
        ] {
            guard range.lower >= 0, range.lower <= range.upper, range.upper <= Self.limit else {
                throw invalid(
                    "\(name) must be two factors from 0 to \(Self.limit.short), the smaller one first, not "
                        + "\(range.lower.short) and \(range.upper.short)")
            }
        }
        guard zoomRange.lower > 0 else {
            throw invalid(
                "zoomRange must be two positive factors, not \(zoomRange.lower.short) and \(zoomRange.upper.short); a "
                    + "single number z means 1 - z to 1 + z and must be less than 1")
        }
        for (name, value) in [("fillValue", fillValue), ("rescale", rescale ?? 1)]
        where !Float(value).isFinite {
            throw invalid("\(name) must be finite, not \(value)")
        }
        try crop?.check()
        try erasing?.check()
    }
}

/// Two factors between which one is drawn: `[0.8, 1.2]`, or `0.2` for the same; 1 changes nothing.
public struct FactorRange: Hashable, Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral
{
    public let lower: Double
    public let upper: Double

    /// From 1 to 1.
    public static let none = FactorRange(1, 1)

    public init(_ lower: Double, _ upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    /// From `1 - distance`, but not below 0 where `distance` is more than 1, to `1 + distance`.
    public init(distance: Double) { self.init(max(0, 1 - distance), 1 + distance) }

    public init(floatLiteral distance: Double) { self.init(distance: distance) }
    public init(integerLiteral distance: Int) { self.init(distance: Double(distance)) }

    /// The smaller and the larger factor. Another number of elements is refused by what the range is given to.
    public init(arrayLiteral elements: Double...) {
        let isPair = elements.count == 2
        self.init(isPair ? elements[0] : .nan, isPair ? elements[1] : .nan)
    }

    /// What the number `u` from `0..<1` stands for.
    func value(at u: Double) -> Double { lower == upper ? lower : lower + (upper - lower) * u }
}

func invalid(_ message: String) -> DatasetError { DatasetError(.invalidArgument, message) }

extension Double {
    /// Without `.0` after whole numbers.
    var short: String {
        let text = "\(self)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
