#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    extension ONNXImporter {
        /// A value with its axes in another order.
        func arranged(_ value: ImportedValue, _ order: [Int]) throws -> ImportedValue {
            if value.order == order { return value }
            var result = value
            result.order = order
            if value.shape.longAxes(value.order) == value.shape.longAxes(order) {
                result.output = Reshape(targetShape: Array(result.outputShape.dimensions.dropFirst()))(
                    value.output)
            } else {
                result.output = Permute(dims: order.dropFirst().compactMap(value.order.firstIndex))(
                    value.output)
            }
            return result
        }

        /// A value with its elements in the order of the file.
        func inOrder(_ value: ImportedValue) throws -> ImportedValue {
            if !value.isRows { return try arranged(value, Array(0..<value.shape.rank)) }
            var images = value
            images.isRows = false
            images = try inOrder(images)
            return ImportedValue(
                output: Flatten()(images.output), shape: value.logicalShape, order: [0, 1],
                isNotNegative: value.isNotNegative)
        }

        /// Images `[batch, height, width, channels]`. Sequences become images of one row.
        func images(_ node: ONNXNode, _ place: Int = 0) throws -> ImportedValue {
            var value = try value(node, place)
            guard !value.isRows, value.shape.rank == 3 || value.shape.rank == 4 else {
                throw node.problem("it reads \(value.logicalShape), Fovea knows images and sequences here")
            }
            value = try arranged(value, ImportedValue.channelsLastOrder(value.shape.rank))
            if value.shape.rank == 4 { return value }
            let shape: Shape = [value.shape[0], value.shape[1], 1, value.shape[2]]
            return ImportedValue(
                output: Reshape(targetShape: [1, shape[3], shape[1]])(value.output), shape: shape,
                order: ImportedValue.channelsLastOrder(4), isNotNegative: value.isNotNegative)
        }

        /// What was made of images as what the node reads has it: sequences, where these are.
        func restored(_ images: ImportedValue, _ node: ONNXNode) throws -> ImportedValue {
            guard try value(node).shape.rank == 3 else { return images }
            let shape: Shape = [images.shape[0], images.shape[1], images.shape[3]]
            return ImportedValue(
                output: Reshape(targetShape: [shape[2], shape[1]])(images.output), shape: shape,
                order: [0, 2, 1], isNotNegative: images.isNotNegative)
        }

        /// An image-making layer applied to images.
        func applied(
            _ layer: any Layer, to images: ImportedValue, isNotNegative: Bool = false
        ) throws -> ImportedValue {
            let output = layer(images.output)
            let shape = try output.shape
            return ImportedValue(
                output: output, shape: [images.shape[0], shape[2], shape[0], shape[1]],
                order: ImportedValue.channelsLastOrder(4), isNotNegative: isNotNegative)
        }

        /// A name for the layer that a node becomes.
        mutating func layerName(_ node: ONNXNode, weight: ONNXConstant? = nil, output: String? = nil)
            -> String?
        {
            let output = output ?? node.outputs.first
            return names.next(
                weight: weight?.name, node: node.name, operation: node.operation,
                output: output.flatMap { graphOutput(of: $0) })
        }
    }
#endif
