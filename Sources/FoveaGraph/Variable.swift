import Synchronization

/// Where a variable's numbers are. A backend that has compiled a graph keeps them in the layout its kernels want.
@Compute
public protocol VariableStorage: AnyObject, Sendable {
    func read() throws -> TensorValue
    func write(_ value: TensorValue) throws
}

/// A tensor with a value of its own that lasts between runs: a weight, an optimizer's state, a moving average.
///
/// A run may update it: `Update` pairs a variable with the tensor whose value it takes.
public final class Variable: Sendable, Hashable {
    /// The name under which it is shown and saved, such as `conv2d/kernel`.
    public let name: String
    public let type: TensorType
    private let storage: Mutex<any VariableStorage>

    public var shape: Shape { type.shape }
    public var dtype: DType { type.dtype }

    public init(name: String, initial value: TensorValue) {
        self.name = name
        type = TensorType(value.shape, value.dtype)
        storage = Mutex(HostStorage(value))
    }

    /// A copy of the current value, in row-major order.
    @Compute
    public func value() throws -> TensorValue {
        try currentStorage.read()
    }

    /// Replaces the value.
    ///
    /// - Throws: `ShapeError` when the shape or element type differs from the variable's.
    @Compute
    public func assign(_ value: TensorValue) throws {
        guard value.shape == shape, value.dtype == dtype else {
            throw ShapeError(
                "assign", "variable '\(name)' holds \(type), not \(TensorType(value.shape, value.dtype))",
                shapes: [shape, value.shape])
        }
        try currentStorage.write(value)
    }

    /// For backends: the present storage, and moving to another.
    public var currentStorage: any VariableStorage { storage.withLock { $0 } }
    public func move(to newStorage: any VariableStorage) { storage.withLock { $0 = newStorage } }

    public static func == (a: Variable, b: Variable) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// A value in ordinary memory, in row-major order: where a variable starts.
public final class HostStorage: VariableStorage {
    private let value: Mutex<TensorValue>

    nonisolated public init(_ value: TensorValue) { self.value = Mutex(value) }

    public func read() -> TensorValue { value.withLock { $0 } }
    public func write(_ newValue: TensorValue) { value.withLock { $0 = newValue } }
}

/// After a run, `variable` holds what `value` had in that run.
public struct Update: Sendable {
    public let variable: Variable
    public let value: Tensor

    /// - Throws: `ShapeError` when the value's type is not the variable's.
    public init(_ variable: Variable, to value: Tensor) throws(ShapeError) {
        guard variable.type == value.node.type else {
            throw ShapeError(
                "Update",
                "variable '\(variable.name)' holds \(variable.type), its new value is \(value.node.type)",
                shapes: [variable.shape, value.shape])
        }
        self.variable = variable
        self.value = value
    }
}
