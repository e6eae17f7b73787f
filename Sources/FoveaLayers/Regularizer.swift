import FoveaGraph

/// A penalty on the size of a tensor, added to the loss: `l1 · Σ|x| + l2 · Σx²`.
///
/// As in Keras the second term has no factor ½, so its gradient is `2 · l2 · x`; "weight decay" elsewhere often means
/// `λ/2 · Σx²`.
public struct Regularizer: Hashable, Sendable {
    public let l1: Double
    public let l2: Double

    public static func l1(_ factor: Double = 0.01) -> Regularizer { Regularizer(l1: factor, l2: 0) }
    public static func l2(_ factor: Double = 0.01) -> Regularizer { Regularizer(l1: 0, l2: factor) }

    /// - Parameters:
    ///   - l1: the factor of the sum of magnitudes, not negative.
    ///   - l2: the factor of the sum of squares, not negative.
    public static func l1l2(l1: Double = 0.01, l2: Double = 0.01) -> Regularizer {
        Regularizer(l1: l1, l2: l2)
    }

    /// The penalty of a tensor, a float32 scalar.
    ///
    /// - Throws: `ShapeError` when a factor is negative or not finite.
    public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
        try penalty(x) { terms throws(ShapeError) in try terms.sum() }
    }

    private func penalty(
        _ x: Tensor, total: (Tensor) throws(ShapeError) -> Tensor
    ) throws(ShapeError) -> Tensor {
        guard l1.isFinite, l2.isFinite, l1 >= 0, l2 >= 0 else {
            throw ShapeError(
                "Regularizer", "factors must be finite and not negative, not l1 \(l1) and l2 \(l2)")
        }
        let magnitudes = l1 == 0 ? nil : try total(x.unary(.abs)) * Float(l1)
        let squares = l2 == 0 ? nil : try total(x * x) * Float(l2)
        switch (magnitudes, squares) {
        case (let magnitudes?, let squares?): return try magnitudes + squares
        case (let one?, nil), (nil, let one?): return one
        case (nil, nil): return .constant(0)
        }
    }

    /// What a layer adds to the loss for its output: the mean penalty of an example, as in Keras, so that the batch size does
    /// not matter.
    func ofActivity(_ y: Tensor) throws(ShapeError) -> Tensor {
        try penalty(y) { terms throws(ShapeError) in
            try terms.sum(axes: Array(1..<max(1, terms.shape.rank))).mean()
        }
    }
}

extension Regularizer {
    var configuration: ConfigurationValue {
        ["class_name": .string("L1L2"), "config": ["l1": .number(l1), "l2": .number(l2)]]
    }

    init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(l1: try reader.number("l1"), l2: try reader.number("l2"))
    }
}

extension ConfigurationReader {
    /// A regularizer, or nil when the key is missing.
    public mutating func regularizer(_ key: String) throws(ConfigurationError) -> Regularizer? {
        guard contains(key) else { return nil }
        let settings = try object(key)
        do throws(ConfigurationError) {
            var (className, reader) = try Self.opened(settings, owner: "regularizer", layerTypes: [])
            guard className == "L1L2" else {
                throw reader.unknown("regularizer", className, among: ["L1L2"], key: "class_name")
            }
            let regularizer = try Regularizer(&reader)
            try reader.finish()
            return regularizer
        } catch { throw error.inside(key) }
    }
}
