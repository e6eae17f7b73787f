/// The element types of ONNX, by their numbers in files.
enum ONNXElementType: Int32, CaseIterable {
    case float32 = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case bool = 9
    case float16 = 10
    case float64 = 11
    case uint32 = 12
    case uint64 = 13
    case bfloat16 = 16

    var stored: StoredType {
        switch self {
        case .float32: .float32
        case .uint8: .uint8
        case .int8: .int8
        case .uint16: .uint16
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .bool: .bool
        case .float16: .float16
        case .float64: .float64
        case .uint32: .uint32
        case .uint64: .uint64
        case .bfloat16: .bfloat16
        }
    }
}
