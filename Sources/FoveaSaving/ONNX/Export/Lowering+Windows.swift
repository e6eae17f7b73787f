#if ProtocolBuffers
    import FoveaGraph

    extension ONNXLowering {
        mutating func convolution(_ tensor: Tensor, _ rule: Convolution) throws -> ONNXValue {
            try convolution(tensor, rule, bias: nil, for: tensor)
        }

        /// - Parameters:
        ///   - tensor: the result of the convolution.
        ///   - bias: a vector that is added to each pixel.
        ///   - owner: what the node makes.
        mutating func convolution(
            _ tensor: Tensor, _ rule: Convolution, bias: Tensor?, for owner: Tensor
        ) throws -> ONNXValue {
            let kernel = tensor.inputs[1]
            // Filters, channels, rows, columns.
            var inputs = [
                try name(of: tensor.inputs[0], as: .channelsFirst(4)),
                try name(of: kernel, as: .ordered([3, 2, 0, 1])),
            ]
            if let bias { inputs.append(try name(of: bias, as: .natural(1))) }
            var attributes = window(rule.window(kernel: kernel.shape), dilations: true)
            attributes.append(.int("group", rule.groups))
            return ONNXValue(add("Conv", inputs, attributes, for: owner), .channelsFirst(4))
        }

        mutating func transposedConvolution(
            _ tensor: Tensor, _ rule: ConvolutionInputGradient
        ) throws -> ONNXValue {
            try transposedConvolution(tensor, rule, bias: nil, for: tensor)
        }

        mutating func transposedConvolution(
            _ tensor: Tensor, _ rule: ConvolutionInputGradient, bias: Tensor?, for owner: Tensor
        ) throws -> ONNXValue {
            let (kernel, x) = (tensor.inputs[0], tensor.inputs[1])
            let window = rule.convolution.window(kernel: kernel.shape)
            func more(_ size: Int, _ count: Int, _ stride: Int, _ dilation: Int, _ extent: Int, _ cut: Int)
                -> Int
            {
                size - ((count - 1) * stride + dilation * (extent - 1) + 1 - cut)
            }
            let padding = window.padding
            let rows = more(
                rule.inputSize.height, x.shape[1], window.strides.height, window.dilations.height,
                window.window.height, padding.top + padding.bottom)
            let columns = more(
                rule.inputSize.width, x.shape[2], window.strides.width, window.dilations.width,
                window.window.width, padding.left + padding.right)
            var inputs = [
                try name(of: x, as: .channelsFirst(4)), try name(of: kernel, as: .ordered([3, 2, 0, 1])),
            ]
            if let bias { inputs.append(try name(of: bias, as: .natural(1))) }
            var attributes = self.window(window, dilations: true)
            attributes.append(.int("group", rule.convolution.groups))
            if rows != 0 || columns != 0 { attributes.append(.ints("output_padding", [rows, columns])) }
            return ONNXValue(add("ConvTranspose", inputs, attributes, for: owner), .channelsFirst(4))
        }

        mutating func maxPool(_ tensor: Tensor, _ rule: MaxPool) throws -> ONNXValue {
            let x = try name(of: tensor.inputs[0], as: .channelsFirst(4))
            var y = add(
                "MaxPool", [x], window(rule.window, dilations: rule.window.dilations != 1), for: tensor)
            if rule.isRectified { y = add("Relu", [y], for: tensor) }
            return ONNXValue(y, .channelsFirst(4))
        }

        mutating func averagePool(_ tensor: Tensor, _ rule: AveragePool) throws -> ONNXValue {
            guard rule.window.dilations == 1 else {
                throw problem(tensor, "it takes means of pixels that are not neighbours")
            }
            let x = try name(of: tensor.inputs[0], as: .channelsFirst(4))
            var attributes = window(rule.window, dilations: false)
            attributes.append(.int("count_include_pad", rule.countsPadding ? 1 : 0))
            return ONNXValue(add("AveragePool", [x], attributes, for: tensor), .channelsFirst(4))
        }

        private func window(_ window: SlidingWindow, dilations: Bool) -> [ONNXAttributeProto] {
            func pair(_ size: Size2D) -> [Int] { [size.height, size.width] }
            var attributes: [ONNXAttributeProto] = [
                .ints("kernel_shape", pair(window.window)), .ints("strides", pair(window.strides)),
                .ints(
                    "pads",
                    [window.padding.top, window.padding.left, window.padding.bottom, window.padding.right]),
            ]
            if dilations { attributes.append(.ints("dilations", pair(window.dilations))) }
            return attributes
        }
    }
#endif
