/// Where numbers lie along one side of a panel.
struct AxisMap {
    let scale: Panel.Scale
    /// The smallest and the largest number shown; not equal, and positive on a logarithmic scale.
    let limits: ClosedRange<Double>
    /// Where these are, in points: what is smaller may be further right or down.
    var start: Double
    var end: Double

    /// The place of a number in points; nil where it has none: NaN, infinity, and what is not positive on a logarithmic scale.
    func place(_ number: Double) -> Double? {
        guard number.isFinite else { return nil }
        let share: Double
        switch scale {
        case .linear:
            // Halves, because the difference of the largest numbers is infinite.
            share =
                (number / 2 - limits.lowerBound / 2) / (limits.upperBound / 2 - limits.lowerBound / 2)
        case .log:
            guard number > 0 else { return nil }
            let low = logarithm10(limits.lowerBound)
            share = (logarithm10(number) - low) / (logarithm10(limits.upperBound) - low)
        }
        // Far outside is as good as further outside, and can be drawn.
        let place = start + max(-1e4, min(share, 1e4)) * (end - start)
        return place.isFinite ? place : nil
    }

    /// How far apart numbers with a distance of 1 are; on a linear scale.
    var unit: Double { (end - start).magnitude / (limits.upperBound - limits.lowerBound) }
}

/// What marks want to be seen of an axis.
struct AxisExtent: Equatable {
    var low = Double.infinity
    var high = -Double.infinity
    /// Edges that the axis ends at exactly: an image's, and the base of bars.
    var edges: [Double] = []

    var isEmpty: Bool { low > high }

    init() {}

    /// What has a place on the scale.
    init(_ numbers: some Sequence<Double>, _ scale: Panel.Scale) {
        for number in numbers where number.isFinite && (scale == .linear || number > 0) {
            low = min(low, number)
            high = max(high, number)
        }
    }

    mutating func formUnion(_ other: AxisExtent) {
        low = min(low, other.low)
        high = max(high, other.high)
        edges += other.edges
    }

    /// The limits of an axis that shows all of it, with a twentieth more at either end as matplotlib has it.
    func limits(_ scale: Panel.Scale, chosen: ClosedRange<Double>?) -> ClosedRange<Double> {
        if let chosen { return chosen }
        guard !isEmpty else { return scale == .log ? 1...10 : 0...1 }
        var (low, high) = (low, high)
        if scale == .log {
            let (bottom, top) = (logarithm10(low), logarithm10(high))
            let margin = top - bottom < 1e-9 ? 0.5 : 0.05 * (top - bottom)
            low = edges.contains(low) ? low : max(power(10, bottom - margin), .leastNormalMagnitude)
            high = edges.contains(high) ? high : min(power(10, top + margin), .greatestFiniteMagnitude)
            return low < high ? low...high : low...(low * 10)
        }
        let size = max(low.magnitude, high.magnitude)
        if high / 2 - low / 2 <= size * 1e-12 {
            let margin = size < 1e-300 ? 1 : size / 2
            return (low - margin)...min(high + margin, .greatestFiniteMagnitude)
        }
        let margin = 0.1 * (high / 2 - low / 2)
        if !edges.contains(low) { low = max(low - margin, -.greatestFiniteMagnitude) }
        if !edges.contains(high) { high = min(high + margin, .greatestFiniteMagnitude) }
        return low...high
    }
}
