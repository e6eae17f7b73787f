import FoveaGraph

/// How targets are brought to the shape of predictions, for losses and metrics alike. Errors name who asks.
extension Tensor {
    /// Class numbers, `int32`, one for each row of `predictions` along its last axis; a trailing axis of extent 1 is dropped.
    ///
    /// - Throws: `ShapeError` for targets of another shape or type, naming `name`.
    public func labels(for predictions: Tensor, of name: String) throws -> Tensor {
        guard predictions.shape.rank > 1 else {
            throw ShapeError(name, "needs predictions [batch, classes]", shapes: [shape, predictions.shape])
        }
        guard !dtype.isFloatingPoint else {
            throw ShapeError(
                name,
                "needs int32 class numbers, not \(dtype.rawValue); one-hot targets fit categoricalCrossentropy",
                shapes: [shape, predictions.shape])
        }
        let expected = Shape(predictions.shape.dimensions.dropLast())
        guard shape == expected || shape.dimensions == expected.dimensions + [1] else {
            throw ShapeError(
                name,
                "needs one class number per prediction: targets \(expected) for predictions "
                    + "\(predictions.shape)", shapes: [shape, predictions.shape])
        }
        return try reshaped(to: expected).cast(to: .int32)
    }

    /// Targets as float32 of exactly the shape of `predictions`; a last axis of extent 1 may be missing.
    ///
    /// - Throws: `ShapeError` for targets of another shape, naming `name`.
    public func aligned(with predictions: Tensor, for name: String) throws -> Tensor {
        let expected = predictions.shape
        guard shape == expected || shape.dimensions + [1] == expected.dimensions else {
            throw ShapeError(
                name, "needs targets of the predictions' shape \(expected)",
                shapes: [shape, predictions.shape])
        }
        return try reshaped(to: expected).cast(to: .float32)
    }

    /// These predictions, which must have a last axis of classes behind the batch axis.
    func rows(for name: String) throws -> Tensor {
        guard shape.rank > 1 else {
            throw ShapeError(name, "needs predictions [batch, classes]", shapes: [shape])
        }
        return self
    }

    /// The sum over every axis but the batch axis.
    public func sumPerExample() throws -> Tensor {
        shape.rank > 1 ? try sum(axes: Array(1..<shape.rank)) : self
    }

    /// The mean over every axis but the batch axis.
    public func meanPerExample() throws -> Tensor {
        shape.rank > 1 ? try mean(axes: Array(1..<shape.rank)) : self
    }
}
