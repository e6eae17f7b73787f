import FoveaGraph

/// A graph as a list of kernel calls over one block of memory.
public struct Plan: Sendable {
    public typealias ValueID = Int

    /// Something in memory that calls read and write.
    public struct Value: Sendable {
        public var name: String
        public var type: TensorType
        public var layout: Layout
        public var byteCount: Int
        public var place: Place
    }

    public enum Place: Sendable, Hashable {
        /// Bytes from the start of the plan's memory.
        case arena(offset: Int)
        case variable(Variable)
        case constant(TensorValue)
    }

    public struct Call: Sendable {
        public var kernel: Kernel
        public var operands: [Operand]
        /// What the library will run, or what was fused, for people.
        public var note: String

        public var reads: [ValueID] { operands.filter { !$0.isWritten }.map(\.value) }
        public var writes: [ValueID] { operands.filter(\.isWritten).map(\.value) }
    }

    public struct Operand: Sendable, Hashable {
        public enum Role: String, Sendable {
            case source, otherSource, weights, packedWeights, bias, destination, winners, scratchpad, indices,
                element
            // Of batch normalisation, whose gradient reads the source as well as the destination's gradient.
            case mean, variance, scale, offset, rectifiedMask
            case sourceGradient, scaleGradient, offsetGradient
        }

        public var role: Role
        public var value: ValueID
        public var isWritten: Bool
    }

    public internal(set) var values: [Value] = []
    public internal(set) var calls: [Call] = []
    /// Given at each run, by name; they keep their value until given again.
    public internal(set) var inputs: [(name: String, value: ValueID)] = []
    /// Where the run's key for random numbers goes, if any call reads it.
    public internal(set) var randomKey: ValueID?
    /// With the shape under which the graph knows them.
    public internal(set) var outputs: [(value: ValueID, shape: Shape)] = []
    /// The layout of every variable.
    public internal(set) var variables: [(variable: Variable, layout: Layout)] = []
    public internal(set) var arenaByteCount = 0
    /// What the values in the arena would take without sharing memory.
    public internal(set) var unsharedByteCount = 0

    /// The variable from which a call packs its weights, if they stay packed for the runs that follow because no call of
    /// the plan writes it.
    public func variableOfKeptWeights(_ call: Call) -> Variable? {
        guard call.operands.contains(where: { $0.role == .packedWeights }),
            let weights = call.operands.first(where: { $0.role == .weights })?.value,
            case .variable(let variable) = values[weights].place,
            !calls.contains(where: { $0.writes.contains(weights) })
        else { return nil }
        return variable
    }
}

/// The kinds of calls.
public enum Kernel: Sendable {
    case elementwise(ElementwiseKernel)
    case reduction(ReductionKernel)
    case gather(GatherKernel)
    case convolution(ConvolutionChoice)
    case pooling(PoolingChoice)
    case matmul(MatMulChoice)
    case softmax(SoftmaxKernel)
    case normalization(NormalizationChoice)
    case merge(MergeRequest)
    case reorder(ReorderRequest)
}

/// A program over an iteration space, with how each operand is walked.
public struct ElementwiseKernel: Sendable {
    public struct Operand: Sendable, Hashable {
        /// nil for a walk that is only counted.
        public var value: Plan.ValueID?
        public var offset: Int
        public var strides: [Int]
        /// Whether it is stored to or takes a sum.
        public var isStored: Bool
        /// A load from memory that the same call stores to.
        public var isAliased = false
        /// The elements that memory has, for walks that go further: behind them a load gives zero, and a sum is dropped.
        public var limit: Int?
    }

    public var extents: [Int]
    public var program: ElementwiseProgram
    public var operands: [Operand]
}

/// A reduction of a strided source to a row-major result.
public struct ReductionKernel: Sendable {
    public enum Kind: Sendable, Hashable {
        case combine(Reduction.Kind)
        case argMax
    }

    public var kind: Kind
    public var dtype: DType
    public var kept: [AxisMode]
    public var reduced: [AxisMode]
}

/// Softmax or its logarithm over row-major memory.
public struct SoftmaxKernel: Sendable, Hashable {
    public var isLogarithmic: Bool
    /// The elements of the axes before the axis, along it, and behind it.
    public var outer: Int
    public var extent: Int
    public var inner: Int
}

/// `gather`, or with `isScatter` its gradient.
public struct GatherKernel: Sendable, Hashable {
    public var isScatter: Bool
    public var elementByteCount: Int
    /// The entries of the shared axes.
    public var groups: Int
    public var outer: Int
    public var extent: Int
    public var inner: Int
    /// How many indices each group has.
    public var count: Int
}
