import FoveaGraph

extension RandomGraph {
    /// What a graph mostly consists of.
    enum Emphasis: CaseIterable {
        case everything, movement, images, variables, chains
    }

    /// Adds an operation on what there is.
    mutating func grow(_ emphasis: Emphasis) throws {
        switch emphasis {
        case .movement where chance(60): try growView()
        case .images where chance(40): try chance(70) ? growConvolution() : growPooling()
        case .variables where chance(60): try growBinary()
        case .variables where chance(60): try chance(60) ? growView() : growProduct()
        case .chains where chance(95): try chance(60) ? growBinary() : growUnary()
        default: try growAnything()
        }
    }

    private mutating func growAnything() throws {
        switch pick(25) {
        case 0..<6: try growBinary()
        case 6..<9: try growUnary()
        case 9..<13: try growView()
        case 13..<15: try growReduction()
        case 15: try growProduct()
        case 16, 17: try growConvolution()
        case 18: try growPooling()
        case 19: try growSoftmax()
        case 20: try growJoin()
        case 21: try growIndexed()
        case 22: try growSelection()
        case 23: try growNormalization()
        default: try growMiscellany()
        }
    }

    // MARK: - Normalisation

    /// Something with mean 0 and a bounded deviation along some axes, scaled and shifted.
    private mutating func growNormalization() throws {
        let entry = anyEntry { $0.tensor.shape.rank > 0 } ?? anyEntry()
        let x = entry.tensor
        if x.shape.rank > 0, x.shape.elementCount > 0, chance(50) {
            let axis = chance(80) ? x.shape.rank - 1 : pick(x.shape.rank)
            let (scale, offset) = (try addLeaf([x.shape[axis]]), try addLeaf([x.shape[axis]]))
            let result = try x.batchNormalized(
                scale: scale.tensor, offset: offset.tensor, axis: axis, epsilon: 0.25)
            let bound = 4 * entry.bound * scale.bound + offset.bound
            add(chance(40) ? try result.normalized.relu() : result.normalized, bound: bound)
            if chance(30) { add(result.mean, bound: entry.bound) }
            if chance(30) { add(result.variance, bound: entry.bound * entry.bound) }
            return
        }
        let axes = x.shape.dimensions.indices.filter { $0 < x.shape.rank - 1 || chance(30) }
        let (mean, variance) = try x.moments(axes: axes, keepDims: true)
        let scale = try addLeaf([x.shape.dimensions.last ?? 1])
        let factor = try scale.tensor.reshaped(to: scale.tensor.shape) * (variance + 0.25).unary(.rsqrt)
        let shift = try addLeaf([x.shape.dimensions.last ?? 1])
        guard Shape.broadcast(factor.shape, x.shape) == x.shape else { return }
        add(try (x - mean) * factor + shift.tensor, bound: 2 * entry.bound * scale.bound + shift.bound)
    }

    // MARK: - Elementwise

    /// A tensor that can be broadcast against one of a shape, perhaps a new one.
    private mutating func partner(of entry: Entry) throws -> Entry {
        let shape = entry.tensor.shape
        switch pick(6) {
        case 0, 1:
            if let other = anyEntry(where: { $0.tensor.shape == shape && $0.tensor != entry.tensor }) {
                return other
            }
        case 2:
            if let other = anyEntry(where: {
                $0.tensor.shape.elementCount == shape.elementCount && $0.tensor.shape != shape
            }) {
                return Entry(
                    tensor: try other.tensor.reshaped(to: shape), isExact: other.isExact, bound: other.bound)
            }
        case 3:
            if let other = anyEntry(where: { Shape.broadcast($0.tensor.shape, shape) == shape }) {
                return other
            }
        case 4 where shape.rank > 0: return try addLeaf([shape.channels])
        default: break
        }
        if shape.rank > 0, chance(30) {
            return try addLeaf(Shape(shape.dimensions.map { chance(40) ? 1 : $0 }))
        }
        return try addLeaf(chance(70) ? shape : .scalar)
    }

    private mutating func growBinary() throws {
        let a = anyEntry()
        let b = try partner(of: a)
        let isExact = a.isExact && b.isExact
        switch pick(10) {
        case 0..<3: add(try a.tensor + b.tensor, isExact: isExact, bound: a.bound + b.bound)
        case 3, 4: add(try a.tensor - b.tensor, isExact: isExact, bound: a.bound + b.bound)
        case 5, 6: add(try a.tensor * b.tensor, isExact: isExact, bound: a.bound * b.bound)
        case 7:
            let divisor = try b.tensor.unary(.abs) + 0.5
            add(try a.tensor / divisor, bound: a.bound * 2)
        case 8: add(try .maximum(a.tensor, b.tensor), isExact: isExact, bound: max(a.bound, b.bound))
        default: add(try .minimum(a.tensor, b.tensor), isExact: isExact, bound: max(a.bound, b.bound))
        }
    }

