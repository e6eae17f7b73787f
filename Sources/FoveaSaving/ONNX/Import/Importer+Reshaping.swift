#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    extension ONNXImporter {
        mutating func convertFlatten(_ node: ONNXNode) throws {
            let value = try value(node)
            let axis = node.int("axis", 1)
            guard axis == 1 || axis == 1 - value.logicalShape.rank else {
                throw node.problem("it flattens from axis \(axis) on; Fovea does from 1 on, behind the batch")
            }
            try set(node, flattened(value))
        }

        /// Rows `[batch, features]`. Where images would have to be turned for it, they wait for what reads the rows.
        private func flattened(_ value: ImportedValue) -> ImportedValue {
            if value.isRows || value.shape.rank == 2 { return value }
            var rows = value
            rows.isRows = true
            guard value.isInOrder else { return rows }
            return ImportedValue(
                output: Flatten()(value.output), shape: rows.logicalShape, order: [0, 1],
                isNotNegative: value.isNotNegative)
        }

        mutating func convertReshape(_ node: ONNXNode) throws {
            let value = try value(node)
            let extents = try reshapedExtents(
                node, value.logicalShape.dimensions, integers(node, "axes", place: 1), isConstant: false)
            try set(node, try reshaped(value, to: Shape(extents), node))
        }

        /// The extents behind `Reshape`, `Squeeze` or `Unsqueeze`.
        ///
        /// - Parameters:
        ///   - present: those before.
        ///   - axes: for the latter two.
        ///   - isConstant: whether there is no axis of the batch.
        func reshapedExtents(
            _ node: ONNXNode, _ present: [Int], _ axes: [Int]?, isConstant: Bool
        ) throws -> [Int] {
            let rank = present.count
            guard rank + (axes?.count ?? 0) <= 32 else { throw node.problem("it has more than 32 axes") }
            switch node.operation {
            case "Squeeze":
                let places =
                    axes?.map { $0 < 0 ? $0 + rank : $0 } ?? present.indices.filter { present[$0] == 1 }
                guard places.allSatisfy({ present.indices.contains($0) && present[$0] == 1 }) else {
                    throw node.problem("its axes \(axes ?? []) of \(present) are not all of extent 1")
                }
                return present.indices.filter { !places.contains($0) }.map { present[$0] }
            case "Unsqueeze":
                let axes = axes ?? []
                let places = Set(axes.map { $0 < 0 ? $0 + rank + axes.count : $0 })
                guard places.count == axes.count, places.allSatisfy((0..<rank + axes.count).contains) else {
                    throw node.problem("its axes \(axes) are none of the result")
                }
                var rest = present[...]
                return (0..<rank + axes.count).map { places.contains($0) ? 1 : rest.popFirst() ?? 1 }
            default:
                guard var extents = try node.ints("shape") ?? optionalConstant(node, 1)?.integers() else {
                    throw node.problem("it has no shape")
                }
                guard extents.count <= 32 else { throw node.problem("it has more than 32 axes") }
                let count = isConstant ? present : Array(present.dropFirst())
                var example = isConstant ? extents : Array(extents.dropFirst())
                if !isConstant {
                    // One file says 1 for the batch, another -1, 0, or what it was made for.
                    guard let batch = extents.first, batch == ONNXConstant.batch || batch >= -1 else {
                        throw node.problem("its shape \(extents) has no place for the batch")
                    }
                }
                for index in example.indices where example[index] == 0 && node.int("allowzero") == 0 {
                    guard count.indices.contains(index) else {
                        throw node.problem("its shape has a 0 where the input has no extent")
                    }
                    example[index] = count[index]
                }
                let open = example.indices.filter { example[$0] == -1 }
                guard open.count <= 1, let known = product(example.filter { $0 != -1 }),
                    let all = product(count),
                    open.isEmpty ? known == all : known > 0 && all % known == 0
                else {
                    throw node.problem("its shape \(extents) does not hold the elements of \(present)")
                }
                if let place = open.first { example[place] = all / known }
                extents = isConstant ? example : [Shape.batch] + example
                return extents
            }
        }

        private func product(_ extents: [Int]) -> Int? {
            var product = 1
            for extent in extents {
                let (next, overflow) = product.multipliedReportingOverflow(by: extent)
                guard extent >= 0, !overflow else { return nil }
                product = next
            }
            return product
        }

        /// A value with its axes divided or joined, in the order that its layers have.
        private mutating func reshaped(
            _ value: ImportedValue, to target: Shape, _ node: ONNXNode
        ) throws -> ImportedValue {
            if target == value.logicalShape { return value }
            guard target.rank >= 2, target[0] == Shape.batch else {
                throw node.problem("it leaves no axis for the batch, or nothing behind it")
            }
            if value.isRows {
                if target == value.shape {
                    var images = value
                    images.isRows = false
                    return images
                }
                return try reshaped(inOrder(value), to: target, node)
            }
            if target.rank == 2 { return flattened(value) }
            if let order = value.shape.order(value.order, channelsLastIn: target) {
                return reshaped(value, target, order)
            }
            guard let groups = Shape.groups(from: value.shape, to: target) else {
                throw node.problem("\(value.shape) cannot be made \(target)")
            }
            // Axes that are joined must lie side by side, in the order of the file.
            var order = value.shape.longAxes(value.order)
            for group in groups where group.source.count > 1 {
                let places = group.source.compactMap(order.firstIndex)
                guard let first = places.min() else { continue }
                if places.elementsEqual(first..<first + places.count) { continue }
                order.removeAll(where: group.source.contains)
                let before = order.count(where: { axis in
                    value.order.firstIndex(of: axis) ?? 0 < value.order.firstIndex(of: group.source[0]) ?? 0
                })
                order.insert(contentsOf: group.source, at: before)
            }
            let units = value.order.filter { value.shape[$0] == 1 }
            let moved = try arranged(
                value,
                value.shape.longAxes(value.order) == order
                    ? value.order : [0] + order.filter { $0 != 0 } + units.filter { $0 != 0 })
            var next: [Int] = []
            for axis in order {
                guard let group = groups.first(where: { $0.source.contains(axis) }) else { continue }
                if group.source[0] == axis { next += group.target }
            }
            next += (0..<target.rank).filter { target[$0] == 1 }
            return reshaped(moved, target, next)
        }

        private func reshaped(_ value: ImportedValue, _ target: Shape, _ order: [Int]) -> ImportedValue {
            let result = ImportedValue(
                output: value.output, shape: target, order: order, isNotNegative: value.isNotNegative)
            if result.outputShape == value.outputShape { return result }
            return result.replacing(
                Reshape(targetShape: Array(result.outputShape.dimensions.dropFirst()))(value.output),
                isNotNegative: value.isNotNegative)
        }

        mutating func convertTranspose(_ node: ONNXNode) throws {
            var value = try value(node)
            if value.isRows { value = try inOrder(value) }
            let rank = value.shape.rank
            let permutation = node.ints("perm") ?? Array((0..<rank).reversed())
            guard permutation.sorted() == Array(0..<rank), permutation.first == 0 else {
                throw node.problem("its order of axes \(permutation) moves the batch, or is none")
            }
            value.shape = Shape(permutation.map { value.shape[$0] })
            value.order = value.order.compactMap(permutation.firstIndex)
            try set(node, value)
        }
    }

    extension Shape {
        /// The order of a target's axes, the channels last if possible, when it only has other axes of extent 1; nil otherwise.
        fileprivate func order(_ order: [Int], channelsLastIn target: Shape) -> [Int]? {
            guard let moved = self.order(order, movedTo: target) else { return nil }
            let usual = ImportedValue.channelsLastOrder(target.rank)
            return target.longAxes(usual) == target.longAxes(moved) ? usual : moved
        }

        /// Which axes become which, those of extent 1 left out: each group has as many elements before as after.
        fileprivate static func groups(from source: Shape, to target: Shape) -> [(
            source: [Int], target: [Int]
        )]? {
            var left = source.longAxes(Array(0..<source.rank))[...]
            var right = target.longAxes(Array(0..<target.rank))[...]
            var groups: [(source: [Int], target: [Int])] = []
            while let first = left.popFirst() {
                guard let second = right.popFirst() else { return nil }
                var group = (source: [first], target: [second])
                var (a, b) = (source[first], target[second])
                while a != b {
                    // The batch is a group of its own.
                    guard a > 0, b > 0 else { return nil }
                    if a < b {
                        guard let axis = left.popFirst() else { return nil }
                        group.source.append(axis)
                        a *= source[axis]
                    } else {
                        guard let axis = right.popFirst() else { return nil }
                        group.target.append(axis)
                        b *= target[axis]
                    }
                }
                groups.append(group)
            }
            return right.isEmpty ? groups : nil
        }
    }
#endif
