import FoveaFiles
import FoveaGraph

/// Something that can run graphs.
public protocol Backend: Sendable {
    /// The name shown to users, such as `onednn`.
    var name: String { get }

    /// What it computes with, which is not always what was asked for.
    var precision: Precision { get }

    /// What results depend on besides the graph and the machine, such as `onednn, float32`: a training that goes on elsewhere
    /// has to have the same.
    var summary: String { get }

    /// Libraries and instructions that it computes with, by what they are called, such as `onednn` and `2.6.3`.
    var versions: [String: String] { get }

    /// How many threads compute at once.
    var threadCount: Int { get }

    /// Why there are fewer threads than was asked for, such as a limit on processes; nil where there are not.
    var threadShortage: String? { get }

    /// Memory for executables that run in turn.
    @Compute func makeWorkspace() -> any Workspace

    /// Prepares a bound graph to be run many times.
    ///
    /// - Parameter workspace: memory made by this backend, which other executables may use, too. Inputs are lost when another
    ///   one runs in it.
    /// - Throws: `RunError` when there is not enough memory.
    @Compute func compile(_ graph: BoundGraph, in workspace: any Workspace) throws -> any Executable

    /// What `compile` would prepare, as a table for people.
    @Compute func table(of graph: BoundGraph) throws -> String
}

/// What executables compute in, one after the other: as much memory as the one needs that needs most.
@Compute
public protocol Workspace: AnyObject, Sendable {}

extension Backend {
    /// Prepares a graph to be run many times, with memory of its own.
    ///
    /// - Parameters:
    ///   - outputs: what a run computes, in this order.
    ///   - updates: variables that a run changes.
    ///   - mode: whether `Tensor.isTraining` holds.
    ///   - batch: the size of every batch axis.
    /// - Throws: `ShapeError` when the graph does not fit the batch size.
    @Compute
    public func compile(
        outputs: [Tensor], updates: [Update] = [], mode: Mode, batch: Int = 1
    ) throws -> any Executable {
        try compile(BoundGraph(outputs: outputs, updates: updates, mode: mode, batch: batch))
    }

    /// Prepares a bound graph to be run many times, with memory of its own.
    @Compute
    public func compile(_ graph: BoundGraph) throws -> any Executable {
        try compile(graph, in: makeWorkspace())
    }
}

/// A compiled graph.
///
/// Before each run it looks whether its variables are where it computes with them, and brings back what another backend has
/// taken elsewhere.
@Compute
public protocol Executable: AnyObject, Sendable {
    /// The inputs that a run needs, by name.
    var inputs: [String: TensorType] { get }

    var outputCount: Int { get }

    /// Sets an input for the runs that follow by letting `fill` write its bytes (row-major) in place.
    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws

    /// Computes everything once.
    ///
    /// - Parameters:
    ///   - step: counts runs and feeds the random numbers, so that a run can be repeated.
    ///   - seed: what random numbers depend on, too.
    /// - Throws: `RunError.missingInput` for an input that was never set, or not since another executable ran in the same
    ///   workspace.
    func run(step: UInt64, seed: UInt64) throws

    /// An output of the last run, which is copied when it is asked for its value.
    ///
    /// - Throws: `RunError.noOutput` before the first run and for an index outside `0..<outputCount`.
    func output(_ index: Int) throws -> RunOutput

    /// What is run, with the least time of each part over some runs, as a table for people. Inputs must have been set.
    func table(timedRuns: Int) throws -> String
}

/// A result of a run, still where the backend has left it.
public struct RunOutput: Sendable {
    public let type: TensorType
    private let read: @Compute @Sendable () throws -> TensorValue

    /// - Parameter read: copies the result, or throws `RunError.outputGone`.
    public init(_ type: TensorType, read: @escaping @Compute @Sendable () throws -> TensorValue) {
        self.type = type
        self.read = read
    }

    /// A copy of the result.
    ///
    /// - Throws: `RunError.outputGone` when something else has been computed in the same memory since.
    @Compute
    public func value() throws -> TensorValue { try read() }
}

extension Executable {
    /// Computes the outputs for the given inputs and copies all of them; inputs not given keep their last value.
    ///
    /// - Throws: `RunError` for an unknown input or a value of another type than the graph was compiled for.
    public func run(
        _ values: [String: TensorValue] = [:], step: UInt64 = 0, seed: UInt64 = 0
    ) throws -> [TensorValue] {
        for (name, value) in values { try setInput(name, to: value) }
        try run(step: step, seed: seed)
        return try (0..<outputCount).map { try output($0).value() }
    }

    /// Sets an input for the runs that follow.
    ///
    /// - Throws: `RunError` for an unknown input or a value of another type than the graph was compiled for.
    public func setInput(_ name: String, to value: TensorValue) throws {
        let received = TensorType(value.shape, value.dtype)
        if let expected = inputs[name], expected != received {
            throw RunError.wrongType(input: name, expected: expected, received: received)
        }
        try setInput(name) { memory in value.withUnsafeBytes { memory.copyMemory(from: $0) } }
    }

    package func unknownInput(_ name: String) -> RunError {
        .unknownInput(name, known: inputs.keys.sorted())
    }
}

/// The four words that random operations read. A vector, because a run allocates nothing.
package func randomKey(seed: UInt64, step: UInt64) -> SIMD4<Int32> {
    SIMD4(truncatingIfNeeded: SIMD4(seed, seed >> 32, step, step >> 32))
}
