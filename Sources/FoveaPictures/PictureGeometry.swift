import CPictures
import FoveaGraph

extension Picture {
    /// How pixels of a picture in another size come from its own.
    public enum ResizingMethod: String, Sendable, Hashable, CaseIterable {
        /// The pixel at the same place.
        case nearest
        /// The mean of the pixels covered, the area method.
        case box
        /// A triangle: the nearer, the more weight. Support 1.
        case bilinear
        /// Keys's cubic with a = −½. Support 2. Keys 1981, "Cubic convolution interpolation for digital image processing".
        case bicubic

        /// How far from the middle of a pixel the weights reach, in input pixels where the picture is not made smaller.
        var support: Double {
            switch self {
            case .nearest, .box: 0.5
            case .bilinear: 1
            case .bicubic: 2
            }
        }

        func weight(_ offset: Double) -> Double {
            let x = abs(offset)
            switch self {
            case .nearest, .box: return offset > -0.5 && offset <= 0.5 ? 1 : 0
            case .bilinear: return max(1 - x, 0)
            case .bicubic:
                let a = -0.5
                if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
                return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
            }
        }
    }

    /// The picture in another size; each side is scaled by itself.
    ///
    /// The middle of output pixel i lies at `(i + ½) · scale` of the input. Weights beyond the edges go to the pixels that
    /// there are. Rows are computed first, or columns where the height shrinks by more than twice what the width does, in
    /// fixed-point numbers; both are rounded to 8 bits.
    ///
    /// - Parameters:
    ///   - antialias: Where a side becomes shorter, weights are spread over all pixels that become one, so that none is
    ///     left out; the result equals that of Pillow 13's `Image.resize`, bit by bit. `false` interpolates between the nearest pixels
    ///     at any scale, as Keras and TensorFlow do by default, to 1 of 255. Nothing to ``ResizingMethod/nearest`` and
    ///     ``ResizingMethod/box``.
    /// - Throws: `PictureError` when the size is not that of a picture, or that of what lies between rows and
    ///   columns is not.
    public func resized(
        height newHeight: Int, width newWidth: Int, method: ResizingMethod = .bilinear, antialias: Bool = true
    ) throws(PictureError) -> Picture {
        try Picture.check(height: newHeight, width: newWidth)
        if newHeight == height, newWidth == width { return self }
        if method == .nearest { return nearest(height: newHeight, width: newWidth) }
        // The order decides what is rounded first; the result is to be Pillow's.
        let columnsFirst = newHeight < height && height - newHeight > 2 * (width - newWidth)
        return columnsFirst
            ? try resizedColumns(to: newHeight, method, antialias).resizedRows(
                to: newWidth, method, antialias)
            : try resizedRows(to: newWidth, method, antialias).resizedColumns(
                to: newHeight, method, antialias)
    }

    private func resizedRows(
        to newWidth: Int, _ method: ResizingMethod, _ antialias: Bool
    ) throws(PictureError) -> Picture {
        guard newWidth != width else { return self }
        try Picture.check(height: height, width: newWidth)
        let resampling = Resampling(from: width, to: newWidth, method, antialias: antialias)
        return gathered(height, newWidth) { target, source in
            resampling.withTable {
                fovea_resample_rows(
                    source.baseAddress, target.baseAddress, Int32(height), Int32(width), Int32(channels), $0)
            }
        }
    }

    private func resizedColumns(
        to newHeight: Int, _ method: ResizingMethod, _ antialias: Bool
    ) throws(PictureError) -> Picture {
        guard newHeight != height else { return self }
        try Picture.check(height: newHeight, width: width)
        let resampling = Resampling(from: height, to: newHeight, method, antialias: antialias)
        return gathered(newHeight, width) { target, source in
            resampling.withTable {
                fovea_resample_columns(source.baseAddress, target.baseAddress, Int32(width * channels), $0)
            }
        }
    }

