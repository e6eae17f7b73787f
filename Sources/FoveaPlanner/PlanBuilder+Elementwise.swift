import FoveaGraph

extension PlanBuilder {
    /// One call for a group of elementwise members, or more where one program cannot hold all values at once.
    mutating func addElementwise(_ members: [Tensor]) throws {
        let reads = reads(of: members)
        let whole = try ElementwiseAssembler(
            views, members, loads: reads.loads, keys: reads.keys, stored: members.filter(stored.contains))
        if members.count > 1,
            whole.program.withSharedRegisters().registerCount > ElementwiseProgram.registerLimit
        {
            let middle = members.count / 2
            keepForLater(Array(members[..<middle]), usedBy: Array(members[middle...]))
            try addElementwise(Array(members[..<middle]))
            try addElementwise(Array(members[middle...]))
        } else {
            try addFittingElementwise(members)
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

    /// What a group reads from memory, each view once, and the random keys.
    private func reads(of members: [Tensor]) -> (loads: [Tensor], keys: [Tensor]) {
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
        return (loads, keys)
    }

    private mutating func addFittingElementwise(_ members: [Tensor]) throws {
        let count = members[0].shape.elementCount
        let (loads, keys) = reads(of: members)

        let isCounting = members.contains { if case .random = $0.operation { true } else { false } }

        let wholes = loads.filter { isWhole($0) && $0.shape.elementCount == count }
        let written = members.filter(stored.contains)
        var primary = try preferredLayout(of: wholes, written: written, count: count)

        if case .padded = primary {
            let others = loads.filter { !wholes.contains($0) }
            let agree = try wholes.allSatisfy { whole in
                let source = try value(origin(whole))
                return layout(source) == primary || isUndecided(source)
            }
            let isFree =
                !isCounting && others.allSatisfy { views.source(origin($0)).shape.elementCount == 1 }
                && written.allSatisfy {
                    inPlace[$0] == nil || valueOfUpdate($0).map { layout($0) } == primary
                }
            let program = try ElementwiseAssembler(views, members, loads: loads, keys: keys, stored: written)
                .program
            let zeros = Set(loads.indices.filter { wholes.contains(loads[$0]) })
            if agree, isFree, program.keepsZero(operands: zeros) {
                for whole in wholes { decide(try value(origin(whole)), primary) }
                let memory = primary.memoryCount(members[0].shape)
                try emit(
                    members, loads: loads, keys: keys, written: written, layout: primary, extents: [memory],
                    walks: loads.map { Walk(modes: [AxisMode(memory, wholes.contains($0) ? 1 : 0)]) },
                    strides: loads.map { [wholes.contains($0) ? 1 : 0] },
                    outputStrides: written.map { _ in [1] },
                    countStrides: nil)
                return
            }
            primary = Layout([AxisMode(count, 1)])
        }
        // A walk cannot write padded blocks; such a variable takes its new value in a layout change at the end.
        for tensor in written {
            if let variable = valueOfUpdate(tensor), !isUndecided(variable), case .padded = layout(variable) {
                inPlace[tensor] = nil
            }
        }

        for whole in wholes { decide(try value(origin(whole)), primary) }
        var walks: [Walk] = []
        for load in loads {
            let source = try value(origin(load))
            decide(source, .rowMajor(plan.values[source].type.shape))
            walks.append(try walk(load))
        }
        let outputs = written.map { outputModes($0, primary) }
        let counting: [[AxisMode]] = isCounting ? [[AxisMode(count, 1)]] : []
        guard case .dense(let primaryModes) = primary else {
            throw PlanError.noKernel("no layout for elementwise work")
        }
        var common = commonModes(walks.map(\.modes) + outputs + counting + [primaryModes])
        if common == nil {
            // Blocks that do not divide each other meet in row-major order; a variable that lies otherwise takes its new
            // value in a layout change at the end.
            primary = Layout([AxisMode(count, 1)])
            for tensor in written where valueOfUpdate(tensor).map({ layout($0) != primary }) == true {
                inPlace[tensor] = nil
            }
            for (index, load) in loads.enumerated() {
                let source = try rowMajorValue(origin(load))
                let shape = plan.values[source].type.shape
                guard let walk = walk(load, from: .rowMajor(shape)) else {
                    throw PlanError.noKernel("no walk for elementwise work")
                }
                rowMajorCopies[load] = source
                walks[index] = walk
            }
            common = commonModes(
                walks.map(\.modes) + written.map { outputModes($0, primary) } + counting + [
                    [AxisMode(count, 1)]
                ])
        }
        guard let common else {
            throw PlanError.noKernel("elementwise operands that cannot be walked together")
        }

        // Memory order of the primary layout, so that its operands are read and written straight through.
        let main = common.strides[common.strides.count - 1]
        let order = common.extents.indices.sorted { main[$0] > main[$1] }
        let ordered = common.strides.map { strides in order.map { strides[$0] } }
        try emit(
            members, loads: loads, keys: keys, written: written, layout: primary,
            extents: order.map { common.extents[$0] }, walks: walks,
            strides: Array(ordered[..<walks.count]),
            outputStrides: Array(ordered[walks.count..<(walks.count + written.count)]),
            countStrides: isCounting ? ordered[walks.count + written.count] : nil)
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
    private func origin(_ load: Tensor) -> Tensor { isShown(load) ? load.inputs[0] : load }

    /// Whether a load reads all elements of its memory in their order.
    private func isWhole(_ load: Tensor) -> Bool {
        !isShown(load) && views.reshapedSource(load) == views.source(load)
    }

    private func valueOfUpdate(_ tensor: Tensor) -> Plan.ValueID? {
        inPlace[tensor].flatMap { variableValue($0) }
    }

    /// The layout that most full-size operands have; if none is decided, what a convolution wants to read, else row-major.
    private mutating func preferredLayout(of wholes: [Tensor], written: [Tensor], count: Int) throws -> Layout
    {
        let rowMajor = Layout([AxisMode(count, 1)])
        var votes: [(layout: Layout, count: Int)] = []
        for tensor in wholes {
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
        return try best?.layout ?? layoutForConvolution(of: written) ?? rowMajor
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

    private func walk(_ load: Tensor, from layout: Layout) -> Walk? {
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

    private mutating func emit(
        _ members: [Tensor], loads: [Tensor], keys: [Tensor], written: [Tensor], layout: Layout,
        extents: [Int],
        walks: [Walk], strides: [[Int]], outputStrides: [[Int]], countStrides: [Int]?
    ) throws {
        var operands: [ElementwiseKernel.Operand] = []
        var planOperands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = []
        for (index, load) in loads.enumerated() {
            let source = try rowMajorCopies.removeValue(forKey: load) ?? value(origin(load))
            operands.append(
                .init(
                    value: source, offset: walks[index].offset, strides: strides[index], isStored: false))
            planOperands.append((.element, source, false))
        }
        for key in keys {
            let source = try value(key)
            operands.append(
                .init(
                    value: source, offset: 0, strides: [Int](repeating: 0, count: extents.count),
                    isStored: false))
            planOperands.append((.element, source, false))
        }
        for (index, tensor) in written.enumerated() {
            let target: Plan.ValueID
            if let variable = valueOfUpdate(tensor) {
                decide(variable, layout)
                target = variable
            } else {
                target = addValue(tensor.operation.rule.name, tensor.node.type, layout)
            }
            valueOf[tensor] = target
            operands.append(.init(value: target, offset: 0, strides: outputStrides[index], isStored: true))
            planOperands.append((.element, target, true))
            for load in operands.indices where operands[load].value == target && !operands[load].isStored {
                operands[load].isAliased = true
            }
        }
        if let countStrides {
            operands.append(.init(value: nil, offset: 0, strides: countStrides, isStored: false))
        }
        let assembler = try ElementwiseAssembler(views, members, loads: loads, keys: keys, stored: written)
        let kernel = ElementwiseKernel(
            extents: extents, program: assembler.program.withSharedRegisters(), operands: operands)
        addCall(
            .elementwise(kernel), planOperands,
            note: members.map(\.operation.rule.name).joined(separator: ", "))
    }
}
