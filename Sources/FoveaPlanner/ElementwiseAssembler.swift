import FoveaGraph

/// A group as it becomes one call, and what it reads and writes.
struct ElementwiseGroup {
    let members: [Tensor]
    /// Each view once.
    let loads: [Tensor]
    /// Of random numbers.
    let keys: [Tensor]
    /// Members that are stored.
    let written: [Tensor]
    /// Members that are sums over others.
    let sums: [Tensor]

    /// Whether the program needs the row-major place of each element.
    var isCounting: Bool {
        members.contains { if case .random = $0.operation { true } else { false } }
    }

    /// The elements that the group handles one by one.
    var elementCount: Int { members[0].passShape.elementCount }
}

/// Writes the program of a group. Operands are numbered: loads, keys, stores, sums, the element count if the group counts,
/// and last the mask if there is one: bytes that tell elements from padding, where all else becomes zero.
struct ElementwiseAssembler {
    private(set) var program = ElementwiseProgram()
    private var registers: [Tensor: Int] = [:]
    private var loaded: [Tensor: Int] = [:]
    private var constants: [Constant: Int] = [:]
    private var count: Int?
    private let views: Views
    private let group: ElementwiseGroup
    private let inside: Set<Tensor>
    private let isMasked: Bool
    private var mask: Int?

    private struct Constant: Hashable {
        let number: Double
        let isInteger: Bool
    }

    init(_ views: Views, _ group: ElementwiseGroup, isMasked: Bool = false) throws {
        self.views = views
        self.group = group
        self.isMasked = isMasked
        inside = Set(group.members)
        for member in group.members {
            if let index = group.sums.firstIndex(of: member) {
                let register = try masked(read(member.inputs[0]), member.dtype)
                program.instructions.append(
                    .sum(operand: firstSum + index, register, divisor: member.sumDivisor))
            } else {
                registers[member] = try compute(member)
            }
        }
        // Stores come last: until then every load sees the values from before the call.
        for (index, tensor) in group.written.enumerated() {
            guard let register = registers[tensor] else { throw PlanError.unbound(tensor) }
            program.instructions.append(
                .store(operand: firstStore + index, try masked(register, tensor.dtype)))
        }
    }

    private var firstStore: Int { group.loads.count + group.keys.count }
    private var firstSum: Int { firstStore + group.written.count }
    private var countOperand: Int { firstSum + group.sums.count }

    /// The register with zeros in the padding.
    private mutating func masked(_ register: Int, _ dtype: DType) throws -> Int {
        guard isMasked else { return register }
        let zero = try read(.constant(0, dtype.isFloatingPoint ? .float32 : .int32))
        let mask = loadedMask()
        let d = program.newRegister()
        program.instructions.append(.select(d, condition: mask, register, zero))
        return d
    }

    private mutating func loadedMask() -> Int {
        if let mask { return mask }
        let register = program.newRegister()
        program.instructions.append(.load(register, operand: countOperand + (group.isCounting ? 1 : 0)))
        mask = register
        return register
    }

    private mutating func read(_ tensor: Tensor) throws -> Int {
        if let number = splat(tensor) {
            let key = Constant(number: number, isInteger: !tensor.dtype.isFloatingPoint)
            if let known = constants[key] { return known }
            let register = program.newRegister()
            program.instructions.append(
                key.isInteger
                    ? .integerConstant(register, Int32(clamping: Int(number)))
                    : .constant(register, Float(number)))
            constants[key] = register
            return register
        }
        let source = views.reshapedSource(tensor)
        if inside.contains(source), let register = registers[source] { return register }
        return try load(tensor)
    }

    private mutating func load(_ tensor: Tensor) throws -> Int {
        if let known = loaded[tensor] { return known }
        guard let operand = group.loads.firstIndex(of: tensor) else { throw PlanError.unbound(tensor) }
        let register = program.newRegister()
        program.instructions.append(.load(register, operand: operand))
        loaded[tensor] = register
        return register
    }

    private mutating func compute(_ member: Tensor) throws -> Int {
        if member.operation.movesElements { return try splat(member) == nil ? load(member) : read(member) }
        if case .reshape = member.operation { return try read(member.inputs[0]) }
        if case .random(let rule) = member.operation { return try random(rule, member.inputs[0]) }
        let inputs = try member.inputs.map { try read($0) }
        let isInteger = !(member.inputs[0].dtype.isFloatingPoint)
        if case .cast(let rule) = member.operation {
            return try cast(inputs[0], from: member.inputs[0].dtype, to: rule.dtype)
        }
        let d = program.newRegister()
        switch member.operation {
        case .unary(let kind):
            program.instructions.append(.unary(kind, d, inputs[0], isInteger: isInteger))
        case .binary(let kind):
            program.instructions.append(.binary(kind, d, inputs[0], inputs[1], isInteger: isInteger))
        case .comparison(let kind):
            program.instructions.append(.comparison(kind, d, inputs[0], inputs[1], isInteger: isInteger))
        case .select:
            program.instructions.append(.select(d, condition: inputs[0], inputs[1], inputs[2]))
        default: throw PlanError.unbound(member)
        }
        return member.dtype == .bfloat16 ? rounded(d) : d
    }

    private mutating func random(_ rule: Random, _ key: Tensor) throws -> Int {
        guard case .numbered(let stream) = rule.stream, let operand = group.keys.firstIndex(of: key) else {
            throw PlanError.noKernel("a random tensor without a stream number")
        }
        let place =
            count
            ?? {
                let register = program.newRegister()
                program.instructions.append(.place(register, operand: countOperand))
                count = register
                return register
            }()
        let d = program.newRegister()
        program.instructions.append(
            .random(rule.distribution, d, index: place, key: group.loads.count + operand, stream: stream))
        return d
    }

    private mutating func rounded(_ register: Int) -> Int {
        let d = program.newRegister()
        program.instructions.append(.roundToBFloat16(d, register))
        return d
    }

    private mutating func clamped(_ register: Int, _ low: Double, _ high: Double, isInteger: Bool) throws
        -> Int
    {
        let dtype: DType = isInteger ? .int32 : .float32
        let bounds = [low, high].map {
            Tensor.constant(TensorValue(shape: .scalar, dtype: dtype, doubles: [$0]))
        }
        let (atLeast, atMost) = (program.newRegister(), program.newRegister())
        program.instructions.append(
            .binary(.maximum, atLeast, register, try read(bounds[0]), isInteger: isInteger))
        program.instructions.append(
            .binary(.minimum, atMost, atLeast, try read(bounds[1]), isInteger: isInteger))
        return atMost
    }

    private mutating func isNotZero(_ register: Int, isInteger: Bool) throws -> Int {
        let zero = try read(.constant(0, isInteger ? .int32 : .float32))
        let d = program.newRegister()
        program.instructions.append(.comparison(.notEqual, d, register, zero, isInteger: isInteger))
        return d
    }

    private mutating func cast(_ register: Int, from: DType, to: DType) throws -> Int {
        let isFromFloat = from.isFloatingPoint
        switch to {
        case .bool: return from == .bool ? register : try isNotZero(register, isInteger: !isFromFloat)
        case .float32, .bfloat16:
            var result = register
            if !isFromFloat {
                result = program.newRegister()
                program.instructions.append(.floatFromInteger(result, register))
            }
            return to == .bfloat16 ? rounded(result) : result
        case .int32, .uint8:
            var result = register
            if isFromFloat {
                result = program.newRegister()
                program.instructions.append(.integerFromFloat(result, register))
            }
            return to == .uint8 && from != .bool ? try clamped(result, 0, 255, isInteger: true) : result
        }
    }
}
