import FoveaFiles

/// An operation or layer was given shapes (or sizes, or element types) that it cannot work with.
public struct ShapeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked for, such as `convolution` or `Dense`.
    public let operation: String
    /// What is wrong, what was expected and what to try.
    public let message: String
    /// Every shape received, in argument order.
    public let shapes: [Shape]
    /// The layers around the operation, outermost first: `["lenet5", "conv2d_1"]`.
    public private(set) var path: [String]

    public init(_ operation: String, _ message: String, shapes: [Shape] = [], path: [String] = []) {
        self.operation = operation
        self.message = message
        self.shapes = shapes
        self.path = path
    }

    /// The same error, seen from the layer or model that contains it.
    public func inside(_ name: String) -> ShapeError {
        var error = self
        error.path.insert(name, at: 0)
        return error
    }

    public var description: String {
        let place = path.isEmpty ? "" : path.joined(separator: "/") + ": "
        let received = shapes.isEmpty ? "" : "; received " + shapes.map(\.description).joined(separator: ", ")
        return visible("\(place)\(operation): \(message)\(received)")
    }
}
