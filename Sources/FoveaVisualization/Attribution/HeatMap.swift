import FoveaGraph

/// A number for each place of an image: what maps are made of.
struct HeatMap: Sendable {
    var height: Int
    var width: Int
    /// Row by row.
    var elements: [Float]

    init(height: Int, width: Int, _ elements: [Float]) {
        self.height = height
        self.width = width
        self.elements = elements
    }

    var value: TensorValue { TensorValue(unchecked: [height, width], .float32(elements)) }

    /// Bilinear interpolation where pixel `i` of `n` lies at `(i + 0.5) / n` of the side, as TensorFlow's `resize` without
    /// antialiasing. Beyond the outermost middles their values go on.
    func resized(to size: Size2D) -> HeatMap {
        if size == Size2D(height, width) { return self }
        let rows = Self.places(from: height, to: size.height)
        let columns = Self.places(from: width, to: size.width)
        var result: [Float] = []
        result.reserveCapacity(size.height * size.width)
        for row in rows {
            let (above, below) = (row.first * width, row.second * width)
            for column in columns {
                let top = elements[above + column.first]
                let bottom = elements[below + column.first]
                let topEnd = elements[above + column.second]
                let bottomEnd = elements[below + column.second]
                let left = top + (bottom - top) * row.share
                let right = topEnd + (bottomEnd - topEnd) * row.share
                result.append(left + (right - left) * column.share)
            }
        }
        return HeatMap(height: size.height, width: size.width, result)
    }

    /// For each pixel of the result the two that it lies between, and how near it is to the second.
    private static func places(
        from count: Int, to extent: Int
    ) -> [(first: Int, second: Int, share: Float)] {
        (0..<extent).map { index in
            let place = (Double(index) + 0.5) * Double(count) / Double(extent) - 0.5
            let inside = min(max(place, 0), Double(count - 1))
            let first = Int(inside)
            return (first, min(first + 1, count - 1), Float(inside - Double(first)))
        }
    }

    /// Scaled so that the greatest number is 1, or with a sign the greatest magnitude. What has no greatest positive number becomes
    /// zeros.
    func normalized(isSigned: Bool) -> HeatMap {
        let greatest = elements.reduce(0) { max($0, isSigned ? abs($1) : $1) }
        guard greatest > 0 else {
            return HeatMap(height: height, width: width, [Float](repeating: 0, count: elements.count))
        }
        // The quotient of two numbers below the least normal one may be anything.
        return HeatMap(
            height: height, width: width,
            elements.map { isSigned ? $0 / greatest : min(max($0, 0) / greatest, 1) })
    }
}
