/// The extents of a tensor's axes, outermost first.
///
/// A positive extent is a fixed size. A negative extent is symbolic: `-k` stands for `k` times the batch
/// size, which is chosen when a graph is compiled (`Shape.batch` is `-1`). Keeping the factor lets the
/// element count of any shape be stated before the batch size is known.
///
/// `nil` in a literal leaves an extent open, as Keras's `None`: `[nil, nil, 3]` is what a model for images of any size takes.
/// Tensors have no such extents: a graph is made for a size.
public struct Shape: Hashable, Sendable, Codable, ExpressibleByArrayLiteral {
    public var dimensions: [Int]

    /// The symbolic extent of a batch axis.
    public static let batch = -1

    public init(_ dimensions: [Int]) { self.dimensions = dimensions }
    public init(arrayLiteral elements: Int?...) { dimensions = elements.map { $0 ?? Self.open } }

    /// The extent that stands for any, `nil` in a literal: no size can be as large, so nothing takes it for one.
    public static let open = -Int.max

    public static let scalar = Shape([])

    public var rank: Int { dimensions.count }
    public var isSymbolic: Bool { dimensions.contains { $0 < 0 } }
    public var hasOpenExtents: Bool { dimensions.contains(Self.open) }

    /// Whether something of the given shape may come where this one is asked for: the same, but for extents that are open here.
    public func accepts(_ shape: Shape) -> Bool {
        rank == shape.rank && zip(dimensions, shape.dimensions).allSatisfy { $0 == $1 || $0 == Self.open }
    }

    /// The shape with the given size for every open extent.
    package func with(openExtents size: Int) -> Shape {
        Shape(dimensions.map { $0 == Self.open ? size : $0 })
    }

    /// What two shapes have in common: extents in which they differ are open. Nil where they have other numbers of axes.
    package func merged(with other: Shape) -> Shape? {
        guard rank == other.rank else { return nil }
        return Shape(zip(dimensions, other.dimensions).map { $0 == $1 ? $0 : Self.open })
    }

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
    /// For example `[batch, 28, 28, 1]`, or `[batch, nil, nil, 3]` where extents are open.
    public var description: String {
        let names = dimensions.map { extent in
            switch extent {
            case 0...: "\(extent)"
            case Self.batch: "batch"
            case Self.open: "nil"
            default: "\(extent.magnitude)×batch"
            }
        }
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
