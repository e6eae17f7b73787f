import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// An operation of the library's as parts that threads share out.
///
/// The library would cut its work by the number of threads, into equal shares, and sum in an order that follows from these. Here
/// the cut follows from the operation's shapes alone, so results are the same for any number of threads, and a thread that has to
/// share its CPU with another program leaves parts to the others.
struct PartedPrimitive: Sendable {
    let parts: [Part]
    /// Operands of which each part computes a summand, and how many numbers they have.
    private let sums: [(role: Plan.Operand.Role, count: Int)]
    private let nanoseconds: Double
    /// How many parts may run at the same time.
    private let slots: Int

    struct Part: Sendable {
        var primitive: Primitive
        /// Where operands begin, in bytes behind the whole operation's.
        var offsets: [Plan.Operand.Role: Int] = [:]
        var copied: CopiedRows?

        /// An axis's extent in as many ranges of whole blocks as are wanted.
        static func ranges(
            _ memory: fovea_memory, _ axis: Int32, wanted: Int
        ) -> [(first: Int, count: Int)] {
            let extent = memory.extentsList[Int(axis)]
            return ranges(extent, step: memory.block(along: axis), wanted: wanted)
        }

        /// An extent in as many ranges of whole steps as are wanted, if it has so many steps; of all lengths as equal as can be.
        static func ranges(_ extent: Int, step: Int, wanted: Int) -> [(first: Int, count: Int)] {
            let steps = (extent + step - 1) / step
            let count = max(min(wanted, steps), 1)
            return (0..<count).map { part in
                let (first, end) = (steps * part / count * step, steps * (part + 1) / count * step)
                return (first, min(end, extent) - first)
            }
        }
    }

    /// An operand that lies in rows apart from each other and is copied together for a part.
    struct CopiedRows: Sendable {
        let role: Plan.Operand.Role
        let count: Int
        let byteCount: Int
        let byteStride: Int
    }

    /// - Parameters:
    ///   - sums: operands of which each part computes a summand, and how many numbers they have.
    ///   - nanoseconds: what the whole takes on one thread.
    ///   - threads: how many there are at most.
    init(
        _ parts: [Part], sums: [(role: Plan.Operand.Role, count: Int)] = [], nanoseconds: Double, threads: Int
    ) {
        (self.parts, self.sums, self.nanoseconds) = (parts, sums, nanoseconds)
        slots = max(min(threads, parts.count), 1)
    }

    /// In one part.
    init(whole primitive: Primitive) {
        self.init([Part(primitive: primitive)], nanoseconds: 0, threads: 1)
    }

    var implementation: String { parts[0].primitive.implementation }

    /// Into how many parts it pays to cut what takes so long on one thread: few short ones, for two threads, and more where they
    /// are long enough for many threads.
    static func count(nanoseconds: Double) -> Int {
        let choices: [(least: Double, most: Double)] = [
            (4_000, 2), (16_000, 4), (50_000, 8), (100_000, 16), (300_000, 64),
        ]
        let count = choices.reduce(1) { count, choice in
            max(count, Int(min(nanoseconds / choice.least, choice.most)))
        }
        return powerOfTwo(upTo: count)
    }

    /// So many parts are equal shares for two threads, for four and so on.
    static func powerOfTwo(upTo count: Int) -> Int {
        count < 2 ? 1 : 1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
    }

    // MARK: - Memory

    private static let alignment = 64

    private static func aligned(_ byteCount: Int) -> Int {
        (byteCount + alignment - 1) / alignment * alignment
    }

    fileprivate var partScratchBytes: Int {
        Self.aligned(parts.map { $0.primitive.byteCount(FOVEA_ARG_SCRATCHPAD) }.max() ?? 0)
    }

    fileprivate var copiedBytes: Int {
        Self.aligned(parts.map { ($0.copied?.count ?? 0) * ($0.copied?.byteCount ?? 0) }.max() ?? 0)
    }

    private func summandBytes(_ count: Int) -> Int { Self.aligned(count * MemoryLayout<Float>.size) }

    /// The first part writes its summands in their place.
    var scratchpadBytes: Int {
        slots * (partScratchBytes + copiedBytes)
            + (parts.count - 1) * sums.reduce(0) { $0 + summandBytes($1.count) }
    }

