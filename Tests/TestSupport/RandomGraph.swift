import Foundation
import FoveaGraph
import FoveaRuntime
import Testing

/// A graph grown at random from a seed: equal seeds give equal graphs over variables of their own.
///
/// Two backends may round differently, so whatever jumps (comparisons, `floor`, indices of largest elements) is only
/// applied to tensors that every backend must compute to the bit, and magnitudes are kept where rounding errors stay
/// small.
public struct RandomGraph {
    /// A float32 tensor of the graph.
    struct Entry {
        var tensor: Tensor
        /// Whether every backend computes the same bits.
        var isExact = false
        /// No element is larger.
        var bound = 2.0
    }

    public private(set) var outputs: [Tensor] = []
    public private(set) var updates: [Update] = []
    public private(set) var variables: [Variable] = []
    public private(set) var inputs: [String: TensorType] = [:]

    var generator: PhiloxGenerator
    var entries: [Entry] = []
    private let seed: UInt64

    public init(seed: UInt64) throws {
        self.seed = seed
        generator = PhiloxGenerator(seed: seed, stream: 0, step: 0)
        let emphasis = any(Emphasis.allCases)
        if emphasis != .variables, emphasis != .chains { try addImages() }
        for _ in 0..<(emphasis == .chains ? 30 : 2 + pick(3)) { try addLeaf(someShape(emphasis)) }
        let count = entries.count + (emphasis == .chains ? 30 : 10) + pick(14)
        while entries.count < count { try grow(emphasis) }
        try chooseUpdates()
        try chooseOutputs()
    }

    /// Values of the inputs for a step.
    public func values(step: UInt64) -> [String: TensorValue] {
        var result: [String: TensorValue] = [:]
        for (name, type) in inputs {
            let stream = UInt32(name.dropFirst()) ?? 0
            var generator = PhiloxGenerator(seed: seed, stream: 1 + stream, step: step)
            let doubles = (0..<type.shape.elementCount).map { _ in
                switch type.dtype {
                case .float32, .bfloat16: generator.uniform() * 4 - 2
                case .uint8: Double(generator.index(below: 256))
                case .bool: Double(generator.index(below: 2))
                // Some indices lie outside of any table.
                case .int32: Double(generator.index(below: 7) - 1)
                }
            }
            result[name] = TensorValue(shape: type.shape, dtype: type.dtype, doubles: doubles)
        }
        return result
    }

    // MARK: - Choices

    /// A number in `0..<count`.
    mutating func pick(_ count: Int) -> Int { generator.index(below: count) }
    mutating func chance(_ percent: Int) -> Bool { pick(100) < percent }
    mutating func any<Element>(_ elements: [Element]) -> Element { elements[pick(elements.count)] }

    /// An entry, recent ones more often.
    mutating func anyEntry() -> Entry {
        chance(50) ? entries[entries.count - 1 - pick(min(4, entries.count))] : any(entries)
    }

    mutating func anyEntry(where isWanted: (Entry) -> Bool) -> Entry? {
        let wanted = entries.filter(isWanted)
        return wanted.isEmpty ? nil : any(wanted)
    }

    private mutating func someShape(_ emphasis: Emphasis) -> Shape {
        // Large squares show whether a transposed variable is overwritten while it is read; extents without a common
        // factor cannot be walked together.
        let squares: [Shape] = [[70, 70], [70, 70], [4900], [2, 3, 5]]
        if emphasis == .variables { return any(squares) }
        if emphasis == .chains { return [3, 11] }
        let coprime: [Shape] = [[15], [3, 5], [5, 3], [2, 3, 5], [7, 3, 5], [6, 10]]
        if emphasis == .movement { return any(coprime) }
        return switch pick(4) {
        case 0: [1 + pick(40)]
        case 1: [1 + pick(6), any([1, 5, 16, 20, 24])]
        case 2: [1 + pick(3), 1 + pick(5), 1 + pick(7)]
        default: .scalar
        }
    }

    // MARK: - Leaves

    private mutating func addImages() throws {
        let shape: Shape = [1 + pick(3), 4 + pick(6), 4 + pick(6), any([1, 3, 8, 16, 20, 32])]
        if chance(30) {
            let pixels = newInput(shape, .uint8)
            add(try pixels.cast(to: .float32) / 128, isExact: true)
        } else {
            try addLeaf(shape)
        }
    }

    private mutating func newInput(_ shape: Shape, _ dtype: DType) -> Tensor {
        let name = "x\(inputs.count)"
        inputs[name] = TensorType(shape, dtype)
        return .argument(name, shape, dtype)
    }

    mutating func newVariable(_ shape: Shape) throws -> Tensor {
        let values = (0..<shape.elementCount).map { _ in Float(generator.uniform() * 4 - 2) }
        let variable = Variable(
            name: "v\(variables.count)", initial: try TensorValue(shape: shape, values))
        variables.append(variable)
        return Tensor(variable)
    }

    @discardableResult
    mutating func addLeaf(_ shape: Shape) throws -> Entry {
        switch pick(10) {
        case 0..<5: return add(try newVariable(shape), isExact: true)
        case 5..<8: return add(newInput(shape, .float32), isExact: true)
        case 8:
            let values = (0..<shape.elementCount).map { _ in Float(generator.uniform() * 4 - 2) }
            return add(.constant(try TensorValue(shape: shape, values)), isExact: true)
        default: return add(.filled(any([0, 1, -0.5, 2]), shape), isExact: true)
        }
    }