    private mutating func growUnary() throws {
        let entry = anyEntry()
        let x = entry.tensor
        // Large or negative arguments would make what follows sensitive to rounding.
        let positive = try x.unary(.abs) + 0.5
        switch pick(17) {
        case 0: add(x.negated(), isExact: entry.isExact, bound: entry.bound)
        case 1: add(try x.unary(.abs), isExact: entry.isExact, bound: entry.bound)
        case 2, 3, 4: add(try x.relu(), isExact: entry.isExact, bound: entry.bound)
        case 5: add(try Tensor.minimum(x, 1.5).exp(), bound: 4.5)
        case 6: add(try positive.log(), bound: 5)
        case 7: add(try positive.unary(.log1p), bound: 5)
        case 8: add(try positive.squareRoot(), bound: 9)
        case 9: add(try positive.unary(.rsqrt), bound: 2)
        case 10: add(try positive.unary(.reciprocal), bound: 2)
        case 11: add(try x.tanh(), bound: 1)
        case 12: add(try x.sigmoid(), bound: 1)
        case 13: add(try x.unary(.erf), bound: 1)
        case 15: add(try Tensor.minimum(x, 1.5).unary(.expm1), bound: 4.5)
        case 14: add(try x.tanh().unary(chance(50) ? .sin : .cos), bound: 1)
        default:
            if entry.isExact {
                add(try x.unary(chance(50) ? .sign : .floor), isExact: true, bound: entry.bound + 1)
            } else {
                add(try positive.raised(to: any([1, 2, 0.5, 1.5])), bound: 600)
            }
        }
    }

    private mutating func growSelection() throws {
        guard let a = anyEntry(where: \.isExact) else { return }
        let b = try addLeaf(chance(50) ? a.tensor.shape : .scalar)
        let condition = try Tensor.compare(any(Comparison.allCases), a.tensor, b.tensor)
        let c = anyEntry { $0.tensor.shape == a.tensor.shape } ?? a
        switch pick(4) {
        case 0:
            add(condition.cast(to: .float32), isExact: true, bound: 1)
        case 1:
            let isKept = try Tensor.randomUniform(c.tensor.shape).greaterOrEqual(0.25)
            add(
                try .select(isKept, c.tensor / 0.75, .filled(0, c.tensor.shape)), bound: c.bound * 4 / 3)
        default:
            let other = try partner(of: c)
            add(
                try .select(condition, c.tensor, other.tensor), isExact: c.isExact && other.isExact,
                bound: max(c.bound, other.bound))
        }
    }

    private mutating func growMiscellany() throws {
        let entry = anyEntry()
        let shape = entry.tensor.shape
        switch pick(5) {
        case 0: add(try .select(.isTraining, entry.tensor, .filled(0.5, shape)), bound: entry.bound)
        case 1: add(try entry.tensor + .randomNormal(shape), bound: entry.bound + 6)
        case 2:
            guard let exact = anyEntry(where: \.isExact) else { return }
            add(
                exact.tensor.cast(to: any([.bfloat16, .int32, .bool, .uint8])).cast(to: .float32),
                isExact: true, bound: exact.bound * 1.01)
        case 3:
            let integers = newIndices(shape)
            let changed = try (integers + integers * 3).unary(any([.negate, .abs, .relu, .sign]))
            add(
                try entry.tensor + changed.cast(to: .float32), isExact: entry.isExact,
                bound: entry.bound + 24)
        default:
            add(try entry.tensor * .randomUniform(shape), bound: entry.bound)
        }
    }

    // MARK: - Movement

    private mutating func growView() throws {
        let entry = anyEntry()
        let (x, shape) = (entry.tensor, entry.tensor.shape)
        func keep(_ tensor: Tensor) { add(tensor, isExact: entry.isExact, bound: entry.bound) }
        switch pick(5) {
        case 0: keep(try x.transposed(Array(0..<shape.rank).shuffled(using: &generator)))
        case 1, 2: keep(try x.reshaped(to: otherShape(of: shape)))
        case 3:
            var starts: [Int] = []
            var extents: [Int] = []
            var strides: [Int] = []
            for extent in shape.dimensions {
                let isWhole = chance(50)
                let stride = isWhole ? 1 : 1 + pick(2)
                let start = isWhole ? 0 : pick(extent)
                let most = (extent - 1 - start) / stride + 1
                starts.append(start)
                strides.append(stride)
                extents.append(isWhole ? extent : 1 + pick(most))
            }
            keep(try x.sliced(starts: starts, extents: Shape(extents), strides: strides))
        default:
            guard shape.elementCount < 400, shape.rank < 5 else { return }
            let repeated = shape.dimensions.map { $0 == 1 ? 1 + pick(4) : $0 }
            keep(try x.broadcast(to: Shape((chance(50) ? [1 + pick(3)] : []) + repeated)))
        }
    }

