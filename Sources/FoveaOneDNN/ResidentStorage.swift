import FoveaGraph
import FoveaPlanner

/// What changes between runs, and tells.
@Compute
protocol Versioned: AnyObject {
    /// Another number after each change, so that what was made from the value is known to be out of date.
    var version: Int { get }
    func noteChange()
}

/// A variable's value in the layout that its kernels want. It is converted only when read or written from outside.
final class ResidentStorage: VariableStorage, Versioned {
    let layout: Layout
    let type: TensorType
    let memory: AlignedMemory
    private(set) var version = 0

    init(_ value: TensorValue, layout: Layout) throws {
        self.layout = layout
        type = TensorType(value.shape, value.dtype)
        memory = try AlignedMemory(byteCount: layout.memoryCount(type.shape) * type.dtype.byteCount)
        try write(value)
    }

    private init(copying other: ResidentStorage) throws {
        (layout, type) = (other.layout, other.type)
        memory = try AlignedMemory(byteCount: other.memory.byteCount)
        memory.start.copyMemory(from: other.memory.start, byteCount: memory.byteCount)
    }

    /// A variable's memory in a layout: where it is, if it has this, or where it goes now.
    @Compute
    static func of(_ variable: Variable, layout: Layout) throws -> ResidentStorage {
        if let present = variable.currentStorage as? ResidentStorage, present.layout == layout {
            return present
        }
        let storage = try ResidentStorage(variable.value(), layout: layout)
        variable.move(to: storage)
        return storage
    }

    func read() throws -> TensorValue { try layout.unpacked(memory.start, type) }

    /// Looks at the memory as it lies: what pads it is zero.
    func isFinite() -> Bool {
        let bytes = UnsafeRawBufferPointer(start: memory.start, count: memory.byteCount)
        switch type.dtype {
        case .float32: return bytes.assumingMemoryBound(to: UInt32.self).allBelow(exponent: 0x7F80_0000)
        case .bfloat16: return bytes.assumingMemoryBound(to: UInt16.self).allBelow(exponent: 0x7F80)
        case .int32, .uint8, .bool: return true
        }
    }

    func write(_ value: TensorValue) throws {
        layout.pack(value, into: memory.start)
        noteChange()
    }

    func copied(reusing earlier: (any VariableStorage)?) throws -> any VariableStorage {
        guard let earlier = earlier as? ResidentStorage, earlier !== self, earlier.layout == layout,
            earlier.type == type
        else { return try ResidentStorage(copying: self) }
        earlier.memory.start.copyMemory(from: memory.start, byteCount: memory.byteCount)
        earlier.noteChange()
        return earlier
    }

    /// To be called when kernels write to the memory.
    func noteChange() { version &+= 1 }
}

extension UnsafeBufferPointer where Element: FixedWidthInteger {
    /// Whether none of these floating-point numbers, signs aside, reaches the exponent of infinities and NaN.
    fileprivate func allBelow(exponent: Element) -> Bool {
        let withoutSign: Element = .max >> 1
        // Without a branch in the loop, vectors of them are compared.
        return reduce(0) { Swift.max($0, $1 & withoutSign) } < exponent
    }
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
        func gathered<Element>(_: Element.Type) -> [Element] {
            let source = memory.assumingMemoryBound(to: Element.self)
            return [Element](unsafeUninitializedCapacity: type.shape.elementCount) { elements, count in
                forEachPlace(type.shape) { place in
                    elements.initializeElement(at: count, to: source[place])
                    count += 1
                }
            }
        }
        let storage: TensorValue.Storage =
            switch type.dtype {
            case .float32: .float32(gathered(Float.self))
            case .bfloat16: .bfloat16(gathered(UInt16.self))
            case .int32: .int32(gathered(Int32.self))
            case .uint8: .uint8(gathered(UInt8.self))
            case .bool: .bool(gathered(UInt8.self).map { $0 != 0 })
            }
        return try TensorValue(shape: type.shape, storage: storage)
    }

    /// Copies a row-major value into memory of this layout.
    func pack(_ value: TensorValue, into memory: UnsafeMutableRawPointer) {
        func scatter<Element>(_ source: UnsafeRawBufferPointer, _: Element.Type) {
            let elements = source.assumingMemoryBound(to: Element.self)
            let target = memory.assumingMemoryBound(to: Element.self)
            var index = 0
            forEachPlace(value.shape) { place in
                target[place] = elements[index]
                index += 1
            }
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

    /// Calls `body` with the memory place of every element, in row-major order.
    @inline(__always)
    private func forEachPlace(_ shape: Shape, _ body: (Int) -> Void) {
        switch self {
        case .padded(let padded): padded.places().forEach(body)
        case .dense(let modes):
            // A list of the places of all elements would take more memory than the elements.
            var starts = [0]
            for mode in modes.dropLast() {
                starts = starts.flatMap { start in (0..<mode.extent).map { start + $0 * mode.stride } }
            }
            guard let inner = modes.last else { return }
            for start in starts {
                for step in 0..<inner.extent { body(start + step * inner.stride) }
            }
        }
    }
}
