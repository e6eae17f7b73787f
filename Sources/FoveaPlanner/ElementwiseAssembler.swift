import FoveaGraph

/// Writes the program of a group. Operands are numbered: loads, keys, stores, and last the element count.
struct ElementwiseAssembler {
    private(set) var program = ElementwiseProgram()
    private var registers: [Tensor: Int] = [:]
    private var loaded: [Tensor: Int] = [:]
    private var constants: [Constant: Int] = [:]
    private var count: Int?
    private let views: Views
    private let inside: Set<Tensor>
    private let loads: [Tensor]
    private let keys: [Tensor]
    private let stored: [Tensor]

    private struct Constant: Hashable {
        let number: Double
        let isInteger: Bool
    }

    init(_ views: Views, _ members: [Tensor], loads: [Tensor], keys: [Tensor], stored: [Tensor]) throws {
        self.views = views
        inside = Set(members)
        self.loads = loads
        self.keys = keys
        self.stored = stored
        for member in members { registers[member] = try compute(member) }
        // Stores come last: until then every load sees the values from before the call.
        for (index, tensor) in stored.enumerated() {
            guard let register = registers[tensor] else { throw PlanError.unbound(tensor) }
            program.instructions.append(.store(operand: loads.count + keys.count + index, register))
        }
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
        guard let operand = loads.firstIndex(of: tensor) else { throw PlanError.unbound(tensor) }
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
        guard case .numbered(let stream) = rule.stream, let operand = keys.firstIndex(of: key) else {
            throw PlanError.noKernel("a random tensor without a stream number")
        }
        let place =
            count
            ?? {
                let register = program.newRegister()
                program.instructions.append(
                    .place(register, operand: loads.count + keys.count + stored.count))
                count = register
                return register
            }()
        let d = program.newRegister()
        program.instructions.append(
            .random(rule.distribution, d, index: place, key: loads.count + operand, stream: stream))
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
