import FoveaGraph

/// What an image shows beyond its border, here of the pixels a b c d.
public enum FillMode: String, Hashable, Sendable, CaseIterable {
    /// The image in a mirror: `c b a | a b c d | d c b`.
    case reflect
    /// The image again: `b c d | a b c d | a b c`.
    case wrap
    /// One value: `k k k | a b c d | k k k`.
    case constant
    /// The outermost pixel: `a a a | a b c d | d d d`.
    case nearest
}

/// Two numbers between which one is drawn for each image: `[-0.2, 0.3]`, or `0.2` for -0.2 to 0.2.
public struct RandomFactor: Hashable, Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral
{
    public let lower: Double
    public let upper: Double

    public init(_ lower: Double, _ upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    /// From `-magnitude` to `magnitude`.
    public init(magnitude: Double) { self.init(-magnitude, magnitude) }

    init(_ range: ClosedRange<Double>) { self.init(range.lowerBound, range.upperBound) }

    public init(floatLiteral magnitude: Double) { self.init(magnitude: magnitude) }
    public init(integerLiteral magnitude: Int) { self.init(magnitude: Double(magnitude)) }

    /// The smaller and the larger number. Another number of elements is refused by the layer that it is given to.
    public init(arrayLiteral elements: Double...) {
        let isPair = elements.count == 2
        self.init(isPair ? elements[0] : .nan, isPair ? elements[1] : .nan)
    }

    var isZero: Bool { lower == 0 && upper == 0 }

    /// One number for each image of a batch, `[batch, 1, …]`.
    func drawn(for images: Tensor, rank: Int = 2) throws(ShapeError) -> Tensor {
        let shape = Shape([images.shape[0]] + [Int](repeating: 1, count: rank - 1))
        return try Tensor.randomUniform(shape) * Float(upper - lower) + Float(lower)
    }

    var configuration: ConfigurationValue { [.number(lower), .number(upper)] }
}

extension ConfigurationReader {
    mutating func factor(_ key: String) throws(ConfigurationError) -> RandomFactor {
        try factor(key, of: try numbers(key))
    }

    /// A factor; nil for null.
    mutating func optionalFactor(_ key: String) throws(ConfigurationError) -> RandomFactor? {
        guard let pair = try optionalNumbers(key) else { return nil }
        return try factor(key, of: pair)
    }

    private func factor(_ key: String, of pair: [Double]) throws(ConfigurationError) -> RandomFactor {
        guard pair.count == 2 else {
            throw ConfigurationError(
                owner: owner, key: key, "expected a list of two numbers, not of \(pair.count)")
        }
        return RandomFactor(pair[0], pair[1])
    }
}

extension Layer {
    /// Checks that two numbers are in order and inside a range.
    func check(
        _ factor: RandomFactor, _ name: String, in range: ClosedRange<Double>, _ shape: Shape
    ) throws(ShapeError) {
        guard range.contains(factor.lower), range.contains(factor.upper), factor.lower <= factor.upper else {
            throw error(
                "\(name) must be two numbers from \(range.lowerBound) to \(range.upperBound), the smaller one first, "
                    + "not \(factor.lower) and \(factor.upper)", shape)
        }
    }
}

extension Tensor {
    /// Images `[batch, height, width, channels]` with other rows or columns, each looked up at a place of its own.
    ///
    /// A place between two pixels is a sum of these with weights, and the places differ from image to image, so the sums are a
    /// product of matrices for each image.
    ///
    /// - Parameters:
    ///   - axis: 1 for rows, 2 for columns.
    ///   - places: `[batch, count]`, counted from the centre of the first pixel.
    ///   - fillMode: what is shown beyond the border.
    ///   - fillValue: the value for `.constant`.
    ///   - interpolation: how pixels between pixels come about.
    func resampled(
        axis: Int, at places: Tensor, fillMode: FillMode, fillValue: Double = 0, interpolation: Interpolation
    ) throws(ShapeError) -> Tensor {
        let (batch, count) = (shape[0], shape[axis])
        let others = shape.elementCount / (batch * count)
        let moved = axis == 1 ? self : try transposed([0, 2, 1, 3])
        var rows = try moved.reshaped(to: [batch, count, others])
        // The weights of what lies inside add up to less than 1; the rest is the fill value's.
        let isFilled = fillMode == .constant && fillValue != 0
        if isFilled { rows = try rows - Float(fillValue) }
        let weights = try Self.weights(of: count, at: places, fillMode, interpolation).cast(to: dtype)
        rows = try .matmul(weights, rows)
        if isFilled { rows = try rows + Float(fillValue) }
        var result = moved.shape
        result[1] = places.shape[1]
        let images = try rows.reshaped(to: result)
        return axis == 1 ? images : try images.transposed([0, 2, 1, 3])
    }