    mutating func newIndices(_ shape: Shape) -> Tensor { newInput(shape, .int32) }

    /// Takes a tensor in, scaled down where its elements could be large.
    @discardableResult
    mutating func add(_ tensor: Tensor, isExact: Bool = false, bound: Double = 2) -> Entry {
        var entry = Entry(tensor: tensor, isExact: isExact, bound: bound)
        if bound > 64 {
            let scale = Float(sign: .plus, exponent: -bound.exponent, significand: 1)
            if let scaled = try? tensor * scale {
                entry = Entry(tensor: scaled, isExact: isExact, bound: 2)
            }
        }
        entries.append(entry)
        return entry
    }

    // MARK: - Results

    private mutating func chooseOutputs() throws {
        var unused = Set(entries.map(\.tensor))
        for entry in entries { for input in entry.tensor.inputs { unused.remove(input) } }
        outputs += entries.map(\.tensor).filter(unused.contains)
        for _ in 0..<(1 + pick(3)) { outputs.append(any(entries).tensor) }
        if chance(20), let updated = updates.first { outputs.append(updated.value) }
    }

    private mutating func chooseUpdates() throws {
        let losses = entries.filter { !$0.isExact }
        var gradients: [Tensor?] = variables.map { _ in nil }
        if chance(50), let last = losses.last, !variables.isEmpty {
            let weights = newInput(last.tensor.shape, .float32)
            if let found = try? gradient(
                of: (last.tensor * weights).mean(), withRespectTo: variables.map { Tensor($0) })
            {
                gradients = found
                outputs = Array(found.prefix(3))
            }
        }
        for (variable, gradient) in zip(variables, gradients) where gradient != nil || chance(60) {
            let own = Tensor(variable)
            let peers = entries.map(\.tensor).filter { $0.shape == variable.shape && $0 != own }
            let counts = entries.map(\.tensor).filter {
                $0.shape.elementCount == variable.shape.elementCount && $0.shape != variable.shape
            }
            let value: Tensor
            if let gradient {
                value = try own - gradient * 0.1
            } else if !peers.isEmpty, chance(70) {
                let other = any(peers)
                value = chance(50) ? other : try own * 0.5 + other
            } else if !counts.isEmpty, chance(60) {
                value = try any(counts).reshaped(to: variable.shape)
            } else if variable.shape.rank == 2, variable.shape[0] == variable.shape[1], chance(60) {
                value = try own.transposed([1, 0])
            } else {
                value = try own * 0.9 + 0.25
            }
            updates.append(try Update(variable, to: value))
        }
    }
}

extension RandomGraph {
    /// The seeds to test: `0..<usual`, or those that the environment variable `FOVEA_RANDOM_SEEDS` names, as in
    /// `1000-1999`.
    public static func seeds(usual: UInt64) -> [UInt64] {
        let named = ProcessInfo.processInfo.environment["FOVEA_RANDOM_SEEDS"] ?? ""
        let bounds = named.split(separator: "-").compactMap { UInt64($0) }
        return bounds.count == 2 && bounds[0] <= bounds[1] ? Array(bounds[0]...bounds[1]) : Array(0..<usual)
    }

    /// Expects the same of two runs of a seed's graph as the reference computes: of all outputs and variables.
    ///
    /// - Parameter compile: makes the graph, in a mode that depends on the seed, runnable.
    @Compute
    public static func check(
        seed: UInt64, sourceLocation: SourceLocation = #_sourceLocation,
        compile: (BoundGraph) throws -> any Executable
    ) {
        do {
            let expected = try results(seed) { try ReferenceBackend().compile($0) }
            let actual = try results(seed, compile)
            // Gradients that cancel, as those behind a softmax may, leave nothing but rounding errors.
            for (actual, expected) in zip(actual, expected)
            where (actual.value.doubles + expected.value.doubles).contains(where: { !(abs($0) < 1e-7) }) {
                expectClose(
                    actual.value, expected.value, relativeTolerance: 1e-4, "seed \(seed), \(expected.name)",
                    sourceLocation: sourceLocation)
            }
        } catch {
            Issue.record("seed \(seed): \(error)", sourceLocation: sourceLocation)
        }
    }

    /// What two runs leave behind.
    @Compute
    private static func results(
        _ seed: UInt64, _ compile: (BoundGraph) throws -> any Executable
    ) throws -> [(name: String, value: TensorValue)] {
        let graph = try RandomGraph(seed: seed)
        let executable = try compile(
            BoundGraph(
                outputs: graph.outputs, updates: graph.updates,
                mode: seed.isMultiple(of: 3) ? .inference : .training, batch: 1))
        var results: [(name: String, value: TensorValue)] = []
        for step in 0..<2 as Range<UInt64> {
            // Some inputs feed nothing that is asked for.
            let values = graph.values(step: step).filter { executable.inputs[$0.key] != nil }
            let outputs = try executable.run(values, step: step, seed: seed)
            results += zip(outputs, graph.outputs).enumerated().map { index, pair in
                ("output \(index) of step \(step): \(pair.1.operation.rule.name)", pair.0)
            }
        }
        return try results + graph.variables.map { ($0.name, try $0.value()) }
    }
}
