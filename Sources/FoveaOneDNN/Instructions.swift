import CKernels
import FoveaGraph
import FoveaPlanner

extension fovea_instruction {
    /// The kernel's form of a planned instruction.
    init(_ instruction: ElementwiseProgram.Instruction) {
        self.init()
        switch instruction {
        case .load(let d, let operand): set(FOVEA_OP_LOAD, d: d, operand: operand)
        case .store(let operand, let a): set(FOVEA_OP_STORE, a: a, operand: operand)
        case .sum(let operand, let a, _): set(FOVEA_OP_SUM, a: a, operand: operand)
        case .place(let d, let operand): set(FOVEA_OP_IOTA, d: d, operand: operand)
        case .constant(let d, let value):
            set(FOVEA_OP_CONSTANT, d: d)
            immediate = value
        case .integerConstant(let d, let value):
            set(FOVEA_OP_CONSTANT_I, d: d)
            immediate_i = value
        case .floatFromInteger(let d, let a): set(FOVEA_OP_FLOAT_FROM_INT, d: d, a: a)
        case .integerFromFloat(let d, let a): set(FOVEA_OP_INT_FROM_FLOAT, d: d, a: a)
        case .roundToBFloat16(let d, let a): set(FOVEA_OP_ROUND_BFLOAT16, d: d, a: a)
        case .unary(let kind, let d, let a, let isInteger):
            set(isInteger ? kind.integerOpcode : kind.opcode, d: d, a: a)
        case .binary(let kind, let d, let a, let b, let isInteger):
            set(isInteger ? kind.integerOpcode : kind.opcode, d: d, a: a, b: b)
        case .comparison(let kind, let d, let a, let b, let isInteger):
            set(isInteger ? kind.integerOpcode : kind.opcode, d: d, a: a, b: b)
        case .select(let d, let condition, let a, let b): set(FOVEA_OP_SELECT, d: d, a: condition, b: a, c: b)
        case .random(let distribution, let d, let index, let key, let stream):
            let opcode =
                switch distribution {
                case .uniform: FOVEA_OP_RANDOM_UNIFORM
                case .normal: FOVEA_OP_RANDOM_NORMAL
                }
            set(opcode, d: d, a: index, operand: key)
            self.stream = stream
        }
    }

    private mutating func set(
        _ code: fovea_opcode, d: Int = 0, a: Int = 0, b: Int = 0, c: Int = 0, operand: Int = 0
    ) {
        opcode = code
        (self.d, self.a, self.b, self.c) = (Int32(d), Int32(a), Int32(b), Int32(c))
        self.operand = Int32(operand)
    }
}

extension Unary {
    fileprivate var opcode: fovea_opcode {
        switch self {
        case .negate: FOVEA_OP_NEGATE
        case .abs: FOVEA_OP_ABS
        case .sign: FOVEA_OP_SIGN
        case .exp: FOVEA_OP_EXP
        case .expm1: FOVEA_OP_EXPM1
        case .log: FOVEA_OP_LOG
        case .log1p: FOVEA_OP_LOG1P
        case .sqrt: FOVEA_OP_SQRT
        case .rsqrt: FOVEA_OP_RSQRT
        case .reciprocal: FOVEA_OP_RECIPROCAL
        case .tanh: FOVEA_OP_TANH
        case .sigmoid: FOVEA_OP_SIGMOID
        case .erf: FOVEA_OP_ERF
        case .sin: FOVEA_OP_SIN
        case .cos: FOVEA_OP_COS
        case .floor: FOVEA_OP_FLOOR
        case .relu: FOVEA_OP_RELU
        }
    }

    /// For the functions that accept integers; the shape rule lets no other through.
    fileprivate var integerOpcode: fovea_opcode {
        switch self {
        case .negate: FOVEA_OP_NEGATE_I
        case .abs: FOVEA_OP_ABS_I
        case .sign: FOVEA_OP_SIGN_I
        case .relu: FOVEA_OP_RELU_I
        default: opcode
        }
    }
}

extension Binary {
    var opcode: fovea_opcode {
        switch self {
        case .add: FOVEA_OP_ADD
        case .subtract: FOVEA_OP_SUBTRACT
        case .multiply: FOVEA_OP_MULTIPLY
        case .divide: FOVEA_OP_DIVIDE
        case .maximum: FOVEA_OP_MAXIMUM
        case .minimum: FOVEA_OP_MINIMUM
        case .power: FOVEA_OP_POWER
        }
    }

    fileprivate var integerOpcode: fovea_opcode {
        switch self {
        case .add: FOVEA_OP_ADD_I
        case .subtract: FOVEA_OP_SUBTRACT_I
        case .multiply: FOVEA_OP_MULTIPLY_I
        case .divide: FOVEA_OP_DIVIDE_I
        case .maximum: FOVEA_OP_MAXIMUM_I
        case .minimum: FOVEA_OP_MINIMUM_I
        case .power: FOVEA_OP_POWER
        }
    }
}

extension Comparison {
    fileprivate var opcode: fovea_opcode {
        switch self {
        case .equal: FOVEA_OP_EQUAL
        case .notEqual: FOVEA_OP_NOT_EQUAL
        case .less: FOVEA_OP_LESS
        case .lessEqual: FOVEA_OP_LESS_EQUAL
        case .greater: FOVEA_OP_GREATER
        case .greaterEqual: FOVEA_OP_GREATER_EQUAL
        }
    }

    fileprivate var integerOpcode: fovea_opcode {
        switch self {
        case .equal: FOVEA_OP_EQUAL_I
        case .notEqual: FOVEA_OP_NOT_EQUAL_I
        case .less: FOVEA_OP_LESS_I
        case .lessEqual: FOVEA_OP_LESS_EQUAL_I
        case .greater: FOVEA_OP_GREATER_I
        case .greaterEqual: FOVEA_OP_GREATER_EQUAL_I
        }
    }
}
