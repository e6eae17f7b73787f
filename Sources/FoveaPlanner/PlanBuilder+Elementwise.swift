import FoveaGraph

extension PlanBuilder {
    /// One call for a group of elementwise members, or more where one program cannot hold all values at once.
    mutating func addElementwise(_ members: [Tensor]) throws {
        let group = elementwiseGroup(members)
        let program = try ElementwiseAssembler(views, group).program
        if members.count > 1,
            program.withSharedRegisters().registerCount > ElementwiseProgram.registerLimit
        {
            let middle = members.count / 2
            keepForLater(Array(members[..<middle]), usedBy: Array(members[middle...]))
            try addElementwise(Array(members[..<middle]))
            try addElementwise(Array(members[middle...]))
        } else if try !addMerge(group), try !addPadded(group) {
            try addDense(group)
        }
    }

    /// Makes the first part of a divided group store what the second part reads, and leave alone what it still needs.
    private mutating func keepForLater(_ first: [Tensor], usedBy second: [Tensor]) {
        let computed = Set(first)
        var variables = Set<Variable>()
        for input in second.flatMap(\.inputs) {
            let source = views.reshapedSource(input)
            if computed.contains(source) { stored.insert(source) }
            if case .source(.variable(let variable)) = source.operation { variables.insert(variable) }
        }
        for tensor in first {
            if let variable = inPlace[tensor], variables.contains(variable) { inPlace[tensor] = nil }
        }
    }

    private func elementwiseGroup(_ members: [Tensor]) -> ElementwiseGroup {
        let inside = Set(members)
        var loads: [Tensor] = []
        var keys: [Tensor] = []
        for member in members {
            for input in operands(of: member) where splat(input) == nil {
                if case .random = member.operation {
                    if !keys.contains(input) { keys.append(input) }
                } else if !inside.contains(views.reshapedSource(input)) || isShown(input),
                    !loads.contains(input)
                {
                    loads.append(input)
                }
            }
        }
        return ElementwiseGroup(
            members: members, loads: loads, keys: keys, written: members.filter(stored.contains),
            sums: members.filter(\.isSumOfPass))
    }

    /// Over memory that has no padding, or row-major copies of what has some.
    private mutating func addDense(_ group: ElementwiseGroup) throws {
        let count = group.elementCount
        let wholes = wholes(of: group)
        var primary = try preferredLayout(of: group)
        if case .padded = primary { primary = Layout([AxisMode(count, 1)]) }
        // A walk cannot write padded blocks; such a variable takes its new value in a layout change at the end.
        for tensor in group.written {
            if let variable = valueOfUpdate(tensor), !isUndecided(variable), case .padded = layout(variable) {
                inPlace[tensor] = nil
            }
        }

        for whole in wholes { decide(try value(origin(whole)), primary) }
        var walks: [Walk] = []
        for load in group.loads {
            let source = try value(origin(load))
            decide(source, .rowMajor(plan.values[source].type.shape))
            walks.append(try walk(load))
        }
        let sums = group.sums.map(\.resultModes)
        let counting: [[AxisMode]] = group.isCounting ? [[AxisMode(count, 1)]] : []
        guard case .dense(let primaryModes) = primary else {
            throw PlanError.noKernel("no layout for elementwise work")
        }
        var common = commonModes(
            walks.map(\.modes) + group.written.map { outputModes($0, primary) } + sums + counting
                + [primaryModes])
        if common == nil {
            // Blocks that do not divide each other meet in row-major order; a variable that lies otherwise takes its new
            // value in a layout change at the end.
            primary = Layout([AxisMode(count, 1)])
            for tensor in group.written where valueOfUpdate(tensor).map({ layout($0) != primary }) == true {
                inPlace[tensor] = nil
            }
            for (index, load) in group.loads.enumerated() {
                let source = try rowMajorValue(origin(load))
                let shape = plan.values[source].type.shape
                guard let walk = walk(load, from: .rowMajor(shape)) else {
                    throw PlanError.noKernel("no walk for elementwise work")
                }
                rowMajorCopies[load] = source
                walks[index] = walk
            }
            common = commonModes(
                walks.map(\.modes) + group.written.map { outputModes($0, primary) } + sums + counting
                    + [[AxisMode(count, 1)]])
        }
        guard let common else {
            throw PlanError.noKernel("elementwise operands that cannot be walked together")
        }

        // Memory order of the primary layout, so that its operands are read and written straight through.
        let main = common.strides[common.strides.count - 1]
        let order = common.extents.indices.sorted { main[$0] > main[$1] }
        var ordered = common.strides.map { strides in order.map { strides[$0] } }[...]
        let space = IterationSpace(
            layout: primary, extents: order.map { common.extents[$0] },
            loads: walks.map { .init(strides: ordered.removeFirst(), offset: $0.offset) },
            stores: group.written.map { _ in ordered.removeFirst() },
            sums: group.sums.map { _ in .init(strides: ordered.removeFirst()) },
            count: group.isCounting ? ordered.removeFirst() : nil)
        try emit(group, space, ElementwiseAssembler(views, group).program)
    }

    /// The loads that read all elements that a group handles, in their order.
    func wholes(of group: ElementwiseGroup) -> [Tensor] {
        group.loads.filter { load in
            !isShown(load) && views.reshapedSource(load) == views.source(load)
                && load.shape.elementCount == group.elementCount
        }
    }

