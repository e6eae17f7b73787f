import FoveaGraph
import Synchronization

/// A tensor of numbers that a layer owns: declared when the layer is built, changed by training, saved with
/// the model.
public final class Parameter: Sendable {
    /// The name inside its layer, such as `kernel`: the key under which weight files hold it.
    public let name: String
    public let initializer: Initializer
    /// A penalty that training adds to the loss, if any.
    public let regularizer: Regularizer?
    /// A rule that the values keep to after each step of training, if any.
    public let constraint: Constraint?
    /// Whether it is learned: false for what the layer itself changes, such as moving averages.
    public let isLearned: Bool
    private let state: Mutex<(variable: Variable?, isFrozen: Bool)>

    /// - Parameters:
    ///   - name: the name inside its layer.
    ///   - initializer: where the first values come from.
    ///   - regularizer: a penalty that training adds to the loss.
    ///   - constraint: a rule that the values keep to after each step of training.
    ///   - isLearned: whether an optimizer changes it.
    public init(
        _ name: String, initializer: Initializer, regularizer: Regularizer? = nil,
        constraint: Constraint? = nil, isLearned: Bool = true
    ) {
        self.name = name
        self.initializer = initializer
        self.regularizer = regularizer
        self.constraint = constraint
        self.isLearned = isLearned
        state = Mutex((variable: nil, isFrozen: false))
    }

    /// Whether it stays as it is, whoever wants to change it: layers that change state of their own ask when they are called.
    public internal(set) var isFrozen: Bool {
        get { FrozenParameters.current?.contains(self) ?? state.withLock { $0.isFrozen } }
        set { state.withLock { $0.isFrozen = newValue } }
    }

    /// Whether an optimizer changes it. Set to false to freeze it, before the model is compiled (`Layer.isTrainable`).
    public var isTrainable: Bool {
        get { isLearned && !isFrozen }
        set { isFrozen = !newValue }
    }

    /// Gives the parameter its shape and first values, which are made when they are first needed. Declared again with the
    /// same shape, it keeps its values: that is how parts of models are shared.
    ///
    /// - Throws: `ShapeError` when it has another shape already, when the shape is empty or too large, or
    ///   when the initializer's settings make no sense or no sense for the shape.
    public func declare(shape: Shape, in scope: inout BuildScope) throws(ShapeError) {
        if let variable {
            guard variable.shape == shape || !scope.isOtherSize else {
                throw ShapeError(
                    "parameter '\(name)'",
                    "each size of the input would need another shape of it, and the model's input leaves extents open (nil); "
                        + "pool before it, with GlobalAveragePooling2D or GlobalMaxPooling2D instead of Flatten, or give the "
                        + "input a size", shapes: Shape.merged([variable.shape], [shape]))
            }
            guard variable.shape == shape else {
                throw ShapeError(
                    "parameter '\(name)'",
                    "it was built for another shape; make a new layer, or give this one inputs as before",
                    shapes: [variable.shape, shape])
            }
            scope.skip()
            return
        }
        let stream = try scope.reserve(shape, for: name)
        try initializer.check(for: shape)
        let (initializer, seed) = (initializer, scope.seed)
        let variable = Variable(
            name: (scope.path + [name]).joined(separator: "/"), type: TensorType(shape, .float32)
        ) { try initializer.value(shape: shape, seed: seed, stream: stream) }
        if let trial = scope.trial {
            trial.add(variable, for: self)
        } else {
            state.withLock { $0.variable = variable }
        }
    }

    /// Where the values are; nil before the layer is built.
    public var variable: Variable? {
        state.withLock { $0.variable } ?? BuildTrial.current?.variable(of: self)
    }

    /// The number of elements; 0 before the layer is built.
    public var elementCount: Int { variable?.shape.elementCount ?? 0 }

    /// The values as part of a graph.
    ///
    /// - Throws: `ShapeError` when the layer has not been built.
    public var tensor: Tensor {
        get throws(ShapeError) {
            guard let variable else {
                throw ShapeError(
                    "parameter '\(name)'",
                    "it has no shape yet; build first: give the model that holds its layer an input shape, "
                        + "and list the layer among the `namedLayers` of the layer that calls it"
                )
            }
            return Tensor(variable)
        }
    }
}

