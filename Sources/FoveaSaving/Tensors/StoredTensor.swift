import FoveaGraph

/// A tensor as a file of any format has it: with an element type that Fovea may not compute with, and bytes that are shared with
/// what was read of the file.
public struct StoredTensor: Sendable {
    public let name: String
    public let shape: Shape
    public let type: StoredType
    /// The elements, little-endian and in row-major order.
    public let bytes: ArraySlice<UInt8>

    /// - Returns: nil when the shape has an unknown extent or the number of bytes is not that of its elements.
    public init?(name: String, shape: Shape, type: StoredType, bytes: ArraySlice<UInt8>) {
        guard let count = Self.elementCount(shape.dimensions), count <= Int.max / 8,
            count * type.byteCount == bytes.count
        else { return nil }
        self.name = name
        self.shape = shape
        self.type = type
        self.bytes = bytes
    }

    public init(name: String, value: TensorValue) {
        self.name = name
        shape = value.shape
        type = StoredType(value.dtype)
        bytes = value.withUnsafeBytes { Array($0) }[...]
    }

    /// The elements in a type that Fovea computes with: float64, float16 and float32 as float32, integers as int32; bfloat16,
    /// uint8 and bool stay.
    ///
    /// - Throws: `ModelFileError` when an integer is outside int32's range.
    public func value(file: String) throws(ModelFileError) -> TensorValue {
        // All machines that Fovea runs on have the files' byte order.
        func elements<Element: BitwiseCopyable>(_: Element.Type) -> [Element] {
            [Element](unsafeUninitializedCapacity: bytes.count / MemoryLayout<Element>.size) {
                memory, count in
                UnsafeMutableRawBufferPointer(memory).copyBytes(from: bytes)
                count = memory.count
            }
        }
        func integers<Word: FixedWidthInteger>(_ words: [Word]) throws(ModelFileError) -> [Int32] {
            if let word = words.first(where: { Int32(exactly: $0) == nil }) {
                throw ModelFileError(
                    file: file,
                    problem: "tensor '\(name)' has the number \(word), which is outside the range of int32")
            }
            return words.map { Int32(truncatingIfNeeded: $0) }
        }
        let storage: TensorValue.Storage =
            switch type {
            case .float32: .float32(elements(Float.self))
            case .float64: .float32(elements(Double.self).map { Float($0) })
            case .float16: .float32(elements(Float16.self).map { Float($0) })
            case .bfloat16: .bfloat16(elements(UInt16.self))
            case .int64: .int32(try integers(elements(Int64.self)))
            case .int32: .int32(elements(Int32.self))
            case .int16: .int32(try integers(elements(Int16.self)))
            case .int8: .int32(try integers(elements(Int8.self)))
            case .uint64: .int32(try integers(elements(UInt64.self)))
            case .uint32: .int32(try integers(elements(UInt32.self)))
            case .uint16: .int32(try integers(elements(UInt16.self)))
            case .uint8: .uint8(Array(bytes))
            case .bool: .bool(bytes.map { $0 != 0 })
            }
        return TensorValue(unchecked: shape, storage)
    }

    /// The product of the extents; nil when one is negative or the product of those that are not 0 is too large, so that
    /// distances between elements can be computed, too.
    private static func elementCount(_ dimensions: [Int]) -> Int? {
        var count = 1
        for dimension in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: max(dimension, 1))
            guard dimension >= 0, !overflow else { return nil }
            count = product
        }
        return dimensions.contains(0) ? 0 : count
    }
}

/// The element types that files have.
public enum StoredType: String, Hashable, Sendable, CaseIterable {
    case float64, float32, float16, bfloat16, int64, int32, int16, int8, uint64, uint32, uint16, uint8, bool

    public init(_ dtype: DType) {
        self =
            switch dtype {
            case .float32: .float32
            case .bfloat16: .bfloat16
            case .int32: .int32
            case .uint8: .uint8
            case .bool: .bool
            }
    }

    /// The same type among those that Fovea computes with; nil when it is none of them.
    var dtype: DType? { DType.allCases.first { StoredType($0) == self } }

    public var byteCount: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool: 1
        }
    }
}
