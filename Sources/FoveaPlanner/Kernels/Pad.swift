import FoveaGraph

extension Pad: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addPad(tensor, self)
    }
}

extension PlanBuilder {
    fileprivate mutating func addPad(_ tensor: Tensor, _ rule: Pad) throws {
        let input = tensor.inputs[0]
        let source = try rowMajorValue(input)
        let output = result(tensor)
        let value = TensorValue(shape: .scalar, dtype: tensor.dtype, doubles: [Double(rule.value)])
        var fill = ElementwiseProgram()
        let register = fill.newRegister()
        fill.instructions.append(
            tensor.dtype.isFloatingPoint
                ? .constant(register, value.scalar) : .integerConstant(register, value.integers[0]))
        fill.instructions.append(.store(operand: 0, register))
        let request = ElementwiseRequest(
            extents: [tensor.shape.elementCount], program: fill,
            operands: [.init(value: output, offset: 0, strides: [1], isStored: true)])
        addCall(
            request, try catalog.kernel(for: request), [(.element, output, true)],
            note: "fill with \(rule.value)")
        let strides = tensor.shape.rowMajorStrides
        let offset = zip(rule.low, strides).reduce(0) { $0 + $1.0 * $1.1 }
        try addCopy(
            source, of: input.shape, to: output, offset: offset,
            strides: strides.indices.map { strides[$0] * (rule.interior[$0] + 1) })
    }

    /// Copies a row-major value into a part of another.
    private mutating func addCopy(
        _ source: Plan.ValueID, of shape: Shape, to output: Plan.ValueID, offset: Int, strides: [Int]
    ) throws {
        var copy = ElementwiseProgram()
        let register = copy.newRegister()
        copy.instructions = [.load(register, operand: 0), .store(operand: 1, register)]
        let request = ElementwiseRequest(
            extents: shape.dimensions.isEmpty ? [1] : shape.dimensions, program: copy,
            operands: [
                .init(
                    value: source, offset: 0,
                    strides: shape.dimensions.isEmpty ? [0] : shape.rowMajorStrides, isStored: false),
                .init(
                    value: output, offset: offset, strides: strides.isEmpty ? [0] : strides, isStored: true),
            ])
        addCall(
            request, try catalog.kernel(for: request), [(.element, source, false), (.element, output, true)],
            note: "copy of \(shape)")
    }
}
