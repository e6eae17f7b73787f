import FoveaGraph

/// Tells which tensors are the same in every run until somebody changes a variable from outside: those that depend on nothing
/// but constants and variables that the graph only reads. In inference that is whatever is made of weights.
struct LastingTensors {
    private let updated: Set<Variable>
    private var known: [Tensor: Bool] = [:]

    init(_ graph: BoundGraph) {
        updated = Set(graph.updates.map(\.variable))
    }

    /// Ask for inputs first: what is not known of these is looked up by recursion.
    mutating func contains(_ tensor: Tensor) -> Bool {
        if let known = known[tensor] { return known }
        let answer: Bool
        switch tensor.operation {
        case .source(.constant): answer = true
        case .source(.variable(let variable)): answer = !updated.contains(variable)
        case .source: answer = false
        default:
            var all = true
            for input in tensor.inputs where all { all = contains(input) }
            answer = all
        }
        known[tensor] = answer
        return answer
    }
}

extension Plan {
    /// Puts the calls first whose results last from run to run, because they read nothing but constants, variables that no call
    /// writes, and results of such calls. They are run again only when a variable has changed.
    mutating func putLastingCallsFirst() {
        var writers: [ValueID: Int] = [:]
        for call in calls {
            for value in call.writes { writers[value, default: 0] += 1 }
        }
        var fromLastingCalls = Set<ValueID>()
        func isLasting(_ value: ValueID) -> Bool {
            switch values[value].place {
            case .constant: true
            case .variable: writers[value] == nil
            case .arena: fromLastingCalls.contains(value)
            }
        }
        var (lasting, others): ([Call], [Call]) = ([], [])
        for call in calls {
            let written = call.writes
            let ownsResults = written.allSatisfy { value in
                if case .arena = values[value].place { writers[value] == 1 } else { false }
            }
            if ownsResults, call.reads.allSatisfy(isLasting) {
                fromLastingCalls.formUnion(written)
                lasting.append(call)
            } else {
                others.append(call)
            }
        }
        lastingCallCount = lasting.count
        calls = lasting + others
    }

    /// The variables that lasting calls read.
    public var variablesOfLastingCalls: Set<Variable> {
        Set(
            calls[..<lastingCallCount].flatMap(\.reads).compactMap { value in
                if case .variable(let variable) = values[value].place { variable } else { nil }
            })
    }
}
