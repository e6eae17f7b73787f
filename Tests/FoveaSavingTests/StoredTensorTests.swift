import FoveaGraph
import Testing

@testable import FoveaSaving

@Suite struct StoredTensorTests {
    private func tensor(_ type: StoredType, _ words: [some FixedWidthInteger]) throws -> StoredTensor {
        let bytes = words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
        return try #require(StoredTensor(name: "w", shape: [words.count], type: type, bytes: bytes[...]))
    }

    @Test func everyTypeOfFloatIsReadAsWhatItStandsFor() throws {
        let numbers: [Float] = [0, 1, -2.5, 65504, .infinity, 0x1p-24]
        let doubles = try tensor(.float64, numbers.map { Double($0).bitPattern })
        #expect(try doubles.value(file: "f") == TensorValue(numbers))
        #expect(try tensor(.float32, numbers.map(\.bitPattern)).value(file: "f") == TensorValue(numbers))
        let halves: [UInt16] = [0, 0x3C00, 0xC100, 0x7BFF, 0x7C00, 1]
        #expect(try tensor(.float16, halves).value(file: "f") == TensorValue(numbers))
        #expect(try tensor(.float16, [UInt16(0x7E00)]).value(file: "f").scalar.isNaN)
        #expect(try tensor(.bfloat16, [UInt16(0x3F80)]).value(file: "f").storage == .bfloat16([0x3F80]))
    }

    @Test func integersOutsideOfInt32AreRefused() throws {
        #expect(try tensor(.int64, [Int64(-7), 1 << 30]).value(file: "f").integers == [-7, 1 << 30])
        #expect(try tensor(.int8, [Int8(-7)]).value(file: "f").integers == [-7])
        #expect(throws: ModelFileError.self) { try tensor(.int64, [Int64(1) << 31]).value(file: "f") }
        #expect(throws: ModelFileError.self) { try tensor(.uint32, [UInt32.max]).value(file: "f") }
    }

    @Test func bytesAndShapeMustAgree() {
        let bytes = [UInt8](repeating: 0, count: 12)[...]
        #expect(StoredTensor(name: "w", shape: [3], type: .float32, bytes: bytes) != nil)
        #expect(StoredTensor(name: "w", shape: [4], type: .float32, bytes: bytes) == nil)
        #expect(StoredTensor(name: "w", shape: [-1, -3], type: .float32, bytes: bytes) == nil)
        #expect(StoredTensor(name: "w", shape: [1 << 62, 8], type: .float32, bytes: bytes) == nil)
        #expect(StoredTensor(name: "w", shape: [1 << 61], type: .float64, bytes: []) == nil)
        #expect(StoredTensor(name: "w", shape: [0, 3], type: .float32, bytes: []) != nil)
        #expect(StoredTensor(name: "w", shape: [0, .max, .max], type: .float32, bytes: []) == nil)
    }
}
