#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    /// A node that makes each element of a tensor from the element at the same place.
    private func elementwise(
        _ tensor: Tensor, of x: Tensor, _ operation: String, _ attributes: [ONNXAttributeProto] = []
    ) -> Idiom {
        Idiom([x]) { lowering in
            try lowering.elementwise(tensor, [x]) { lowering, names in
                lowering.add(operation, names, attributes, for: tensor)
            }
        }
    }

    /// `min(max(x, a), b)`.
    func clip(_ tensor: Tensor, _: ONNXLowering) -> Idiom? {
        guard let (a, b) = tensor.operands(of: .minimum) else { return nil }
        // ReLU with a ceiling of 6 has its operands in the other order.
        guard let ceiling = b.onlyNumber ?? a.onlyNumber else { return nil }
        let inner = b.onlyNumber != nil ? a : b
        let (x, floor): (Tensor, Float)
        if let rectified = inner.operand(of: .relu) {
            (x, floor) = (rectified, 0)
        } else if let (y, least) = inner.operands(of: .maximum), let number = least.onlyNumber {
            (x, floor) = (y, number)
        } else {
            return nil
        }
        guard floor <= ceiling else { return nil }
        return Idiom([x]) { lowering in
            try lowering.elementwise(tensor, [x]) { lowering, names in
                let limits = [
                    lowering.number(floor, "min", for: tensor), lowering.number(ceiling, "max", for: tensor),
                ]
                return lowering.add("Clip", names + limits, for: tensor)
            }
        }
    }

    /// `x` where positive, else `slope · x`.
    func leakyRectifier(_ tensor: Tensor, _: ONNXLowering) -> Idiom? {
        guard case .select = tensor.operation, case .comparison(.greater) = tensor.inputs[0].operation else {
            return nil
        }
        let x = tensor.inputs[1]
        guard tensor.inputs[0].inputs[0] == x, tensor.inputs[0].inputs[1].onlyNumber == 0,
            let (same, slope) = tensor.inputs[2].operands(of: .multiply), same == x,
            let slope = slope.onlyNumber
        else { return nil }
        return elementwise(tensor, of: x, "LeakyRelu", [.float("alpha", slope)])
    }

    /// `relu(x) - alpha · relu(-x)` with learned alpha.
    func parametricRectifier(_ tensor: Tensor, _ lowering: ONNXLowering) -> Idiom? {
        guard let (positive, scaled) = tensor.operands(of: .subtract), let x = positive.operand(of: .relu),
            let (alpha, negative) = scaled.operands(of: .multiply),
            negative.operand(of: .relu)?.operand(of: .negate) == x,
            lowering.folding.contains(alpha.unbroadcast)
        else { return nil }
        return Idiom([x]) { lowering in
            try lowering.elementwise(tensor, [x, alpha]) { lowering, names in
                lowering.add("PRelu", names, for: tensor)
            }
        }
    }

    /// `relu(x) + alpha · (exp(min(x, 0)) - 1)`.
    func exponentialUnit(_ tensor: Tensor, _: ONNXLowering) -> Idiom? {
        guard let (positive, negative) = tensor.operands(of: .add), let x = positive.operand(of: .relu),
            let (power, alpha) = negative.operands(of: .multiply), let alpha = alpha.onlyNumber,
            let (same, zero) = power.operand(of: .expm1)?.operands(of: .minimum), same == x,
            zero.onlyNumber == 0
        else { return nil }
        return elementwise(tensor, of: x, "Elu", [.float("alpha", alpha)])
    }

    /// Activation functions that are operators of their own.
    func activation(_ tensor: Tensor, _: ONNXLowering) -> Idiom? {
        guard let kind = tensor.operation.elementwiseKind, let candidates = activations[kind] else {
            return nil
        }
        let sixth = ONNXAttributeProto.float("alpha", 1 / 6)
        for function in candidates {
            let placeholder = Tensor.argument("x", tensor.shape, tensor.dtype)
            guard let pattern = try? function(placeholder), let x = tensor.source(in: pattern, placeholder),
                pattern.isBuilt(as: tensor, [placeholder: x])
            else { continue }
            switch function {
            case .hardSwish: return elementwise(tensor, of: x, "HardSwish")
            case .hardSigmoid: return elementwise(tensor, of: x, "HardSigmoid", [sixth, .float("beta", 0.5)])
            case .softplus: return elementwise(tensor, of: x, "Softplus")
            case .softsign: return elementwise(tensor, of: x, "Softsign")
            case .selu: return elementwise(tensor, of: x, "Selu")
            default: continue
            }
        }
        return nil
    }

    /// By the operation that they end with.
    private let activations: [Binary: [ActivationFunction]] = [
        .multiply: [.hardSwish, .hardSigmoid, .selu], .add: [.softplus], .divide: [.softsign],
    ]

    extension Operation {
        fileprivate var elementwiseKind: Binary? { if case .binary(let kind) = self { kind } else { nil } }
    }

    extension Tensor {
        /// The tensor that is where a pattern has its placeholder, if this graph has the pattern's operations on the way there.
        fileprivate func source(in pattern: Tensor, _ placeholder: Tensor) -> Tensor? {
            if pattern == placeholder { return self }
            guard operation == pattern.operation, inputs.count == pattern.inputs.count else { return nil }
            for (input, part) in zip(inputs, pattern.inputs) {
                if let found = input.source(in: part, placeholder) { return found }
            }
            return nil
        }
    }
#endif