    /// The same number of elements in another shape.
    private mutating func otherShape(of shape: Shape) -> Shape {
        var dimensions = shape.dimensions
        for _ in 0..<(1 + pick(3)) {
            if dimensions.count > 1, chance(60) {
                let axis = pick(dimensions.count - 1)
                dimensions[axis] *= dimensions.remove(at: axis + 1)
            } else if !dimensions.isEmpty, dimensions.count < 6 {
                let axis = pick(dimensions.count)
                let extent = dimensions[axis]
                let factor = any((1...extent).filter { extent.isMultiple(of: $0) })
                dimensions[axis] = factor
                dimensions.insert(extent / factor, at: axis + 1)
            } else {
                dimensions.insert(1, at: pick(dimensions.count + 1))
            }
        }
        return Shape(dimensions)
    }

    private mutating func growJoin() throws {
        let entry = anyEntry()
        let (x, shape) = (entry.tensor, entry.tensor.shape)
        guard shape.rank > 0, shape.elementCount < 2000 else { return }
        if chance(50) {
            let axis = pick(shape.rank)
            let other =
                anyEntry { other in
                    var rest = other.tensor.shape
                    guard rest.rank == shape.rank else { return false }
                    rest[axis] = shape[axis]
                    return rest == shape
                } ?? entry
            add(
                try .concatenate([x, other.tensor], axis: axis), isExact: entry.isExact && other.isExact,
                bound: max(entry.bound, other.bound))
        } else {
            func padding(_ most: Int) -> [Int] { shape.dimensions.map { _ in pick(most) } }
            add(
                try x.padded(
                    low: padding(3), high: padding(2), interior: shape.rank < 4 ? padding(2) : nil,
                    value: any([0, 0, -1.5])), isExact: entry.isExact, bound: max(entry.bound, 1.5))
        }
    }

    private mutating func growIndexed() throws {
        let entry = anyEntry()
        let shape = entry.tensor.shape
        guard shape.rank > 0, shape.elementCount < 2000 else { return }
        switch pick(3) {
        case 0:
            let axis = pick(shape.rank)
            let sharedAxes = pick(axis + 1)
            let own = chance(50) ? [1 + pick(5)] : [1 + pick(3), 1 + pick(3)]
            let indices = newIndices(Shape(shape.dimensions[..<sharedAxes] + own))
            add(
                try entry.tensor.gathered(at: indices, axis: axis, sharedAxes: sharedAxes),
                isExact: entry.isExact, bound: entry.bound)
        case 1:
            let axis = pick(shape.rank)
            let rule = ScatterAdd(axis: axis, extent: 2 + pick(5))
            add(
                try Tensor(.scatterAdd(rule), [entry.tensor, newIndices([shape[axis]])]),
                bound: entry.bound * Double(shape[axis]))
        default:
            add(
                try newIndices([1 + pick(6)]).oneHot(depth: any([3, 5, 16])), isExact: true, bound: 1)
        }
    }

    // MARK: - Sums

    private mutating func growReduction() throws {
        let entry = anyEntry()
        let shape = entry.tensor.shape
        let axes = (0..<shape.rank).filter { _ in chance(50) }
        let count = Double(axes.reduce(1) { $0 * shape[$1] })
        let keepDims = chance(50)
        switch pick(4) {
        case 0: add(try entry.tensor.sum(axes: axes, keepDims: keepDims), bound: entry.bound * count)
        case 1: add(try entry.tensor.mean(axes: axes, keepDims: keepDims), bound: entry.bound)
        case 2:
            add(
                try entry.tensor.max(axes: axes, keepDims: keepDims), isExact: entry.isExact,
                bound: entry.bound)
        default:
            guard entry.isExact, shape.rank > 0 else { return }
            let axis = pick(shape.rank)
            let index = try entry.tensor.argMax(axis: axis, keepDims: keepDims)
            add(index.cast(to: .float32), isExact: true, bound: Double(shape[axis]))
        }
    }

    private mutating func growSoftmax() throws {
        let entry = anyEntry()
        guard entry.tensor.shape.rank > 0, entry.bound < 20 else { return }
        let axis = pick(entry.tensor.shape.rank)
        if chance(50) {
            add(try entry.tensor.softmax(axis: axis), bound: 1)
        } else {
            add(try entry.tensor.logSoftmax(axis: axis), bound: entry.bound * 2 + 8)
        }
    }

