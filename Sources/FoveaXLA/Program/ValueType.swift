import FoveaGraph

/// The type of a value in a program's text.
struct ValueType: Hashable, CustomStringConvertible {
    /// By the names that the text has for them: what tensors hold, and the words of random numbers.
    enum Element: String {
        case float32 = "f32"
        case bfloat16 = "bf16"
        case int32 = "i32"
        case uint8 = "ui8"
        case bool = "i1"
        case uint32 = "ui32"
        case uint64 = "ui64"

        init(_ dtype: DType) {
            self =
                switch dtype {
                case .float32: .float32
                case .bfloat16: .bfloat16
                case .int32: .int32
                case .uint8: .uint8
                case .bool: .bool
                }
        }

        var isFloatingPoint: Bool { self == .float32 || self == .bfloat16 }
    }

    var extents: [Int]
    var element: Element

    init(_ extents: [Int], _ element: Element) {
        self.extents = extents
        self.element = element
    }

    init(_ type: TensorType) { self.init(type.shape.dimensions, Element(type.dtype)) }

    var rank: Int { extents.count }
    var count: Int { extents.reduce(1, *) }

    func of(_ element: Element) -> ValueType { ValueType(extents, element) }

    /// Such as `tensor<128x10xf32>`.
    var description: String {
        "tensor<" + extents.map { "\($0)x" }.joined() + element.rawValue + ">"
    }
}

/// A value in a program's text: what it is called there, and its type.
struct Value {
    let name: String
    let type: ValueType
}
