import FoveaFiles
import FoveaGraph
import FoveaPlanner

/// Something that can run graphs.
public protocol Backend: Sendable {
    /// The name shown to users, such as `onednn`.
    var name: String { get }

    /// Prepares a bound graph to be run many times.
    @Compute
    func compile(_ graph: BoundGraph, seed: UInt64) throws -> any Executable
}

extension Backend {
    /// Prepares a graph to be run many times.
    ///
    /// - Parameters:
    ///   - outputs: what a run returns, in this order.
    ///   - updates: variables that a run changes.
    ///   - mode: whether `Tensor.isTraining` holds.
    ///   - batch: the size of every batch axis.
    ///   - seed: what random tensors depend on, together with the step given to each run.
    /// - Throws: `ShapeError` when the graph does not fit the batch size.
    @Compute
    public func compile(
        outputs: [Tensor], updates: [Update] = [], mode: Mode, batch: Int = 1, seed: UInt64 = 0
    ) throws -> any Executable {
        try compile(BoundGraph(outputs: outputs, updates: updates, mode: mode, batch: batch), seed: seed)
    }
}

/// A compiled graph.
@Compute
public protocol Executable: AnyObject, Sendable {
    /// The inputs that a run needs, by name.
    var inputs: [String: TensorType] { get }

    /// Sets an input for the runs that follow by letting `fill` write its bytes (row-major) in place.
    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws

    /// Computes everything once. `step` counts runs and feeds the random numbers, so that a run can be repeated.
    func run(step: UInt64) throws

    /// An output of the last run.
    ///
    /// - Throws: `RunError.noOutput` before the first run and for an index outside `0..<outputCount`.
    func output(_ index: Int) throws -> TensorValue
    var outputCount: Int { get }
}

/// A run was given something that the compiled graph cannot take.
public enum RunError: Error, Hashable, CustomStringConvertible {
    case unknownInput(String, known: [String])
    case missingInput(String)
    case wrongType(input: String, expected: TensorType, received: TensorType)
    case noOutput(Int, count: Int)
    case kernel(String)

    public var description: String { visible(text) }

    private var text: String {
        switch self {
        case .unknownInput(let name, let known):
            "the compiled graph has no input '\(name)'; its inputs are \(known.joined(separator: ", "))"
        case .missingInput(let name): "input '\(name)' was never set"
        case .wrongType(let input, let expected, let received):
            "input '\(input)' was compiled for \(expected), not \(received); compile again for another batch size"
        case .noOutput(let index, let count):
            "there is no output \(index): the compiled graph has \(count), once it has run"
        case .kernel(let message): message
        }
    }
}

extension Executable {
    /// Computes the outputs for the given inputs; inputs not given keep their last value.
    ///
    /// - Throws: `RunError` for an unknown input or a value of another type than the graph was compiled for.
    public func run(_ values: [String: TensorValue] = [:], step: UInt64 = 0) throws -> [TensorValue] {
        for (name, value) in values { try setInput(name, to: value) }
        try run(step: step)
        return try (0..<outputCount).map { try output($0) }
    }

    /// Sets an input for the runs that follow.
    public func setInput(_ name: String, to value: TensorValue) throws {
        let received = TensorType(value.shape, value.dtype)
        if let expected = inputs[name], expected != received {
            throw RunError.wrongType(input: name, expected: expected, received: received)
        }
        try setInput(name) { memory in value.withUnsafeBytes { memory.copyMemory(from: $0) } }
    }

    func unknownInput(_ name: String) -> RunError {
        .unknownInput(name, known: inputs.keys.sorted())
    }
}

/// The four words that random operations read. A vector, because a run allocates nothing.
func randomKey(seed: UInt64, step: UInt64) -> SIMD4<Int32> {
    SIMD4(truncatingIfNeeded: SIMD4(seed, seed >> 32, step, step >> 32))
}
