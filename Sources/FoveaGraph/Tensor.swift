import Synchronization

/// What is known of a tensor before it has a value.
public struct TensorType: Hashable, Sendable, CustomStringConvertible {
    public var shape: Shape
    public var dtype: DType

    public init(_ shape: Shape, _ dtype: DType) {
        self.shape = shape
        self.dtype = dtype
    }

    public var description: String { "\(dtype.rawValue)\(shape)" }
}

/// A value of a computation that has not run: a node of the graph.
///
/// Building tensors builds the graph; nothing is computed until the graph is compiled. Two tensors are equal
/// when they are the same node.
public struct Tensor: Sendable, Hashable {
    public let node: Node

    public var shape: Shape { node.type.shape }
    public var dtype: DType { node.type.dtype }
    public var operation: Operation { node.operation }
    public var inputs: [Tensor] { node.inputs }

    /// The result of an operation, after its shape rule has accepted the inputs.
    public init(_ operation: Operation, _ inputs: [Tensor]) throws(ShapeError) {
        let types = inputs.map(\.node.type)
        let result = try operation.rule.infer(types)
        guard (types + [result]).allSatisfy(\.shape.isAddressable) else {
            throw ShapeError(
                operation.rule.name,
                "the result \(result.shape) or an input has too many elements for any memory",
                shapes: types.map(\.shape))
        }
        node = Node(operation, inputs, result)
    }

    /// A source, whose type is stated rather than inferred.
    package init(source: Operation, _ type: TensorType) { node = Node(source, [], type) }

    /// The result of an operation whose type the caller knows to follow from its inputs.
    package init(known operation: Operation, _ inputs: [Tensor], _ type: TensorType) {
        node = Node(operation, inputs, type)
    }

    public static func == (a: Tensor, b: Tensor) -> Bool { a.node === b.node }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(node)) }
}

/// One operation with its inputs. It never changes, so graphs may be shared freely between tasks.
public final class Node: Sendable {
    public let operation: Operation
    public let type: TensorType
    /// Emptied by `deinit` and by nothing else: the inputs must be gone before the node's own memory goes.
    private let ownInputs: Mutex<[Tensor]>

    public var inputs: [Tensor] { ownInputs.withLock { $0 } }

    init(_ operation: Operation, _ inputs: [Tensor], _ type: TensorType) {
        self.operation = operation
        self.type = type
        ownInputs = Mutex(inputs)
    }

    /// Hands the inputs to a list whose entries are dropped one after another. Were they released with the node, a
    /// long chain would release itself in nested calls and overflow the stack.
    deinit {
        let mustDrain = pendingReleases.withLock { state in
            ownInputs.withLock { inputs in
                if inputs.isEmpty { return false }
                state.lists.append(inputs)
                inputs = []
                defer { state.isDraining = true }
                return !state.isDraining
            }
        }
        if mustDrain { drainPendingReleases() }
    }
}

/// Inputs of nodes that are going away, and whether some thread is dropping them now.
private let pendingReleases = Mutex<(lists: [[Tensor]], isDraining: Bool)>((lists: [], isDraining: false))

private func drainPendingReleases() {
    while let next = pendingReleases.withLock({ state -> [Tensor]? in
        if state.lists.isEmpty { state.isDraining = false }
        return state.lists.popLast()
    }) {
        // Where this was the last reference, the input's own `deinit` runs here and only adds to the list.
        _ = consume next
    }
}

// MARK: - Sources

extension Tensor {
    /// A batch of values given at every run.
    ///
    /// - Parameters:
    ///   - name: the key under which a run receives it.
    ///   - shape: one example's shape; the batch axis is put in front and stays symbolic until compilation.
    ///   - dtype: element type, `float32` unless said.
    public static func input(_ name: String, _ shape: Shape, _ dtype: DType = .float32) -> Tensor {
        argument(name, Shape([Shape.batch] + shape.dimensions), dtype)
    }

    /// A value without a batch axis given at every run, such as a learning rate.
    public static func argument(_ name: String, _ shape: Shape = .scalar, _ dtype: DType = .float32) -> Tensor
    {
        Tensor(source: .source(.input(name: name)), TensorType(shape, dtype))
    }

    /// A value that is part of the graph.
    public static func constant(_ value: TensorValue) -> Tensor {
        Tensor(source: .source(.constant(value)), TensorType(value.shape, value.dtype))
    }

    /// A constant of rank 0, rounded toward zero for integer types.
    public static func constant(_ value: Float, _ dtype: DType = .float32) -> Tensor {
        constant(TensorValue(shape: .scalar, dtype: dtype, doubles: [Double(value)]))
    }

    /// One number repeated to fill a shape, which may be symbolic.
    public static func filled(_ value: Float, _ shape: Shape, _ dtype: DType = .float32) -> Tensor {
        constant(value, dtype).expanded(to: shape)
    }

    /// The current value of a variable.
    public init(_ variable: Variable) {
        self.init(source: .source(.variable(variable)), variable.type)
    }

    /// True when the graph is compiled for training, false for inference. Known at compile time, so the branch not
    /// taken costs nothing.
    public static var isTraining: Tensor {
        Tensor(source: .source(.isTraining), TensorType(.scalar, .bool))
    }

    /// Four int32 words that every random operation depends on: the run's seed (low, high) and step (low, high).
    package static var randomKey: Tensor {
        Tensor(source: .source(.randomKey), TensorType([4], .int32))
    }

    /// The number of elements that reducing this tensor over `axes` combines, as a float32 scalar. It is a tensor
    /// because the batch size may still be open.
    func reducedCount(over axes: [Int]) -> Tensor {
        let counted = Shape(axes.map { shape[$0] })
        if !counted.isSymbolic { return .constant(Float(counted.elementCount)) }
        return Tensor(source: .source(.elementCount(counted)), TensorType(.scalar, .float32))
    }
}
