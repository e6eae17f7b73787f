import FoveaGraph
import FoveaPlanner

/// A variable's value in the layout that its kernels want. It is converted only when read or written from outside.
final class ResidentStorage: VariableStorage {
    let layout: Layout
    let type: TensorType
    let memory: AlignedMemory

    init(_ value: TensorValue, layout: Layout) throws {
        self.layout = layout
        type = TensorType(value.shape, value.dtype)
        memory = try AlignedMemory(byteCount: layout.memoryCount(type.shape) * type.dtype.byteCount)
        try write(value)
    }

    func read() throws -> TensorValue { try layout.unpacked(memory.start, type) }

    func write(_ value: TensorValue) throws { layout.pack(value, into: memory.start) }
}

extension Layout {
    /// Copies a value in this layout into row-major order.
    func unpacked(_ memory: UnsafeRawPointer, _ type: TensorType) throws -> TensorValue {
        let byteCount = type.shape.elementCount * type.dtype.byteCount
        if isRowMajor(type.shape) {
            return try TensorValue(
                shape: type.shape, dtype: type.dtype,
                bytes: UnsafeRawBufferPointer(start: memory, count: byteCount))
        }
        func gathered<Element>(_ zero: Element) throws -> TensorValue {
            let source = memory.assumingMemoryBound(to: Element.self)
            let elements = places(type.shape).map { source[$0] }
            return try elements.withUnsafeBytes {
                try TensorValue(shape: type.shape, dtype: type.dtype, bytes: $0)
            }
        }
        return switch type.dtype.byteCount {
        case 4: try gathered(UInt32(0))
        case 2: try gathered(UInt16(0))
        default: try gathered(UInt8(0))
        }
    }

    /// Copies a row-major value into memory of this layout.
    func pack(_ value: TensorValue, into memory: UnsafeMutableRawPointer) {
        func scatter<Element>(_ source: UnsafeRawBufferPointer, _: Element.Type) {
            let elements = source.assumingMemoryBound(to: Element.self)
            let target = memory.assumingMemoryBound(to: Element.self)
            for (index, place) in places(value.shape).enumerated() { target[place] = elements[index] }
        }
        value.withUnsafeBytes { source in
            if isRowMajor(value.shape) {
                if let start = source.baseAddress { memory.copyMemory(from: start, byteCount: source.count) }
                return
            }
            switch value.dtype.byteCount {
            case 4: scatter(source, UInt32.self)
            case 2: scatter(source, UInt16.self)
            default: scatter(source, UInt8.self)
            }
        }
    }

    /// The memory place of every element, in row-major order.
    private func places(_ shape: Shape) -> [Int] {
        switch self {
        case .padded(let padded): return padded.places()
        case .dense(let modes):
            var result = [0]
            for mode in modes {
                var longer: [Int] = []
                longer.reserveCapacity(result.count * mode.extent)
                for start in result {
                    for step in 0..<mode.extent { longer.append(start + step * mode.stride) }
                }
                result = longer
            }
            return result
        }
    }
}
