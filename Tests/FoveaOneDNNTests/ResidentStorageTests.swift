import Foundation
import FoveaGraph
import FoveaPlanner
import FoveaRuntime
import Testing

@testable import FoveaOneDNN

/// Whether a variable's numbers are finite is told where they lie, blocks and padding included.
struct ResidentFinitenessTests {
    private static let shape: Shape = [1, 2, 3, 20]
    private static let layouts = [
        Layout.rowMajor(shape), .channelBlocks(16, shape), .channelBlocks(4, shape),
    ]

    @Test(arguments: [0, 59, 119], [Float.nan, -.nan, .infinity, -.infinity])
    @Compute func oneThatIsNot(place: Int, number: Float) throws {
        for layout in Self.layouts {
            var numbers = (0..<Self.shape.elementCount).map { Float($0) - 60 }
            let storage = try ResidentStorage(TensorValue(shape: Self.shape, numbers), layout: layout)
            #expect(storage.isFinite())
            numbers[place] = number
            try storage.write(TensorValue(shape: Self.shape, numbers))
            #expect(!storage.isFinite(), "\(number) at \(place)")
        }
    }

    @Test @Compute func extremes() throws {
        let largest = Float.greatestFiniteMagnitude
        let values = [
            TensorValue([largest, -largest, .leastNonzeroMagnitude, -0.0]),
            try TensorValue(shape: [2], storage: .bfloat16([0x7F7F, 0xFF7F])),
            TensorValue([Int32.max, .min]), TensorValue([UInt8.max]),
        ]
        for value in values {
            let layout = Layout.rowMajor(value.shape)
            #expect(try ResidentStorage(value, layout: layout).isFinite())
            #expect(try Variable(name: "v", initial: value).currentStorage.isFinite())
        }
        for pattern: UInt16 in [0x7F80, 0xFF80, 0x7FC0, 0xFFFF] {
            let value = try TensorValue(shape: [2], storage: .bfloat16([0, pattern]))
            #expect(try !ResidentStorage(value, layout: .rowMajor(value.shape)).isFinite())
            #expect(try !Variable(name: "v", initial: value).currentStorage.isFinite())
        }
    }
}

/// Copies of variables where they lie.
struct ResidentCopyTests {
    @Test @Compute func aCopyStaysAsItIs() throws {
        let shape: Shape = [1, 2, 3, 20]
        func value(_ offset: Float) throws -> TensorValue {
            try TensorValue(shape: shape, (0..<shape.elementCount).map { Float($0) + offset })
        }
        for layout in [Layout.rowMajor(shape), .channelBlocks(16, shape)] {
            let storage = try ResidentStorage(value(0), layout: layout)
            let first = try storage.copied(reusing: nil)
            try storage.write(value(1))
            #expect(try first.read() == value(0))
            // In the same memory, where it fits.
            let second = try storage.copied(reusing: first)
            #expect(second === first)
            try storage.write(value(2))
            #expect(try second.read() == value(1))
            let elsewhere = try storage.copied(reusing: HostStorage(value(3)))
            #expect(try elsewhere.read() == value(2))
            let other = try ResidentStorage(value(4), layout: .channelBlocks(4, shape)).copied(
                reusing: second)
            #expect(other !== second)
            #expect(try other.read() == value(4) && second.read() == value(1))
            #expect(try storage.copied(reusing: storage) !== storage)
        }
    }

    /// Blocks on both sides of what comes from the system directly: zeroed, aligned and their own.
    @Test(arguments: [0, 1, 4_096, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, 5 << 20])
    func memoryIsZeroed(byteCount: Int) throws {
        for _ in 0..<3 {
            let (one, other) = (
                try AlignedMemory(byteCount: byteCount), try AlignedMemory(byteCount: byteCount)
            )
            for memory in [one, other] {
                #expect(Int(bitPattern: memory.start) % (byteCount < 2 << 20 ? 64 : 2 << 20) == 0)
                let bytes = UnsafeMutableRawBufferPointer(start: memory.start, count: byteCount)
                #expect(bytes.allSatisfy { $0 == 0 })
                memset(memory.start, 0xFF, byteCount)
            }
        }
    }

    @Test func moreThanTheMachineHas() {
        #expect(throws: RunError.self) { try AlignedMemory(byteCount: .max) }
        #expect(throws: RunError.self) { try AlignedMemory(byteCount: .max / 2) }
    }
}
