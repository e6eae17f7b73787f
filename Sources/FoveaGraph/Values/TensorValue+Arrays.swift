// From and to Swift's arrays. Numbers without a stated type are float32, as in other frameworks; `TensorValue([1, 2], .int32)`
// asks for another.

/// A number or a truth value, or arrays of such in arrays: what tensors are made of, and what they become again.
///
/// `Float`, `Double`, `Int`, `Int32`, `UInt8`, `Bool` and arrays of these of any depth conform.
public protocol NestedArray {
    /// The number at the bottom.
    associatedtype Scalar: NestedArray
    /// How many arrays lie in each other; 0 for a number.
    static var depth: Int { get }
    /// How many there are at each depth, as the first of each says.
    var extents: [Int] { get }
    /// Adds all numbers to an array in their order.
    ///
    /// - Returns: false when an array in it has another count than `extents` says.
    func append(to numbers: inout [Double], extents: ArraySlice<Int>) -> Bool
    /// The numbers again, of which there are as many as the extents say.
    init(numbers: ArraySlice<Double>, extents: ArraySlice<Int>)
}

extension NestedArray where Self == Scalar {
    public static var depth: Int { 0 }
    public var extents: [Int] { [] }
}

extension Array: NestedArray where Element: NestedArray {
    public typealias Scalar = Element.Scalar

    public static var depth: Int { Element.depth + 1 }

    public var extents: [Int] {
        [count] + (first?.extents ?? [Int](repeating: 0, count: Element.depth))
    }

    public func append(to numbers: inout [Double], extents: ArraySlice<Int>) -> Bool {
        guard count == extents.first else { return false }
        return allSatisfy { $0.append(to: &numbers, extents: extents.dropFirst()) }
    }

    public init(numbers: ArraySlice<Double>, extents: ArraySlice<Int>) {
        let rest = extents.dropFirst()
        let width = rest.reduce(1, *)
        self = (0..<(extents.first ?? 0)).map { index in
            let start = numbers.startIndex + index * width
            return Element(numbers: numbers[start..<(start + width)], extents: rest)
        }
    }
}

extension Float: NestedArray { public typealias Scalar = Float }
extension Int32: NestedArray { public typealias Scalar = Int32 }
extension UInt8: NestedArray { public typealias Scalar = UInt8 }
extension Double: NestedArray { public typealias Scalar = Double }
extension Int: NestedArray { public typealias Scalar = Int }

extension NestedArray where Self: BinaryFloatingPoint, Self == Scalar {
    public func append(to numbers: inout [Double], extents: ArraySlice<Int>) -> Bool {
        numbers.append(Double(self))
        return true
    }

    public init(numbers: ArraySlice<Double>, extents: ArraySlice<Int>) { self.init(numbers.first ?? .nan) }
}

extension NestedArray where Self: FixedWidthInteger, Self == Scalar {
    public func append(to numbers: inout [Double], extents: ArraySlice<Int>) -> Bool {
        numbers.append(Double(self))
        return true
    }

    /// Fractions are dropped, values outside the range clamped, and NaN is 0.
    public init(numbers: ArraySlice<Double>, extents: ArraySlice<Int>) {
        let number = numbers.first ?? 0
        if number.isNaN {
            self = 0
        } else if number >= Double(Self.max) {
            self = .max
        } else if number <= Double(Self.min) {
            self = .min
        } else {
            self.init(number)
        }
    }
}

extension Bool: NestedArray {
    public typealias Scalar = Bool

    public func append(to numbers: inout [Double], extents: ArraySlice<Int>) -> Bool {
        numbers.append(self ? 1 : 0)
        return true
    }

    /// Whether the number is not 0.
    public init(numbers: ArraySlice<Double>, extents: ArraySlice<Int>) { self = numbers.first != 0 }
}

extension TensorValue {
    // Of literals, which fit each of these, float32 is made: the others are for numbers whose type is known. No initializer with
    // one argument is generic, because the compiler would take many times as long for the closures in it.

    /// A tensor of rank 1.
    @_disfavoredOverload
    public init(_ elements: [Int32]) { self.init(unchecked: [elements.count], .int32(elements)) }

    /// A tensor of rank 1.
    @_disfavoredOverload
    public init(_ elements: [UInt8]) { self.init(unchecked: [elements.count], .uint8(elements)) }

    /// A tensor of rank 1.
    @_disfavoredOverload
    public init(_ elements: [Bool]) { self.init(unchecked: [elements.count], .bool(elements)) }

    /// A matrix, a row for each inner array: `TensorValue([[1, 2], [3, 4]])`.
    ///
    /// - Throws: `ShapeError` when rows have different counts.
    public init(_ rows: [[Float]]) throws(ShapeError) { try self.init(rows, .float32) }

    /// A tensor of rank 3, such as an image `[height, width, channels]`.
    ///
    /// - Throws: `ShapeError` when arrays of one depth have different counts.
    public init(_ planes: [[[Float]]]) throws(ShapeError) { try self.init(planes, .float32) }

    /// A tensor of rank 4, such as a batch of images `[batch, height, width, channels]`.
    ///
    /// - Throws: `ShapeError` when arrays of one depth have different counts.
    public init(_ batch: [[[[Float]]]]) throws(ShapeError) { try self.init(batch, .float32) }

    /// A tensor of the arrays' depth, in a given type: `TensorValue([7, 2, 1], .int32)`.
    ///
    /// - Parameters:
    ///   - numbers: a number or arrays of any depth.
    ///   - dtype: numbers are rounded to nearest for floating-point types; toward zero and clamped, NaN as 0, for integers;
    ///     `true` where not 0.
    /// - Throws: `ShapeError` when arrays of one depth have different counts.
    public init(_ numbers: some NestedArray, _ dtype: DType) throws(ShapeError) {
        let extents = numbers.extents
        var doubles: [Double] = []
        guard numbers.append(to: &doubles, extents: extents[...]) else {
            throw ShapeError(
                "TensorValue",
                "arrays of one depth have different counts, but the rows of a tensor are all alike; the first ones have "
                    + "\(extents.map(String.init).joined(separator: ", "))")
        }
        self.init(shape: Shape(extents), dtype: dtype, doubles: doubles)
    }

    /// The elements in arrays, as many in each other as there are axes: `let rows: [[Float]] = try value.array()`.
    ///
    /// - Parameter type: arrays of `Float`, `Double`, `Int`, `Int32`, `UInt8` or `Bool`, or such a number for a scalar. For
    ///   integers fractions are dropped, values outside the range clamped, and NaN is 0; `true` is not 0.
    /// - Throws: `ShapeError` when the type has another depth than the value has axes.
    public func array<Numbers: NestedArray>(of type: Numbers.Type = Numbers.self) throws(ShapeError)
        -> Numbers
    {
        guard Numbers.depth == shape.rank else {
            throw ShapeError(
                "array",
                "\(Numbers.self) has \(Numbers.depth) axes and the value \(shape.rank); name a type of as many",
                shapes: [shape])
        }
        return Numbers(numbers: doubles[...], extents: shape.dimensions[...])
    }
}
