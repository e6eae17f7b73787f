/// The numbers of a tensor in ordinary memory: what goes into a graph and what comes out.
///
/// Elements are in row-major order, whatever layout a backend uses inside.
public struct TensorValue: Hashable, Sendable {
    /// Elements by type. bfloat16 elements are kept as their 16-bit patterns.
    public enum Storage: Hashable, Sendable {
        case float32([Float])
        case bfloat16([UInt16])
        case int32([Int32])
        case uint8([UInt8])
        case bool([Bool])

        /// Whether types and bits are equal: NaN equals itself, and 0 differs from -0. Anything looser would let equal
        /// constants be merged that are not interchangeable.
        public static func == (a: Storage, b: Storage) -> Bool {
            switch (a, b) {
            case (.float32(let a), .float32(let b)): a.elementsEqual(b) { $0.bitPattern == $1.bitPattern }
            case (.bfloat16(let a), .bfloat16(let b)): a == b
            case (.int32(let a), .int32(let b)): a == b
            case (.uint8(let a), .uint8(let b)): a == b
            case (.bool(let a), .bool(let b)): a == b
            default: false
            }
        }
    }

    public let shape: Shape
    public let storage: Storage

    /// - Throws: `ShapeError` when the number of elements is not that of the shape.
    public init(shape: Shape, storage: Storage) throws(ShapeError) {
        guard shape.dimensions.allSatisfy({ $0 >= 0 }) else {
            throw ShapeError("TensorValue", "every extent must be known and not negative", shapes: [shape])
        }
        guard storage.count == shape.elementCount else {
            throw ShapeError(
                "TensorValue", "\(storage.count) elements do not fill a shape of \(shape.elementCount)",
                shapes: [shape])
        }
        self.shape = shape
        self.storage = storage
    }

    public init(shape: Shape, _ elements: [Float]) throws(ShapeError) {
        try self.init(shape: shape, storage: .float32(elements))
    }

    /// For elements whose number is known to be right.
    package init(unchecked shape: Shape, _ storage: Storage) {
        self.shape = shape
        self.storage = storage
    }

    /// A tensor of rank 0.
    public init(_ scalar: Float) {
        shape = .scalar
        storage = .float32([scalar])
    }

    /// A tensor of rank 1.
    public init(_ elements: [Float]) {
        shape = [elements.count]
        storage = .float32(elements)
    }

    /// A tensor with every element the same.
    public init(repeating element: Float, shape: Shape) {
        self.shape = shape
        storage = .float32([Float](repeating: element, count: shape.elementCount))
    }

    public var dtype: DType {
        switch storage {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int32: .int32
        case .uint8: .uint8
        case .bool: .bool
        }
    }

    /// Every element as `Float`; `true` is 1.
    public var floats: [Float] {
        switch storage {
        case .float32(let elements): elements
        case .bfloat16(let elements): elements.map(Float.init(bfloat16Pattern:))
        case .int32(let elements): elements.map(Float.init)
        case .uint8(let elements): elements.map(Float.init)
        case .bool(let elements): elements.map { $0 ? 1 : 0 }
        }
    }

    /// The elements as `Int32`, fractions dropped; values outside its range are clamped and NaN is 0.
    public var integers: [Int32] {
        switch storage {
        case .int32(let elements): elements
        case .uint8(let elements): elements.map(Int32.init)
        case .bool(let elements): elements.map { $0 ? 1 : 0 }
        case .float32, .bfloat16: floats.map(Int32.init(clampingTowardZero:))
        }
    }

    /// The first element; for a result of rank 0 the only one.
    public var scalar: Float { floats.first ?? .nan }

    /// The bytes of the elements, in row-major order and the machine's byte order.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        switch storage {
        case .float32(let elements): try elements.withUnsafeBytes(body)
        case .bfloat16(let elements): try elements.withUnsafeBytes(body)
        case .int32(let elements): try elements.withUnsafeBytes(body)
        case .uint8(let elements): try elements.withUnsafeBytes(body)
        case .bool(let elements): try elements.withUnsafeBytes(body)
        }
    }

    /// Elements copied from raw memory in row-major order and the machine's byte order.
    ///
    /// - Throws: `ShapeError` when the byte count is not that of the shape.
    public init(shape: Shape, dtype: DType, bytes: UnsafeRawBufferPointer) throws(ShapeError) {
        guard shape.dimensions.allSatisfy({ $0 >= 0 }),
            bytes.count == shape.elementCount.clampedProduct(dtype.byteCount)
        else {
            throw ShapeError(
                "TensorValue", "\(bytes.count) bytes do not fill a \(dtype.rawValue) tensor", shapes: [shape])
        }
        func copied<Element>(_ zero: Element) -> [Element] {
            var elements = [Element](repeating: zero, count: shape.elementCount)
            elements.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
            return elements
        }
        self.shape = shape
        storage =
            switch dtype {
            case .float32: .float32(copied(0))
            case .bfloat16: .bfloat16(copied(0))
            case .int32: .int32(copied(0))
            case .uint8: .uint8(copied(0))
            // A Bool may hold no byte but 0 and 1, so it is never copied as raw memory.
            case .bool: .bool(bytes.map { $0 != 0 })
            }
    }

    /// The same elements under another shape.
    public func reshaped(to shape: Shape) throws(ShapeError) -> TensorValue {
        try TensorValue(shape: shape, storage: storage)
    }
}

extension TensorValue.Storage {
    public var count: Int {
        switch self {
        case .float32(let elements): elements.count
        case .bfloat16(let elements): elements.count
        case .int32(let elements): elements.count
        case .uint8(let elements): elements.count
        case .bool(let elements): elements.count
        }
    }
}

extension Float {
    /// The value of a bfloat16, whose bits are the upper half of a float's.
    public init(bfloat16Pattern pattern: UInt16) {
        self.init(bitPattern: UInt32(pattern) << 16)
    }

    /// The nearest bfloat16, ties to even; NaN stays NaN.
    public var bfloat16Pattern: UInt16 {
        if isNaN { return 0x7FC0 }
        let bits = bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }
}

extension Int32 {
    init(clampingTowardZero value: Float) {
        if value.isNaN {
            self = 0
        } else if value >= 2_147_483_648 {
            self = .max
        } else if value <= -2_147_483_648 {
            self = .min
        } else {
            self = Int32(value)
        }
    }
}
