/// Reading and building values in `Double`, for the reference implementations.
extension TensorValue {
    public var doubles: [Double] {
        switch storage {
        case .float32(let elements): elements.map(Double.init)
        case .bfloat16(let elements): elements.map { Double(Float(bfloat16Pattern: $0)) }
        case .int32(let elements): elements.map(Double.init)
        case .uint8(let elements): elements.map(Double.init)
        case .bool(let elements): elements.map { $0 ? 1 : 0 }
        }
    }

    /// Numbers rounded to an element type: to nearest for floating point; toward zero and clamped, NaN as 0, for
    /// integers; `true` where not zero. The count must be that of the shape.
    public init(shape: Shape, dtype: DType, doubles: [Double]) {
        func integers<T: FixedWidthInteger>(_: T.Type) -> [T] {
            doubles.map { $0.isNaN ? 0 : T(Swift.min(Swift.max($0, Double(T.min)), Double(T.max))) }
        }
        let storage: Storage =
            switch dtype {
            case .float32: .float32(doubles.map(Float.init))
            case .bfloat16: .bfloat16(doubles.map { Float($0).bfloat16Pattern })
            case .int32: .int32(integers(Int32.self))
            case .uint8: .uint8(integers(UInt8.self))
            case .bool: .bool(doubles.map { $0 != 0 })
            }
        precondition(doubles.count == shape.elementCount, "a reference implementation filled the wrong shape")
        self.init(unchecked: shape, storage)
    }

    /// Each element computed from the elements at the same place of equally shaped inputs.
    static func map(_ inputs: [TensorValue], _ type: TensorType, _ body: ([Double]) -> Double) -> TensorValue
    {
        let operands = inputs.map(\.doubles)
        var arguments = [Double](repeating: 0, count: operands.count)
        let results = (0..<type.shape.elementCount).map { index in
            for operand in operands.indices { arguments[operand] = operands[operand][index] }
            return body(arguments)
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: results)
    }

    /// Elements picked one by one from `self`, keeping the element type.
    func picking(shape: Shape, _ sourceIndex: (_ index: [Int]) -> Int?, fill: Double = 0) -> TensorValue {
        let source = doubles
        var results: [Double] = []
        results.reserveCapacity(shape.elementCount)
        shape.forEachIndex { index in results.append(sourceIndex(index).map { source[$0] } ?? fill) }
        return TensorValue(shape: shape, dtype: dtype, doubles: results)
    }
}

extension Shape {
    /// Calls `body` with every index of a fixed shape, in row-major order.
    public func forEachIndex(_ body: ([Int]) throws -> Void) rethrows {
        var index = [Int](repeating: 0, count: rank)
        for _ in 0..<elementCount {
            try body(index)
            for axis in stride(from: rank - 1, through: 0, by: -1) {
                index[axis] += 1
                if index[axis] < dimensions[axis] { break }
                index[axis] = 0
            }
        }
    }

    /// The row-major position of an index.
    func position(of index: [Int]) -> Int {
        zip(index, rowMajorStrides).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
