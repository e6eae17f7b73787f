import FoveaGraph

extension Augmentation {
    /// What is done to one image. Unless changed, nothing.
    public struct Parameters: Hashable, Sendable {
        /// Degrees; a positive angle turns counterclockwise. Keras's `theta`.
        public var rotation = 0.0
        /// Pixels; a positive number moves the image up. Keras's `ty`.
        public var rowShift = 0.0
        /// Pixels; a positive number moves the image to the left. Keras's `tx`.
        public var columnShift = 0.0
        /// Degrees.
        public var shear = 0.0
        /// More than 1 makes the image lower. Keras's `zy`.
        public var rowZoom = 1.0
        /// More than 1 makes the image narrower. Keras's `zx`.
        public var columnZoom = 1.0
        /// Whether left and right are exchanged.
        public var flipsHorizontally = false
        /// Whether above and below are exchanged.
        public var flipsVertically = false
        /// The part that is taken and made as large as the crop, or as the image without one; the whole when nil.
        public var region: Region?
        /// Added to all pixels, none of which exceeds the image's extremes.
        public var channelShift = 0.0
        /// Pixels are multiplied by it.
        public var brightness = 1.0
        /// Distances from the image's mean grey are multiplied by it.
        public var contrast = 1.0
        /// Distances from each pixel's grey are multiplied by it.
        public var saturation = 1.0
        /// Part of the colour circle that colours move by, -0.5 to 0.5.
        public var hue = 0.0
        /// The part of the result that is hidden; none when nil.
        public var erased: Region?

        public init() {}
    }

    /// What is done to an image in an epoch: numbers that depend on nothing but the arguments and the options. Each
    /// option has its own random numbers, so the others keep theirs when one is changed.
    ///
    /// - Parameters:
    ///   - index: the number of the image among the data, from 0.
    ///   - epoch: from 0; the same image is changed in another way in each.
    ///   - seed: chooses the random numbers.
    ///   - height: that of the image, in pixels.
    ///   - width: that of the image, in pixels.
    /// - Throws: `DatasetError` when a crop does not fit into the image.
    public func parameters(
        for index: Int, epoch: Int, seed: UInt64, height: Int, width: Int
    ) throws(DatasetError) -> Parameters {
        guard height > 0, width > 0 else {
            throw invalid("an image of \(height)×\(width) pixels cannot be changed; both must be positive")
        }
        func numbers(_ stream: Stream) -> PhiloxGenerator {
            let step = UInt64(truncatingIfNeeded: epoch) << 32 | UInt64(UInt32(truncatingIfNeeded: index))
            return PhiloxGenerator(seed: seed, stream: stream.rawValue, step: step)
        }
        var generator = numbers(.changes)
        func between(_ range: Double) -> Double {
            let u = generator.uniform()
            return range == 0 ? 0 : range * (2 * u - 1)
        }
        func pixels(_ range: Double, _ extent: Int) -> Double {
            between(range < 1 ? range * Double(extent) : range)
        }
        var parameters = Parameters()
        parameters.rotation = between(rotationRange)
        parameters.rowShift = pixels(heightShiftRange, height)
        parameters.columnShift = pixels(widthShiftRange, width)
        parameters.shear = between(shearRange)
        parameters.rowZoom = zoomRange.value(at: generator.uniform())
        parameters.columnZoom = zoomRange.value(at: generator.uniform())
        parameters.flipsHorizontally = generator.uniform() < 0.5 && horizontalFlip
        parameters.flipsVertically = generator.uniform() < 0.5 && verticalFlip
        parameters.channelShift = between(channelShiftRange)
        parameters.brightness = brightnessRange.value(at: generator.uniform())
        parameters.contrast = contrastRange.value(at: generator.uniform())
        parameters.saturation = saturationRange.value(at: generator.uniform())
        parameters.hue = between(hueRange)
        let size = crop?.size ?? Size2D(height, width)
        if let crop {
            var generator = numbers(.crop)
            parameters.region = try crop.region(height: height, width: width, &generator)
        }
        if let erasing {
            var generator = numbers(.erasing)
            if generator.uniform() < erasing.probability {
                parameters.erased = erasing.region(height: size.height, width: size.width, &generator)
            }
        }
        return parameters
    }

