/// Places on an axis with their labels.
struct Ticks: Equatable {
    var places: [Double] = []
    var labels: [String] = []
    /// Places of short marks without labels.
    var minor: [Double] = []
    /// What all labels are to be multiplied by, as `×10⁻³`; empty for 1.
    var multiplier = ""
}

/// Round places on a linear axis: multiples of 1, 2, 2.5 or 5 times a power of ten.
struct LinearTicks {
    /// Ten times what a power of ten is multiplied by, so that it is whole.
    private static let mantissas = [10, 20, 25, 50]

    private let mantissa: Int
    private let exponent: Int
    private let limits: ClosedRange<Double>

    /// The smallest steps of which there are at most so many in the limits.
    ///
    /// - Parameters:
    ///   - limits: finite and not equal.
    ///   - count: how many intervals; positive.
    ///   - areIntegers: whether only whole numbers have ticks.
    init(_ limits: ClosedRange<Double>, count: Int, areIntegers: Bool = false) {
        self.limits = limits
        // Halves, because the difference of the largest numbers is infinite.
        let raw = 2 * ((limits.upperBound / 2 - limits.lowerBound / 2) / Double(count))
        var exponent = -320
        if raw.isFinite, raw > 0 { exponent = Int(logarithm10(raw).rounded(.down)) }
        if areIntegers { exponent = max(exponent, 0) }
        var mantissa = 10
        search: for candidate in exponent...(exponent + 2) {
            for number in Self.mantissas {
                if areIntegers, candidate == 0, number == 25 { continue }
                (mantissa, exponent) = (number, candidate)
                // A little more than the range counts as the range.
                let step = Double(number) * powerOfTen(candidate - 1) * (1 + 1e-9)
                if step >= raw { break search }
            }
        }
        self.mantissa = mantissa
        self.exponent = exponent
    }

    /// The distance of neighbours.
    var step: Double { Double(mantissa) * powerOfTen(exponent - 1) }

    var places: [Double] {
        let (step, tolerance) = (step, 1e-9)
        guard step > 0, step.isFinite else { return [] }
        let first = (limits.lowerBound / step - tolerance).rounded(.up)
        let last = (limits.upperBound / step + tolerance).rounded(.down)
        // Limits that differ in their last digits only have no round numbers between them.
        guard first.magnitude < 1e15, last.magnitude < 1e15, last >= first, last - first < 1_000 else {
            return []
        }
        return (0...Int(last - first)).map { index in
            let multiple = (first + Double(index)) * Double(mantissa)
            // Dividing gives the decimal fraction itself, as 3 / 10, not 3 × 0.1.
            return exponent >= 1 || exponent < -300
                ? multiple * powerOfTen(exponent - 1) : multiple / powerOfTen(1 - exponent)
        }
    }

    var ticks: Ticks {
        let places = places
        let largest = places.map(\.magnitude).max() ?? 0
        var shift = 0
        if largest >= 1e6 || (largest > 0 && largest < 1e-3) {
            shift = Int(logarithm10(largest).rounded(.down))
        }
        // The last digit of a step is that of its mantissa, which is ten times too large.
        let lastDigit = mantissa % 10 == 0 ? exponent : exponent - 1
        let decimals = max(0, shift - lastDigit)
        let labels = places.map { place in
            let scaled =
                shift == 0 ? place : shift > 0 ? place / powerOfTen(shift) : place * powerOfTen(-shift)
            return fixedPoint(scaled, decimals: decimals)
        }
        return Ticks(places: places, labels: labels, multiplier: shift == 0 ? "" : "×10\(raised(shift))")
    }
}

/// Powers of ten on a logarithmic axis; within one of them also their multiples by 2 and 5.
struct LogTicks {
    let limits: ClosedRange<Double>
    /// How many labels there is room for.
    let count: Int

    var ticks: Ticks {
        let low = logarithm10(limits.lowerBound)
        let high = logarithm10(limits.upperBound)
        let (first, last) = (Int((low - 1e-9).rounded(.up)), Int((high + 1e-9).rounded(.down)))
        let decades = max(0, last - first + 1)
        if decades < 2 { return narrow(low, high) }
        let stride = max(1, Int((Double(decades) / Double(max(1, count))).rounded(.up)))
        let powers = Swift.stride(from: first, through: last, by: stride).map { $0 }
        let minor =
            decades > 12
            ? [] : ((first - 1)...last).flatMap { power in (2...9).map { Double($0) * powerOfTen(power) } }
        let isPlain = first >= -3 && last <= 4
        return Ticks(
            places: powers.map(powerOfTen),
            labels: powers.map { isPlain ? fixedPoint(powerOfTen($0), decimals: -$0) : "10\(raised($0))" },
            minor: minor.filter(limits.contains))
    }

    /// Less than two powers of ten: multiples, or round numbers where not even these are in the limits.
    private func narrow(_ low: Double, _ high: Double) -> Ticks {
        let powers = Int(low.rounded(.down))...Int(high.rounded(.up))
        let multiples = powers.flatMap { power in [1, 2, 5].map { ($0, power) } }
            .filter { limits.contains(Double($0.0) * powerOfTen($0.1)) }
        guard multiples.count > 1 else { return LinearTicks(limits, count: count).ticks }
        let isPlain = powers.lowerBound >= -4 && powers.upperBound <= 5
        return Ticks(
            places: multiples.map { Double($0.0) * powerOfTen($0.1) },
            labels: multiples.map { multiple, power in
                if isPlain { return fixedPoint(Double(multiple) * powerOfTen(power), decimals: -power) }
                return (multiple == 1 ? "" : "\(multiple)×") + "10\(raised(power))"
            },
            minor: powers.flatMap { power in (2...9).map { Double($0) * powerOfTen(power) } }
                .filter(limits.contains))
    }
}

/// Exact as far as a number can be; 0 or infinity beyond.
func powerOfTen(_ exponent: Int) -> Double {
    // Powers up to 22 are numbers.
    if (0...22).contains(exponent) { return (0..<exponent).reduce(1) { power, _ in power * 10 } }
    return power(10, Double(exponent))
}
