/// Which colours stand for numbers from the smallest to the largest: 256 of them.
public enum ColorMap: String, CaseIterable, Hashable, Sendable {
    /// Dark blue over green to yellow, evenly to the eye and also for people who do not tell all colours apart. Of S. van der Walt and
    /// N. Smith, 2015, matplotlib's default.
    case viridis
    /// Black over purple to pale yellow, evenly to the eye. Of the same.
    case magma
    /// Black to white.
    case gray
    /// White to black.
    case grayReversed = "gray_r"
    /// Blue over white to red, for numbers with a sign: give limits of which white is the middle. matplotlib's.
    case seismic
    /// Blue over green and yellow to red, smooth. Of A. Mikhailov, 2019, "Turbo, an improved rainbow colormap for visualization".
    case turbo

    /// The colour of a number from 0 to 1; of what is outside the nearest one, of NaN the first.
    public func callAsFunction(_ share: Double) -> Figure.Color {
        let index = 3 * Self.index(of: share)
        let samples = samples
        return Figure.Color(
            red: Double(samples[index]) / 255, green: Double(samples[index + 1]) / 255,
            blue: Double(samples[index + 2]) / 255)
    }

    /// Which of the 256 colours stands for a number: as in matplotlib each has an interval of the same width.
    static func index(of share: Double) -> Int { share > 0 ? Int(min(share * 256, 255)) : 0 }

    /// Red, green and blue of each colour, from 0 to 255.
    var samples: [UInt8] {
        switch self {
        case .viridis: Self.viridisSamples
        case .magma: Self.magmaSamples
        case .turbo: Self.turboSamples
        case .gray: Self.graySamples
        case .grayReversed: Self.graySamples.reversed()
        case .seismic: Self.seismicSamples
        }
    }

    private static let viridisSamples = bytes(viridisHex)
    private static let magmaSamples = bytes(magmaHex)
    private static let turboSamples = bytes(turboHex)
    private static let graySamples = (0..<256).flatMap { [UInt8($0), UInt8($0), UInt8($0)] }

    /// Straight between five colours at equal distances.
    private static let seismicSamples: [UInt8] = {
        let stops: [[Double]] = [[0, 0, 0.3], [0, 0, 1], [1, 1, 1], [1, 0, 0], [0.5, 0, 0]]
        return (0..<256).flatMap { index in
            let place = Double(index) / 255 * 4
            let stop = min(Int(place), 3)
            let share = place - Double(stop)
            return (0..<3).map { channel in
                // Rounded down after a step of 256, as matplotlib makes bytes of colours.
                let value = stops[stop][channel] * (1 - share) + stops[stop + 1][channel] * share
                return UInt8(min(value * 255, 255))
            }
        }
    }()

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap { digit -> UInt8? in
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
            default: nil
            }
        }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
