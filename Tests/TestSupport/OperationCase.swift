import FoveaGraph

/// A small computation for comparing backends with each other and gradients with finite differences.
public struct OperationCase: Sendable, CustomStringConvertible {
    public let name: String
    public let inputs: [CaseInput]
    public let tolerance: ToleranceClass
    /// Builds the outputs from one tensor for each input.
    public let build: @Sendable ([Tensor]) throws -> [Tensor]

    public init(
        _ name: String, _ inputs: [CaseInput], _ tolerance: ToleranceClass = .direct,
        build: @escaping @Sendable ([Tensor]) throws -> [Tensor]
    ) {
        self.name = name
        self.inputs = inputs
        self.tolerance = tolerance
        self.build = build
    }

    public var description: String { name }

    /// The batch size that the inputs are written for; 1 where none has a batch axis.
    public var batch: Int { inputs.first { $0.isBatched }?.shape[0] ?? 1 }

    /// The positions of the inputs that outputs depend on smoothly, at the inputs' values.
    public var differentiable: [Int] { inputs.indices.filter { inputs[$0].isDifferentiable } }

    /// One tensor for each input, named `x0`, `x1` and so on. Batch axes are symbolic where `batch` is nil.
    public func tensors(batch: Int?) -> [Tensor] {
        inputs.indices.map { .argument("x\($0)", inputs[$0].shape(batch: batch), inputs[$0].dtype) }
    }

    /// Values for the inputs by name: the same for equal names and batch sizes.
    public func values(batch: Int) -> [String: TensorValue] {
        let named = inputs.indices.map { index in
            // FNV-1a of the name: the seed must not depend on the process, as `hashValue` does.
            let seed = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
                ($0 ^ UInt64($1)) &* 0x100_0000_01b3
            }
            return ("x\(index)", inputs[index].value(batch: batch, seed: seed, stream: UInt32(index)))
        }
        return Dictionary(uniqueKeysWithValues: named)
    }
}

/// How exactly a backend can be expected to compute a case. Integers and truths are always compared exactly.
public enum ToleranceClass: Sendable, CaseIterable {
    /// Nothing but a choice or rounding of input elements.
    case exact
    /// Sums in float32 in some order.
    case direct
    /// A convolution or product that precision `float32` may compute by a faster algorithm than its definition:
    /// Winograd's, or with split numbers.
    case faster
    /// Results in bfloat16.
    case bfloat16

    /// The largest difference, relative to the largest magnitude, that passes.
    public var relative: Double {
        switch self {
        case .exact: 0
        case .direct: 2e-6
        case .faster: 2e-5
        case .bfloat16: 8e-3
        }
    }
}

/// What a case is fed.
public struct CaseInput: Sendable {
    public let shape: Shape
    public let dtype: DType
    public let values: CaseValues
    /// Whether the first axis is a batch axis.
    public let isBatched: Bool
    public let isDifferentiable: Bool

    /// A float32 input whose first axis is a batch axis.
    public static func batch(_ shape: Shape, _ values: CaseValues = .uniform(-2, 2)) -> CaseInput {
        CaseInput(shape: shape, dtype: .float32, values: values, isBatched: true, isDifferentiable: true)
    }

    /// A float32 input without a batch axis.
    public static func fixed(_ shape: Shape, _ values: CaseValues = .uniform(-2, 2)) -> CaseInput {
        CaseInput(shape: shape, dtype: .float32, values: values, isBatched: false, isDifferentiable: true)
    }

    /// The same input with elements of another type. Gradients stop at types that are not floating point.
    public func of(_ dtype: DType) -> CaseInput {
        CaseInput(
            shape: shape, dtype: dtype, values: values, isBatched: isBatched,
            isDifferentiable: isDifferentiable && dtype.isFloatingPoint)
    }

    /// The same input, with respect to which no gradient is taken.
    public var withoutGradient: CaseInput {
        CaseInput(shape: shape, dtype: dtype, values: values, isBatched: isBatched, isDifferentiable: false)
    }

    func shape(batch: Int?) -> Shape {
        guard isBatched else { return shape }
        var result = shape
        result[0] = batch ?? Shape.batch
        return result
    }

    func value(batch: Int, seed: UInt64, stream: UInt32) -> TensorValue {
        let shape = shape(batch: batch)
        var generator = PhiloxGenerator(seed: seed, stream: stream, step: 0)
        let doubles = values.elements(shape.elementCount, &generator)
        return TensorValue(shape: shape, dtype: dtype, doubles: doubles)
    }
}

/// Which elements an input gets.
public enum CaseValues: Sendable {
    case uniform(Double, Double)
    /// Magnitudes in a range, either sign.
    case signed(Double, Double)
    /// Whole numbers in a range, so that equal elements occur.
    case integers(ClosedRange<Int>)
    /// `offset` plus different multiples of 1/8 in random order: a small step changes no order.
    case distinct(offset: Double = 0)
    /// Numbers at least 0.2 from the nearest whole number.
    case betweenIntegers
    /// These, over and over.
    case listed([Double])

    func elements(_ count: Int, _ generator: inout PhiloxGenerator) -> [Double] {
        switch self {
        case .uniform(let low, let high):
            (0..<count).map { _ in low + (high - low) * generator.uniform() }
        case .signed(let low, let high):
            (0..<count).map { _ in
                (low + (high - low) * generator.uniform()) * (generator.uniform() < 0.5 ? -1 : 1)
            }
        case .integers(let range):
            (0..<count).map { _ in Double(range.lowerBound + generator.index(below: range.count)) }
        case .distinct(let offset):
            (0..<count).shuffled(using: &generator).map { Double($0 - count / 2) / 8 + offset }
        case .betweenIntegers:
            (0..<count).map { _ in Double(generator.index(below: 7) - 3) + 0.2 + 0.6 * generator.uniform() }
        case .listed(let elements): (0..<count).map { elements[$0 % elements.count] }
        }
    }
}