    /// What a member reads: a view that moves elements is loaded as it shows them.
    private func operands(of member: Tensor) -> [Tensor] {
        member.operation.movesElements ? [member] : member.inputs
    }

    /// Whether the load is a view that this very group computes.
    private func isShown(_ load: Tensor) -> Bool {
        load.operation.movesElements && views.computed.contains(load) && valueOf[load] == nil
    }

    /// What has the memory that a load reads.
    func origin(_ load: Tensor) -> Tensor { isShown(load) ? load.inputs[0] : load }

    func valueOfUpdate(_ tensor: Tensor) -> Plan.ValueID? {
        inPlace[tensor].flatMap { variableValue($0) }
    }

    /// The layout that most full-size operands have; if none is decided, what a convolution wants to read, else row-major.
    mutating func preferredLayout(of group: ElementwiseGroup) throws -> Layout {
        let rowMajor = Layout([AxisMode(group.elementCount, 1)])
        var votes: [(layout: Layout, count: Int)] = []
        for tensor in wholes(of: group) {
            let source = try value(origin(tensor))
            guard !isUndecided(source) else { continue }
            let layout = layout(source)
            guard layout != rowMajor else { continue }
            if let place = votes.firstIndex(where: { $0.layout == layout }) {
                votes[place].count += 1
            } else {
                votes.append((layout, 1))
            }
        }
        // The first of equals, so that plans do not depend on hashing.
        let best = votes.reduce(nil as (layout: Layout, count: Int)?) { best, vote in
            (best?.count ?? 0) >= vote.count ? best : vote
        }
        return try best?.layout ?? layoutForConvolution(of: group.written) ?? rowMajor
    }

    /// The walk of a load through memory as it lies, or through a row-major copy where that cannot be walked.
    private mutating func walk(_ load: Tensor) throws -> Walk {
        if let walk = walk(load, from: layout(try value(origin(load)))) { return walk }
        let copy = try rowMajorValue(origin(load))
        rowMajorCopies[load] = copy
        guard let walk = walk(load, from: layout(copy)) else {
            throw PlanError.noKernel("a view that cannot be walked")
        }
        return walk
    }

    func walk(_ load: Tensor, from layout: Layout) -> Walk? {
        isShown(load)
            ? views.viewWalk(load, layout: layout) : views.walk(load, layout: layout)
    }

    private func outputModes(_ tensor: Tensor, _ primary: Layout) -> [AxisMode] {
        if let value = valueOfUpdate(tensor), !isUndecided(value), case .dense(let modes) = layout(value) {
            return modes
        }
        if case .dense(let modes) = primary { return modes }
        return [AxisMode(tensor.shape.elementCount, 1)]
    }

    /// Adds the call of a program for a group.
    mutating func emit(
        _ group: ElementwiseGroup, _ space: IterationSpace, _ program: ElementwiseProgram
    ) throws {
        var operands: [ElementwiseRequest.Operand] = []
        var planOperands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = []
        let nowhere = [Int](repeating: 0, count: space.extents.count)
        func read(_ source: Plan.ValueID, _ place: IterationSpace.Place) {
            operands.append(
                .init(
                    value: source, offset: place.offset, strides: place.strides, isStored: false,
                    limit: place.limit))
            planOperands.append((.element, source, false))
        }
        for (load, place) in zip(group.loads, space.loads) {
            read(try rowMajorCopies.removeValue(forKey: load) ?? value(origin(load)), place)
        }
        for key in group.keys { read(try value(key), .init(strides: nowhere)) }
        for (tensor, strides) in zip(group.written, space.stores) {
            let target: Plan.ValueID
            if let variable = valueOfUpdate(tensor) {
                decide(variable, space.layout)
                target = variable
            } else {
                target = addValue(tensor.operation.rule.name, tensor.node.type, space.layout)
            }
            valueOf[tensor] = target
            operands.append(.init(value: target, offset: 0, strides: strides, isStored: true))
            planOperands.append((.element, target, true))
            for load in operands.indices where operands[load].value == target && !operands[load].isStored {
                operands[load].isAliased = true
            }
        }
        for (tensor, place) in zip(group.sums, space.sums) {
            let target = addValue(tensor.operation.rule.name, tensor.node.type, .rowMajor(tensor.shape))
            valueOf[tensor] = target
            operands.append(
                .init(
                    value: target, offset: 0, strides: place.strides, isStored: true, limit: place.limit))
            planOperands.append((.element, target, true))
        }
        if let count = space.count {
            operands.append(.init(value: nil, offset: 0, strides: count, isStored: false))
        }
        if let mask = space.mask { read(mask.value, .init(strides: mask.strides)) }
        let request = ElementwiseRequest(
            extents: space.extents, program: program.withSharedRegisters(), operands: operands)
        addCall(
            request, try catalog.kernel(for: request), planOperands,
            note: group.members.map(\.operation.rule.name).joined(separator: ", "))
    }
}

/// The axes over which a group runs, and how each of its operands is walked.
struct IterationSpace {
    struct Place {
        var strides: [Int]
        var offset = 0
        /// The elements that memory has, where the walk goes further.
        var limit: Int?
    }

    /// Of what is written.
    var layout: Layout
    var extents: [Int]
    var loads: [Place]
    var stores: [[Int]]
    var sums: [Place]
    var count: [Int]?
    /// Truths that tell elements from padding.
    var mask: (value: Plan.ValueID, strides: [Int])?
}