/// What building a model carries from layer to layer: the seed, how many parameters there are so far, and
/// where in the model the build has arrived.
public struct BuildScope: Sendable {
    /// How many numbers the parameters of one model may hold, 4 GiB of float32: sizes come from files too,
    /// and a wrong one must not exhaust the memory.
    public static let elementLimit = 1 << 30

    /// How many numbers each input and output of a layer may have for one example, 2 GiB of float32: those of 64 channels of
    /// a picture of 3840×2160 pixels. More would be asked for by mistake, or by a hostile file.
    public static let activationLimit = 1 << 29

    /// How many layers a model may call, those in models inside counted for each call of these. Networks call a thousand or
    /// so; models inside models that are used twice would make files of a few lines endless.
    public static let callLimit = 10_000

    public let seed: UInt64
    private let elementLimit: Int
    /// Set where layers are only tried out, to find the shapes of what they give.
    let trial: BuildTrial?
    /// Whether all has been built before, for inputs of another size: a model is to take both.
    var isOtherSize = false
    /// Names of the layers around the one being built, outermost first, without the model's own name.
    public private(set) var path: [String] = []
    private var parameterCount: UInt32 = 0
    private var elementCount = 0
    private static let constantLimit = 1 << 28
    private var constantCount = 0

    /// - Parameters:
    ///   - seed: for the parameters' first values.
    ///   - elementLimit: how many numbers the parameters may hold; never more than `BuildScope.elementLimit`.
    public init(seed: UInt64, elementLimit: Int = BuildScope.elementLimit) {
        self.init(seed: seed, elementLimit: elementLimit, trial: nil)
    }

    init(seed: UInt64, elementLimit: Int = BuildScope.elementLimit, trial: BuildTrial?) {
        self.seed = seed
        // What is only tried out takes no memory.
        self.elementLimit = trial == nil ? min(elementLimit, BuildScope.elementLimit) : elementLimit
        self.trial = trial
    }

    var isTrial: Bool { trial != nil }

    /// Counts numbers of a constant that a layer puts into the graph each time it is called.
    ///
    /// - Throws: `ShapeError` when those of all layers together exceed 1 GiB of float32.
    mutating func addConstant(_ count: Int) throws(ShapeError) {
        constantCount += count
        guard constantCount <= Self.constantLimit else {
            throw ShapeError(
                "constants",
                "layers that need \(constantCount) constant numbers exceed the limit of \(Self.constantLimit) for "
                    + "this model; use fewer of them, or fewer channels")
        }
    }

    mutating func enter(_ name: String) { path.append(name) }
    mutating func leave() { path.removeLast() }

    /// Counts a parameter that has values already, so that those after it get the same as if it were new.
    fileprivate mutating func skip() { parameterCount += 1 }

    /// Counts a new parameter and returns its number, which is its stream of random numbers.
    fileprivate mutating func reserve(_ shape: Shape, for name: String) throws(ShapeError) -> UInt32 {
        guard let count = productOfPositive(shape.dimensions) else {
            throw ShapeError(
                "parameter '\(name)'",
                "every extent must be positive, and their product must not exceed "
                    + "\(elementLimit)", shapes: [shape])
        }
        guard count <= elementLimit - elementCount else {
            throw ShapeError(
                "parameter '\(name)'",
                "its \(count) numbers and the \(elementCount) before it exceed the limit of "
                    + "\(elementLimit) for this model; use fewer units or filters, or pool before it",
                shapes: [shape])
        }
        elementCount += count
        defer { parameterCount += 1 }
        return parameterCount
    }
}

/// The product, or nil when a factor is not positive or the product does not fit.
func productOfPositive(_ factors: some Sequence<Int>) -> Int? {
    var product = 1
    for factor in factors {
        let (next, overflow) = product.multipliedReportingOverflow(by: factor)
        guard factor > 0, !overflow else { return nil }
        product = next
    }
    return product
}
