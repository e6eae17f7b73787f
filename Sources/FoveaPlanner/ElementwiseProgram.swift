import FoveaGraph

/// A chain of elementwise work as straight-line code over registers, run for every element of an iteration space.
///
/// A register holds a float for floating-point types and an int32 for the others; truth is 0 or 1.
public struct ElementwiseProgram: Hashable, Sendable {
    public typealias Register = Int

    /// Registers that a backend must offer; each is a tile of cached memory.
    public static let registerLimit = 24

    public enum Instruction: Hashable, Sendable {
        case load(Register, operand: Int)
        case store(operand: Int, Register)
        /// Adds up the lanes along the axes that the operand's walk leaves out, divided by a number of elements. The operand
        /// has its result when the program has run everywhere.
        case sum(operand: Int, Register, divisor: Int)
        /// The walked place of an operand itself, rather than what lies there.
        case place(Register, operand: Int)
        case constant(Register, Float)
        case integerConstant(Register, Int32)
        case floatFromInteger(Register, Register)
        case integerFromFloat(Register, Register)
        case roundToBFloat16(Register, Register)
        case unary(Unary, Register, Register, isInteger: Bool)
        case binary(Binary, Register, Register, Register, isInteger: Bool)
        case comparison(Comparison, Register, Register, Register, isInteger: Bool)
        case select(Register, condition: Register, Register, Register)
        case random(Random.Distribution, Register, index: Register, key: Int, stream: UInt32)
    }

    public var instructions: [Instruction] = []
    public private(set) var registerCount = 0

    /// Values in registers before registers are shared; every instruction writes a new one.
    mutating func newRegister() -> Register {
        defer { registerCount += 1 }
        return registerCount
    }

    public var hasSums: Bool { instructions.contains { if case .sum = $0 { true } else { false } } }
    public var hasStores: Bool { instructions.contains { if case .store = $0 { true } else { false } } }

    /// The same program with registers used again once their value is no longer needed.
    func withSharedRegisters() -> ElementwiseProgram {
        var lastUse = [Int](repeating: -1, count: registerCount)
        for (place, instruction) in instructions.enumerated() {
            for register in instruction.reads { lastUse[register] = place }
        }
        var assigned = [Int](repeating: -1, count: registerCount)
        var free: [Int] = []
        var result = ElementwiseProgram()
        for (place, instruction) in instructions.enumerated() {
            // Reads are given back before the result takes its place: an instruction may write over what it reads.
            for register in Set(instruction.reads).sorted() where lastUse[register] == place {
                free.append(assigned[register])
            }
            if let register = instruction.writes {
                assigned[register] = free.popLast() ?? result.newRegister()
                if lastUse[register] < 0 { free.append(assigned[register]) }
            }
            result.instructions.append(instruction.renamed { assigned[$0] })
        }
        return result
    }
}

extension ElementwiseProgram.Instruction {
    var reads: [Int] {
        switch self {
        case .load, .place, .constant, .integerConstant: []
        case .store(_, let a), .sum(_, let a, _): [a]
        case .floatFromInteger(_, let a), .integerFromFloat(_, let a), .roundToBFloat16(_, let a): [a]
        case .unary(_, _, let a, _): [a]
        case .binary(_, _, let a, let b, _), .comparison(_, _, let a, let b, _): [a, b]
        case .select(_, let condition, let a, let b): [condition, a, b]
        case .random(_, _, let index, _, _): [index]
        }
    }

    var writes: Int? {
        switch self {
        case .store, .sum: nil
        case .load(let d, _), .place(let d, _), .constant(let d, _), .integerConstant(let d, _): d
        case .floatFromInteger(let d, _), .integerFromFloat(let d, _), .roundToBFloat16(let d, _): d
        case .unary(_, let d, _, _), .binary(_, let d, _, _, _), .comparison(_, let d, _, _, _): d
        case .select(let d, _, _, _), .random(_, let d, _, _, _): d
        }
    }

    func renamed(_ r: (Int) -> Int) -> Self {
        switch self {
        case .load(let d, let operand): .load(r(d), operand: operand)
        case .store(let operand, let a): .store(operand: operand, r(a))
        case .sum(let operand, let a, let divisor): .sum(operand: operand, r(a), divisor: divisor)
        case .place(let d, let operand): .place(r(d), operand: operand)
        case .constant(let d, let value): .constant(r(d), value)
        case .integerConstant(let d, let value): .integerConstant(r(d), value)
        case .floatFromInteger(let d, let a): .floatFromInteger(r(d), r(a))
        case .integerFromFloat(let d, let a): .integerFromFloat(r(d), r(a))
        case .roundToBFloat16(let d, let a): .roundToBFloat16(r(d), r(a))
        case .unary(let kind, let d, let a, let i): .unary(kind, r(d), r(a), isInteger: i)
        case .binary(let kind, let d, let a, let b, let i): .binary(kind, r(d), r(a), r(b), isInteger: i)
        case .comparison(let kind, let d, let a, let b, let i):
            .comparison(kind, r(d), r(a), r(b), isInteger: i)
        case .select(let d, let c, let a, let b): .select(r(d), condition: r(c), r(a), r(b))
        case .random(let kind, let d, let index, let key, let stream):
            .random(kind, r(d), index: r(index), key: key, stream: stream)
        }
    }
}

/// A program over an iteration space, with how each operand is walked.
public struct ElementwiseRequest: KernelRequest {
    public struct Operand: Sendable, Hashable {
        /// nil for a walk that is only counted.
        public var value: Plan.ValueID?
        public var offset: Int
        public var strides: [Int]
        /// Whether it is stored to or takes a sum.
        public var isStored: Bool
        /// A load from memory that the same call stores to.
        public var isAliased = false
        /// The elements that memory has, for walks that go further: behind them a load gives zero, and a sum is dropped.
        public var limit: Int?
    }

    public var extents: [Int]
    public var program: ElementwiseProgram
    public var operands: [Operand]

    public var name: String {
        guard program.hasSums else { return "elementwise" }
        return program.hasStores ? "elementwise + sums" : "sums"
    }
}
