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
        public var request: any KernelRequest
        public var kernel: any PreparedKernel
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
            // Of a depthwise convolution behind another one.
            case depthwiseWeights, depthwiseBias
            // Of batch normalisation, whose gradient reads the source as well as the destination's gradient.
            case mean, variance, scale, offset
            case sourceGradient, scaleGradient, offsetGradient
        }

        public var role: Role
        public var value: ValueID
        public var isWritten: Bool
    }

    public internal(set) var values: [Value] = []
    public internal(set) var calls: [Call] = []
    /// How many of the calls, the first ones, have results that last until a variable changes that they read.
    public internal(set) var lastingCallCount = 0
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

    /// Weights that stay packed for the runs that follow.
    public enum KeptWeights: Hashable, Sendable {
        /// A variable that no call writes.
        case variable(Variable)
        /// Computed by a lasting call.
        case computed
    }

    /// From what a call packs its weights, if they stay packed.
    public func keptWeights(_ call: Call) -> KeptWeights? {
        guard call.operands.contains(where: { $0.role == .packedWeights }),
            let weights = call.operands.first(where: { $0.role == .weights })?.value
        else { return nil }
        let writer = calls.firstIndex { $0.writes.contains(weights) }
        return switch values[weights].place {
        case .variable(let variable): writer == nil ? .variable(variable) : nil
        case .arena: writer.map { $0 < lastingCallCount } == true ? .computed : nil
        case .constant: nil
        }
    }
}
