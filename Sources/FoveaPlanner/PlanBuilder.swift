import FoveaFiles
import FoveaGraph

/// Turns fused kernels into calls: decides layouts, adds the layout changes that cannot be avoided, and names the memory
/// of every value.
struct PlanBuilder {
    let catalog: any KernelCatalog
    var plan = Plan()
    var views: Views
    /// The memory of computed tensors and sources.
    var valueOf: [Tensor: Plan.ValueID] = [:]
    private var valueOfVariable: [Variable: Plan.ValueID] = [:]
    /// Variables whose layout nothing has decided yet.
    private var undecided = Set<Plan.ValueID>()
    private var reordered: [Reordered: Plan.ValueID] = [:]
    /// What max-pooling remembers for its gradient.
    var winners: [WinnersKey: (winners: Plan.ValueID, request: PoolingRequest)] = [:]
    /// Max-pooled tensors whose gradient the graph contains.
    let pooledForGradient: Set<WinnersKey>
    /// The max-pooling, the only one, that reads a convolution's result, and gradients of max-poolings that only
    /// convolutions' gradients read.
    let poolingOf: [Tensor: Tensor]
    let poolingGradientsForConvolutions: Set<Tensor>
    /// The depthwise convolution, the only reader, behind the result of a 1×1 convolution, and those of the latter that wait for it.
    let depthwiseOf: [Tensor: FusedKernel]
    var expansions: [Tensor: Expansion] = [:]
    /// Batch normalisations that have been planned.
    var normalizations: [NormalizationKey: Normalization] = [:]
    var normalizationGradients: [NormalizationGradientKey: NormalizationGradients] = [:]
    /// Those whose result is rectified somewhere in the graph.
    let rectifiedNormalizations: Set<[Tensor]>
    /// The forward convolution, the first of several, that reads a tensor's memory as images.
    let convolutionOf: [Tensor: FusedKernel]
    /// Copies that the loads of the group at hand read instead of their source.
    var rowMajorCopies: [Tensor: Plan.ValueID] = [:]
    /// Truths that tell elements from padding, by how many of each there are.
    var masks: [[Int]: Plan.ValueID] = [:]
    var inPlace: [Tensor: Variable]
    var stored: Set<Tensor>

    private struct Reordered: Hashable {
        let value: Plan.ValueID
        let layout: Layout
    }

    struct WinnersKey: Hashable {
        let images: Tensor
        let window: SlidingWindow
        let isRectified: Bool
    }

    /// - Parameter inputs: all that a run is given, also what no call reads any more.
    init(
        _ fused: FusedGraph, inputs: [String: TensorType], catalog: any KernelCatalog,
        residentLayouts: [Variable: Layout]
    ) {
        self.catalog = catalog
        views = fused.views
        inPlace = fused.inPlace
        stored = fused.stored
        pooledForGradient = Set(
            fused.kernels.flatMap(\.members).compactMap { tensor in
                guard case .maxPoolGradient(let rule) = tensor.operation else { return nil }
                return WinnersKey(
                    images: tensor.inputs[0], window: rule.window, isRectified: rule.isRectified)
            })
        poolingOf = fused.poolingsOfConvolutions()
        poolingGradientsForConvolutions = fused.poolingGradientsForConvolutions()
        depthwiseOf = fused.depthwiseBehindExpansions()
        rectifiedNormalizations = Set(
            fused.kernels.flatMap(\.members).compactMap { tensor in
                guard case .batchNorm(let rule) = tensor.operation, rule.isRectified else { return nil }
                return tensor.inputs
            })
        convolutionOf = fused.kernels.reduce(into: [:]) { result, kernel in
            guard case .convolution = kernel.members[0].operation else { return }
            let images = fused.views.source(kernel.members[0].inputs[0])
            if result[images] == nil { result[images] = kernel }
        }
        for variable in fused.graph.variables {
            let value = addValue(
                variable.name, variable.type, residentLayouts[variable] ?? .rowMajor(variable.shape),
                .variable(variable))
            valueOfVariable[variable] = value
            if residentLayouts[variable] == nil { undecided.insert(value) }
        }
        for (name, type) in inputs.sorted(by: { $0.key < $1.key }) {
            plan.inputs.append((name, addValue("input \(name)", type, .rowMajor(type.shape))))
        }
    }

    // MARK: - Values

    @discardableResult
    mutating func addValue(
        _ name: String, _ type: TensorType, _ layout: Layout, _ place: Plan.Place = .arena(offset: 0)
    ) -> Plan.ValueID {
        plan.values.append(
            Plan.Value(
                name: name, type: type, layout: layout,
                byteCount: layout.memoryCount(type.shape) * type.dtype.byteCount, place: place))
        return plan.values.count - 1
    }

    /// New memory for the result of an operation.
    mutating func result(_ tensor: Tensor, _ layout: Layout? = nil) -> Plan.ValueID {
        let value = addValue(tensor.operation.rule.name, tensor.node.type, layout ?? .rowMajor(tensor.shape))
        valueOf[tensor] = value
        return value
    }

    mutating func addBytes(_ name: String, _ count: Int) -> Plan.ValueID {
        addValue(name, TensorType([count], .uint8), .rowMajor([count]))
    }

