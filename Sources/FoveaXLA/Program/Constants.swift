import FoveaGraph

extension FunctionText {
    /// A constant: a number where all elements have the same bits, otherwise the bytes of all.
    mutating func constant(_ value: TensorValue) -> Value {
        let type = ValueType(TensorType(value.shape, value.dtype))
        if type.count == 0 { return add("stablehlo.constant dense<> : \(type)", type) }
        // Bytes of truths would be taken for eight in each.
        if case .bool(let elements) = value.storage {
            if elements.allSatisfy({ $0 == elements[0] }) { return filled(elements[0] ? 1 : 0, type) }
            let numbers = TensorValue(shape: value.shape, dtype: .uint8, doubles: value.doubles)
            return convert(constant(numbers), .bool)
        }
        return add(
            value.withUnsafeBytes { "stablehlo.constant dense<\(Self.elements($0, type))> : \(type)" }, type)
    }

    private static func elements(_ bytes: UnsafeRawBufferPointer, _ type: ValueType) -> String {
        let width = bytes.count / type.count
        let first = bytes[..<width]
        let isRepeated = stride(from: width, to: bytes.count, by: width).allSatisfy {
            bytes[$0..<($0 + width)].elementsEqual(first)
        }
        guard isRepeated else { return "\"0x" + text(bytes[...]) + "\"" }
        switch type.element {
        case .int32: return "\(bytes.loadUnaligned(as: Int32.self))"
        case .uint8: return "\(bytes[0])"
        // The bits of one number begin with the highest.
        default: return "0x" + text(first, isReversed: true)
        }
    }

    private static func text(_ bytes: Swift.Slice<UnsafeRawBufferPointer>, isReversed: Bool = false) -> String
    {
        let digits = Array("0123456789ABCDEF".utf8)
        var characters: [UInt8] = []
        characters.reserveCapacity(2 * bytes.count)
        for byte in isReversed ? Array(bytes.reversed()) : Array(bytes) {
            characters.append(digits[Int(byte >> 4)])
            characters.append(digits[Int(byte & 15)])
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