    private func nearest(height newHeight: Int, width newWidth: Int) -> Picture {
        let rows = Picture.nearestPlaces(from: height, to: newHeight)
        let columns = Picture.nearestPlaces(from: width, to: newWidth)
        return gathered(newHeight, newWidth) { target, source in
            var place = 0
            for row in rows {
                for column in columns {
                    let from = (row * width + column) * channels
                    for channel in 0..<channels { target[place + channel] = source[from + channel] }
                    place += channels
                }
            }
        }
    }

    private static func nearestPlaces(from input: Int, to output: Int) -> [Int] {
        let scale = Double(input) / Double(output)
        // Steps are added up, because that decides which pixel wins where two are equally near to Pillow too.
        var place = scale * 0.5
        return (0..<output).map { _ in
            defer { place += scale }
            return min(Int(place), input - 1)
        }
    }

    private func gathered(
        _ newHeight: Int, _ newWidth: Int,
        _ fill: (UnsafeMutableBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Void
    ) -> Picture {
        let samples = [UInt8](unsafeUninitializedCapacity: newHeight * newWidth * channels) { target, count in
            count = newHeight * newWidth * channels
            pixels.withUnsafeBufferPointer { fill(target, $0) }
        }
        return Picture(unchecked: newHeight, newWidth, channels, samples)
    }

    /// The part of the picture whose first row and column are `top` and `left`.
    ///
    /// - Throws: `PictureError` when the part is empty or reaches beyond an edge.
    public func cropped(
        top: Int, left: Int, height newHeight: Int, width newWidth: Int
    ) throws(PictureError) -> Picture {
        try Picture.check(height: newHeight, width: newWidth)
        guard (0...max(height - newHeight, 0)).contains(top), newHeight <= height,
            (0...max(width - newWidth, 0)).contains(left), newWidth <= width
        else {
            throw PictureError(
                .invalidArgument,
                "a part of \(newHeight)×\(newWidth) pixels from row \(top) and column \(left) on reaches beyond a "
                    + "picture of \(height)×\(width)")
        }
        return gathered(newHeight, newWidth) { target, source in
            let length = newWidth * channels
            for y in 0..<newHeight {
                let from = ((top + y) * width + left) * channels
                _ = target[(y * length)...].update(fromContentsOf: source[from..<(from + length)])
            }
        }
    }

    /// The middle of the picture. Where as many rows or columns cannot go on both sides, one more goes below or right.
    ///
    /// - Throws: `PictureError` when that is empty or larger than the picture; ``padded(_:color:)`` makes a larger one.
    public func centerCropped(height newHeight: Int, width newWidth: Int) throws(PictureError) -> Picture {
        try Picture.check(height: newHeight, width: newWidth)
        return try cropped(
            top: (height - newHeight) / 2, left: (width - newWidth) / 2, height: newHeight, width: newWidth)
    }

    /// The picture with rows and columns of one colour around it; of the colour's luma in a grey picture.
    ///
    /// - Throws: `PictureError` when a number of rows or columns is negative or the result is too large.
    public func padded(_ padding: Padding2D, color: Color = .black) throws(PictureError) -> Picture {
        let added = [padding.top, padding.bottom, padding.left, padding.right]
        guard added.allSatisfy({ (0...Picture.greatestSide).contains($0) }) else {
            throw PictureError(
                .invalidArgument, "rows and columns to add must be 0 to \(Picture.greatestSide), not \(added)"
            )
        }
        let canvas = try Picture(
            height: padding.top + height + padding.bottom, width: padding.left + width + padding.right,
            channels: channels, color: color)
        let length = width * channels
        var samples = canvas.pixels
        for y in 0..<height {
            let start = ((padding.top + y) * canvas.width + padding.left) * channels
            samples.replaceSubrange(start..<(start + length), with: pixels[(y * length)..<((y + 1) * length)])
        }
        return Picture(unchecked: canvas.height, canvas.width, channels, samples)
    }
}
