import FoveaGraph

/// A layer that joins several inputs element by element. One of your own needs `merge`, a name and nothing else:
///
/// ```swift
/// /// √(a² + b² + …)
/// final class Norm: MergeLayer {
///     let name: String?
///     init(name: String? = nil) { self.name = name }
///
///     func merge(_ inputs: [Tensor]) throws(ShapeError) -> Tensor {
///         var sum = try inputs[0] * inputs[0]
///         for input in inputs.dropFirst() { sum = try sum + input * input }
///         return try sum.squareRoot()
///     }
/// }
/// ```
///
/// - Inputs: at least two, `[batch, …]`. As in Keras, those with fewer axes get axes of extent 1 behind the batch axis, and
///   extents of 1 are then repeated: `[batch, channels]` joins `[batch, height, width, channels]`.
/// - Output: what the inputs have in common, with the larger of two extents where one of them is 1.
/// - Throws: `ShapeError` when there are too few inputs or their shapes do not fit together.
public protocol MergeLayer: Layer {
    init(name: String?)

    /// How many inputs it can have; two or more unless implemented.
    static var inputCount: ClosedRange<Int> { get }

    /// The output. There are as many inputs as there may be, all of one rank, and their shapes can be broadcast.
    func merge(_ inputs: [Tensor]) throws(ShapeError) -> Tensor
}

extension MergeLayer {
    public static var inputCount: ClosedRange<Int> { 2...Int.max }

    public func call(_ inputs: [Tensor]) throws(ShapeError) -> [Tensor] {
        let shapes = inputs.map(\.shape)
        try checkCount(shapes, Self.inputCount)
        let rank = shapes.map(\.rank).max() ?? 0
        let raised = try inputs.map { input throws(ShapeError) in
            let extents = input.shape.dimensions
            let ones = [Int](repeating: 1, count: rank - extents.count)
            return try input.reshaped(to: Shape(extents.prefix(1) + ones + extents.dropFirst()))
        }
        for axis in 0..<rank {
            // Examples are joined one to one.
            let extents = Set(raised.map { $0.shape[axis] }).subtracting(axis == 0 ? [] : [1])
            guard extents.count <= 1 else {
                throw ShapeError(
                    Self.typeName,
                    "the inputs cannot be joined element by element: behind the batch axis, extents must be equal "
                        + "or 1; give them one shape first, for example with Conv2D(kernelSize: 1, strides:) or "
                        + "Dense, or join them with Concatenate", shapes: shapes)
            }
        }
        return [try merge(raised)]
    }

    public var configuration: Configuration { [:] }

    public init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(name: name)
    }
}

extension Layer {
    /// Checks how many inputs there are.
    func checkCount(_ shapes: [Shape], _ range: ClosedRange<Int>) throws(ShapeError) {
        guard range.contains(shapes.count), shapes.allSatisfy({ $0.rank >= 1 }) else {
            let count = range.upperBound == .max ? "at least \(range.lowerBound)" : "\(range.upperBound)"
            throw ShapeError(
                Self.typeName,
                "it joins \(count) inputs [batch, …], not \(shapes.count): call it with a list, \(Self.typeName)()([a, b])",
                shapes: shapes)
        }
    }

    fileprivate func fold(
        _ inputs: [Tensor], _ join: (Tensor, Tensor) throws(ShapeError) -> Tensor
    ) throws(ShapeError) -> Tensor {
        var result = inputs[0]
        for input in inputs.dropFirst() { result = try join(result, input) }
        return result
    }
}

/// The sum of its inputs, `a + b + …`; as in the shortcuts of He et al. 2015, arXiv:1512.03385.
///
/// - Inputs and output: see ``MergeLayer``.
public final class Add: MergeLayer {
    public static let typeName = "Add"
    public let name: String?

    /// - Parameter name: the layer's name in its model; chosen by the model when nil.
    public init(name: String? = nil) { self.name = name }

    public func merge(_ inputs: [Tensor]) throws(ShapeError) -> Tensor { try fold(inputs, +) }
}

/// The difference of two inputs, `a - b`.
///
/// - Inputs and output: see ``MergeLayer``; exactly two inputs.
public final class Subtract: MergeLayer {
    public static let typeName = "Subtract"
    public static let inputCount = 2...2
    public let name: String?

