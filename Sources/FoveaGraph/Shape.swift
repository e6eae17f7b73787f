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

    /// The number of elements; negative (`-k` for `k` times the batch size) for a symbolic shape.
    public var elementCount: Int {
        dimensions.reduce(1) { $0 * $1.magnitudeAsInt } * (isSymbolic ? -1 : 1)
    }

    public subscript(axis: Int) -> Int {
        get { dimensions[axis] }
        set { dimensions[axis] = newValue }
    }

    /// The extent of the last axis: the channels of an image tensor, the features of a dense one.
    public var channels: Int { dimensions.last ?? 1 }

    /// The same shape with every symbolic extent replaced for the given batch size.
    public func bound(batch: Int) -> Shape {
        Shape(dimensions.map { $0 < 0 ? -$0 * batch : $0 })
    }

    /// The element distance between neighbours along each axis, in row-major order.
    public var rowMajorStrides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * dimensions[axis + 1].magnitudeAsInt
        }
        return strides
    }
}

extension Shape: CustomStringConvertible {
    /// For example `[batch, 28, 28, 1]`.
    public var description: String {
        let names = dimensions.map { $0 >= 0 ? "\($0)" : $0 == -1 ? "batch" : "\(-$0)×batch" }
        return "[" + names.joined(separator: ", ") + "]"
    }
}

extension Int {
    fileprivate var magnitudeAsInt: Int { self < 0 ? -self : self }
}
