import FoveaGraph

/// The sums of products of two inputs along one axis of each: `y[…, …] = Σₖ a[…, k, …] · b[…, k, …]`, example by example.
///
/// - Inputs: two, `[batch, …]`, of equal extents along their axes.
/// - Output: `[batch]`, the other extents of the first input, the other extents of the second; `[batch, 1]` for two rows.
/// - Throws: `ShapeError` when there are not two inputs, an axis is none of an example, or the extents along them differ.
public final class Dot: Layer {
    public static let typeName = "Dot"
    public let name: String?
    /// Of the first and of the second input.
    public let axes: (first: Int, second: Int)
    public let normalize: Bool

    /// - Parameters:
    ///   - axes: the axis of the first and of the second input along which the sums are, -1 for the last; not 0, the batch.
    ///   - normalize: whether the inputs are scaled to length 1 along their axes, which makes cosines of the products.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(axes: (first: Int, second: Int), normalize: Bool = false, name: String? = nil) {
        self.axes = axes
        self.normalize = normalize
        self.name = name
    }

    /// - Parameters:
    ///   - axes: the axis of both inputs along which the sums are, -1 for the last; not 0, the batch.
    ///   - normalize: whether the inputs are scaled to length 1 along their axes, which makes cosines of the products.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(axes: Int, normalize: Bool = false, name: String? = nil) {
        self.init(axes: (axes, axes), normalize: normalize, name: name)
    }

    public func call(_ inputs: [Tensor]) throws(ShapeError) -> [Tensor] {
        let shapes = inputs.map(\.shape)
        try checkCount(shapes, 2...2)
        var (a, b) = (inputs[0], inputs[1])
        let (first, second) = (
            try exampleAxis(axes.first, of: a.shape), try exampleAxis(axes.second, of: b.shape)
        )
        guard a.shape[first] == b.shape[second] else {
            throw ShapeError(
                Self.typeName,
                "the inputs have \(a.shape[first]) and \(b.shape[second]) elements along axes \(axes.first) and "
                    + "\(axes.second), which must be equal; choose other axes", shapes: shapes)
        }
        if normalize {
            a = try a.scaledToUnitLength(axes: [first])
            b = try b.scaledToUnitLength(axes: [second])
        }
        let (rows, columns) = (others(than: first, of: a.shape), others(than: second, of: b.shape))
        let (batch, count) = (a.shape[0], a.shape[first])
        let left = try a.transposed([0] + rows + [first])
            .reshaped(to: [batch, product(rows, a.shape), count])
        let right = try b.transposed([0, second] + columns)
            .reshaped(to: [batch, count, product(columns, b.shape)])
        let extents = rows.map { a.shape[$0] } + columns.map { b.shape[$0] }
        return [try .matmul(left, right).reshaped(to: Shape([batch] + (extents.isEmpty ? [1] : extents)))]
    }

    private func others(than axis: Int, of shape: Shape) -> [Int] {
        (1..<shape.rank).filter { $0 != axis }
    }

    private func product(_ axes: [Int], _ shape: Shape) -> Int { axes.reduce(1) { $0 * shape[$1] } }

    public var configuration: Configuration {
        ["axes": [.integer(axes.first), .integer(axes.second)], "normalize": .bool(normalize)]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        let axes = try configuration.integers("axes")
        guard axes.count == 2 else {
            throw ConfigurationError(
                owner: Self.typeName, key: "axes", "expected a list of two integers, not of \(axes.count)")
        }
        self.init(
            axes: (axes[0], axes[1]), normalize: try configuration.bool("normalize"), name: name)
    }
}
