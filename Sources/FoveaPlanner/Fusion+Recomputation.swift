import FoveaGraph

/// What is computed again where it is read, rather than stored.
extension FusedGraph {
    /// More operations than this take longer than reading their result.
    private static let mostRepeated = 4

    /// Lets every pass that reads a cheap result compute it for itself, if that reads no more operands: `x - mean` from `x`,
    /// for one. Nobody then needs to write the result.
    mutating func computeAgain(_ order: [Tensor]) {
        var readers = readersInPasses(order)
        let updated = Set(graph.updates.map(\.variable))
        for tensor in order where stored.contains(tensor) {
            guard let home = kernelOf[tensor], case .elementwise = kernels[home].kind,
                let groups = readers[tensor], let work = workToRepeat(tensor, home, updated),
                groups.allSatisfy({ canRepeat(work, in: $0) })
            else { continue }
            for group in groups {
                let present = Set(kernels[group].members)
                kernels[group].members += work.members.filter { !present.contains($0) }
                kernels[group].dependencies.formUnion(dependencies(of: work.members, in: group))
                for load in work.loads where readers[load]?.contains(group) == false {
                    readers[load]?.append(group)
                }
            }
            stored.remove(tensor)
        }
        dropUnread()
    }

    /// The passes that read a tensor, its own left out; none for tensors that are also read otherwise.
    private func readersInPasses(_ order: [Tensor]) -> [Tensor: [Int]] {
        var readers: [Tensor: [Int]] = [:]
        var readOtherwise = Set(graph.roots.map(views.source))
        for tensor in order {
            guard let kernel = kernelOf[tensor] else { continue }
            for input in tensor.inputs {
                let source = views.source(input)
                let isPlain = views.reshapedSource(input) == source && !tensor.operation.movesElements
                if case .elementwise = kernels[kernel].kind, isPlain {
                    if kernelOf[source] != kernel, readers[source]?.contains(kernel) != true {
                        readers[source, default: []].append(kernel)
                    }
                } else {
                    readOtherwise.insert(source)
                }
            }
        }
        for tensor in readOtherwise { readers[tensor] = nil }
        return readers
    }

    private struct RepeatedWork {
        var members: [Tensor] = []
        var loads: [Tensor] = []
    }

    /// What another pass must do to have a tensor; nil where that is more than to read it.
    private func workToRepeat(_ tensor: Tensor, _ home: Int, _ updated: Set<Variable>) -> RepeatedWork? {
        var work = RepeatedWork()
        var open = [tensor]
        while let member = open.popLast() {
            guard member.operation.isCheap, work.members.count < Self.mostRepeated else { return nil }
            work.members.append(member)
            for input in member.inputs where splat(input) == nil {
                let source = views.source(input)
                // What is read later must not change before.
                if case .source(.variable(let variable)) = source.operation, updated.contains(variable) {
                    return nil
                }
                if kernels[home].members.contains(source), !stored.contains(source), !source.isSumOfPass {
                    if !work.members.contains(source), !open.contains(source) { open.append(source) }
                } else if source.shape.elementCount == tensor.shape.elementCount,
                    !work.loads.contains(source)
                {
                    work.loads.append(source)
                }
            }
        }
        return work
    }

    private func canRepeat(_ work: RepeatedWork, in group: Int) -> Bool {
        let present = wholeLoads(of: kernels[group].members)
        let members = kernels[group].members + work.members
        // One load takes the place of that of the result.
        return work.loads.count { !present.contains($0) } <= 1 && members.count <= Self.largestGroup
            && hasCommonModes(members)
    }

    /// Members that nothing needs any more, as all their readers compute them again.
    private mutating func dropUnread() {
        for group in kernels.indices {
            guard case .elementwise = kernels[group].kind else { continue }
            var needed = Set<Tensor>()
            var open = kernels[group].members.filter { stored.contains($0) || $0.isSumOfPass }
            let inside = Set(kernels[group].members)
            while let member = open.popLast() {
                guard needed.insert(member).inserted else { continue }
                open += member.inputs.map(views.reshapedSource).filter(inside.contains)
            }
            kernels[group].members.removeAll { !needed.contains($0) }
        }
    }
}

extension Operation {
    /// Whether the kernel computes it in about the time of reading an element from the cache.
    fileprivate var isCheap: Bool {
        switch self {
        case .unary(.negate), .unary(.abs), .unary(.relu), .comparison, .select, .cast: true
        case .binary(let kind): kind != .divide && kind != .power
        default: false
        }
    }
}
