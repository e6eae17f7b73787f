#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    /// What stands for a tensor of an ONNX graph in the model that is made of it.
    ///
    /// Images have their channels last in the model. What only moves axes makes no layer before something needs another order.
    struct ImportedValue {
        var output: LayerOutput
        /// The shape in the file, the batch first; of rows, that of the images that were flattened.
        var shape: Shape
        /// Axis `i` of the output is axis `order[i]` of `shape`.
        var order: [Int]
        /// Whether the value has been flattened to `[batch, features]`, for which there is no layer yet.
        var isRows = false
        /// Whether no element can be negative, so that zeros around it change no maximum.
        var isNotNegative = false

        /// The shape that the file speaks of.
        var logicalShape: Shape {
            isRows ? [shape[0], Shape(Array(shape.dimensions.dropFirst())).elementCount] : shape
        }

        /// The shape of the output, the batch included.
        var outputShape: Shape { Shape(order.map { shape[$0] }) }

        /// Whether elements come in the order of the file.
        var isInOrder: Bool { shape.longAxes(order) == shape.longAxes(Array(0..<shape.rank)) }

        static func channelsLastOrder(_ rank: Int) -> [Int] {
            rank < 3 ? Array(0..<rank) : [0] + Array(2..<rank) + [1]
        }

        /// The same place in the file's order of axes, with another output.
        func replacing(_ output: LayerOutput, isNotNegative: Bool = false) -> ImportedValue {
            var value = self
            value.output = output
            value.isNotNegative = isNotNegative
            return value
        }
    }
#endif
