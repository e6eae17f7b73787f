extension Augmentation {
    /// What an image shows beyond its border, here of the pixels a b c d.
    public enum FillMode: String, Hashable, Sendable, CaseIterable {
        /// The outermost pixel: `a a a | a b c d | d d d`.
        case nearest
        /// One value, also between the centre of the outermost pixel and its edge: `k k k | a b c d | k k k`.
        case constant
        /// The image in a mirror: `c b a | a b c d | d c b`.
        case reflect
        /// The image again and again, its last pixel in the place of the next one's first, as SciPy has it:
        /// `a b c | a b c d | b c d`.
        case wrap
    }

    /// How pixels between pixels come about.
    public enum Sampling: String, Hashable, Sendable, CaseIterable {
        /// The nearest pixel; of two the later one.
        case nearest
        /// On the straight line between the two nearest pixels, along each axis.
        case bilinear
    }
}

extension FloatImage {
    /// The image turned around its middle; its size stays the same.
    ///
    /// - Parameters:
    ///   - degrees: a positive angle turns counterclockwise.
    ///   - fillMode: what is shown where the image does not reach.
    ///   - fillValue: the value for `.constant`.
    ///   - sampling: how pixels between pixels come about.
    /// - Throws: `DatasetError` when a number is not finite.
    public func rotated(
        degrees: Double, fillMode: Augmentation.FillMode = .nearest, fillValue: Float = 0,
        sampling: Augmentation.Sampling = .bilinear
    ) throws(DatasetError) -> FloatImage {
        guard degrees.isFinite, fillValue.isFinite else {
            throw DatasetError(
                .invalidArgument,
                "an image cannot be rotated by \(degrees)° with the fill value \(fillValue); both must be finite"
            )
        }
        let map = AffineMap(rotation: degrees, center: center)
        return warped(
            by: map, height: height, width: width, fillMode: fillMode, fillValue: fillValue,
            sampling: sampling)
    }

    /// Half-way between the first and the last pixel.
    var center: (row: Double, column: Double) { (Double(height - 1) / 2, Double(width - 1) / 2) }

    /// An image of the given size, each pixel looked up at the place that the map says.
    func warped(
        by map: AffineMap, height: Int, width: Int, fillMode: Augmentation.FillMode, fillValue: Float,
        sampling: Augmentation.Sampling
    ) -> FloatImage {
        if map == .identity, height == self.height, width == self.width { return self }
        let count = height * width * channels
        let result = pixels.withUnsafeBufferPointer { source in
            [Float](unsafeUninitializedCapacity: count) { memory, initialized in
                defer { initialized = count }
                guard let source = source.baseAddress, let target = memory.baseAddress else { return }
                let warp = Warp(
                    source: source, height: self.height, width: self.width, channels: channels, map: map,
                    fillMode: fillMode, fillValue: fillValue, isBilinear: sampling == .bilinear)
                for row in 0..<height {
                    warp.write(row: row, count: width, to: target + row * width * channels)
                }
            }
        }
        return FloatImage(unchecked: height, width, channels, white, result)
    }
}

/// One image being looked up in another.
private struct Warp {
    let source: UnsafePointer<Float>
    let height: Int
    let width: Int
    let channels: Int
    let map: AffineMap
    let fillMode: Augmentation.FillMode
    let fillValue: Float
    let isBilinear: Bool

    /// Two neighbouring pixels along an axis and how much of the second is taken.
    struct Taps {
        var first: Int
        var second: Int
        var share: Float
    }

