import FoveaGraph

/// Which elementwise work shares a pass over memory.
extension FusedGraph {
    /// More members than this make programs with too many values alive at once.
    static let largestGroup = 40

    mutating func addElementwise(_ tensor: Tensor) {
        var groups: [Int] = []
        for input in tensor.inputs where !tensor.operation.movesElements {
            let source = views.reshapedSource(input)
            guard let kernel = kernelOf[source], case .elementwise = kernels[kernel].kind,
                !groups.contains(kernel), !source.isSumOfPass,
                source.shape.elementCount == tensor.shape.elementCount,
                lasting.contains(source) == lasting.contains(tensor)
            else { continue }
            groups.append(kernel)
        }
        var home: Int?
        for group in groups {
            guard let present = home else {
                if canJoin(tensor, group) {
                    join(tensor, group)
                    home = group
                }
                continue
            }
            if canMerge(group, into: present) { merge(group, into: present) }
        }
        if home == nil { add(FusedKernel(kind: .elementwise, members: [tensor])) }
    }

    /// A sum joins the pass that computes what it sums; over what lies in memory it is a pass of its own.
    mutating func addSum(_ tensor: Tensor) {
        let source = views.reshapedSource(tensor.inputs[0])
        if let group = kernelOf[source], case .elementwise = kernels[group].kind, !source.isSumOfPass,
            !couldBeBiasGradient(tensor), lasting.contains(source) == lasting.contains(tensor),
            canJoin(tensor, group)
        {
            join(tensor, group)
        } else {
            add(FusedKernel(kind: .elementwise, members: [tensor]))
        }
    }

    /// Sums over what another pass reads anyway join that pass.
    mutating func mergeSums() {
        var readers: [Tensor: [Int]] = [:]
        for group in kernels.indices {
            guard case .elementwise = kernels[group].kind, !kernels[group].members.isEmpty else { continue }
            var home = group
            for load in wholeLoads(of: kernels[group].members) {
                for other in readers[load] ?? [] where other != home && canShareSums(home, other) {
                    merge(home, into: other)
                    home = other
                }
            }
            for load in wholeLoads(of: kernels[home].members)
            where readers[load]?.contains(home) != true { readers[load, default: []].append(home) }
        }
    }

    private func canShareSums(_ group: Int, _ other: Int) -> Bool {
        let (a, b) = (kernels[group].members, kernels[other].members)
        guard let first = a.first, let second = b.first,
            first.passShape.elementCount == second.passShape.elementCount
        else { return false }
        return (a + b).contains(where: \.isSumOfPass) && lasting.contains(first) == lasting.contains(second)
            && canMerge(group, into: other)
    }

    /// What members read from memory element by element, each once.
    func wholeLoads(of members: [Tensor]) -> [Tensor] {
        let inside = Set(members)
        var seen = Set<Tensor>()
        return members.flatMap { $0.operation.movesElements ? [] : $0.inputs }.compactMap { input in
            let source = views.reshapedSource(input)
            let isWhole =
                source == views.source(input) && splat(input) == nil && !inside.contains(source)
                && source.shape.elementCount == members[0].passShape.elementCount
            return isWhole && seen.insert(source).inserted ? source : nil
        }
    }

    private func canJoin(_ tensor: Tensor, _ group: Int) -> Bool {
        guard kernels[group].members.count < Self.largestGroup, !readsView([tensor], of: group) else {
            return false
        }
        let added = dependencies(of: [tensor], in: group)
        return added.allSatisfy { !reaches($0, group) } && hasCommonModes(kernels[group].members + [tensor])
    }

    private mutating func join(_ tensor: Tensor, _ group: Int) {
        kernels[group].dependencies.formUnion(dependencies(of: [tensor], in: group))
        kernels[group].members.append(tensor)
        kernelOf[tensor] = group
    }

    private func canMerge(_ other: Int, into group: Int) -> Bool {
        kernels[group].members.count + kernels[other].members.count < Self.largestGroup
            && kernels[group].dependencies.allSatisfy { $0 == other || !reaches($0, other) }
            && kernels[other].dependencies.allSatisfy { $0 == group || !reaches($0, group) }
            && !readsView(kernels[group].members, of: other) && !readsView(kernels[other].members, of: group)
            && hasCommonModes(kernels[group].members + kernels[other].members)
    }

    /// Whether a tensor reads a group's member at other places than its own, or a sum: that needs to be in memory first.
    private func readsView(_ tensors: [Tensor], of group: Int) -> Bool {
        tensors.contains { tensor in
            tensor.inputs.contains { input in
                let source = views.source(input)
                let isMoved =
                    views.reshapedSource(input) != source || tensor.operation.movesElements
                    || source.isSumOfPass
                return kernelOf[source] == group && isMoved
            }
        }
    }

    private mutating func merge(_ other: Int, into group: Int) {
        kernels[group].dependencies.formUnion(kernels[other].dependencies)
        kernels[group].dependencies.remove(other)
        kernels[group].dependencies.remove(group)
        kernels[group].members += kernels[other].members
        for member in kernels[other].members { kernelOf[member] = group }
        kernels[other].members = []
        kernels[other].dependencies = []
        for index in kernels.indices where kernels[index].dependencies.remove(other) != nil && index != group
        {
            kernels[index].dependencies.insert(group)
        }
    }

    /// Whether all that the members read can be walked together when it lies in row-major order.
    func hasCommonModes(_ members: [Tensor]) -> Bool {
        let inside = Set(members)
        var walks: [[AxisMode]] = [[AxisMode(members[0].passShape.elementCount, 1)]]
        for member in members {
            if member.isSumOfPass { walks.append(member.resultModes) }
            if member.operation.movesElements {
                guard let walk = views.viewWalk(member) else { return false }
                walks.append(walk.modes)
                continue
            }
            for input in member.inputs
            where !inside.contains(views.reshapedSource(input)) && splat(input) == nil {
                // A random tensor's key is read as a whole.
                if case .random = member.operation { continue }
                guard let walk = views.walk(input) else { return false }
                walks.append(walk.modes)
            }
        }
        return commonModes(walks) != nil
    }
}

extension Tensor {
    /// More sums than this would take more memory for those of each thread than they save.
    private static let mostSums = 4096
    /// Sums of fewer elements than this are cheaper on their own where they are many.
    private static let shortestSum = 32

    /// Whether this is a sum or mean that is taken while a pass over memory computes or reads the elements.
    var isSumOfPass: Bool {
        guard case .reduction(let rule) = operation, rule.kind != .max, dtype == .float32 else {
            return false
        }
        let (results, elements) = (shape.elementCount, inputs[0].shape.elementCount)
        return results > 0 && elements > 0 && results <= Self.mostSums
            && (results <= Self.mostSums / 16 || results * Self.shortestSum <= elements)
    }

    /// The shape of the elements that a pass with this member handles one by one.
    var passShape: Shape { isSumOfPass ? inputs[0].shape : shape }

    /// For a sum: how the pass walks its results.
    var resultModes: [AxisMode] {
        guard case .reduction(let rule) = operation else { return [] }
        let extents = inputs[0].shape
        let strides = extents.reduced(over: rule.axes, keepDims: true).rowMajorStrides
        return extents.dimensions.indices.map {
            AxisMode(extents[$0], rule.axes.contains($0) ? 0 : strides[$0])
        }
    }

    /// For a sum: what it is divided by.
    var sumDivisor: Int {
        guard case .reduction(let rule) = operation, rule.kind == .mean else { return 1 }
        return rule.axes.reduce(1) { $0 * inputs[0].shape[$1] }
    }
}
