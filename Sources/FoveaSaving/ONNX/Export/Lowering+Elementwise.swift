#if ProtocolBuffers
    import FoveaGraph

    extension ONNXLowering {
        mutating func elementwise(_ tensor: Tensor) throws -> ONNXValue {
            try elementwise(tensor, tensor.inputs) { lowering, names in
                try lowering.elementwiseNode(tensor, names)
            }
        }

        /// What nodes make of operands that are brought into one form.
        ///
        /// - Parameters:
        ///   - tensor: what is made.
        ///   - operands: what it is made of; repetitions among them are left to the nodes.
        ///   - emit: adds the nodes for operands of these names.
        mutating func elementwise(
            _ tensor: Tensor, _ operands: [Tensor], _ emit: (inout Self, [String]) throws -> String
        ) throws -> ONNXValue {
            let rank = tensor.shape.rank
            let form = commonForm(operands, rank: rank)
            var names: [String] = []
            for operand in operands { names.append(try self.operand(operand, rank: rank, as: form)) }
            var name = try emit(&self, names)
            let reached = operands.map(\.unbroadcast.shape).reduce(Shape.scalar) {
                Shape.broadcast($0, $1) ?? $0
            }
            if reached != tensor.shape { name = try expanded(name, from: reached, form, for: tensor) }
            return ONNXValue(name, form)
        }

        /// The form in which the most can stay that is no constant.
        private func commonForm(_ operands: [Tensor], rank: Int) -> AxisForm {
            let forms = operands.map(\.unbroadcast)
                .filter { !folding.contains($0) && $0.shape.rank == rank }.map { form(of: $0) }
            guard let first = forms.first else { return .natural(rank) }
            if forms.allSatisfy({ $0 == first }) {
                if case .flattened = first {
                    // Rows are only joined with rows.
                    let isAlone = operands.map(\.unbroadcast).allSatisfy {
                        folding.contains($0) || $0.shape.rank == rank
                    }
                    return isAlone ? first : .natural(rank)
                }
                return first
            }
            return forms.first {
                if case .ordered = $0 { !$0.isNatural } else { false }
            } ?? .natural(rank)
        }

        private mutating func elementwiseNode(_ tensor: Tensor, _ x: [String]) throws -> String {
            switch tensor.operation {
            case .unary(let rule):
                switch rule {
                case .expm1:
                    return add(
                        "Sub", [add("Exp", x, for: tensor), number(1, "one", for: tensor)], for: tensor)
                case .log1p:
                    return add(
                        "Log", [add("Add", x + [number(1, "one", for: tensor)], for: tensor)], for: tensor)
                case .rsqrt: return add("Reciprocal", [add("Sqrt", x, for: tensor)], for: tensor)
                default: return add(unaryOperators[rule] ?? rule.name, x, for: tensor)
                }
            case .binary(let rule): return add(binaryOperators[rule] ?? rule.name, x, for: tensor)
            case .comparison(.notEqual): return add("Not", [add("Equal", x, for: tensor)], for: tensor)
            case .comparison(let rule):
                return add(comparisonOperators[rule] ?? rule.name, x, for: tensor)
            case .select: return add("Where", x, for: tensor)
            case .cast(let rule): return add("Cast", x, [.int("to", rule.dtype.onnxNumber)], for: tensor)
            default: throw problem(tensor, "'\(tensor.operation.rule.name)' is not elementwise")
            }
        }

    }

    private let unaryOperators: [Unary: String] = [
        .negate: "Neg", .abs: "Abs", .sign: "Sign", .exp: "Exp", .log: "Log", .sqrt: "Sqrt",
        .reciprocal: "Reciprocal", .tanh: "Tanh", .sigmoid: "Sigmoid", .erf: "Erf", .sin: "Sin", .cos: "Cos",
        .floor: "Floor", .relu: "Relu",
    ]

    private let binaryOperators: [Binary: String] = [
        .add: "Add", .subtract: "Sub", .multiply: "Mul", .divide: "Div", .maximum: "Max", .minimum: "Min",
        .power: "Pow",
    ]

    private let comparisonOperators: [Comparison: String] = [
        .equal: "Equal", .less: "Less", .lessEqual: "LessOrEqual", .greater: "Greater",
        .greaterEqual: "GreaterOrEqual",
    ]
#endif
