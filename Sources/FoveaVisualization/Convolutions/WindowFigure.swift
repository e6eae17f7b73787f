import FoveaGraph
import FoveaPictures
import FoveaSignal

/// A window at one of its positions on an image, and the output so far: what convolutions and poolings have in common.
struct WindowFigure {
    let image: TensorValue
    let window: Size2D
    /// The window's upper left pixel, for each position; outside of the image where negative.
    let places: [(top: Int, left: Int)]
    let output: TensorValue

    /// Numbers are written into the cells of images with sides of at most so many pixels.
    private static let largestWrittenSide = 12

    /// The image, with the window as a frame.
    func imagePanel(at step: Int) -> Panel {
        let (top, left) = places[step]
        var panel = Panel(title: "image", [Self.cells(image), frame(top, left)])
        let (rows, columns) = (image.shape[0], image.shape[1])
        // All that any window sees, so that the picture does not jump while the window moves.
        let (tops, lefts) = (places.map(\.top), places.map(\.left))
        panel.yLimits = Self.limits(tops.min() ?? 0, (tops.max() ?? 0) + window.height, rows)
        panel.xLimits = Self.limits(lefts.min() ?? 0, (lefts.max() ?? 0) + window.width, columns)
        panel.hasAxes = false
        return panel
    }

    /// The output so far: what has not been computed yet is empty.
    func outputPanel(at step: Int) -> Panel {
        let numbers = output.floats
        let known = numbers.indices.map { $0 <= step ? numbers[$0] : .nan }
        let width = output.shape[1]
        let seen = TensorValue(shape: output.shape, dtype: .float32, doubles: known.map(Double.init))
        var panel = Panel(
            title: "output so far",
            [
                Self.cells(seen, limits: Self.limits(of: output)),
                outline(step / width, step % width, Size2D(1, 1)),
            ])
        panel.hasAxes = false
        return panel
    }

    /// Numbers as coloured cells, written into them where they are few.
    static func cells(
        _ numbers: TensorValue, colorMap: ColorMap = .gray, limits: ClosedRange<Double>? = nil
    ) -> Mark {
        let limits = limits ?? Self.limits(of: numbers)
        return numbers.shape.dimensions.allSatisfy { $0 <= largestWrittenSide }
            ? .matrix(numbers, colorMap: colorMap, limits: limits)
            : .image(numbers, colorMap: colorMap, limits: limits)
    }

    /// Zero is in the middle, and the ends, whose colours are dark, are a little beyond the largest magnitude.
    static func balancedLimits(of numbers: TensorValue) -> ClosedRange<Double> {
        let largest = numbers.floats.filter(\.isFinite).map { Double($0.magnitude) }.max() ?? 0
        return largest > 0 ? -1.3 * largest...1.3 * largest : -1...1
    }

    private static func limits(of numbers: TensorValue) -> ClosedRange<Double> {
        let finite = numbers.floats.filter(\.isFinite).map(Double.init)
        guard let least = finite.min(), let largest = finite.max() else { return 0...1 }
        return least < largest ? least...largest : least - 0.5...largest + 0.5
    }

    private static func limits(_ first: Int, _ end: Int, _ extent: Int) -> ClosedRange<Double> {
        Double(min(first, 0)) - 0.6...Double(max(end, extent)) - 0.4
    }

    private func frame(_ top: Int, _ left: Int) -> Mark { outline(top, left, window) }

    /// A frame around cells.
    private func outline(_ top: Int, _ left: Int, _ size: Size2D) -> Mark {
        let (x, y) = (Double(left) - 0.5, Double(top) - 0.5)
        return .rectangle(
            x: x...x + Double(size.width), y: y...y + Double(size.height), color: Figure.Color(0xE4_1A1C),
            width: 2.5)
    }
}
