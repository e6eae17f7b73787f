import FoveaGraph
import FoveaSignal
import Testing

@Suite struct OutputSizeTests {
    @Test func knownSizes() throws {
        #expect(try convolutionOutputSize(input: 28, kernel: 3) == 26)
        #expect(try convolutionOutputSize(input: 224, kernel: 7, stride: 2, padding: 3) == 112)
        #expect(try convolutionOutputSize(input: 227, kernel: 11, stride: 4) == 55)
        #expect(try convolutionOutputSize(input: 7, kernel: 3, dilation: 3) == 1)
        #expect(try convolutionOutputSize(input: 5, kernel: 9, mode: .same) == 5)
        #expect(try convolutionOutputSize(input: 5, kernel: 9, mode: .full) == 13)
        #expect(try transposedConvolutionOutputSize(input: 7, kernel: 4, stride: 2, padding: 1) == 14)
        #expect(
            try transposedConvolutionOutputSize(
                input: 7, kernel: 3, stride: 2, padding: 1, outputPadding: 1) == 14)
        #expect(try poolingOutputSize(input: 7, window: 2) == 3)
        #expect(try poolingOutputSize(input: 7, window: 2, mode: .same) == 4)
        #expect(try poolingOutputSize(input: 112, window: 3, stride: 2, padding: 1) == 56)
        #expect(try samePadding(input: 224, kernel: 3, stride: 2) == (before: 0, after: 1))
        #expect(try samePadding(input: 28, kernel: 5) == (before: 2, after: 2))
    }

    /// Every size, counted by moving a window.
    @Test func sizesAreCounts() throws {
        for input in 1...9 {
            for kernel in 1...5 {
                for stride in 1...4 {
                    for dilation in 1...3 {
                        for padding in 0...2 {
                            let reach = dilation * (kernel - 1) + 1
                            let added: [ConvolutionMode: Int] = [
                                .valid: 0, .same: reach - 1, .full: 2 * reach - 2,
                            ]
                            for mode in ConvolutionMode.allCases {
                                let length = input + 2 * padding + (added[mode] ?? 0)
                                let count = Swift.stride(from: 0, through: length - reach, by: stride)
                                    .reduce(0) { count, _ in count + 1 }
                                let size = try? convolutionOutputSize(
                                    input: input, kernel: kernel, stride: stride, padding: padding,
                                    dilation: dilation, mode: mode)
                                #expect(size == (count > 0 ? count : nil))
                            }
                        }
                        let (before, after) = try samePadding(
                            input: input, kernel: kernel, stride: stride, dilation: dilation)
                        #expect(before == after || before + 1 == after)
                        let length = input + before + after
                        let reach = dilation * (kernel - 1)
                        #expect((length - reach - 1) / stride + 1 == (input + stride - 1) / stride)
                    }
                }
            }
        }
    }

    /// The sizes that a transposed convolution can give are just those that the convolution maps back.
    @Test func transposedSizesAreTheInverse() throws {
        for input in 1...6 {
            for kernel in 1...5 {
                for stride in 1...3 {
                    for padding in 0...1 {
                        var sizes: Set<Int> = []
                        for outputPadding in 0..<stride {
                            guard
                                let size = try? transposedConvolutionOutputSize(
                                    input: input, kernel: kernel, stride: stride, padding: padding,
                                    outputPadding: outputPadding)
                            else { continue }
                            sizes.insert(size)
                        }
                        let mapped = (1...40).filter {
                            input
                                == (try? convolutionOutputSize(
                                    input: $0, kernel: kernel, stride: stride, padding: padding))
                        }
                        #expect(sizes == Set(mapped), "\(input), \(kernel), \(stride), \(padding)")
                    }
                }
            }
        }
    }

    @Test func wrongNumbersAreNamed() throws {
        func message<T>(_ body: () throws(ShapeError) -> T) -> String {
            do {
                _ = try body()
                return "nothing was thrown"
            } catch {
                return error.description
            }
        }
        for bad in [0, -1, Int.min, Int.max, 1 << 31] {
            #expect(
                message { () throws(ShapeError) in try convolutionOutputSize(input: bad, kernel: 1) }
                    .contains("input must be at least 1 and below 2³¹, not \(bad)"))
            #expect(
                message { () throws(ShapeError) in
                    try convolutionOutputSize(input: 1, kernel: 1, stride: bad)
                }.contains("stride"))
            #expect(
                message { () throws(ShapeError) in
                    try transposedConvolutionOutputSize(input: 1, kernel: bad)
                }.contains("kernel"))
            #expect(
                message { () throws(ShapeError) in
                    try samePadding(input: 4, kernel: 2, dilation: bad)
                }.contains("dilation"))
            #expect(
                message { () throws(ShapeError) in
                    try poolingOutputSize(input: 4, window: bad)
                }.contains("kernel"))
        }
        for bad in [-1, Int.min, Int.max] {
            #expect(
                message { () throws(ShapeError) in
                    try convolutionOutputSize(input: 3, kernel: 1, padding: bad)
                }.contains("padding must not be negative"))
        }
        #expect(
            message { () throws(ShapeError) in try convolutionOutputSize(input: 2, kernel: 3) }
                .contains("larger"))
        #expect(
            message { () throws(ShapeError) in
                try transposedConvolutionOutputSize(input: 1, kernel: 2, padding: 1)
            }.contains("less padding"))
        #expect(
            message { () throws(ShapeError) in
                try transposedConvolutionOutputSize(input: 1, kernel: 2, stride: 2, outputPadding: 2)
            }.contains("outputPadding 2 must be less than the stride 2"))
        let largest = (1 << 31) - 1
        #expect(
            try convolutionOutputSize(
                input: largest, kernel: largest, padding: largest, dilation: largest, mode: .full) > 0)
        #expect(
            try transposedConvolutionOutputSize(
                input: largest, kernel: largest, stride: largest, outputPadding: largest - 1,
                dilation: largest) > 0)
    }
}
