/// The ticks of one axis and what the texts beside them take up.
struct AxisLabels {
    var ticks: Ticks
    /// In degrees: texts below an axis lean when they have no room beside each other.
    var angle = 0.0
    private(set) var sizes: [TextSize] = []

    /// - Parameters:
    ///   - length: of the axis, about, in points.
    init(
        _ wanted: Panel.Ticks, _ limits: ClosedRange<Double>, _ scale: Panel.Scale, length: Double,
        isVertical: Bool, _ canvas: Canvas
    ) {
        let most = isVertical ? min(9, Int(length / 18)) : 9
        switch wanted {
        case .none: ticks = Ticks()
        case .labels(let texts, let places):
            let seen = zip(places, texts).filter { limits.contains($0.0) }
            ticks = Ticks(places: seen.map(\.0), labels: seen.map(\.1))
            measure(canvas)
            fitTexts(length, isVertical: isVertical, canvas)
            return
        case .automatic, .integers:
            ticks = Self.numbers(limits, scale, count: max(1, most), areIntegers: wanted == .integers)
        }
        measure(canvas)
        guard !isVertical else { return }
        // Fewer where they would run into each other.
        var count = most
        while count > 1, isCrowded(length) {
            count -= 1
            ticks = Self.numbers(limits, scale, count: count, areIntegers: wanted == .integers)
            measure(canvas)
        }
    }

    private static func numbers(
        _ limits: ClosedRange<Double>, _ scale: Panel.Scale, count: Int, areIntegers: Bool
    ) -> Ticks {
        scale == .log
            ? LogTicks(limits: limits, count: count).ticks
            : LinearTicks(limits, count: count, areIntegers: areIntegers).ticks
    }

    private mutating func measure(_ canvas: Canvas) {
        sizes = ticks.labels.map { canvas.size(of: $0, .tickLabel) }
    }

    private func isCrowded(_ length: Double) -> Bool {
        sizes.reduce(0) { $0 + $1.width + 8 } > length
    }

    /// Lets texts lean, and leaves some out where even so there are too many.
    private mutating func fitTexts(_ length: Double, isVertical: Bool, _ canvas: Canvas) {
        let lineHeight = (sizes.map(\.height).max() ?? 0) + 1
        guard !sizes.isEmpty, lineHeight > 1 else { return }
        let room = length / Double(sizes.count)
        if !isVertical, (sizes.map(\.width).max() ?? 0) + 6 > room { angle = 45 }
        guard isVertical || angle != 0, lineHeight > room * 1.05 else { return }
        let stride = Int((lineHeight / max(room, 0.01)).rounded(.up))
        let kept = Swift.stride(from: 0, to: sizes.count, by: stride)
        ticks.labels = kept.map { ticks.labels[$0] }
        ticks.places = kept.map { ticks.places[$0] }
        measure(canvas)
    }

    /// How far they reach from an axis at the left.
    var width: Double { sizes.map(\.width).max() ?? 0 }

    /// How far they reach from an axis below.
    var height: Double {
        sizes.map { angle == 0 ? $0.height : ($0.width + $0.height) * 0.7072 }.max() ?? 0
    }

    /// How far texts that lean reach to the left of their tick.
    var overhang: Double { angle == 0 ? 0 : (sizes.first.map { $0.width * 0.7072 } ?? 0) }
}
