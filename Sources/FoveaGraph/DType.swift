/// The type of a tensor's elements.
public enum DType: String, Hashable, Sendable, Codable, CaseIterable {
    case float32, bfloat16, int32, uint8, bool

    /// Bytes that one element takes in memory.
    public var byteCount: Int {
        switch self {
        case .float32, .int32: 4
        case .bfloat16: 2
        case .uint8, .bool: 1
        }
    }

    public var isFloatingPoint: Bool { self == .float32 || self == .bfloat16 }
}