    /// A row of the result. Where both axes are between pixels that exist, which is known beforehand for a whole
    /// stretch of the row, places are stepped through as whole numbers of 2⁻³² pixels, without looking at borders.
    func write(row: Int, count: Int, to target: UnsafeMutablePointer<Float>) {
        let startRow = map.rowToRow * Double(row) + map.rowOffset
        let startColumn = map.rowToColumn * Double(row) + map.columnOffset
        var inside = 0..<0
        if let rows = FixedPoint(startRow, map.columnToRow, count: count),
            let columns = FixedPoint(startColumn, map.columnToColumn, count: count)
        {
            inside = rows.stretch(below: height - 1, count: count)
                .clamped(to: columns.stretch(below: width - 1, count: count))
            switch (isBilinear, channels) {
            case (false, _): writeNearest(inside, rows, columns, target)
            case (true, 1): writeGray(inside, rows, columns, target)
            case (true, 3): writeColor(inside, rows, columns, target)
            case (true, _): writeAny(inside, rows, columns, target)
            }
        }
        if inside.isEmpty { inside = count..<count }
        for column in 0..<inside.lowerBound {
            writeBorder(startRow, startColumn, column, target + column * channels)
        }
        for column in inside.upperBound..<count {
            writeBorder(startRow, startColumn, column, target + column * channels)
        }
    }

    // MARK: Between pixels that exist

    private func writeGray(
        _ range: Range<Int>, _ rows: FixedPoint, _ columns: FixedPoint, _ target: UnsafeMutablePointer<Float>
    ) {
        for column in range {
            let (y, x) = (rows.at(column), columns.at(column))
            let (dy, dx) = (y.fraction, x.fraction)
            let p = source + (y.whole &* width &+ x.whole)
            let upper = p[0] + dx * (p[1] - p[0])
            let lower = p[width] + dx * (p[width &+ 1] - p[width])
            target[column] = upper + dy * (lower - upper)
        }
    }

    private func writeColor(
        _ range: Range<Int>, _ rows: FixedPoint, _ columns: FixedPoint, _ target: UnsafeMutablePointer<Float>
    ) {
        let stride = 3 &* width
        for column in range {
            let (y, x) = (rows.at(column), columns.at(column))
            let (dy, dx) = (y.fraction, x.fraction)
            let p = source + (y.whole &* stride &+ 3 &* x.whole)
            let q = p + stride
            let t = target + 3 &* column
            // Four channels at a time would read beyond the last pixel.
            let upper0 = p[0] + dx * (p[3] - p[0])
            let upper1 = p[1] + dx * (p[4] - p[1])
            let upper2 = p[2] + dx * (p[5] - p[2])
            t[0] = upper0 + dy * (q[0] + dx * (q[3] - q[0]) - upper0)
            t[1] = upper1 + dy * (q[1] + dx * (q[4] - q[1]) - upper1)
            t[2] = upper2 + dy * (q[2] + dx * (q[5] - q[2]) - upper2)
        }
    }

    private func writeAny(
        _ range: Range<Int>, _ rows: FixedPoint, _ columns: FixedPoint, _ target: UnsafeMutablePointer<Float>
    ) {
        let stride = channels &* width
        for column in range {
            let (y, x) = (rows.at(column), columns.at(column))
            let (dy, dx) = (y.fraction, x.fraction)
            let p = source + (y.whole &* stride &+ channels &* x.whole)
            let q = p + stride
            let t = target + channels &* column
            for c in 0..<channels {
                let upper = p[c] + dx * (p[c &+ channels] - p[c])
                let lower = q[c] + dx * (q[c &+ channels] - q[c])
                t[c] = upper + dy * (lower - upper)
            }
        }
    }

    private func writeNearest(
        _ range: Range<Int>, _ rows: FixedPoint, _ columns: FixedPoint, _ target: UnsafeMutablePointer<Float>
    ) {
        for column in range {
            let (y, x) = (rows.at(column).rounded, columns.at(column).rounded)
            (target + channels &* column).update(
                from: source + channels &* (y &* width &+ x), count: channels)
        }
    }

    // MARK: At the border and beyond

