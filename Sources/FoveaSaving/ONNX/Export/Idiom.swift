#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    /// Several operations for which ONNX has one operator.
    ///
    /// An idiom is recognized by the shape of the graph, not by the layer, so that a program's own layers gain from it, too.
    struct Idiom {
        /// What it needs the values of; constants may be among them.
        let inputs: [Tensor]
        let lower: (inout ONNXLowering) throws -> ONNXValue

        init(_ inputs: [Tensor], _ lower: @escaping (inout ONNXLowering) throws -> ONNXValue) {
            self.inputs = inputs
            self.lower = lower
        }

        /// The idiom whose result is a tensor, if there is one.
        init?(_ tensor: Tensor, in lowering: ONNXLowering) {
            let matchers = [
                batchNormalization, layerNormalization, localResponseNormalization, biased, clip,
                leakyRectifier,
                parametricRectifier, exponentialUnit, activation, enlargement, interpolation,
            ]
            for match in matchers {
                if let idiom = match(tensor, lowering) {
                    self = idiom
                    return
                }
            }
            return nil
        }
    }

    extension Tensor {
        /// The two operands of a binary operation of that kind.
        func operands(of kind: Binary) -> (first: Tensor, second: Tensor)? {
            operation == .binary(kind) ? (inputs[0], inputs[1]) : nil
        }

        func operand(of kind: Unary) -> Tensor? { operation == .unary(kind) ? inputs[0] : nil }

        /// The number that every element is, if that is known.
        var onlyNumber: Float? {
            guard case .source(.constant(let value)) = unbroadcast.operation, value.shape.elementCount == 1
            else {
                return nil
            }
            return value.scalar
        }

        /// Whether a graph is built as another, with some tensors of that in place of some of this.
        ///
        /// - Parameter replacements: the tensors of this graph that stand for tensors of the other.
        func isBuilt(as other: Tensor, _ replacements: [Tensor: Tensor]) -> Bool {
            if let replacement = replacements[self] { return replacement == other }
            return operation == other.operation && node.type == other.node.type
                && inputs.count == other.inputs.count
                && zip(inputs, other.inputs).allSatisfy { $0.isBuilt(as: $1, replacements) }
        }
    }
#endif
