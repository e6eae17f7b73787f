import FoveaGraph

/// Sums and means of linear combinations, by the rules
///
///     Σ(v·x) = v·Σx        for v that is the same along the axes of the sum
///     Σ(x - mean x) = 0    and so for the gradient that goes through a batch normalisation
///     Σ(x ± y) = Σx        where the rules leave nothing of Σy
///
/// A factor is then multiplied once rather than once for each element. The bias of a layer before a batch normalisation has no
/// gradient, not even what rounding would leave of it.
///
/// - Parameter x: what is reduced.
/// - Returns: nil where more than one sum, or the one that was asked for, would be left.
func simplifiedSum(_ rule: Reduction, of x: Tensor, _ type: TensorType) throws -> Tensor? {
    guard rule.kind != .max, type.dtype == .float32 else { return nil }
    let kept = x.shape.reduced(over: rule.axes, keepDims: true)
    var left: (factor: Tensor?, x: Tensor)?
    var open: [(factor: Tensor?, x: Tensor)] = [(nil, x)]
    var steps = 0
    while let (factor, x) = open.popLast() {
        steps += 1
        guard steps <= mostSteps else { return nil }
        func times(_ other: Tensor) throws -> Tensor { try factor.map { try $0 * other } ?? other }
        switch x.operation {
        case .unary(.negate):
            open.append((factor?.negated() ?? .filled(-1, kept), x.inputs[0]))
            continue
        case .binary(.subtract) where isMean(x.inputs[1], of: x.inputs[0], rule, kept):
            continue
        case .batchNormGradient(let gradient)
        where gradient.result == .x
            && (0..<x.shape.rank).allSatisfy({ $0 == gradient.axis || rule.axes.contains($0) }):
            continue
        case .binary(.add):
            open += [(factor, x.inputs[1]), (factor, x.inputs[0])]
            continue
        case .binary(.subtract):
            open += [(try times(.filled(-1, kept)), x.inputs[1]), (factor, x.inputs[0])]
            continue
        case .binary(.multiply):
            let constants = try x.inputs.map { try constant($0, along: rule.axes, kept) }
            if let other = constants.firstIndex(where: { $0 != nil }), let constant = constants[other] {
                open.append((try times(constant), x.inputs[1 - other]))
                continue
            }
        case .binary(.divide):
            if let constant = try constant(x.inputs[1], along: rule.axes, kept) {
                open.append((try factor.map { try $0 / constant } ?? 1 / constant, x.inputs[0]))
                continue
            }
        default: break
        }
        guard left == nil else { return nil }
        left = (factor, x)
    }
    guard let left else { return .filled(0, type.shape) }
    guard left.x != x else { return nil }
    let sum = try Tensor(.reduction(rule), [left.x])
    return try left.factor.map { try $0.reshaped(to: type.shape) * sum } ?? sum
}

// A graph may have far more paths than nodes, so not all are followed.
private let mostSteps = 32
private let mostDepth = 4

/// A tensor that is the same along some axes, with extent 1 along these.
private func constant(
    _ tensor: Tensor, along axes: [Int], _ kept: Shape, depth: Int = mostDepth
) throws -> Tensor? {
    if let number = splat(tensor) { return .filled(Float(number), kept) }
    if case .binary = tensor.operation {
        guard depth > 0, let a = try constant(tensor.inputs[0], along: axes, kept, depth: depth - 1),
            let b = try constant(tensor.inputs[1], along: axes, kept, depth: depth - 1)
        else { return nil }
        return try Tensor(tensor.operation, [a, b])
    }
    guard let source = aligned(tensor), axes.allSatisfy({ source.shape[$0] == 1 }) else { return nil }
    return try source.broadcast(to: kept)
}

/// What a tensor repeats, with as many axes.
private func aligned(_ tensor: Tensor) -> Tensor? {
    guard case .broadcast = tensor.operation else { return nil }
    let source = tensor.inputs[0]
    let added = [Int](repeating: 1, count: tensor.shape.rank - source.shape.rank)
    return try? source.reshaped(to: Shape(added + source.shape.dimensions))
}

private func isMean(_ tensor: Tensor, of x: Tensor, _ rule: Reduction, _ kept: Shape) -> Bool {
    guard let source = aligned(tensor), source.shape == kept else { return false }
    var mean = source
    while case .reshape = mean.operation { mean = mean.inputs[0] }
    guard case .reduction(let other) = mean.operation else { return false }
    return other.kind == .mean && other.axes == rule.axes && mean.inputs[0] == x
}
