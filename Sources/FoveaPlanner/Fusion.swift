import FoveaGraph

/// A part of the graph that becomes one kernel call (or a few that write one result).
struct FusedKernel {
    enum Kind {
        /// Elementwise members and sums over them, computed together in one pass.
        case elementwise
        /// A convolution or matrix product, perhaps with a bias and a ReLU behind it, and behind a convolution's ReLU a ceiling.
        case contraction(bias: Tensor?, hasReLU: Bool, ceiling: Float?)
        /// Anything else: exactly one operation.
        case single(any SingleOperation)
    }

    var kind: Kind
    /// In topological order. The first of a contraction is the contraction, the last its result.
    var members: [Tensor]
    /// For a convolution's kernel gradient: the sum over its upstream gradient that comes for free.
    var biasGradient: Tensor?
    /// Kernels that must run before.
    var dependencies = Set<Int>()
}

/// The graph cut into kernels, in the order in which they run.
struct FusedGraph {
    var kernels: [FusedKernel] = []
    /// Tensors used outside of the kernel that computes them. Sums, which always are, do not count.
    var stored = Set<Tensor>()
    /// Updates whose kernel may write into the variable itself.
    private(set) var inPlace: [Tensor: Variable] = [:]
    private(set) var views = Views()
    /// What is the same in every run. It shares no kernel with what is not, because it is computed less often.
    private(set) var lasting = Set<Tensor>()

    /// The graph with results that own their memory.
    let graph: BoundGraph
    /// While the graph is cut; sorting gives kernels other places.
    var kernelOf: [Tensor: Int] = [:]
    private(set) var consumers: [Tensor: [Tensor]] = [:]
    private(set) var roots: Set<Tensor>

    init(_ graph: BoundGraph) throws {
        let graph = try graph.withOwnedResults()
        self.graph = graph
        roots = Set(graph.roots)
        var lasting = LastingTensors(graph)
        var order = topologicalOrder(of: graph.roots)
        self.lasting = Set(order.filter { lasting.contains($0) })
        // First, so that others find it in kernels.
        order = order.filter(self.lasting.contains) + order.filter { !self.lasting.contains($0) }
        for tensor in order {
            for input in tensor.inputs { consumers[input, default: []].append(tensor) }
        }
        findViewsToCompute(order)
        for tensor in order where kernelOf[tensor] == nil {
            switch tensor.operation.family {
            case .source: break
            case .view: if views.computed.contains(tensor) { addElementwise(tensor) }
            case .elementwise: addElementwise(tensor)
            case .contraction: addContraction(tensor)
            case .single(let rule):
                if tensor.isSumOfPass {
                    addSum(tensor)
                } else {
                    add(FusedKernel(kind: .single(rule), members: [tensor]))
                }
            }
        }
        mergeSums()
        findStored(order)
        computeAgain(order)
        let readers = readersOfVariables()
        findInPlaceUpdates(readers)
        sort(order)
        kernelOf = [:]
    }

    // MARK: - Views

    private mutating func findViewsToCompute(_ order: [Tensor]) {
        for tensor in order {
            switch tensor.operation.family {
            case .view:
                // Where strides cannot express a view of a view, the inner one is computed.
                if views.walk(tensor) == nil { views.computed.insert(tensor.inputs[0]) }
            case .single where tensor.isSumOfPass: computeViewsThatMeetInNoOrder(tensor)
            case .contraction, .single:
                for input in tensor.inputs { needsMemory(input) }
            case .elementwise: computeViewsThatMeetInNoOrder(tensor)
            case .source: break
            }
        }
        for root in roots {
            needsMemory(root)
            if case .source = views.source(root).operation.family { views.computed.insert(root) }
        }
    }

    /// One loop reads all operands: views whose walks cannot be cut into common modes are computed. Computing others
    /// later does no harm: it only makes walks coarser.
    private mutating func computeViewsThatMeetInNoOrder(_ tensor: Tensor) {
        // A random tensor's key is read as a whole.
        if case .random = tensor.operation { return }
        var walks = [[AxisMode(tensor.passShape.elementCount, 1)]]
        if tensor.isSumOfPass { walks.append(tensor.resultModes) }
        for input in tensor.inputs where splat(input) == nil {
            guard let walk = views.walk(input), commonModes(walks + [walk.modes]) != nil else {
                views.computed.insert(input)
                continue
            }
            walks.append(walk.modes)
        }
    }

    /// Libraries' kernels read whole tensors: only reshaping is free for them.
    private mutating func needsMemory(_ tensor: Tensor) {
        var tensor = tensor
        while case .reshape = tensor.operation { tensor = tensor.inputs[0] }
        if case .view = tensor.operation.family { views.computed.insert(tensor) }
    }

    // MARK: - Cutting

