import CKernels
import FoveaGraph
import Testing

/// The parent of every suite here. The kind of vector kernels is one setting for the whole process, so the tests run
/// one after the other, and on the thread of all computation, so that no other test computes meanwhile.
@Suite(.serialized)
enum KernelTests {}

/// Memory that kernels read and write.
final class Buffer<Element: BitwiseCopyable> {
    let pointer: UnsafeMutableBufferPointer<Element>

    init(_ elements: [Element]) {
        pointer = .allocate(capacity: elements.count)
        _ = pointer.initialize(from: elements)
    }
    convenience init(repeating element: Element, count: Int) {
        self.init(Array(repeating: element, count: count))
    }
    deinit { pointer.deallocate() }

    var elements: [Element] { Array(pointer) }
    var base: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(pointer.baseAddress) }
    subscript(index: Int) -> Element { pointer[index] }
}

/// Copies a list into a C array of FOVEA_MAX_RANK extents or strides.
func fill<CArray>(_ array: inout CArray, with values: [Int]) {
    withUnsafeMutableBytes(of: &array) {
        $0.copyBytes(from: values.map(Int64.init).withUnsafeBytes(Array.init))
    }
}

func operand<T>(
    _ buffer: Buffer<T>, _ dtype: fovea_dtype = FOVEA_FLOAT32, strides: [Int], offset: Int = 0,
    aliased: Bool = false
) -> fovea_operand {
    var result = fovea_operand()
    result.base = buffer.base
    result.dtype = dtype
    result.offset = Int64(offset)
    result.aliased = aliased ? 1 : 0
    fill(&result.strides, with: strides)
    return result
}

func iota(strides: [Int], offset: Int = 0) -> fovea_operand {
    var result = fovea_operand()
    result.offset = Int64(offset)
    fill(&result.strides, with: strides)
    return result
}

func load(_ operand: Int32, to d: Int32) -> fovea_instruction {
    fovea_instruction(
        opcode: FOVEA_OP_LOAD, d: d, a: 0, b: 0, c: 0, operand: operand, immediate: 0, immediate_i: 0,
        stream: 0)
}
func store(_ a: Int32, to operand: Int32) -> fovea_instruction {
    fovea_instruction(
        opcode: FOVEA_OP_STORE, d: 0, a: a, b: 0, c: 0, operand: operand, immediate: 0, immediate_i: 0,
        stream: 0)
}
func constant(_ value: Float, to d: Int32) -> fovea_instruction {
    fovea_instruction(
        opcode: FOVEA_OP_CONSTANT, d: d, a: 0, b: 0, c: 0, operand: 0, immediate: value, immediate_i: 0,
        stream: 0)
}
func apply(
    _ opcode: fovea_opcode, to d: Int32, _ a: Int32 = 0, _ b: Int32 = 0, _ c: Int32 = 0, operand: Int32 = 0,
    integer: Int32 = 0, stream: UInt32 = 0
) -> fovea_instruction {
    fovea_instruction(
        opcode: opcode, d: d, a: a, b: b, c: c, operand: operand, immediate: 0, immediate_i: integer,
        stream: stream)
}

func run(_ extents: [Int], _ operands: [fovea_operand], _ instructions: [fovea_instruction]) {
    operands.withUnsafeBufferPointer { operands in
        instructions.withUnsafeBufferPointer { instructions in
            var program = fovea_program()
            program.rank = Int32(extents.count)
            fill(&program.extents, with: extents)
            program.operand_count = Int32(operands.count)
            program.operands = operands.baseAddress
            program.instruction_count = Int32(instructions.count)
            program.instructions = instructions.baseAddress
            fovea_run_program(&program)
        }
    }
}

/// Applies one instruction to lists of float lanes and gives float lanes.
func lanes(_ opcode: fovea_opcode, _ a: [Float], _ b: [Float] = []) -> [Float] {
    let result = Buffer<Float>(repeating: -77, count: a.count)
    let x = Buffer(a)
    let y = Buffer(b)
    run(
        [a.count],
        [operand(x, strides: [1]), operand(b.isEmpty ? x : y, strides: [1]), operand(result, strides: [1])],
        [load(0, to: 0), load(1, to: 1), apply(opcode, to: 2, 0, 1), store(2, to: 2)])
    return result.elements
}

/// Applies one instruction to lists of int32 lanes and gives int32 lanes.
func lanes(_ opcode: fovea_opcode, _ a: [Int32], _ b: [Int32] = []) -> [Int32] {
    let result = Buffer<Int32>(repeating: -77, count: a.count)
    let x = Buffer(a)
    let y = Buffer(b)
    run(
        [a.count],
        [
            operand(x, FOVEA_INT32, strides: [1]), operand(b.isEmpty ? x : y, FOVEA_INT32, strides: [1]),
            operand(result, FOVEA_INT32, strides: [1]),
        ],
        [load(0, to: 0), load(1, to: 1), apply(opcode, to: 2, 0, 1), store(2, to: 2)])
    return result.elements
}

/// Runs a test body with each kind of kernels that this CPU has.
@Compute func forEachVectorKind(_ body: (String) throws -> Void) rethrows {
    let chosen = String(cString: fovea_vector_kind())
    defer { _ = fovea_set_vector_kind(chosen) }
    for kind in ["baseline", "avx2", "avx512"] where fovea_set_vector_kind(kind) == 1 {
        try body(kind)
    }
}

/// Runs a body with each number of threads and returns what it gave.
func withThreads<Result>(_ counts: [Int32] = [1, 2, 3], _ body: () -> Result) -> [Result] {
    let before = fovea_thread_count()
    defer { fovea_set_thread_count(before) }
    return counts.map {
        fovea_set_thread_count($0)
        return body()
    }
}

/// A small repeatable generator of test data.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &+ 0x9e37_79b9_7f4a_7c15 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        var x = state ^ (state >> 33)
        x = x &* 0xff51_afd7_ed55_8ccd
        return x ^ (x >> 33)
    }
    mutating func floats(_ count: Int, in range: ClosedRange<Float> = -2...2) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }
}

func rowMajorStrides(_ extents: [Int]) -> [Int] {
    var strides = extents
    var stride = 1
    for axis in extents.indices.reversed() {
        strides[axis] = stride
        stride *= extents[axis]
    }
    return strides
}

/// Every index of an iteration space, in row-major order.
func indices(of extents: [Int]) -> [[Int]] {
    extents.reduce([[]]) { partial, extent in partial.flatMap { head in (0..<extent).map { head + [$0] } } }
}

func dot(_ index: [Int], _ strides: [Int]) -> Int { zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 } }

/// Memory that starts on a cache line, as NaN.
final class KernelMemory {
    let start: UnsafeMutableRawPointer
    init(_ byteCount: Int) {
        start = .allocate(byteCount: max(byteCount, 64), alignment: 64)
        start.initializeMemory(as: UInt8.self, repeating: 0xFF, count: max(byteCount, 64))
    }
    deinit { start.deallocate() }
}

/// Numbers from -1 to 1.
func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int64(bitPattern: state) >> 40) / 0x1p23
    }
}
