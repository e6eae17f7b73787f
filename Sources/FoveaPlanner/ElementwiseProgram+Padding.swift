import FoveaGraph

extension ElementwiseProgram {
    /// What is known of a register at a place where the padded operands hold the zeros that complete their blocks.
    private struct Knowledge {
        /// Its number there, if it follows from the zeros and constants alone.
        var number: Double?
        /// Whether it is the same number everywhere: no padded operand takes part in it.
        var isUniform: Bool

        static let nothing = Knowledge(number: nil, isUniform: false)
    }

    /// Whether elements that are zero in all of `operands` give zeros in everything stored or added up: then work may run over the
    /// zeros that complete padded blocks. Other operands are scalars.
    ///
    /// The zeros must stay: whoever reads the blocks next sums over them.
    func keepsZero(operands: Set<Int>) -> Bool {
        var known = [Knowledge](repeating: .nothing, count: registerCount)
        for instruction in instructions {
            let inputs = instruction.reads.map { known[$0] }
            if let d = instruction.writes {
                known[d] = Self.result(instruction, inputs, padded: operands)
            } else if inputs[0].number != 0 {
                return false
            }
        }
        return true
    }

    private static func result(
        _ instruction: Instruction, _ inputs: [Knowledge], padded: Set<Int>
    ) -> Knowledge {
        let isUniform = inputs.allSatisfy(\.isUniform)
        func evaluated(_ rule: some OperationRule, isInteger: Bool) -> Double? {
            let numbers = inputs.compactMap(\.number)
            guard numbers.count == inputs.count else { return nil }
            let dtype: DType = isInteger ? .int32 : .float32
            let scalars = numbers.map { TensorValue(shape: .scalar, dtype: dtype, doubles: [$0]) }
            return try? rule.evaluate(scalars, TensorType(.scalar, dtype)).doubles[0]
        }
        switch instruction {
        case .store, .sum, .place, .random: return .nothing
        case .load(_, let operand):
            return padded.contains(operand)
                ? Knowledge(number: 0, isUniform: false) : Knowledge(number: nil, isUniform: true)
        case .constant(_, let value): return Knowledge(number: Double(value), isUniform: true)
        case .integerConstant(_, let value): return Knowledge(number: Double(value), isUniform: true)
        case .floatFromInteger: return inputs[0]
        case .integerFromFloat:
            return Knowledge(number: evaluated(Cast(.int32), isInteger: true), isUniform: isUniform)
        case .roundToBFloat16:
            let number = inputs[0].number.map { Double(Float(bfloat16Pattern: Float($0).bfloat16Pattern)) }
            return Knowledge(number: number, isUniform: isUniform)
        case .unary(let kind, _, _, let isInteger):
            return Knowledge(number: evaluated(kind, isInteger: isInteger), isUniform: isUniform)
        case .comparison(let kind, _, _, _, let isInteger):
            let number = evaluated(kind, isInteger: isInteger)
            return Knowledge(number: number, isUniform: isUniform)
        case .binary(let kind, _, _, _, let isInteger):
            let (a, b) = (inputs[0], inputs[1])
            var number = evaluated(kind, isInteger: isInteger)
            switch kind {
            case .add, .subtract:
                // Kernels may round either side otherwise, so terms that cancel here need not cancel there.
                if number == 0, a.number != 0 { number = nil }
            // Zero times infinity is not zero, nor is zero divided by zero, but a scalar like that has spoilt every
            // element already.
            case .multiply where (a.number == 0 && b.isUniform) || (b.number == 0 && a.isUniform): number = 0
            case .divide where a.number == 0 && b.isUniform && b.number != 0: number = 0
            default: break
            }
            return Knowledge(number: number, isUniform: isUniform)
        case .select:
            let (condition, a, b) = (inputs[0], inputs[1], inputs[2])
            let number =
                condition.number.map { $0 != 0 ? a.number : b.number }
                ?? (a.number == b.number ? a.number : nil)
            return Knowledge(number: number, isUniform: isUniform)
        }
    }
}
