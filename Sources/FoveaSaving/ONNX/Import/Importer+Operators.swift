#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    extension ONNXImporter {
        /// The layers that a node becomes.
        mutating func convert(_ node: ONNXNode) throws {
            guard let known = Self.attributes[node.operation] else {
                throw node.problem("Fovea has no layer for this operator, so it cannot read the model")
            }
            try node.checkAttributes(known)
            switch node.operation {
            case "Conv": try convertConvolution(node)
            case "ConvTranspose": try convertTransposedConvolution(node)
            case "MaxPool", "AveragePool": try convertPooling(node)
            case "GlobalAveragePool", "GlobalMaxPool": try convertGlobalPooling(node)
            case "ReduceMean", "ReduceMax": try convertReduction(node)
            case "BatchNormalization": try convertBatchNormalization(node)
            case "LayerNormalization": try convertLayerNormalization(node)
            case "LRN": try convertLocalResponseNormalization(node)
            case "Gemm": try convertGemm(node)
            case "MatMul": try convertMatMul(node)
            case "Add", "Sum", "Mul", "Sub", "Div", "Max", "Min", "Mean": try convertArithmetic(node)
            case "Concat": try convertConcatenation(node)
            case "Softmax", "LogSoftmax": try convertSoftmax(node)
            case "PRelu": try convertParametricRectifier(node)
            case "Clip": try convertClip(node)
            case "Dropout": try convertDropout(node)
            case "Identity": try set(node, try value(node))
            case "Cast": try convertCast(node)
            case "Flatten": try convertFlatten(node)
            case "Reshape", "Squeeze", "Unsqueeze": try convertReshape(node)
            case "Transpose": try convertTranspose(node)
            case "Pad": try convertPadding(node)
            case "Slice": try convertSlice(node)
            case "Split": try convertSplit(node)
            case "Resize", "Upsample": try convertResizing(node)
            case "Shape": try convertShape(node)
            default: try convertActivation(node)
            }
        }

        private static let window: Set<String> = ["auto_pad", "kernel_shape", "pads", "strides"]

        /// The operators that Fovea reads, each with the attributes that are followed or change nothing in inference.
        static let attributes: [String: Set<String>] = [
            "Conv": window.union(["dilations", "group"]),
            "ConvTranspose": window.union(["dilations", "group", "output_padding", "output_shape"]),
            "MaxPool": window.union(["ceil_mode", "dilations", "storage_order"]),
            "AveragePool": window.union(["ceil_mode", "count_include_pad", "dilations"]),
            "GlobalAveragePool": [], "GlobalMaxPool": [],
            "ReduceMean": ["axes", "keepdims", "noop_with_empty_axes"],
            "ReduceMax": ["axes", "keepdims", "noop_with_empty_axes"],
            "BatchNormalization": ["epsilon", "momentum", "training_mode", "is_test", "spatial"],
            "LayerNormalization": ["axis", "epsilon", "stash_type"],
            "LRN": ["alpha", "beta", "bias", "size"],
            "Gemm": ["alpha", "beta", "transA", "transB", "broadcast"], "MatMul": [],
            "Add": legacy, "Sum": [], "Mul": legacy, "Sub": legacy, "Div": legacy, "Max": [], "Min": [],
            "Mean": [], "Concat": ["axis"], "Softmax": ["axis"], "LogSoftmax": ["axis"], "PRelu": [],
            "Clip": ["min", "max"], "Dropout": ["ratio", "is_test", "seed"], "Identity": [],
            "Cast": ["to", "saturate", "round_mode"], "Flatten": ["axis"], "Reshape": ["allowzero", "shape"],
            "Squeeze": ["axes"], "Unsqueeze": ["axes"], "Transpose": ["perm"],
            "Pad": ["mode", "pads", "value"], "Slice": ["axes", "ends", "starts"],
            "Split": ["axis", "split", "num_outputs"],
            "Resize": [
                "antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside",
                "extrapolation_value", "keep_aspect_ratio_policy", "mode", "nearest_mode",
            ],
            "Upsample": ["mode", "scales"], "Shape": ["start", "end"],
            "Relu": [], "LeakyRelu": ["alpha"], "Elu": ["alpha"], "Celu": ["alpha"],
            "Selu": ["alpha", "gamma"], "Sigmoid": [], "Tanh": [], "Softplus": [], "Softsign": [], "Exp": [],
            "HardSigmoid": ["alpha", "beta"], "HardSwish": [], "Mish": [], "Gelu": ["approximate"], "Neg": [],
        ]

        private static let legacy: Set<String> = []
    }
#endif
