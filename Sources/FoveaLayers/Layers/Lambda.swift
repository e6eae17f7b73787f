import FoveaGraph

/// A function of your own as a layer:
///
/// ```swift
/// Lambda { x in try x * 2 - 1 }
/// ```
///
/// It has no parameters, and a file cannot hold it: a model that contains one can only save its weights. Write a
/// ``UnaryLayer`` where either is needed.
///
/// - Input and output: what the function takes and gives; axis 0 is the batch.
/// - Throws: `ShapeError`, with the text of the function's own error where that is another.
public final class Lambda: UnaryLayer {
    public static let typeName = "Lambda"
    public let name: String?
    public let function: @Sendable (Tensor) throws -> Tensor

    /// - Parameters:
    ///   - name: the layer's name in its model; chosen by the model when nil.
    ///   - function: makes the output, as a graph.
    public init(name: String? = nil, _ function: @escaping @Sendable (Tensor) throws -> Tensor) {
        self.name = name
        self.function = function
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        do {
            return try function(x)
        } catch let shapeError as ShapeError {
            throw shapeError
        } catch let other {
            throw error("\(other)", x.shape)
        }
    }
}