    private func writeBorder(
        _ startRow: Double, _ startColumn: Double, _ column: Int, _ target: UnsafeMutablePointer<Float>
    ) {
        let y = taps(startRow + map.columnToRow * Double(column), height)
        let x = taps(startColumn + map.columnToColumn * Double(column), width)
        guard let y, let x else {
            target.update(repeating: fillValue, count: channels)
            return
        }
        let (upper, lower) = (source + y.first * width * channels, source + y.second * width * channels)
        let (left, right) = (x.first * channels, x.second * channels)
        for c in 0..<channels {
            let top = upper[left + c] + x.share * (upper[right + c] - upper[left + c])
            let bottom = lower[left + c] + x.share * (lower[right + c] - lower[left + c])
            target[c] = top + y.share * (bottom - top)
        }
    }

    /// The pixels that a place along an axis of `count` pixels lies between; nil where the fill value is shown.
    private func taps(_ place: Double, _ count: Int) -> Taps? {
        let last = Double(count - 1)
        var place = place
        switch fillMode {
        case .constant:
            // What rounding moved beyond the border is not outside.
            guard place >= -tolerance, place <= last + tolerance else { return nil }
        case .nearest: break
        case .reflect: place -= 2 * Double(count) * (place / (2 * Double(count))).rounded(.down)
        // The last pixel stands for the first of the next image, so the period is one pixel less.
        case .wrap where count == 1: place = 0
        case .wrap where place < 0: place += last * ((-place / last).rounded(.down) + 1)
        case .wrap where place > last: place -= last * (place / last).rounded(.down)
        case .wrap: break
        }
        // The order of operands makes NaN 0.
        place = max(0, min(place, fillMode == .reflect ? Double(2 * count) : last))
        let whole = isBilinear ? place.rounded(.down) : (place + 0.5).rounded(.down)
        let first = Int(whole)
        let share = isBilinear ? Float(place - whole) : 0
        guard fillMode == .reflect else {
            return Taps(first: first, second: min(first + 1, count - 1), share: share)
        }
        func mirrored(_ index: Int) -> Int {
            let index = index % (2 * count)
            return index < count ? index : 2 * count - 1 - index
        }
        return Taps(first: mirrored(first), second: mirrored(first + 1), share: share)
    }

    private var tolerance: Double { 1e-6 }
}

/// Places along an axis, one for each column of a row, as whole numbers of 2⁻³² pixels.
private struct FixedPoint {
    struct Place {
        let units: Int64
        var whole: Int { Int(truncatingIfNeeded: units >> 32) }
        var fraction: Float { Float(Int32(truncatingIfNeeded: (units >> 8) & 0xFF_FFFF)) * 0x1p-24 }
        var rounded: Int { Int(truncatingIfNeeded: (units &+ 0x8000_0000) >> 32) }
    }

    private let start: Int64
    private let step: Int64

    /// Nil where places are so far away that the numbers could overflow.
    init?(_ start: Double, _ step: Double, count: Int) {
        guard abs(start) + abs(step) * Double(count) < 0x1p30 else { return nil }
        self.start = Int64((start * 0x1p32).rounded())
        self.step = Int64((step * 0x1p32).rounded())
    }

    func at(_ column: Int) -> Place { Place(units: start &+ step &* Int64(column)) }

    /// The columns whose places are at least 0 and less than `limit`.
    func stretch(below limit: Int, count: Int) -> Range<Int> {
        let end = Int64(limit) << 32
        func isInside(_ column: Int) -> Bool { (0..<end).contains(start + step * Int64(column)) }
        if step == 0 { return isInside(0) ? 0..<count : 0..<0 }
        // Places rise or fall steadily, so the ends decide. Division finds them to within a column.
        let bounds = [(0 - start) / step, (end - start) / step].sorted()
        var lower = max(0, min(count, Int(bounds[0]) - 1))
        var upper = max(0, min(count, Int(bounds[1]) + 2))
        while lower < upper, !isInside(lower) { lower += 1 }
        while lower < upper, !isInside(upper - 1) { upper -= 1 }
        return lower..<upper
    }
}
