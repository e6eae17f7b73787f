import Synchronization

/// Where a variable's numbers are. A backend that has compiled a graph keeps them in the layout its kernels want.
@Compute
public protocol VariableStorage: AnyObject, Sendable {
    func read() throws -> TensorValue
    func write(_ value: TensorValue) throws

    /// Whether all numbers are finite. Reads the value to look at it, unless implemented.
    func isFinite() throws -> Bool

    /// The value in a storage of its own, in which it stays as it is. Read into ordinary memory, unless implemented.
    ///
    /// - Parameter earlier: a copy made before, which nobody needs any more: its memory may be used.
    func copied(reusing earlier: (any VariableStorage)?) throws -> any VariableStorage
}

extension VariableStorage {
    public func isFinite() throws -> Bool { try read().isFinite }

    public func copied(reusing earlier: (any VariableStorage)?) throws -> any VariableStorage {
        HostStorage(try read())
    }
}

extension TensorValue {
    fileprivate var isFinite: Bool { dtype.isFloatingPoint ? floats.allSatisfy(\.isFinite) : true }
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

    public convenience init(name: String, initial value: TensorValue) {
        self.init(name: name, TensorType(value.shape, value.dtype), HostStorage(value))
    }

    /// A variable whose first value is made when it is first asked for: never, if it is replaced before.
    ///
    /// - Parameters:
    ///   - name: the name under which it is shown and saved.
    ///   - type: that of the value.
    ///   - makeInitial: makes a value of that type, always the same.
    public convenience init(
        name: String, type: TensorType, makeInitial: @escaping @Sendable () throws -> TensorValue
    ) {
        self.init(name: name, type, HostStorage(makeInitial))
    }

    private init(name: String, _ type: TensorType, _ storage: HostStorage) {
        self.name = name
        self.type = type
        self.storage = Mutex(storage)
    }

    /// Whether its first value has neither been made nor replaced yet.
    @Compute
    package var isUnmade: Bool { (currentStorage as? HostStorage)?.isUnmade ?? false }

    /// A copy of the current value, in row-major order.
    @Compute
    public func value() throws -> TensorValue {
        try currentStorage.read()
    }

    /// Whether all numbers of the current value are finite.
    @Compute
    package func isFinite() throws -> Bool { try currentStorage.isFinite() }

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
    private enum Content {
        case value(TensorValue)
        case notYetMade(@Sendable () throws -> TensorValue)
    }

    private let content: Mutex<Content>

    nonisolated public init(_ value: TensorValue) { content = Mutex(.value(value)) }

    /// A value that is made when it is first read.
    nonisolated init(_ makeValue: @escaping @Sendable () throws -> TensorValue) {
        content = Mutex(.notYetMade(makeValue))
    }

    public func read() throws -> TensorValue {
        try content.withLock { content in
            switch content {
            case .value(let value): return value
            case .notYetMade(let make):
                let value = try make()
                content = .value(value)
                return value
            }
        }
    }

    var isUnmade: Bool { content.withLock { if case .notYetMade = $0 { true } else { false } } }

    public func write(_ newValue: TensorValue) { content.withLock { $0 = .value(newValue) } }
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
