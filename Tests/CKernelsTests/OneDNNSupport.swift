import CKernels
import Testing

/// A row-major array of doubles, in which expected results are computed.
struct Grid: Sendable {
    let extents: [Int]
    var values: [Double]

    init(_ extents: [Int], _ values: [Double]) {
        self.extents = extents
        self.values = values
    }

    init(zeros extents: [Int]) {
        self.init(extents, Array(repeating: 0, count: extents.reduce(1, *)))
    }

    /// Reproducible values in -1 ..< 1, exact as 32-bit floats.
    init(random extents: [Int], seed: UInt64) {
        self.init(zeros: extents)
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        for index in values.indices {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            values[index] = Double(Int64(state >> 40) - (1 << 23)) / Double(1 << 23)
        }
    }

    func position(_ index: [Int]) -> Int {
        zip(index, extents).reduce(0) { $0 * $1.1 + $1.0 }
    }

    subscript(_ index: Int...) -> Double {
        get { values[position(index)] }
        set { values[position(index)] = newValue }
    }

    func reshaped(_ extents: [Int]) -> Grid { Grid(extents, values) }

    var rectified: Grid { Grid(extents, values.map { max($0, 0) }) }

    /// The largest difference, as a fraction of the largest expected magnitude; infinite where a value is not finite.
    func error(from expected: Grid) -> Double {
        guard extents == expected.extents else { return .infinity }
        let scale = max(expected.values.reduce(0) { max($0, abs($1)) }, 1e-30)
        return zip(values, expected.values).reduce(0) { worst, pair in
            let difference = abs(pair.0 - pair.1) / scale
            return difference.isFinite ? max(worst, difference) : .infinity
        }
    }
}

/// Every index of a row-major array, in order.
func forEachIndex(_ extents: [Int], _ body: ([Int]) -> Void) {
    var index = Array(repeating: 0, count: extents.count)
    for _ in 0..<extents.reduce(1, *) {
        body(index)
        var axis = extents.count - 1
        while axis >= 0 {
            index[axis] += 1
            if index[axis] < extents[axis] { break }
            index[axis] = 0
            axis -= 1
        }
    }
}

extension fovea_memory {
    /// The extents without a layout.
    static func any(_ extents: [Int], _ dtype: fovea_dtype = FOVEA_FLOAT32) -> fovea_memory {
        var memory = fovea_memory()
        memory.rank = Int32(extents.count)
        memory.dtype = dtype
        memory.is_any = 1
        for (axis, extent) in extents.enumerated() { store(extent, axis, \.extents, &memory) }
        return memory
    }

    /// A dense layout: outer axes in `order` from slowest to fastest, then the inner blocks.
    static func dense(
        _ extents: [Int], order: [Int]? = nil, blocks: [(axis: Int, size: Int)] = [],
        _ dtype: fovea_dtype = FOVEA_FLOAT32
    ) -> fovea_memory {
        var memory = any(extents, dtype)
        memory.is_any = 0
        memory.inner_count = Int32(blocks.count)
        var outer = extents
        var stride = 1
        for (position, block) in blocks.enumerated() {
            store(block.size, position, \.inner_blocks, &memory)
            store(block.axis, position, \.inner_axes, &memory)
            outer[block.axis] = (outer[block.axis] + block.size - 1) / block.size
            stride *= block.size
        }
        for axis in (order ?? Array(extents.indices)).reversed() {
            store(stride, axis, \.strides, &memory)
            stride *= outer[axis]
        }
        return memory
    }

    static func nhwc(_ extents: [Int], _ dtype: fovea_dtype = FOVEA_FLOAT32) -> fovea_memory {
        dense(extents, order: [0, 2, 3, 1], dtype)
    }

    /// Images with 16 channels innermost.
    static func nChw16c(_ extents: [Int], _ dtype: fovea_dtype = FOVEA_FLOAT32) -> fovea_memory {
        dense(extents, blocks: [(axis: 1, size: 16)], dtype)
    }

    typealias Numbers = (Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64)

    private static func store(
        _ value: Int, _ position: Int, _ field: WritableKeyPath<fovea_memory, Numbers>,
        _ memory: inout fovea_memory
    ) {
        withUnsafeMutableBytes(of: &memory[keyPath: field]) {
            $0.storeBytes(of: Int64(value), toByteOffset: position * 8, as: Int64.self)
        }
    }

    private func list(_ field: KeyPath<fovea_memory, Numbers>, _ count: Int32) -> [Int] {
        withUnsafeBytes(of: self[keyPath: field]) { bytes in
            (0..<Int(count)).map { Int(bytes.load(fromByteOffset: $0 * 8, as: Int64.self)) }
        }
    }

    var extentList: [Int] { list(\.extents, rank) }
    var strideList: [Int] { list(\.strides, rank) }
    var blockList: [Int] { list(\.inner_blocks, inner_count) }
    var blockAxes: [Int] { list(\.inner_axes, inner_count) }

    var byteCount: Int { withUnsafePointer(to: self) { fovea_memory_bytes($0) } }

    /// Where the layout puts an element, in elements.
    func offset(_ index: [Int]) -> Int {
        var position = index
        var offset = 0
        var stride = 1
        for (axis, block) in zip(blockAxes, blockList).reversed() {
            offset += position[axis] % block * stride
            position[axis] /= block
            stride *= block
        }
        return zip(position, strideList).reduce(offset) { $0 + $1.0 * $1.1 }
    }
}

