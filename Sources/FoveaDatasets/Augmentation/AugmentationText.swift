import FoveaGraph

/// As on the command line: `rotation=40,shift=0.2,zoom=0.2,flip=horizontal`.
extension Augmentation: CustomStringConvertible {
    /// Options in the form in which ``init(parsing:)`` reads them; what ``fit(on:)`` found is not among them.
    public var description: String {
        settings.map { $0.0 + "=" + $0.1 }.joined(separator: ",")
    }

    private var settings: [(String, String)] {
        var settings: [(String, String)] = []
        func add(_ name: String, _ value: Double) {
            if value != 0 { settings.append((name, value.short)) }
        }
        func add(_ name: String, _ range: FactorRange) {
            if range != .none { settings.append((name, range.text)) }
        }
        add("rotation", rotationRange)
        if heightShiftRange == widthShiftRange {
            add("shift", widthShiftRange)
        } else {
            add("width-shift", widthShiftRange)
            add("height-shift", heightShiftRange)
        }
        add("shear", shearRange)
        add("zoom", zoomRange)
        if horizontalFlip || verticalFlip {
            let isBoth = horizontalFlip && verticalFlip
            settings.append(("flip", isBoth ? "both" : horizontalFlip ? "horizontal" : "vertical"))
        }
        switch crop {
        case .random(let size, let padding):
            settings.append(("crop", size.text))
            add("crop-padding", Double(padding))
        case .resized(let size, let area, let aspectRatio):
            settings.append(("resized-crop", size.text))
            settings += [("crop-area", area.text), ("crop-ratio", aspectRatio.text)]
        case nil: break
        }
        if fillMode != .nearest { settings.append(("fill", fillMode.rawValue)) }
        add("fill-value", fillValue)
        if sampling != .bilinear { settings.append(("sampling", sampling.rawValue)) }
        add("channel-shift", channelShiftRange)
        add("brightness", brightnessRange)
        add("contrast", contrastRange)
        add("saturation", saturationRange)
        add("hue", hueRange)
        if let erasing {
            settings += [
                ("erase", erasing.probability.short), ("erase-area", erasing.area.text),
                ("erase-ratio", erasing.aspectRatio.text),
            ]
            add("erase-value", erasing.value)
        }
        if let rescale { settings.append(("rescale", rescale.short)) }
        if let text = Self.places(featurewiseCenter, samplewiseCenter) { settings.append(("center", text)) }
        if let text = Self.places(featurewiseStdNormalization, samplewiseStdNormalization) {
            settings.append(("std", text))
        }
        if zcaWhitening { settings.append(("zca", zcaEpsilon.short)) }
        return settings
    }

    private static func places(_ isFeaturewise: Bool, _ isSamplewise: Bool) -> String? {
        if isFeaturewise { isSamplewise ? "both" : "features" } else { isSamplewise ? "samples" : nil }
    }

    /// Options written as names and values with commas between them, in any order:
    ///
    /// - `rotation`, `shear` in degrees; `shift`, or `width-shift` and `height-shift`, as parts (below 1) or in pixels;
    /// - `zoom`, `brightness`, `contrast`, `saturation`: a number `z` for factors from `1 - z` to `1 + z`, or two factors `0.5:2`;
    /// - `flip`: `horizontal`, `vertical` or `both`;
    /// - `crop`: `32` or `24x32` (height and width), with `crop-padding`; or `resized-crop`, with `crop-area` and `crop-ratio`, two
    ///   numbers `0.25:1` each;
    /// - `fill`: `nearest`, `constant`, `reflect` or `wrap`, with `fill-value`; `sampling`: `bilinear` or `nearest`;
    /// - `channel-shift`, `hue`; `erase` (a probability), with `erase-area`, `erase-ratio` and `erase-value`;
    /// - `rescale`; `center` and `std`: `features`, `samples` or `both`; `zca`, its epsilon.
    ///
    /// - Throws: `DatasetError` for what is no option, is said twice or is out of range.
    public init(parsing text: String) throws(DatasetError) {
        var reader = try OptionReader(text)
        let shift = try reader.number("shift")
        let flip: Flip? = try reader.choice("flip")
        let (center, deviation): (Places?, Places?) = (try reader.choice("center"), try reader.choice("std"))
        let zcaEpsilon = try reader.number("zca")
        try self.init(
            rotationRange: try reader.number("rotation") ?? 0,
            widthShiftRange: try reader.number("width-shift") ?? shift ?? 0,
            heightShiftRange: try reader.number("height-shift") ?? shift ?? 0,
            brightnessRange: try reader.factors("brightness"),
            shearRange: try reader.number("shear") ?? 0,
            zoomRange: try reader.factors("zoom"),
            channelShiftRange: try reader.number("channel-shift") ?? 0,
            fillMode: try reader.choice("fill") ?? .nearest,
            fillValue: try reader.number("fill-value") ?? 0,
            sampling: try reader.choice("sampling") ?? .bilinear,
            horizontalFlip: flip == .horizontal || flip == .both,
            verticalFlip: flip == .vertical || flip == .both,
            contrastRange: try reader.factors("contrast"),
            saturationRange: try reader.factors("saturation"),
            hueRange: try reader.number("hue") ?? 0,
            crop: try reader.crop(),
            erasing: try reader.erasing(),
            rescale: try reader.number("rescale"),
            featurewiseCenter: center == .features || center == .both,
            featurewiseStdNormalization: deviation == .features || deviation == .both,
            samplewiseCenter: center == .samples || center == .both,
            samplewiseStdNormalization: deviation == .samples || deviation == .both,
            zcaWhitening: zcaEpsilon != nil, zcaEpsilon: zcaEpsilon ?? 1e-6)
        try reader.finish()
    }