    /// - Parameter name: the layer's name in its model; chosen by the model when nil.
    public init(name: String? = nil) { self.name = name }

    public func merge(_ inputs: [Tensor]) throws(ShapeError) -> Tensor { try inputs[0] - inputs[1] }
}

/// The product of its inputs, `a · b · …`; as in the gates of Hu et al. 2017, "Squeeze-and-excitation networks",
/// arXiv:1709.01507.
///
/// - Inputs and output: see ``MergeLayer``.
public final class Multiply: MergeLayer {
    public static let typeName = "Multiply"
    public let name: String?

    /// - Parameter name: the layer's name in its model; chosen by the model when nil.
    public init(name: String? = nil) { self.name = name }

    public func merge(_ inputs: [Tensor]) throws(ShapeError) -> Tensor { try fold(inputs, *) }
}

/// The mean of its inputs, `(a + b + …) / n`.
///
/// - Inputs and output: see ``MergeLayer``.
public final class Average: MergeLayer {
    public static let typeName = "Average"
    public let name: String?

    /// - Parameter name: the layer's name in its model; chosen by the model when nil.
    public init(name: String? = nil) { self.name = name }

    public func merge(_ inputs: [Tensor]) throws(ShapeError) -> Tensor {
        try fold(inputs, +) * (1 / Float(inputs.count))
    }
}

/// The largest of its inputs, element by element. Where two are equal, the first takes the whole gradient.
///
/// - Inputs and output: see ``MergeLayer``.
public final class Maximum: MergeLayer {
    public static let typeName = "Maximum"
    public let name: String?

    /// - Parameter name: the layer's name in its model; chosen by the model when nil.
    public init(name: String? = nil) { self.name = name }

    public func merge(_ inputs: [Tensor]) throws(ShapeError) -> Tensor { try fold(inputs, Tensor.maximum) }
}

/// The smallest of its inputs, element by element. Where two are equal, the first takes the whole gradient.
///
/// - Inputs and output: see ``MergeLayer``.
public final class Minimum: MergeLayer {
    public static let typeName = "Minimum"
    public let name: String?

    /// - Parameter name: the layer's name in its model; chosen by the model when nil.
    public init(name: String? = nil) { self.name = name }

    public func merge(_ inputs: [Tensor]) throws(ShapeError) -> Tensor { try fold(inputs, Tensor.minimum) }
}

/// Its inputs one behind the other along an axis: along the last, the channels of all of them; as in Szegedy et al. 2014,
/// "Going deeper with convolutions", arXiv:1409.4842.
///
/// - Inputs: at least two, `[batch, …]`, equal but for the extent of the axis.
/// - Output: the same with the sum of these extents.
/// - Throws: `ShapeError` when there are too few inputs, the axis is none of an example, or other extents differ.
public final class Concatenate: Layer {
    public static let typeName = "Concatenate"
    public let name: String?
    public let axis: Int

    /// - Parameters:
    ///   - axis: along which the inputs are joined, -1 for the last; not 0, the batch.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(axis: Int = -1, name: String? = nil) {
        self.axis = axis
        self.name = name
    }

    public func call(_ inputs: [Tensor]) throws(ShapeError) -> [Tensor] {
        let shapes = inputs.map(\.shape)
        try checkCount(shapes, 2...Int.max)
        let axis = try exampleAxis(axis, of: shapes[0])
        let others = shapes.map { shape in
            Shape(shape.dimensions.enumerated().filter { $0.offset != axis }.map(\.element))
        }
        guard shapes.allSatisfy({ $0.rank == shapes[0].rank }), Set(others).count == 1 else {
            throw ShapeError(
                Self.typeName,
                "the inputs cannot be joined along axis \(self.axis): all other extents must be equal; bring images "
                    + "to one size first, for example by padding .same, or choose another axis",
                shapes: shapes)
        }
        return [try .concatenate(inputs, axis: axis)]
    }

    public var configuration: Configuration { ["axis": .integer(axis)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(axis: try configuration.integer("axis"), name: name)
    }
}
