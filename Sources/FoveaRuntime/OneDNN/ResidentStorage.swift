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
        let size = type.dtype.byteCount
        var bytes = [UInt8](repeating: 0, count: byteCount)
        return try bytes.withUnsafeMutableBytes { target in
            for (index, place) in places(type.shape).enumerated() {
                for byte in 0..<size {
                    target[index * size + byte] = memory.load(
                        fromByteOffset: place * size + byte, as: UInt8.self)
                }
            }
            return try TensorValue(
                shape: type.shape, dtype: type.dtype, bytes: UnsafeRawBufferPointer(target))
        }
    }

    /// Copies a row-major value into memory of this layout.
    func pack(_ value: TensorValue, into memory: UnsafeMutableRawPointer) {
        value.withUnsafeBytes { source in
            guard !isRowMajor(value.shape) else {
                if let start = source.baseAddress { memory.copyMemory(from: start, byteCount: source.count) }
                return
            }
            let size = value.dtype.byteCount
            for (index, place) in places(value.shape).enumerated() {
                for byte in 0..<size {
                    memory.storeBytes(
                        of: source[index * size + byte], toByteOffset: place * size + byte, as: UInt8.self)
                }
            }
        }
    }

    /// The memory place of every element, in row-major order.
    private func places(_ shape: Shape) -> [Int] {
        switch self {
        case .padded(let padded): return padded.places()
        case .dense(let modes):
            var result = [0]
            result.reserveCapacity(shape.elementCount)
            for mode in modes {
                result = result.flatMap { start in (0..<mode.extent).map { start + $0 * mode.stride } }
            }
            return result
        }
    }
}