    /// How much each of `count` pixels has of each place: `max(0, 1 - distance)`, as `[batch, places, count]`.
    private static func weights(
        of count: Int, at places: Tensor, _ fillMode: FillMode, _ interpolation: Interpolation
    ) throws(ShapeError) -> Tensor {
        var places = try places.reshaped(to: Shape(places.shape.dimensions + [1]))
        if interpolation == .nearest { places = try (places + 0.5).unary(.floor) }
        let pixels = indices(count).expanded(to: [1, 1, count])
        var distances = try (inside(count, places, fillMode) - pixels).unary(.abs)
        if fillMode == .wrap, count > 1 { distances = try .minimum(distances, Float(count) - distances) }
        return try (1 - distances).relu()
    }

    /// Images `[batch, height, width, channels]` with each pixel looked up at a place of its own.
    ///
    /// - Parameters:
    ///   - rows: `[batch, height, width]`, any height and width, counted from the centre of the first row.
    ///   - columns: the same, counted from the centre of the first column.
    ///   - fillMode: what is shown beyond the border.
    ///   - fillValue: the value for `.constant`.
    ///   - interpolation: how pixels between pixels come about.
    func resampled(
        atRows rows: Tensor, columns: Tensor, fillMode: FillMode, fillValue: Double = 0,
        interpolation: Interpolation
    ) throws(ShapeError) -> Tensor {
        let (height, width) = (shape[1], shape[2])
        var pixels = try reshaped(to: [shape[0], height * width, shape[3]])
        // Beyond the border weights are 0, and the fill value is what nothing is added to.
        let isFilled = fillMode == .constant && fillValue != 0
        if isFilled { pixels = try pixels - Float(fillValue) }
        var sum = Tensor.constant(Float(isFilled ? fillValue : 0), dtype)
        for row in try Self.neighbours(height, of: rows, fillMode, interpolation) {
            for column in try Self.neighbours(width, of: columns, fillMode, interpolation) {
                let picked = try pixels.gathered(
                    at: row.index * Float(width) + column.index, axis: 1, sharedAxes: 1)
                let weights = try (row.weight * column.weight).cast(to: dtype)
                sum = try sum + picked * weights.reshaped(to: Shape(weights.shape.dimensions + [1]))
            }
        }
        return sum
    }

    /// The pixels of an axis that a place between pixels is made of, and how much it has of each.
    private static func neighbours(
        _ count: Int, of places: Tensor, _ fillMode: FillMode, _ interpolation: Interpolation
    ) throws(ShapeError) -> [(index: Tensor, weight: Tensor)] {
        let last = Float(count - 1)
        func neighbour(_ pixel: Tensor, _ weight: Tensor) throws(ShapeError) -> (Tensor, Tensor) {
            let clamped = try Tensor.minimum(.maximum(pixel, 0), last)
            let isInside = try pixel.equal(clamped)
            switch fillMode {
            case .constant:
                return (clamped.cast(to: .int32), try .select(isInside, weight, .filled(0, weight.shape)))
            case .wrap:
                // Behind the last pixel is the first.
                return (try .select(isInside, pixel, .filled(0, pixel.shape)).cast(to: .int32), weight)
            case .reflect, .nearest:
                return (clamped.cast(to: .int32), weight)
            }
        }
        if interpolation == .nearest {
            let pixel = try inside(count, (places + 0.5).unary(.floor), fillMode)
            return [try neighbour(pixel, .filled(1, pixel.shape))]
        }
        let place = try inside(count, places, fillMode)
        let lower = try place.unary(.floor)
        let part = try place - lower
        return [try neighbour(lower, 1 - part), try neighbour(lower + 1, part)]
    }

    /// Where on an axis of `count` pixels what is shown at a place beyond its ends is found.
    private static func inside(
        _ count: Int, _ places: Tensor, _ fillMode: FillMode
    ) throws(ShapeError) -> Tensor {
        let extent = Float(count)
        func remainder(_ x: Tensor, _ period: Float) throws(ShapeError) -> Tensor {
            try x - (x * (1 / period)).unary(.floor) * period
        }
        var places = places
        switch fillMode {
        case .constant: return places
        case .wrap where count > 1: return try remainder(places, extent)
        case .wrap, .nearest: break
        case .reflect:
            // Counted from the image's edge, half a pixel before its first centre, it falls and rises with a period of two
            // images.
            let fromEdge = try remainder(places + 0.5, 2 * extent)
            places = try (extent - 0.5) - (fromEdge - extent).unary(.abs)
        }
        return try .minimum(.maximum(places, 0), extent - 1)
    }

    /// 1 or -1 for each image of a batch, `[batch, 1, …]`.
    static func randomSigns(for images: Tensor, rank: Int) throws(ShapeError) -> Tensor {
        let drawn = try RandomFactor(magnitude: 1).drawn(for: images, rank: rank)
        return try .select(drawn.greaterOrEqual(0), .filled(1, drawn.shape), .filled(-1, drawn.shape))
    }

    /// The numbers `0..<count` in float32.
    static func indices(_ count: Int) -> Tensor {
        .constant(TensorValue((0..<count).map { Float($0) }))
    }

    /// Rows or columns picked in a given order, the same for all images.
    func picking(_ indices: [Int], axis: Int) throws(ShapeError) -> Tensor {
        if indices.count == shape[axis], indices.elementsEqual(indices.indices) { return self }
        return try gathered(at: .constant(TensorValue(indices.map { Int32($0) })), axis: axis)
    }
}
