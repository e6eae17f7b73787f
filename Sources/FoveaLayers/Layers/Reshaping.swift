import FoveaGraph

/// Each example's elements in one row, the last axis fastest. Channels that come first are moved to the end
/// before, so that both formats give the same row.
///
/// - Input: `[batch, …]`.
/// - Output: `[batch, elements of one example]`.
/// - Errors: `ShapeError` when built, for an input without a batch axis.
public final class Flatten: UnaryLayer {
    public static let typeName = "Flatten"
    public let name: String?
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(dataFormat: DataFormat = .channelsLast, name: String? = nil) {
        self.dataFormat = dataFormat
        self.name = name
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        guard let batch = x.shape.dimensions.first,
            let count = productOfPositive(x.shape.dimensions.dropFirst())
        else { throw error("it needs a batch axis followed by axes of fixed size", x.shape) }
        return try dataFormat.channelsLast(x).reshaped(to: [batch, count])
    }

    public var configuration: Configuration { dataFormat.configuration }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(dataFormat: try DataFormat(&configuration), name: name)
    }
}

/// Each example's elements, in the same order, under another shape.
///
/// - Input: `[batch, …]`.
/// - Output: `[batch]` followed by the target shape.
public final class Reshape: UnaryLayer {
    public static let typeName = "Reshape"
    public let name: String?
    public let targetShape: [Int]

    /// - Parameters:
    ///   - targetShape: one example's new shape. One extent may be -1: it follows from the others.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(targetShape: [Int], name: String? = nil) {
        self.targetShape = targetShape
        self.name = name
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        guard let batch = x.shape.dimensions.first,
            let count = productOfPositive(x.shape.dimensions.dropFirst())
        else { throw error("it needs a batch axis followed by axes of fixed size", x.shape) }
        let open = targetShape.indices.filter { targetShape[$0] == -1 }
        guard open.count <= 1, let known = productOfPositive(targetShape.filter { $0 != -1 }) else {
            throw error(
                "target shape \(targetShape): extents must be positive, except that one may be -1", x.shape)
        }
        guard open.isEmpty ? known == count : count % known == 0 else {
            throw error(
                "target shape \(targetShape) cannot hold the \(count) elements of an example", x.shape)
        }
        return try x.reshaped(to: Shape([batch] + targetShape.map { $0 == -1 ? count / known : $0 }))
    }

    public var configuration: Configuration { ["target_shape": .list(targetShape.map { .integer($0) })] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(targetShape: try configuration.integers("target_shape"), name: name)
    }
}

/// Each example's axes in another order.
///
/// - Input: `[batch, …]`.
/// - Output: `[batch]` followed by the input's extents in the new order.
/// - Throws: `ShapeError` when the list does not name each axis of an example once.
public final class Permute: UnaryLayer {
    public static let typeName = "Permute"
    public let name: String?
    public let dims: [Int]

    /// - Parameters:
    ///   - dims: which axis of the input comes where, counted from 1: `[3, 1, 2]` makes `[batch, channels, height, width]`
    ///     of `[batch, height, width, channels]`.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(dims: [Int], name: String? = nil) {
        self.dims = dims
        self.name = name
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        guard dims.sorted() == Array(1..<max(1, x.shape.rank)) else {
            throw error(
                "dims \(dims) must name each axis of an example once, counted from 1; axis 0 is the batch",
                x.shape)
        }
        return try x.transposed([0] + dims)
    }

    public var configuration: Configuration { ["dims": .list(dims.map { .integer($0) })] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(dims: try configuration.integers("dims"), name: name)
    }
}

/// A row repeated: `y[t, c] = x[c]` for each of `n` steps.
///
/// - Input: `[batch, features]`.
/// - Output: `[batch, n, features]`.
/// - Throws: `ShapeError` for other inputs and for a number that is not positive.
public final class RepeatVector: UnaryLayer {
    public static let typeName = "RepeatVector"
    public let name: String?
    public let n: Int

    /// - Parameters:
    ///   - n: how often the row is repeated.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(n: Int, name: String? = nil) {
        self.n = n
        self.name = name
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        guard x.shape.rank == 2 else {
            throw error("it works on rows [batch, features]; put it after Flatten or Dense", x.shape)
        }
        guard n > 0 else { throw error("n must be positive, not \(n)", x.shape) }
        let features = x.shape.channels
        return try x.reshaped(to: [x.shape[0], 1, features]).broadcast(to: [x.shape[0], n, features])
    }

    public var configuration: Configuration { ["n": .integer(n)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(n: try configuration.integer("n"), name: name)
    }
}
