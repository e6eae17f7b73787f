import FoveaGraph
import Testing

@Suite struct TensorValueTests {
    @Test func countMustFillTheShape() {
        #expect(throws: Never.self) { try TensorValue(shape: [2, 3], [Float](repeating: 0, count: 6)) }
        #expect(throws: Never.self) { try TensorValue(shape: [0, 3], []) }
        #expect(throws: Never.self) { try TensorValue(shape: .scalar, [1]) }
        let wrong: [(Shape, Int)] = [
            ([2, 3], 5), ([2, 3], 7), ([], 0), ([-1, 6], 6), ([-2, -3], 6), ([.max, 2], 2),
            ([.max, .max], 1), ([.min], 0),
        ]
        for (shape, count) in wrong {
            let error = #expect(throws: ShapeError.self) {
                try TensorValue(shape: shape, [Float](repeating: 0, count: count))
            }
            #expect(error?.shapes == [shape])
        }
    }

    @Test func bytesMustFillTheShape() throws {
        let bytes: [UInt8] = [0, 0, 128, 63, 0, 0, 0, 192]
        func value(_ shape: Shape, _ dtype: DType) throws -> TensorValue {
            try bytes.withUnsafeBytes { try TensorValue(shape: shape, dtype: dtype, bytes: $0) }
        }
        #expect(try value([2], .float32).floats == [1, -2])
        #expect(try value([2, 2], .bfloat16).floats == [0, 1, 0, -2])
        #expect(try value([8], .uint8).integers == bytes.map(Int32.init))
        #expect(
            try value([8], .bool).storage == .bool([false, false, true, true, false, false, false, true]))
        for (shape, dtype) in [([3], .float32), ([2], .bfloat16), ([-2], .float32), ([.max, .max], .int32)]
            as [(Shape, DType)]
        {
            #expect(throws: ShapeError.self) { try value(shape, dtype) }
        }
    }

    @Test func bytesComeBack() throws {
        for dtype in DType.allCases {
            let value = TensorValue(shape: [2, 3], dtype: dtype, doubles: [0, 1, 0, 1, 1, 0])
            #expect(value.dtype == dtype)
            let copy = try value.withUnsafeBytes { bytes in
                #expect(bytes.count == 6 * dtype.byteCount)
                return try TensorValue(shape: [2, 3], dtype: dtype, bytes: bytes)
            }
            #expect(copy == value)
            #expect(copy.floats == [0, 1, 0, 1, 1, 0])
        }
    }

    @Test func integersAreClampedAndTruncated() {
        let floats = TensorValue([
            -1e20, -2_147_483_648, -1.9, -0.0, 0.9, 2_147_483_648, .infinity, Float.nan,
        ])
        #expect(floats.integers == [.min, .min, -1, 0, 0, .max, .max, 0])
        let doubles = [-1, -0.5, 0.99, 255.9, 256, 1e30, .nan, -.infinity]
        #expect(
            TensorValue(shape: [8], dtype: .uint8, doubles: doubles).integers == [
                0, 0, 0, 255, 255, 255, 0, 0,
            ])
    }

    @Test func reshapingKeepsElements() throws {
        let value = TensorValue([1, 2, 3, 4, 5, Int32(6)])
        #expect(try value.reshaped(to: [2, 3]).storage == value.storage)
        #expect(throws: ShapeError.self) { try value.reshaped(to: [2, 2]) }
        #expect(throws: ShapeError.self) { try value.reshaped(to: [-1, 6]) }
    }

    @Test func equalityIsOfBits() {
        #expect(TensorValue(Float.nan) == TensorValue(Float.nan))
        #expect(TensorValue(0) != TensorValue(-0.0))
        #expect(TensorValue([1, Float(2)]) != TensorValue([1, Int32(2)]))
        #expect(Set([TensorValue(1), TensorValue(1), TensorValue(2)]).count == 2)
    }

    @Test func scalarIsTheFirstElement() {
        #expect(TensorValue(2.5).scalar == 2.5)
        #expect(TensorValue([Int32(7), 8]).scalar == 7)
        #expect(TensorValue([Float]()).scalar.isNaN)
    }
}

@Suite struct BFloat16Tests {
    @Test func roundsToNearestWithTiesToEven() {
        let rounded: [(Float, Float)] = [
            (1, 1), (-2, -2), (0x1.01p0, 1), (0x1.03p0, 0x1.04p0), (-0x1.01p0, -1), (0x1.010002p0, 0x1.02p0),
            (0x1.00fffep0, 1), (0x1.02p0, 0x1.02p0), (0x1.fffffep0, 2), (.greatestFiniteMagnitude, .infinity),
            (0x1.fep127, 0x1.fep127), (.infinity, .infinity), (-.infinity, -.infinity), (0, 0),
            (.leastNonzeroMagnitude, 0), (0x1p-133, 0x1p-133), (0x1p-134, 0), (0x1.8p-133, 0x1p-132),
        ]
        for (value, expected) in rounded {
            #expect(Float(bfloat16Pattern: value.bfloat16Pattern) == expected, "\(value)")
        }
        #expect((-0.0 as Float).bfloat16Pattern == 0x8000)
    }

    @Test func notANumberStaysSo() {
        for pattern in [0x7FC0_0000, 0x7F80_0001, 0xFFFF_FFFF, 0xFF80_0001, 0x7FFF_FFFF] as [UInt32] {
            #expect(Float(bfloat16Pattern: Float(bitPattern: pattern).bfloat16Pattern).isNaN)
        }
    }