    /// Names of the uses of random numbers, in ASCII.
    private enum Stream: UInt32 {
        case changes = 0x6175_676D  // "augm"
        case crop = 0x6372_6F70  // "crop"
        case erasing = 0x6572_6173  // "eras"
    }

    /// Where the result's pixels are looked up.
    func map(_ parameters: Parameters, for image: FloatImage) -> AffineMap {
        let (height, width) = (image.height, image.width)
        let flips = AffineMap(
            flipsHorizontally: parameters.flipsHorizontally, flipsVertically: parameters.flipsVertically,
            height: height, width: width)
        let region = parameters.region ?? Region(top: 0, left: 0, height: height, width: width)
        let size = resultSize(image)
        return AffineMap(
            rotation: parameters.rotation, rowShift: parameters.rowShift,
            columnShift: parameters.columnShift, shear: parameters.shear, rowZoom: parameters.rowZoom,
            columnZoom: parameters.columnZoom, center: image.center
        ).after(flips).after(AffineMap(region: region, height: size.height, width: size.width))
    }

    private func resultSize(_ image: FloatImage) -> Size2D { crop?.size ?? Size2D(image.height, image.width) }

    /// An image changed in a given way, not yet standardized. Pixels are interpolated once.
    ///
    /// - Throws: `DatasetError` when a number is not finite, a region is empty, or the image has other than one or three
    ///   channels and its colours are to be changed.
    public func applied(
        to image: FloatImage, _ parameters: Parameters
    ) throws(DatasetError) -> FloatImage {
        try parameters.check()
        let size = resultSize(image)
        let warped = image.warped(
            by: map(parameters, for: image), height: size.height, width: size.width, fillMode: fillMode,
            fillValue: Float(fillValue), sampling: sampling)
        var colors = ColorAdjustment(warped)
        if parameters.channelShift != 0 { colors.shift(by: Float(parameters.channelShift)) }
        if parameters.brightness != 1 { colors.changeBrightness(Float(parameters.brightness)) }
        if parameters.contrast != 1 { try colors.changeContrast(Float(parameters.contrast)) }
        if parameters.saturation != 1 { try colors.changeSaturation(Float(parameters.saturation)) }
        if parameters.hue != 0 { try colors.changeHue(Float(parameters.hue)) }
        if let erased = parameters.erased { colors.fill(erased, with: Float(erasing?.value ?? 0)) }
        return colors.image
    }

    /// An image as the training of an epoch sees it: changed by what is drawn for it, and standardized.
    ///
    /// - Parameters:
    ///   - image: one image.
    ///   - index: its number among the data, from 0.
    ///   - epoch: from 0; the same image is changed in another way in each.
    ///   - seed: chooses the random numbers.
    /// - Throws: `DatasetError` when a crop does not fit into the image, statistics are needed and ``fit(on:)`` was not
    ///   called, or the image has other than one or three channels and its colours are to be changed.
    public func augmented(
        _ image: FloatImage, index: Int, epoch: Int, seed: UInt64
    ) throws(DatasetError) -> FloatImage {
        let parameters = try parameters(
            for: index, epoch: epoch, seed: seed, height: image.height, width: image.width)
        return try standardized(applied(to: image, parameters))
    }
}

extension Augmentation.Parameters {
    fileprivate func check() throws(DatasetError) {
        let numbers = [
            rotation, rowShift, columnShift, shear, rowZoom, columnZoom, channelShift, brightness, contrast,
            saturation, hue,
        ]
        guard numbers.allSatisfy({ Float($0).isFinite }) else {
            throw invalid("an image cannot be changed by numbers that are not finite: \(self)")
        }
        guard abs(hue) <= 0.5 else {
            throw invalid("colours cannot move by \(hue.short) of their circle; hue is from -0.5 to 0.5")
        }
        for region in [region, erased].compactMap(\.self) {
            let (places, extents) = (-1_000_000...1_000_000, 1...1_000_000)
            guard places.contains(region.top), places.contains(region.left),
                extents.contains(region.height), extents.contains(region.width)
            else { throw invalid("no region of an image is \(region)") }
        }
    }
}
