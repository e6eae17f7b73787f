#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    /// A window of a node over images.
    private struct ImportedWindow {
        var size: Size2D
        var strides: Size2D
        var dilations: Size2D
        /// What is put around the images.
        var padding: Padding2D

        /// - Parameters:
        ///   - size: height and width of the images.
        ///   - kernel: the extents of the weights, where there are any.
        init(_ node: ONNXNode, over size: Size2D, kernel: [Int]?) throws {
            // Sequences are images of one row.
            func pair(_ name: String, _ standard: [Int]) throws -> Size2D {
                let numbers = node.ints(name) ?? standard
                guard (1...2).contains(numbers.count), numbers.allSatisfy({ (1...65_536).contains($0) })
                else {
                    throw node.problem("its \(name) \(numbers) are not one or two sizes")
                }
                return numbers.count == 2 ? Size2D(numbers[0], numbers[1]) : Size2D(1, numbers[0])
            }
            guard kernel == nil || node.ints("kernel_shape") == nil || node.ints("kernel_shape") == kernel
            else {
                throw node.problem("its kernel_shape is not that of its weights, \(kernel ?? [])")
            }
            self.size = try pair("kernel_shape", kernel ?? [])
            strides = try pair("strides", [1])
            if node.ints("strides") == nil { strides = 1 }
            dilations = node.ints("dilations") == nil ? 1 : try pair("dilations", [1])
            padding = .none
            let window = SlidingWindow(self.size, strides: strides, dilations: dilations)
            switch node.string("auto_pad", "NOTSET") {
            case "NOTSET":
                let pads = node.ints("pads") ?? [0, 0, 0, 0]
                guard pads.count == 4 || pads.count == 2, pads.allSatisfy({ (0...65_536).contains($0) })
                else {
                    throw node.problem("its pads \(pads) are not two or four numbers of pixels")
                }
                padding =
                    pads.count == 4
                    ? Padding2D(top: pads[0], bottom: pads[2], left: pads[1], right: pads[3])
                    : Padding2D(left: pads[0], right: pads[1])
                if node.int("ceil_mode") == 1 { roundUp(size) }
            case "VALID": break
            case "SAME_UPPER": padding = Padding.same.border(of: size, under: window)
            case "SAME_LOWER":
                let same = Padding.same.border(of: size, under: window)
                padding = Padding2D(top: same.bottom, bottom: same.top, left: same.right, right: same.left)
            case let other: throw node.problem("its auto_pad \(quoted(other)) is unknown")
            }
        }

        /// Widens the padding at the end so that the last window, which would lie partly outside, counts.
        private mutating func roundUp(_ image: Size2D) {
            func more(
                _ extent: Int, _ before: Int, _ after: Int, _ window: Int, _ stride: Int, _ dilation: Int
            ) -> Int {
                let room = extent + before + after - (window - 1) * dilation - 1
                guard room > 0, room % stride != 0 else { return 0 }
                // A window that starts behind the image is left out.
                return (room / stride + 1) * stride < extent + before ? stride - room % stride : 0
            }
            padding.bottom += more(
                image.height, padding.top, padding.bottom, size.height, strides.height, dilations.height)
            padding.right += more(
                image.width, padding.left, padding.right, size.width, strides.width, dilations.width)
        }

        func isSame(over size: Size2D) -> Bool {
            padding
                == Padding.same.border(
                    of: size, under: SlidingWindow(self.size, strides: strides, dilations: dilations))
        }
    }

    extension ONNXImporter {
        // MARK: Convolution

        mutating func convertConvolution(_ node: ONNXNode) throws {
            var x = try images(node)
            let kernel = try kernel(node)
            let (filters, channels, group) = (kernel.shape[0], kernel.shape[1], node.int("group", 1))
            let window = try ImportedWindow(node, over: x.size, kernel: node.kernelExtents(kernel))
            guard group > 0, channels.multipliedReportingOverflow(by: group).partialValue == x.shape[1] else {
                throw node.problem(
                    "\(group) groups of \(channels) channels do not fit the \(x.shape[1]) channels of its input"
                )
            }
            let (padding, padded) = try padded(x, window)
            x = padded
            let bias = try biased(
                node, try vector(node, 2, count: filters), channels: filters,
                axisFromEnd: try value(node).shape.rank - 1)
            let name = layerName(node, weight: try optionalConstant(node, 1), output: bias.output)
            let isDepthwise = group > 1 && channels == 1 && filters % group == 0
            let useBias = bias.vector != nil
            let biasInitializer = initializer(bias.vector, .zeros)
            let kernelInitializer = initializer(kernel, .glorotUniform)
            let layer: any Layer
            if isDepthwise {
                let made = DepthwiseConv2D(
                    kernelSize: window.size, strides: window.strides, padding: padding,
                    depthMultiplier: filters / group, dilationRate: window.dilations,
                    activation: bias.activation, useBias: useBias, depthwiseInitializer: kernelInitializer,
                    biasInitializer: biasInitializer, name: name)
                let split = try kernel.reshaped(
                    to: [group, filters / group, window.size.height, window.size.width])
                try keep(try split.transposed([2, 3, 0, 1]), for: made.kernel)
                try keep(bias.vector, for: made.bias)
                layer = made
            } else {
                let made = Conv2D(
                    filters: filters, kernelSize: window.size, strides: window.strides, padding: padding,
                    dilationRate: window.dilations, groups: group, activation: bias.activation,
                    useBias: useBias, kernelInitializer: kernelInitializer, biasInitializer: biasInitializer,
                    name: name)
                try keep(try kernel.transposed([2, 3, 1, 0]), for: made.kernel)
                try keep(bias.vector, for: made.bias)
                layer = made
            }
            let y = try applied(layer, to: x, isNotNegative: bias.activation.isNeverNegative)
            try set(bias.output, try restored(y, node))
        }

        /// The weights as of images: filters, channels, rows, columns.
        private func kernel(_ node: ONNXNode) throws -> ONNXConstant {
            let kernel = try constant(node, 1)
            guard (3...4).contains(kernel.shape.rank), kernel.shape.dimensions.allSatisfy({ $0 > 0 }) else {
                throw node.problem("its weights \(kernel.shape) are not those of images or sequences")
            }
            if kernel.shape.rank == 4 { return kernel }
            return try kernel.reshaped(to: [kernel.shape[0], kernel.shape[1], 1, kernel.shape[2]])
        }

        /// How a layer's border is, and the images with what the layer cannot put around them.
        private mutating func padded(
            _ x: ImportedValue, _ window: ImportedWindow
        ) throws -> (Padding, ImportedValue) {
            if window.padding == .none { return (.valid, x) }
            if window.isSame(over: x.size) { return (.same, x) }
            return (.valid, try padded(x, window.padding))
        }

        private func padded(_ x: ImportedValue, _ padding: Padding2D) throws -> ImportedValue {
            let layer = ZeroPadding2D(
                padding: ((padding.top, padding.bottom), (padding.left, padding.right)))
            return try applied(layer, to: x, isNotNegative: x.isNotNegative)
        }

        func cropped(_ x: ImportedValue, _ border: Padding2D) throws -> ImportedValue {
            if border == .none { return x }
            let layer = Cropping2D(cropping: ((border.top, border.bottom), (border.left, border.right)))
            return try applied(layer, to: x, isNotNegative: x.isNotNegative)
        }

        mutating func convertTransposedConvolution(_ node: ONNXNode) throws {
            let x = try images(node)
            let kernel = try kernel(node)
            let filters = kernel.shape[1]
            guard node.int("group", 1) == 1, kernel.shape[0] == x.shape[1] else {
                throw node.problem("it has groups, or weights \(kernel.shape) for \(x.shape[1]) channels")
            }
            guard node.ints("output_shape") == nil, node.string("auto_pad", "NOTSET") == "NOTSET" else {
                throw node.problem(
                    "its padding follows from an output_shape or auto_pad; export it with pads")
            }
            let window = try ImportedWindow(node, over: x.size, kernel: node.kernelExtents(kernel))
            let more = node.ints("output_padding") ?? [0, 0]
            guard more.count == 2 || more.count == 1, more.allSatisfy({ (0...65_536).contains($0) }) else {
                throw node.problem("its output_padding \(more) is no number of rows and columns")
            }
            let bias = try vector(node, 2, count: filters)
            let made = Conv2DTranspose(
                filters: filters, kernelSize: window.size, strides: window.strides, padding: .valid,
                outputPadding: Size2D(more.count == 2 ? more[0] : 0, more[more.count - 1]),
                dilationRate: window.dilations, useBias: bias != nil,
                kernelInitializer: initializer(kernel, .glorotUniform),
                biasInitializer: initializer(bias, .zeros),
                name: layerName(node, weight: try optionalConstant(node, 1)))
            try keep(try kernel.transposed([2, 3, 1, 0]), for: made.kernel)
            try keep(bias, for: made.bias)
            let y = try cropped(applied(made, to: x), window.padding)
            try set(node, try restored(y, node))
        }

        // MARK: Pooling

        mutating func convertPooling(_ node: ONNXNode) throws {
            let x = try images(node)
            guard node.outputs.dropFirst().allSatisfy({ $0.isEmpty }) else {
                throw node.problem("it gives the places of the largest elements, which Fovea does not")
            }
            let isMaximum = node.operation == "MaxPool"
            guard node.ints("kernel_shape") != nil else { throw node.problem("it has no kernel_shape") }
            let window = try ImportedWindow(node, over: x.size, kernel: nil)
            guard window.dilations == 1 else { throw node.problem("it pools pixels that are not neighbours") }
            let isNotNegative = x.isNotNegative
            let (padding, name) = (window.padding, layerName(node))
            func pool(
                _ x: ImportedValue, _ size: Size2D, _ strides: Size2D, _ padding: Padding, _ name: String?
            ) throws -> ImportedValue {
                let layer: any Layer =
                    isMaximum
                    ? MaxPooling2D(poolSize: size, strides: strides, padding: padding, name: name)
                    : AveragePooling2D(poolSize: size, strides: strides, padding: padding, name: name)
                return try applied(layer, to: x, isNotNegative: isNotNegative)
            }
            let y: ImportedValue
            let countsPadding = !isMaximum && node.int("count_include_pad") == 1
            if padding == .none || (window.isSame(over: x.size) && !countsPadding) {
                y = try pool(x, window.size, window.strides, padding == .none ? .valid : .same, name)
            } else if isMaximum ? x.isNotNegative : countsPadding {
                // Zeros change no maximum of what is not negative.
                y = try pool(padded(x, padding), window.size, window.strides, .valid, name)
            } else {
                // All windows side by side, of which the wanted ones are picked.
                let all = try pool(x, window.size, 1, .same, name)
                let same = Padding.same.border(of: x.size, under: SlidingWindow(window.size, strides: 1))
                let output = try SlidingWindow(window.size, strides: window.strides, padding: padding)
                    .outputSize(of: x.size, node.operation, [])
                let (top, left) = (same.top - padding.top, same.left - padding.left)
                let rows = (output.height - 1) * window.strides.height + 1
                let columns = (output.width - 1) * window.strides.width + 1
                let border = Padding2D(
                    top: top, bottom: x.size.height - top - rows, left: left,
                    right: x.size.width - left - columns)
                guard min(border.top, border.bottom, border.left, border.right) >= 0 else {
                    throw node.problem("its pads put windows far outside the image, which Fovea does not")
                }
                let picked = try cropped(all, border)
                y =
                    window.strides == 1
                    ? picked
                    : try applied(
                        MaxPooling2D(poolSize: 1, strides: window.strides), to: picked,
                        isNotNegative: isNotNegative)
            }
            try set(node, try restored(y, node))
        }

        mutating func convertGlobalPooling(_ node: ONNXNode) throws {
            try pool(node, isMaximum: node.operation == "GlobalMaxPool", keepsAxes: true)
        }

        mutating func convertReduction(_ node: ONNXNode) throws {
            let value = try value(node)
            let rank = value.shape.rank
            let axes = try integers(node, "axes", place: 1)?.map { $0 < 0 ? $0 + rank : $0 } ?? []
            // All axes of an example but one, which are the rows and columns then.
            guard !value.isRows, rank == 3 || rank == 4, axes.count == rank - 2,
                Set(axes).count == axes.count,
                axes.allSatisfy((1..<rank).contains)
            else {
                throw node.problem(
                    "it reduces the axes \(axes) of \(value.logicalShape); Fovea reduces rows and columns of images"
                )
            }
            try pool(node, isMaximum: node.operation == "ReduceMax", keepsAxes: node.int("keepdims", 1) == 1)
        }

        private mutating func pool(_ node: ONNXNode, isMaximum: Bool, keepsAxes: Bool) throws {
            let source = try value(node)
            let rank = source.shape.rank
            let axes = try integers(node, "axes", place: 1)?.map { $0 < 0 ? $0 + rank : $0 }.sorted()
            let channel = axes.map { axes in (1..<rank).first { !axes.contains($0) } ?? 1 } ?? 1
            guard rank == 3 || rank == 4 else {
                throw node.problem("it reads \(source.logicalShape), Fovea knows images and sequences here")
            }
            let order = [0] + (1..<rank).filter { $0 != channel } + [channel]
            var x = try arranged(source, order)
            if rank == 3 {
                x.output = Reshape(targetShape: [1] + x.outputShape.dimensions.dropFirst())(x.output)
            }
            // What drops the axes that have become 1 needs no layer.
            let last = keepsAxes ? try readerThatFlattens(node, channels: x.shape[channel]) : nil
            let keepDims = keepsAxes && last == nil && rank == 4
            let name = layerName(node, output: last?.outputs.first)
            let layer: any Layer =
                isMaximum
                ? GlobalMaxPooling2D(keepDims: keepDims, name: name)
                : GlobalAveragePooling2D(keepDims: keepDims, name: name)
            var shape = x.shape
            for axis in 1..<rank where axis != channel { shape[axis] = 1 }
            var y = ImportedValue(
                output: layer(x.output), shape: shape, order: order, isNotNegative: x.isNotNegative)
            if !keepsAxes || last != nil {
                y.shape = [shape[0], shape[channel]]
                y.order = [0, 1]
            } else if rank == 3 {
                y.output = Reshape(targetShape: [1, shape[channel]])(y.output)
            }
            if let last { skip(last) }
            try set(last?.outputs.first ?? node.outputs.first ?? "", y)
        }

        /// The node that makes `[batch, channels]` of what a node gives, if it alone reads that.
        private func readerThatFlattens(_ node: ONNXNode, channels: Int) throws -> ONNXNode? {
            guard let name = node.outputs.first, let next = onlyReader(of: name) else { return nil }
            switch next.operation {
            case "Flatten": return next.int("axis", 1) == 1 ? next : nil
            case "Reshape", "Squeeze":
                guard next.input(1).map({ constants[$0] != nil }) ?? true else { return nil }
                let rank = try value(node).shape.rank
                var present = [Int](repeating: 1, count: rank)
                (present[0], present[1]) = (Shape.batch, channels)
                let axes = try integers(next, "axes", place: 1)
                if next.operation == "Squeeze", axes == nil { return nil }
                let extents = try? reshapedExtents(next, present, axes, isConstant: false)
                return extents == [Shape.batch, channels] ? next : nil
            default: return nil
            }
        }
    }

    extension ImportedValue {
        /// Height and width of images.
        var size: Size2D { Size2D(shape[2], shape[3]) }
    }

    extension ONNXNode {
        /// The extents of the window of weights, as many as the input of the node has.
        fileprivate func kernelExtents(_ kernel: ONNXConstant) -> [Int] {
            let extents = Array(kernel.shape.dimensions.suffix(2))
            return ints("kernel_shape")?.count == 1 ? [extents[1]] : extents
        }
    }
#endif
