/// The extents of a tensor's axes, outermost first.
///
/// A positive extent is a fixed size. A negative extent is symbolic: `-k` stands for `k` times the batch
/// size, which is chosen when a graph is compiled (`Shape.batch` is `-1`). Keeping the factor lets the
/// element count of any shape be stated before the batch size is known.
public struct Shape: Hashable, Sendable, Codable, ExpressibleByArrayLiteral {
    public var dimensions: [Int]

    /// The symbolic extent of a batch axis.
    public static let batch = -1

    public init(_ dimensions: [Int]) { self.dimensions = dimensions }
    public init(arrayLiteral elements: Int...) { dimensions = elements }

    public static let scalar = Shape([])

    public var rank: Int { dimensions.count }
    public var isSymbolic: Bool { dimensions.contains { $0 < 0 } }

    /// The number of elements; negative (`-k` for `k` times the batch size) for a symbolic shape. Where it cannot be
    /// represented it is `Int.max` or `-Int.max`.
    public var elementCount: Int {
        dimensions.reduce(1) { $0.clampedProduct($1.clampedMagnitude) } * (isSymbolic ? -1 : 1)
    }

    /// Whether some machine could hold the elements (of one example, for a symbolic shape): at most 2⁴⁸.
    ///
    /// Whatever an operation takes or makes is checked, so that sizes from a damaged file end in an error.
    public var isAddressable: Bool { elementCount.clampedMagnitude <= 1 << 48 }

    public subscript(axis: Int) -> Int {
        get { dimensions[axis] }
        set { dimensions[axis] = newValue }
    }

    /// The extent of the last axis: the channels of an image tensor, the features of a dense one.
    public var channels: Int { dimensions.last ?? 1 }

    /// The same shape with every symbolic extent replaced for the given batch size.
    public func bound(batch: Int) -> Shape {
        Shape(dimensions.map { $0 < 0 ? $0.clampedMagnitude.clampedProduct(batch) : $0 })
    }

    /// The element distance between neighbours along each axis, in row-major order.
    public var rowMajorStrides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1].clampedProduct(dimensions[axis + 1].clampedMagnitude)
        }
        return strides
    }
}

extension Shape: CustomStringConvertible {
    /// For example `[batch, 28, 28, 1]`.
    public var description: String {
        let names = dimensions.map { $0 >= 0 ? "\($0)" : $0 == -1 ? "batch" : "\($0.magnitude)×batch" }
        return "[" + names.joined(separator: ", ") + "]"
    }
}

/// Arithmetic on sizes that came from outside: results that cannot be represented become the nearest that can, which
/// no shape rule accepts.
extension Int {
    var clampedMagnitude: Int { Int(clamping: magnitude) }

    func clampedProduct(_ other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }

    func clampedSum(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}