    /// The memory that a tensor (or the tensor that it is a view of) is read from.
    mutating func value(_ tensor: Tensor) throws -> Plan.ValueID {
        let source = views.source(tensor)
        if let known = valueOf[source] { return known }
        let value: Plan.ValueID
        switch source.operation {
        case .source(.variable(let variable)):
            value =
                valueOfVariable[variable]
                ?? addValue(
                    variable.name, variable.type, .rowMajor(variable.shape), .variable(variable))
        case .source(.input(let name)):
            guard let input = plan.inputs.first(where: { $0.name == name }) else {
                throw PlanError.unbound(source)
            }
            value = input.value
        case .source(.constant(let constant)):
            value = addValue("constant", source.node.type, .rowMajor(source.shape), .constant(constant))
        case .source(.randomKey):
            value = plan.randomKey ?? addValue("random key", source.node.type, .rowMajor(source.shape))
            plan.randomKey = value
        default: throw PlanError.unbound(source)
        }
        valueOf[source] = value
        return value
    }

    func variableValue(_ variable: Variable) -> Plan.ValueID? { valueOfVariable[variable] }

    func layout(_ value: Plan.ValueID) -> Layout { plan.values[value].layout }

    func isUndecided(_ value: Plan.ValueID) -> Bool { undecided.contains(value) }

    /// Fixes a variable's layout.
    mutating func decide(_ value: Plan.ValueID, _ layout: Layout) {
        guard undecided.remove(value) != nil else { return }
        plan.values[value].layout = layout
        let type = plan.values[value].type
        plan.values[value].byteCount = layout.memoryCount(type.shape) * type.dtype.byteCount
    }

    /// The value in a given layout: itself, or a copy made once.
    mutating func value(_ value: Plan.ValueID, in layout: Layout) throws -> Plan.ValueID {
        decide(value, layout)
        if self.layout(value) == layout { return value }
        let key = Reordered(value: value, layout: layout)
        if let known = reordered[key] { return known }
        let type = plan.values[value].type
        let copy = addValue(plan.values[value].name + " (reordered)", type, layout)
        try addReorder(from: value, to: copy)
        reordered[key] = copy
        return copy
    }

    mutating func rowMajorValue(_ tensor: Tensor) throws -> Plan.ValueID {
        let value = try value(tensor)
        return try self.value(value, in: .rowMajor(plan.values[value].type.shape))
    }

    // MARK: - Calls

    mutating func addCall(
        _ request: some KernelRequest, _ kernel: any PreparedKernel,
        _ operands: [(Plan.Operand.Role, Plan.ValueID, Bool)], note: String
    ) {
        var operands = operands.map { Plan.Operand(role: $0.0, value: $0.1, isWritten: $0.2) }
        if kernel.scratchpadBytes > 0 {
            let scratchpad = addBytes("scratchpad", kernel.scratchpadBytes)
            operands.append(.init(role: .scratchpad, value: scratchpad, isWritten: true))
        }
        // Whatever copies exist of memory that changes now are out of date.
        for written in operands where written.isWritten {
            for key in reordered.keys where key.value == written.value { reordered[key] = nil }
        }
        plan.calls.append(Plan.Call(request: request, kernel: kernel, operands: operands, note: note))
    }

    mutating func add(_ kernel: FusedKernel) throws {
        switch kernel.kind {
        case .elementwise: try addElementwise(kernel.members)
        case .contraction(let bias, let hasReLU, _):
            if case .matmul(let rule) = kernel.members[0].operation {
                try addMatMul(rule, kernel.members, bias: bias, hasReLU: hasReLU)
            } else {
                try addConvolution(kernel, bias: bias)
            }
        case .single(let rule): try rule.addCalls(for: kernel.members[0], to: &self)
        }
    }

    /// Brings every update into its variable and notes what the plan is to return.
    mutating func finish(_ graph: BoundGraph) throws {
        for update in graph.updates where inPlace[update.value] != update.variable {
            let source = try value(update.value)
            guard let target = valueOfVariable[update.variable] else { continue }
            decide(target, layout(source))
            try addReorder(from: source, to: target)
        }
        plan.outputs = try graph.outputs.map { (try value($0), $0.shape) }
        plan.variables = graph.variables.compactMap { variable in
            valueOfVariable[variable].map { (variable, layout($0)) }
        }
    }
}

/// The graph could not be planned.
public enum PlanError: Error, CustomStringConvertible {
    case unbound(Tensor)
    case noKernel(String)

    public var description: String {
        switch self {
        case .unbound(let tensor): "\(tensor.operation.rule.name) has no value when it is needed"
        case .noKernel(let message): visible(message)
        }
    }
}

extension Plan {
    /// Plans a bound graph for the kernels of a catalog.
    ///
    /// - Parameters:
    ///   - graph: what is to be computed.
    ///   - catalog: what the backend has to compute it with.
    ///   - residentLayouts: layouts of variables that already live in a backend's memory; the others take the layout that
    ///     their first use wants.
    /// - Throws: `PlanError` for what no kernel computes, and what the catalog throws.
    public init(
        _ graph: BoundGraph, catalog: any KernelCatalog, residentLayouts: [Variable: Layout] = [:]
    ) throws {
        let prepared = try graph.withChannelsLastInNormalization().simplified()
            .withFoldedScales()
            .withBordersAsPadding().withFloat32Kernels().withRectifiedNormalization()
            .withRectifiedPooling().withOneHotAsComparison().simplified()
        let fused = try FusedGraph(prepared)
        var builder = PlanBuilder(
            fused, inputs: try graph.inputs(), catalog: catalog, residentLayouts: residentLayouts)
        for kernel in fused.kernels { try builder.add(kernel) }
        try builder.finish(fused.graph)
        self = builder.plan
        putLastingCallsFirst()
        placeInMemory()
    }
}