    private mutating func addContraction(_ tensor: Tensor) {
        var members = [tensor]
        var bias: Tensor?
        var hasReLU = false
        var ceiling: Float?
        if let sum = onlyConsumer(of: tensor), case .binary(.add) = sum.operation,
            let other = sum.inputs.first(where: { $0 != tensor }), let vector = biasVector(other)
        {
            bias = vector
            members.append(sum)
        }
        if let relu = onlyConsumer(of: members[members.count - 1]), case .unary(.relu) = relu.operation {
            hasReLU = true
            members.append(relu)
            if case .convolution = tensor.operation, let minimum = onlyConsumer(of: relu),
                let limit = minimum.limitAbove(relu)
            {
                ceiling = limit
                members.append(minimum)
            }
        }
        if case .convolutionKernelGradient = tensor.operation { members = [tensor] }
        if case .convolutionInputGradient = tensor.operation { members = [tensor] }
        let isPlain = members.count == 1
        add(
            FusedKernel(
                kind: .contraction(
                    bias: isPlain ? nil : bias, hasReLU: !isPlain && hasReLU, ceiling: isPlain ? nil : ceiling
                ),
                members: members))
        if let kernel = kernelOf[tensor] { adoptBiasGradient(kernel) }
    }

    /// A bias's gradient, the sum over the same upstream gradient, is a by-product of the kernel's: the kernel takes it
    /// over, whether it was met before or is still to come.
    private mutating func adoptBiasGradient(_ kernel: Int) {
        guard case .convolutionKernelGradient = kernels[kernel].members[0].operation else { return }
        let upstream = kernels[kernel].members[0].inputs[1]
        for consumer in consumers[upstream] ?? [] {
            guard couldBeBiasGradient(consumer), kernels[kernel].biasGradient == nil else { continue }
            if let place = kernelOf[consumer] {
                // Its users may already be part of kernels; only a slot of its own can move.
                guard kernels[place].members == [consumer], place != kernel, !reaches(kernel, place) else {
                    continue
                }
                kernels[place].members = []
                for other in kernels.indices where kernels[other].dependencies.remove(place) != nil {
                    kernels[other].dependencies.insert(kernel)
                }
            }
            kernels[kernel].biasGradient = consumer
            kernelOf[consumer] = kernel
        }
    }

    mutating func add(_ kernel: FusedKernel) {
        var kernel = kernel
        kernel.dependencies = dependencies(of: kernel.members, in: kernels.count)
        for member in kernel.members { kernelOf[member] = kernels.count }
        kernels.append(kernel)
    }

    func dependencies(of members: [Tensor], in kernel: Int) -> Set<Int> {
        var result = Set<Int>()
        for member in members {
            for input in member.inputs {
                if let other = kernelOf[views.source(input)], other != kernel { result.insert(other) }
            }
        }
        return result
    }

    /// Whether `kernel` needs `target`, directly or not.
    func reaches(_ kernel: Int, _ target: Int) -> Bool {
        var visited = Set([kernel])
        var stack = [kernel]
        while let next = stack.popLast() {
            if next == target { return true }
            for dependency in kernels[next].dependencies where visited.insert(dependency).inserted {
                stack.append(dependency)
            }
        }
        return false
    }

    /// Whether a kernel gradient may compute the sum as a by-product.
    func couldBeBiasGradient(_ tensor: Tensor) -> Bool {
        guard case .reduction(let rule) = tensor.operation, rule.kind == .sum, rule.axes == [0, 1, 2],
            !rule.keepDims
        else { return false }
        return (consumers[tensor.inputs[0]] ?? []).contains { consumer in
            guard case .convolutionKernelGradient = consumer.operation else { return false }
            return consumer.inputs[1] == tensor.inputs[0]
        }
    }

    private func onlyConsumer(of tensor: Tensor) -> Tensor? {
        guard !roots.contains(tensor), let all = consumers[tensor], all.count == 1 else { return nil }
        return all[0]
    }

    /// The vector that is repeated along all but the last axis, if it comes from outside the graph or has been computed before.
    private func biasVector(_ tensor: Tensor) -> Tensor? {
        guard case .broadcast = tensor.operation, !views.computed.contains(tensor) else { return nil }
        let vector = tensor.inputs[0]
        let isVariable = if case .source(.variable) = vector.operation { true } else { false }
        guard isVariable || lasting.contains(vector) && kernelOf[vector] != nil,
            vector.shape == [tensor.shape.channels], tensor.shape.channels > 1
        else { return nil }
        return vector
    }

    // MARK: - What is kept, and in which order

    private mutating func findStored(_ order: [Tensor]) {
        var read = roots.map(views.source)
        for tensor in order {
            guard let kernel = kernelOf[tensor] else { continue }
            // Inside a group only equal places are at hand; another view of a member goes through memory.
            read += tensor.inputs.map(views.source).filter { kernelOf[$0] != kernel }
        }
        stored = Set(read.filter { !$0.isSumOfPass })
    }

