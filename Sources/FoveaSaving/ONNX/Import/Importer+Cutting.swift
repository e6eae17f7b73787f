#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    extension ONNXImporter {
        mutating func convertPadding(_ node: ONNXNode) throws {
            let x = try value(node)
            let rank = x.logicalShape.rank
            let value = try optionalConstant(node, 2)?.number() ?? node.float("value", 0)
            guard node.string("mode", "constant") == "constant", value == 0 else {
                throw node.problem("it puts something else than zeros around images")
            }
            guard let pads = try integers(node, "pads", place: 1) else {
                throw node.problem("it has no pads")
            }
            let axes =
                try optionalConstant(node, 3)?.integers().map { $0 < 0 ? $0 + rank : $0 } ?? Array(0..<rank)
            guard pads.count == 2 * axes.count, Set(axes).count == axes.count,
                axes.allSatisfy((0..<rank).contains),
                pads.allSatisfy({ (-65_536...65_536).contains($0) })
            else { throw node.problem("its pads \(pads) are not two numbers for each axis") }
            var (low, high) = ([Int](repeating: 0, count: rank), [Int](repeating: 0, count: rank))
            for (index, axis) in axes.enumerated() {
                low[axis] = pads[index]
                high[axis] = pads[index + axes.count]
            }
            guard low[0] == 0, high[0] == 0 else { throw node.problem("it adds examples to the batch") }
            try set(node, try bordered(x, low, high))
        }

        mutating func convertSlice(_ node: ONNXNode) throws {
            let x = try value(node)
            let shape = x.logicalShape
            guard let starts = try integers(node, "starts", place: 1),
                let ends = try integers(node, "ends", place: 2)
            else { throw node.problem("it does not say what it takes") }
            let axes = try integers(node, "axes", place: 3) ?? Array(starts.indices)
            let steps = try optionalConstant(node, 4)?.integers() ?? axes.map { _ in 1 }
            guard starts.count == ends.count, starts.count == axes.count, steps == axes.map({ _ in 1 }) else {
                throw node.problem("it takes elements that are not neighbours, or its lists differ in length")
            }
            var (low, high) = ([Int](repeating: 0, count: shape.rank), [Int](repeating: 0, count: shape.rank))
            for (index, axis) in axes.enumerated() {
                let place = axis < 0 ? axis + shape.rank : axis
                guard (1..<shape.rank).contains(place) else {
                    throw node.problem("it cuts along axis \(axis), which is none of an example")
                }
                let range = slice(starts[index], ends[index], of: shape[place])
                (low[place], high[place]) = (-range.lowerBound, range.upperBound - shape[place])
            }
            try set(node, try bordered(x, low, high))
        }

        mutating func convertSplit(_ node: ONNXNode) throws {
            let x = try value(node)
            let shape = x.logicalShape
            let axis = node.int("axis") < 0 ? node.int("axis") + shape.rank : node.int("axis")
            guard (1..<shape.rank).contains(axis) else {
                throw node.problem("it divides axis \(axis), which is none of an example")
            }
            let count = max(1, node.outputs.count)
            let share = (shape[axis] + count - 1) / count
            let sizes =
                try integers(node, "split", place: 1)
                ?? (0..<count).map { max(0, min(share, shape[axis] - $0 * share)) }
            guard sizes.count == node.outputs.count, sizes.allSatisfy({ (1...shape[axis]).contains($0) }),
                sizes.reduce(0, +) == shape[axis]
            else { throw node.problem("parts of \(sizes) do not make the extent \(shape[axis])") }
            var start = 0
            for (name, size) in zip(node.outputs, sizes) {
                var (low, high) = (
                    [Int](repeating: 0, count: shape.rank), [Int](repeating: 0, count: shape.rank)
                )
                (low[axis], high[axis]) = (-start, start + size - shape[axis])
                start += size
                if !name.isEmpty { try set(name, try bordered(x, low, high)) }
            }
        }

        /// A value with zeros put before and after its elements along each axis, or with elements taken away where a number is
        /// negative.
        private mutating func bordered(_ value: ImportedValue, _ low: [Int], _ high: [Int]) throws
            -> ImportedValue
        {
            var x = value
            if low.allSatisfy({ $0 == 0 }), high.allSatisfy({ $0 == 0 }) { return x }
            if x.isRows { x = try inOrder(x) }
            let changed = low.indices.filter { low[$0] != 0 || high[$0] != 0 }
            for axis in changed
            where x.shape[axis].addingReportingOverflow(low[axis] + high[axis]).partialValue <= 0 {
                throw ONNXImportProblem("nothing is left of axis \(axis) of \(x.shape)")
            }
            // Rows and columns of images have layers of their own.
            if x.shape.rank == 4, changed.allSatisfy({ $0 == x.order[1] || $0 == x.order[2] }) {
                let (rows, columns) = (x.order[1], x.order[2])
                let output = border(
                    x.output, (low[rows], high[rows]), (low[columns], high[columns]))
                for axis in changed { x.shape[axis] += low[axis] + high[axis] }
                return x.replacing(output, isNotNegative: x.isNotNegative)
            }
            for axis in changed {
                // Any axis is the columns of an image whose rows are the axes before it.
                let extents = Array(x.outputShape.dimensions.dropFirst())
                let place = (x.order.firstIndex(of: axis) ?? 1) - 1
                let image = [
                    extents[..<place].reduce(1, *), extents[place], extents[(place + 1)...].reduce(1, *),
                ]
                let output = border(Reshape(targetShape: image)(x.output), (0, 0), (low[axis], high[axis]))
                x.shape[axis] += low[axis] + high[axis]
                x = x.replacing(
                    Reshape(targetShape: Array(x.outputShape.dimensions.dropFirst()))(output),
                    isNotNegative: x.isNotNegative)
            }
            return x
        }

        /// Zeros around images, and what is negative cut off.
        private func border(_ images: LayerOutput, _ rows: (Int, Int), _ columns: (Int, Int)) -> LayerOutput {
            var output = images
            let cut = [rows.0, rows.1, columns.0, columns.1].map { max(0, -$0) }
            if cut.contains(where: { $0 > 0 }) {
                output = Cropping2D(cropping: ((cut[0], cut[1]), (cut[2], cut[3])))(output)
            }
            let added = [rows.0, rows.1, columns.0, columns.1].map { max(0, $0) }
            if added.contains(where: { $0 > 0 }) {
                output = ZeroPadding2D(padding: ((added[0], added[1]), (added[2], added[3])))(output)
            }
            return output
        }

        // MARK: Sizes

        mutating func convertResizing(_ node: ONNXNode) throws {
            let x = try images(node)
            let isOld = node.operation == "Upsample" || operatorSet < 11
            let mode = node.string("mode", "nearest")
            // Before version 11 there was one way to find the places of pixels.
            let places = isOld ? "asymmetric" : node.string("coordinate_transformation_mode", "half_pixel")
            let rounding = isOld ? "floor" : node.string("nearest_mode", "round_prefer_floor")
            let factors =
                try node.floats("scales")
                ?? (isOld ? optionalConstant(node, 1) : optionalConstant(node, 2))?.floats()
            let sizes = isOld ? nil : try optionalConstant(node, 3)?.integers()
            guard !node.has("axes"), node.int("antialias") == 0, try value(node).shape.rank == 4 else {
                throw node.problem("Fovea does not resize with these settings")
            }
            let size: Size2D
            if let factors, !factors.isEmpty {
                guard factors.count == 4, factors[0] == 1, factors[1] == 1,
                    factors[2...].allSatisfy({ $0 > 0 && $0 < 65_536 })
                else { throw node.problem("its scales \(factors) are not those of rows and columns") }
                size = Size2D(Int(Float(x.size.height) * factors[2]), Int(Float(x.size.width) * factors[3]))
            } else if let sizes, sizes.count == 4, sizes[1] == x.shape[1] {
                size = Size2D(sizes[2], sizes[3])
            } else {
                throw node.problem("it says neither scales nor sizes of rows and columns")
            }
            guard size.isPositive, size.height <= 65_536, size.width <= 65_536 else {
                throw node.problem("it makes images of \(size)")
            }
            let (rows, columns) = (size.height / x.size.height, size.width / x.size.width)
            let isWhole = size == Size2D(rows * x.size.height, columns * x.size.width)
            let isCentred =
                places == "half_pixel" || places == "pytorch_half_pixel" && size.height > 1 && size.width > 1
            let name = layerName(node)
            let layer: any Layer
            switch mode {
            case "nearest"
            where isWhole
                && (places == "asymmetric" && rounding == "floor" || isCentred && rounding.hasPrefix("round")):
                layer = UpSampling2D(size: Size2D(rows, columns), name: name)
            case "nearest" where isCentred && rounding == "round_prefer_ceil":
                layer = Resizing(height: size.height, width: size.width, interpolation: .nearest, name: name)
            case "linear" where isCentred && isWhole:
                layer = UpSampling2D(size: Size2D(rows, columns), interpolation: .bilinear, name: name)
            case "linear" where isCentred:
                layer = Resizing(height: size.height, width: size.width, name: name)
            default:
                throw node.problem(
                    "Fovea has no layer that resizes as \(quoted(mode)), \(quoted(places)), \(quoted(rounding))"
                )
            }
            try set(node, try applied(layer, to: x, isNotNegative: x.isNotNegative))
        }
    }
#endif