    private enum Flip: String, CaseIterable { case horizontal, vertical, both }
    private enum Places: String, CaseIterable { case features, samples, both }
}

extension FactorRange {
    fileprivate var text: String { "\(lower.short):\(upper.short)" }
}

extension ClosedRange<Double> {
    fileprivate var text: String { "\(lowerBound.short):\(upperBound.short)" }
}

extension Size2D {
    fileprivate var text: String { "\(height)x\(width)" }
}

/// Names and values, each taken once.
private struct OptionReader {
    private var remaining: [String: String] = [:]
    private var known: [String] = []

    init(_ text: String) throws(DatasetError) {
        if text.isEmpty { return }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.filter { $0 != " " } }
            guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty else {
                throw invalid(
                    "'\(part.prefix(60))' is no option of an augmentation; write name=value with commas between, such as "
                        + "rotation=40,flip=horizontal")
            }
            guard remaining.updateValue(sides[1], forKey: sides[0]) == nil else {
                throw invalid("the augmentation says '\(sides[0].prefix(60))' twice; leave one out")
            }
        }
    }

    private mutating func take<Value>(
        _ name: String, _ expected: String, _ convert: (String) -> Value?
    ) throws(DatasetError) -> Value? {
        known.append(name)
        guard let text = remaining.removeValue(forKey: name) else { return nil }
        guard let value = convert(text) else {
            throw invalid("\(name)=\(text.prefix(60)): expected \(expected)")
        }
        return value
    }

    mutating func number(_ name: String) throws(DatasetError) -> Double? {
        try take(name, "a number") { finite($0) }
    }

    /// Factors that change nothing when the option is not there.
    mutating func factors(_ name: String) throws(DatasetError) -> FactorRange {
        let range = try take(name, "a number z for 1 - z to 1 + z, or two factors such as 0.5:2") { text in
            if let distance = finite(text) { return FactorRange(distance: distance) }
            return pair(text).map { FactorRange($0, $1) }
        }
        return range ?? .none
    }

    private mutating func range(_ name: String) throws(DatasetError) -> ClosedRange<Double>? {
        try take(name, "two numbers, the smaller one first, such as 0.25:1") { text in
            guard let (lower, upper) = pair(text), lower <= upper else { return nil }
            return lower...upper
        }
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String
    ) throws(DatasetError) -> Choice? where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        return try take(name, "one of " + names.joined(separator: ", ")) { Choice(rawValue: $0) }
    }

    private mutating func size(_ name: String) throws(DatasetError) -> Size2D? {
        try take(name, "a number of pixels, or height and width such as 24x32") { text in
            let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
            guard let height = sides[0], let width = sides[sides.count - 1], sides.count <= 2 else {
                return nil
            }
            return Size2D(height, width)
        }
    }

    mutating func crop() throws(DatasetError) -> Augmentation.Crop? {
        let size = try size("crop")
        let resized = try self.size("resized-crop")
        let padding = try take("crop-padding", "a whole number of pixels") { Int($0) }
        let (area, ratio) = (try range("crop-area"), try range("crop-ratio"))
        guard size == nil || resized == nil else {
            throw invalid("an augmentation has one crop; leave out crop or resized-crop")
        }
        guard size != nil || padding == nil else {
            throw invalid("crop-padding needs a crop; say crop=32 too")
        }
        guard resized != nil || (area == nil && ratio == nil) else {
            throw invalid("crop-area and crop-ratio need a resized crop; say resized-crop=32 too")
        }
        if let size { return .random(size: size, padding: padding ?? 0) }
        return resized.map {
            .resized(size: $0, area: area ?? 0.08...1, aspectRatio: ratio ?? 0.75...4 / 3)
        }
    }

    mutating func erasing() throws(DatasetError) -> Augmentation.Erasing? {
        let probability = try number("erase")
        let (area, ratio) = (try range("erase-area"), try range("erase-ratio"))
        let value = try number("erase-value")
        guard let probability else {
            guard area == nil, ratio == nil, value == nil else {
                throw invalid("erase-area, erase-ratio and erase-value need erasing; say erase=0.5 too")
            }
            return nil
        }
        var erasing = Augmentation.Erasing(probability: probability, value: value ?? 0)
        if let area { erasing.area = area }
        if let ratio { erasing.aspectRatio = ratio }
        return erasing
    }

    /// Checks that nothing is left over.
    func finish() throws(DatasetError) {
        guard let name = remaining.keys.min() else { return }
        let advice = adviceOnName(name, among: known.sorted())
        throw invalid("an augmentation has no option '\(name.prefix(60))'; \(advice)")
    }
}

private func finite(_ text: String) -> Double? {
    Double(text).flatMap { $0.isFinite ? $0 : nil }
}

private func pair(_ text: String) -> (Double, Double)? {
    let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { finite(String($0)) }
    guard numbers.count == 2, let lower = numbers[0], let upper = numbers[1] else { return nil }
    return (lower, upper)
}