    private func readersOfVariables() -> [Variable: Set<Int>] {
        var result: [Variable: Set<Int>] = [:]
        for (index, kernel) in kernels.enumerated() {
            for member in kernel.members {
                for input in member.inputs {
                    if case .source(.variable(let variable)) = views.source(input).operation {
                        result[variable, default: []].insert(index)
                    }
                }
            }
        }
        return result
    }

    /// An update may be written in place when everything that reads the old value can run before, and when its own
    /// kernel reads the variable element by element. A result that is also an output keeps memory of its own: the
    /// variable may change before the output is read.
    private mutating func findInPlaceUpdates(_ readers: [Variable: Set<Int>]) {
        let outputs = Set(graph.outputs.map(views.source))
        for update in graph.updates where !outputs.contains(update.value) {
            guard inPlace[update.value] == nil, !update.value.isSumOfPass,
                let writer = kernelOf[update.value],
                case .elementwise = kernels[writer].kind, kernels[writer].members.contains(update.value)
            else { continue }
            let others = (readers[update.variable] ?? []).subtracting([writer])
            let readsElements = kernels[writer].members.allSatisfy { member in
                member.inputs.allSatisfy { input in
                    guard case .source(.variable(update.variable)) = views.source(input).operation else {
                        return true
                    }
                    return views.reshapedSource(input) == views.source(input)
                        && !member.operation.movesElements
                }
            }
            guard readsElements, others.allSatisfy({ !reaches($0, writer) }) else { continue }
            kernels[writer].dependencies.formUnion(others)
            inPlace[update.value] = update.variable
        }
    }

    /// Runs whatever is ready in the order of the graph.
    private mutating func sort(_ order: [Tensor]) {
        var position: [Int: Int] = [:]
        for (index, tensor) in order.enumerated() {
            if let kernel = kernelOf[tensor] { position[kernel] = index }
        }
        var dependents = [[Int]](repeating: [], count: kernels.count)
        var open = kernels.map(\.dependencies.count)
        for (index, kernel) in kernels.enumerated() {
            for dependency in kernel.dependencies { dependents[dependency].append(index) }
        }
        let rank = order.enumerated().reduce(into: [Tensor: Int]()) { $0[$1.element] = $1.offset }
        var ready = kernels.indices.filter { open[$0] == 0 }
        var sorted: [FusedKernel] = []
        while let place = ready.indices.min(by: { (position[ready[$0]] ?? 0) < (position[ready[$1]] ?? 0) }) {
            let next = ready.remove(at: place)
            var kernel = kernels[next]
            if case .elementwise = kernel.kind {
                kernel.members.sort { (rank[$0] ?? 0) < (rank[$1] ?? 0) }
            }
            if !kernel.members.isEmpty { sorted.append(kernel) }
            for dependent in dependents[next] {
                open[dependent] -= 1
                if open[dependent] == 0 { ready.append(dependent) }
            }
        }
        kernels = sorted
    }
}

extension Tensor {
    /// For `min(x, number)` with a positive number: the number.
    fileprivate func limitAbove(_ x: Tensor) -> Float? {
        guard case .binary(.minimum) = operation, let other = inputs.first(where: { $0 != x }),
            let number = splat(other), number > 0
        else { return nil }
        return Float(number)
    }
}

extension Operation {
    /// Views other than reshapes, which leave every element at its place in row-major order.
    var movesElements: Bool {
        switch self {
        case .broadcast, .transpose, .slice: true
        default: false
        }
    }

    enum Family {
        case source, view, elementwise, contraction
        case single(any SingleOperation)
    }

    /// How the planner treats the operation.
    var family: Family {
        switch self {
        case .source: .source
        // Binding leaves none.
        case .attachment: .view
        case .reshape, .broadcast, .transpose, .slice: .view
        case .unary, .binary, .comparison, .select, .cast, .random: .elementwise
        // Has become a comparison.
        case .oneHot: .elementwise
        case .matmul, .convolution, .convolutionInputGradient, .convolutionKernelGradient: .contraction
        case .reduction(let rule): .single(rule)
        case .argMax(let rule): .single(rule)
        case .softmax(let rule): .single(rule)
        case .batchNorm(let rule): .single(rule)
        case .batchNormGradient(let rule): .single(rule)
        case .maxPool(let rule): .single(rule)
        case .maxPoolGradient(let rule): .single(rule)
        case .averagePool(let rule): .single(rule)
        case .averagePoolGradient(let rule): .single(rule)
        case .gather(let rule): .single(rule)
        case .scatterAdd(let rule): .single(rule)
        case .pad(let rule): .single(rule)
        case .concatenate(let rule): .single(rule)
        }
    }
}

/// An operation with kernels of its own, which nothing joins.
protocol SingleOperation: OperationRule {
    /// Adds the calls that compute a tensor by this operation.
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws
}