    /// Whether operands of the two have the same layouts, and this one needs no more memory to work in.
    func usesMemory(like other: PartedPrimitive) -> Bool {
        parts.count == other.parts.count && scratchpadBytes <= other.scratchpadBytes
            && zip(parts, other.parts).allSatisfy { $0.primitive.usesMemory(like: $1.primitive) }
    }

    // MARK: - Calls

    fileprivate func addresses(
        of part: Part, _ operands: Operands
    ) throws -> [Plan.Operand.Role: UnsafeMutableRawPointer] {
        var addresses = operands.addresses
        for (role, offset) in part.offsets { addresses[role] = try operands.address(role) + offset }
        return addresses
    }

    func call(_ operands: Operands) throws -> any KernelCall {
        if parts.count == 1, parts[0].copied == nil {
            return try PrimitiveCall(parts[0].primitive, addresses(of: parts[0], operands))
        }
        let scratch = operands.addresses[.scratchpad]
        var summands: [PartedCall.Summands] = []
        var free = scratch.map { $0 + slots * (partScratchBytes + copiedBytes) }
        for (role, count) in sums {
            guard let start = free else { break }
            summands.append(
                PartedCall.Summands(
                    sum: try operands.floats(role), parts: start, role: role, count: count,
                    byteStride: summandBytes(count)))
            free = start + (parts.count - 1) * summandBytes(count)
        }
        var operation = fovea_operation()
        operation.nanoseconds = nanoseconds
        operation.slots = Int32(slots)
        operation.scratch = scratch?.assumingMemoryBound(to: CChar.self)
        (operation.scratchpad_bytes, operation.copied_bytes) = (partScratchBytes, copiedBytes)
        return try PartedCall(parts, parts.map { try addresses(of: $0, operands) }, summands, operation)
    }
}

/// A parted primitive with the memory of its operands.
private final class PartedCall: KernelCall {
    struct Summands {
        let sum: UnsafeMutablePointer<Float>
        /// Those of the second part, and behind it of the others.
        let parts: UnsafeMutableRawPointer
        let role: Plan.Operand.Role
        let count: Int
        let byteStride: Int
    }

    private let calls: [PrimitiveCall]
    private let parts: UnsafeMutableBufferPointer<fovea_operation_part>
    private let summands: [Summands]
    private var operation: fovea_operation

    init(
        _ parts: [PartedPrimitive.Part], _ addresses: [[Plan.Operand.Role: UnsafeMutableRawPointer]],
        _ summands: [Summands], _ operation: fovea_operation
    ) throws {
        var addresses = addresses
        for number in parts.indices.dropFirst() {
            for sum in summands { addresses[number][sum.role] = sum.parts + (number - 1) * sum.byteStride }
        }
        calls = try zip(parts, addresses).map { try PrimitiveCall($0.primitive, $1) }
        self.parts = .allocate(capacity: parts.count)
        self.parts.initialize(repeating: fovea_operation_part())
        (self.summands, self.operation) = (summands, operation)
        for (number, part) in parts.enumerated() {
            self.parts[number].call = calls[number].handle
            guard let rows = part.copied, let argument = fovea_argument(rows.role) else { continue }
            self.parts[number].rows = UnsafeRawPointer(addresses[number][rows.role])
            self.parts[number].copied = argument
            self.parts[number].row_count = Int64(rows.count)
            self.parts[number].row_bytes = Int64(rows.byteCount)
            self.parts[number].row_stride = Int64(rows.byteStride)
        }
        self.operation.parts = UnsafePointer(self.parts.baseAddress)
        self.operation.part_count = Int64(parts.count)
    }

    deinit { parts.deallocate() }

    func run() throws {
        let status = withUnsafePointer(to: operation) { fovea_operation_run($0) }
        guard status == 0 else { throw calls[0].failure(status) }
        for sum in summands {
            fovea_add_parts(
                sum.sum, sum.parts.assumingMemoryBound(to: Float.self), Int64(parts.count - 1),
                Int64(sum.byteStride / MemoryLayout<Float>.size), Int64(sum.count))
        }
    }
}