    @Test func everyPatternComesBack() {
        for pattern in UInt16.min...UInt16.max {
            let value = Float(bfloat16Pattern: pattern)
            if !value.isNaN { #expect(value.bfloat16Pattern == pattern) }
        }
    }
}

@Suite struct ShapeTests {
    @Test func countsElements() {
        let counts: [(Shape, Int)] = [
            ([], 1), ([3], 3), ([2, 3, 4], 24), ([0, 5], 0), ([-1], -1), ([-1, 28, 28], -784),
            ([4, -3, 2], -24),
            ([0, -1], 0), ([.max, 2], .max), ([-1, .max, 2], -.max), ([.min], -.max), ([.max, 0], 0),
        ]
        for (shape, count) in counts { #expect(shape.elementCount == count, "\(shape)") }
    }

    @Test func bindsMultiplesOfTheBatch() {
        #expect(Shape([-1, 3, -4]).bound(batch: 5) == [5, 3, 20])
        #expect(Shape([2, 3]).bound(batch: 5) == [2, 3])
        for shape in [[-1, 3], [-6], [2, -3, 5]] as [Shape] {
            #expect(shape.bound(batch: 7).elementCount == -shape.elementCount * 7)
        }
        #expect(Shape([.min]).bound(batch: 3).isSymbolic == false)
    }

    @Test func describesItself() {
        #expect(Shape([-1, 28, -3]).description == "[batch, 28, 3×batch]")
        #expect(Shape.scalar.description == "[]")
        #expect(Shape([.min]).description == "[9223372036854775808×batch]")
    }

    @Test func stridesAreRowMajor() {
        #expect(Shape([2, 3, 4]).rowMajorStrides == [12, 4, 1])
        #expect(Shape([-1, 3, 4]).rowMajorStrides == [12, 4, 1])
        #expect(Shape([]).rowMajorStrides == [])
        var visited: [[Int]] = []
        Shape([2, 1, 2]).forEachIndex { visited.append($0) }
        #expect(visited == [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]])
        Shape([2, 0]).forEachIndex { _ in Issue.record("an empty shape has no index") }
    }

    @Test func broadcasts() {
        let meetings: [(Shape, Shape, Shape?)] = [
            ([2, 3], [3], [2, 3]), ([3], [2, 3], [2, 3]), ([2, 1], [1, 3], [2, 3]), ([], [4], [4]),
            ([-1, 3], [3], [-1, 3]),
            ([-1, 3], [1, 3], [-1, 3]), ([-1, 1], [-1, 4], [-1, 4]), ([1], [0], [0]), ([2], [3], nil),
            ([-1], [2], nil),
            ([-1], [-2], nil), ([2, 3], [2], nil), ([2], [0], nil),
        ]
        for (a, b, expected) in meetings {
            #expect(Shape.broadcast(a, b) == expected, "\(a) \(b)")
            #expect(Shape.broadcast(b, a) == expected, "\(b) \(a)")
        }
    }

    /// Multiples of the batch size add, multiply and come apart again.
    @Test func batchMultiplesNest() throws {
        let x = Tensor.input("x", [4, 3])
        let rows = try x.reshaped(to: [-4, 3])
        let doubled = try Tensor.concatenate([rows, rows], axis: 0)
        #expect(doubled.shape == [-8, 3])
        let apart = try doubled.reshaped(to: [-2, 4, 3])
        #expect(try apart.reshaped(to: [-24]).shape == [-24])
        #expect(try Tensor.matmul(x, x, transposeB: true).reshaped(to: [-1, 16]).shape == [-1, 16])
        #expect(throws: ShapeError.self) { try apart.reshaped(to: [-1, 4, 3]) }
    }
}

@Suite struct SamePaddingTests {
    /// ceil(size / stride) outputs, no more padding than they need, and the odd one at the end.
    @Test func keepsTheStridedSize() throws {
        for size in 1...12 {
            for window in 1...7 {
                for stride in 1...5 {
                    for dilation in 1...3 {
                        let padding = Padding2D.same(
                            input: Size2D(size, size + 3), window: Size2D(window, 2),
                            strides: Size2D(stride, stride),
                            dilations: Size2D(dilation, 1))
                        let output = try SlidingWindow(
                            Size2D(window, 2), strides: Size2D(stride, stride),
                            dilations: Size2D(dilation, 1),
                            padding: padding
                        ).outputSize(of: Size2D(size, size + 3), "test", [])
                        #expect(output.height == (size + stride - 1) / stride)
                        #expect(output.width == (size + 3 + stride - 1) / stride)
                        #expect((0...1).contains(padding.bottom - padding.top))
                        let total = padding.top + padding.bottom
                        let needed = (output.height - 1) * stride + (window - 1) * dilation + 1
                        #expect(total == max(0, needed - size))
                    }
                }
            }
        }
    }

    @Test func survivesHostileNumbers() {
        let numbers = [Int.min, -1, 0, 1, 3, .max]
        for size in numbers {
            for window in numbers {
                for stride in numbers {
                    for dilation in numbers {
                        let padding = Padding2D.same(
                            input: Size2D(size, size), window: Size2D(window, window),
                            strides: Size2D(stride, stride),
                            dilations: Size2D(dilation, dilation))
                        #expect(min(padding.top, padding.bottom, padding.left, padding.right) >= 0)
                    }
                }
            }
        }
    }
}