    private mutating func growProduct() throws {
        guard let a = anyEntry(where: { $0.tensor.shape.rank >= 2 }) else { return }
        var x = a.tensor
        if x.shape.rank > 2, chance(70) {
            // As a dense layer sees images: flattened.
            x = try x.reshaped(to: [x.shape[0], x.shape.elementCount / x.shape[0]])
        }
        let (transposeA, transposeB) = (chance(25), chance(40))
        if x.shape.rank == 2, chance(20) {
            // What comes from layers may also be the second operand.
            let (inner, columns) = MatMul.matrix(x.shape, transposeB)
            let rows = 1 + pick(6)
            let left = try newVariable(transposeA ? [inner, rows] : [rows, inner])
            let product = try Tensor.matmul(left, x, transposeA: transposeA, transposeB: transposeB)
            try addLayer(product, channels: columns, bound: a.bound * 2 * Double(inner))
            return
        }
        let (_, inner) = MatMul.matrix(x.shape, transposeA)
        let columns = any([1, 5, 10, 16, 20])
        let rows = transposeB ? [columns, inner] : [inner, columns]
        let isShared = x.shape.rank == 2 || chance(50)
        let shape = Shape(isShared ? rows : x.shape.dimensions.dropLast(2) + rows)
        guard shape.elementCount < 20_000 else { return }
        let known = anyEntry { $0.tensor.shape == shape }
        let b = try known ?? Entry(tensor: newVariable(shape), isExact: true)
        let y = try Tensor.matmul(x, b.tensor, transposeA: transposeA, transposeB: transposeB)
        try addLayer(y, channels: columns, bound: a.bound * b.bound * Double(inner))
    }

    /// A product or convolution with what often follows it. Now and then the parts are used elsewhere too.
    @discardableResult
    private mutating func addLayer(_ tensor: Tensor, channels: Int, bound: Double) throws -> Entry {
        var (y, bound) = (tensor, bound)
        if chance(60) {
            if chance(15) { add(y, bound: bound) }
            y = try y + newVariable([channels])
            bound += 2
        }
        if chance(50) {
            if chance(15) { add(y, bound: bound) }
            y = try y.relu()
        }
        return add(y, bound: bound)
    }

    // MARK: - Images

    private var images: [Entry] {
        entries.filter { $0.tensor.shape.rank == 4 && $0.tensor.shape.elementCount < 20_000 }
    }

    private mutating func padding(_ most: Int) -> Padding2D {
        chance(50)
            ? .none
            : Padding2D(top: pick(most), bottom: pick(most), left: pick(most), right: pick(most))
    }

    private mutating func growConvolution() throws {
        guard !images.isEmpty else { return }
        let entry = any(images.suffix(3))
        let shape = entry.tensor.shape
        let groups = any([1, 1, 1, 2, shape.channels].filter { shape.channels.isMultiple(of: $0) })
        let filters = groups * any(groups > 2 ? [1, 2] : [1, 5, 8, 16, 20, 32])
        let window = chance(60) ? Size2D(3, 3) : Size2D(1 + pick(3), 1 + pick(4))
        let rule = Convolution(
            strides: chance(70) ? 1 : Size2D(1 + pick(2), 1 + pick(3)),
            dilations: chance(85) ? 1 : Size2D(1 + pick(2), 1 + pick(2)), padding: padding(3), groups: groups)
        let kernelShape: Shape = [window.height, window.width, shape.channels / groups, filters]
        let known = anyEntry { $0.tensor.shape == kernelShape }
        let kernel = try known ?? Entry(tensor: newVariable(kernelShape), isExact: true)
        guard let y = try? entry.tensor.convolved(with: kernel.tensor, rule) else { return }
        let bound = entry.bound * kernel.bound * Double(kernelShape.elementCount) / Double(filters)
        let result = try addLayer(y, channels: filters, bound: bound)
        if chance(50), let pooled = try? result.tensor.maxPooled(SlidingWindow(2, strides: 2)) {
            add(pooled, bound: result.bound)
        }
    }

    private mutating func growPooling() throws {
        guard !images.isEmpty else { return }
        let entry = any(images)
        let size = Size2D(1 + pick(3), 1 + pick(3))
        let most = min(size.height, size.width)
        let window = SlidingWindow(
            size, strides: Size2D(1 + pick(3), 1 + pick(2)), padding: padding(most))
        let x = chance(50) ? try entry.tensor.relu() : entry.tensor
        if chance(60) {
            guard let y = try? x.maxPooled(window) else { return }
            add(y, isExact: entry.isExact, bound: entry.bound)
        } else {
            guard let y = try? x.averagePooled(window, countsPadding: chance(50)) else { return }
            add(y, bound: entry.bound)
        }
    }
}