/// Memory for one operand, aligned as kernels want it, with every byte 0xFF (a NaN) until it is filled.
final class Storage {
    let pointer: UnsafeMutableRawPointer
    let byteCount: Int

    init(byteCount: Int) {
        self.byteCount = byteCount
        pointer = .allocate(byteCount: max(byteCount, 1), alignment: 64)
        pointer.initializeMemory(as: UInt8.self, repeating: 0xFF, count: byteCount)
    }

    deinit { pointer.deallocate() }

    /// Stores a grid in a layout; what the layout pads is cleared.
    convenience init(_ grid: Grid, as layout: fovea_memory) {
        self.init(byteCount: layout.byteCount)
        pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        var position = 0
        forEachIndex(grid.extents) { index in
            let value = grid.values[position]
            let offset = layout.offset(index)
            switch layout.dtype {
            case FOVEA_BFLOAT16:
                let word = UInt16(truncatingIfNeeded: Float(value).bitPattern >> 16)
                pointer.storeBytes(of: word, toByteOffset: offset * 2, as: UInt16.self)
            case FOVEA_INT32:
                pointer.storeBytes(of: Int32(value), toByteOffset: offset * 4, as: Int32.self)
            case FOVEA_UINT8:
                pointer.storeBytes(of: UInt8(value), toByteOffset: offset, as: UInt8.self)
            default:
                pointer.storeBytes(of: Float(value), toByteOffset: offset * 4, as: Float.self)
            }
            position += 1
        }
    }

    func element(_ offset: Int, _ dtype: fovea_dtype) -> Double {
        switch dtype {
        case FOVEA_BFLOAT16:
            let word = pointer.load(fromByteOffset: offset * 2, as: UInt16.self)
            return Double(Float(bitPattern: UInt32(word) << 16))
        case FOVEA_INT32: return Double(pointer.load(fromByteOffset: offset * 4, as: Int32.self))
        case FOVEA_UINT8: return Double(pointer.load(fromByteOffset: offset, as: UInt8.self))
        default: return Double(pointer.load(fromByteOffset: offset * 4, as: Float.self))
        }
    }

    func grid(_ layout: fovea_memory) -> Grid {
        var result: [Double] = []
        forEachIndex(layout.extentList) { result.append(element(layout.offset($0), layout.dtype)) }
        return Grid(layout.extentList, result)
    }
}

/// An operand of a primitive.
enum Operand: Int32 {
    case source, weights, bias, destination, workspace, scratchpad

    var argument: fovea_argument { fovea_argument(rawValue: rawValue) }
}

/// The direction of a convolution or pooling.
enum Direction: Int32, CaseIterable {
    case forward, backwardData, backwardWeights

    var value: fovea_direction { fovea_direction(rawValue: rawValue) }
}

/// Owns a primitive.
final class Primitive {
    let handle: OpaquePointer
    /// With the operands' memory.
    let call: OpaquePointer
    private var storages: [Operand: Storage] = [:]

    /// Fails the test, with oneDNN's reason, where there is no such primitive.
    init(_ handle: OpaquePointer?) throws {
        self.handle = try #require(handle, "\(Primitive.message)")
        call = try #require(fovea_primitive_call_create(self.handle), "\(Primitive.message)")
    }

    deinit {
        fovea_primitive_call_destroy(call)
        fovea_primitive_destroy(handle)
    }

    static var message: String { String(cString: fovea_onednn_message()) }

    var implementation: String { String(cString: fovea_primitive_implementation(handle)) }

    func layout(_ operand: Operand) throws -> fovea_memory {
        var memory = fovea_memory()
        let found = fovea_primitive_memory(handle, operand.argument, &memory)
        try #require(
            found == 1, "\(implementation) has no \(operand) with a plain or blocked layout"
        )
        return memory
    }

    func byteCount(_ operand: Operand) -> Int { fovea_primitive_bytes(handle, operand.argument) }

    /// The memory of an operand, kept for the life of the primitive.
    func bind(_ operand: Operand, _ storage: Storage) {
        storages[operand] = storage
        fovea_primitive_call_bind(call, operand.argument, storage.pointer)
    }

    /// Fills the inputs, runs, and reads the outputs. Outputs are NaN beforehand.
    func run(
        _ inputs: [Operand: Grid], _ outputs: Operand...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [Grid] {
        for (operand, grid) in inputs { bind(operand, Storage(grid, as: try layout(operand))) }
        for output in outputs { bind(output, Storage(byteCount: byteCount(output))) }
        let scratchpad = byteCount(.scratchpad)
        if scratchpad > 0 { bind(.scratchpad, Storage(byteCount: scratchpad)) }
        let status = fovea_primitive_call_run(call)
        try #require(status == 0, "\(status == 0 ? "" : Primitive.message)", sourceLocation: sourceLocation)
        return try outputs.map { output in
            try #require(storages[output], sourceLocation: sourceLocation).grid(layout(output))
        }
    }

    func storage(_ operand: Operand) throws -> Storage { try #require(storages[operand]) }
}

/// One process-wide stream runs every primitive, so the tests in extensions of this suite take turns.
@Suite(.serialized) enum OneDNNTests {}
