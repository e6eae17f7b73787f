import Foundation
import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import FoveaSignal
import TestSupport
import Testing

@Suite struct ConvolutionPropertyTests {
    /// `Σⱼ x[j] · k[i - j]` for every `i` where it is not empty.
    private func fullConvolution(_ x: [Double], _ k: [Double]) -> [Double] {
        (0..<x.count + k.count - 1).map { i in
            x.indices.reduce(0) { $0 + (k.indices.contains(i - $1) ? x[$1] * k[i - $1] : 0) }
        }
    }

    @Test func everySizeModeAndStrideFollowsTheDefinition() async throws {
        for n in 1...7 {
            for k in 1...6 {
                let (x, kernel) = try (hashed(3, [n]), hashed(4, [k]))
                for method in ConvolutionMethod.allCases {
                    let oriented =
                        method == .convolution ? kernel.doubles : kernel.doubles.reversed()
                    let full = fullConvolution(x.doubles, oriented)
                    for mode in ConvolutionMode.allCases where mode != .valid || k <= n {
                        let kept =
                            switch mode {
                            case .full: full[...]
                            case .same: full[((k - 1) / 2)...].prefix(n)
                            case .valid: full[(k - 1)...].prefix(n - k + 1)
                            }
                        let stride = (n + k) % 3 + 1
                        let expected = Swift.stride(from: kept.startIndex, to: kept.endIndex, by: stride)
                            .map { kept[$0] }
                        let result = try await convolution1D(
                            x, kernel, mode: mode, stride: stride, method: method)
                        #expect(difference(result, expected) < 1e-6, "\(n), \(k), \(mode), \(method)")
                        let count = try convolutionOutputSize(
                            input: n, kernel: k, stride: stride, mode: mode)
                        #expect(result.shape == [count])
                    }
                }
            }
        }
    }

    @Test func operandsOfAFullConvolutionMayBeExchanged() async throws {
        for (n, k) in [(1, 1), (9, 4), (3, 8), (40, 17)] {
            let (x, kernel) = try (hashed(5, [n]), hashed(6, [k]))
            let exchanged = try await convolution1D(kernel, x)
            #expect(difference(try await convolution1D(x, kernel), exchanged.doubles) < 1e-6)
        }
        for (image, kernel) in [([5, 8], [3, 4]), ([2, 7], [6, 1]), ([1, 1], [4, 3])] as [([Int], [Int])] {
            let (x, k) = try (hashed(5, Shape(image)), hashed(6, Shape(kernel)))
            let exchanged = try await convolution2D(k, x)
            #expect(difference(try await convolution2D(x, k), exchanged.doubles) < 1e-6)
        }
        // A cross-correlation comes out backwards.
        let (x, k) = try (hashed(5, [9]), hashed(6, [4]))
        let forward = try await convolution1D(x, k, method: .crossCorrelation)
        let backward = try await convolution1D(k, x, method: .crossCorrelation)
        #expect(difference(forward, backward.doubles.reversed()) < 1e-6)
        #expect(difference(forward, backward.doubles) > 0.1)
    }

    @Test func theSpectrumOfAConvolutionIsTheProductOfSpectra() async throws {
        let (x, k) = try (hashed(7, [19]), hashed(8, [6]))
        let y = try await convolution1D(x, k).doubles
        #expect(y.count == 24)
        for frequency in 0..<24 {
            func spectrum(_ samples: [Double]) -> (Double, Double) {
                samples.enumerated().reduce((0, 0)) { sum, sample in
                    let angle = -2 * Double.pi * Double(frequency * sample.offset) / 24
                    return (sum.0 + sample.element * cos(angle), sum.1 + sample.element * sin(angle))
                }
            }
            let (a, b, c) = (spectrum(x.doubles), spectrum(k.doubles), spectrum(y))
            #expect(abs(a.0 * b.0 - a.1 * b.1 - c.0) < 1e-5)
            #expect(abs(a.0 * b.1 + a.1 * b.0 - c.1) < 1e-5)
        }
    }

    @Test func convolutionIsLinear() async throws {
        let (x, z, k) = try (hashed(1, [6, 9]), hashed(2, [6, 9]), hashed(3, [4, 3]))
        let mixed = try TensorValue(shape: [6, 9], zip(x.floats, z.floats).map { 3 * $0 - 0.5 * $1 })
        for boundary: Boundary in [.constant(0), .wrap, .reflect, .nearest] {
            func result(_ image: TensorValue) async throws -> [Double] {
                try await convolution2D(image, k, mode: .same, stride: [1, 2], boundary: boundary).doubles
            }
            let parts = zip(try await result(x), try await result(z)).map { 3 * $0 - 0.5 * $1 }
            let whole = try await result(mixed)
            #expect(zip(whole, parts).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test func anImpulseGivesTheKernelAndACorrelationItsMirrorImage() async throws {
        let impulse = try TensorValue(rows: [[0, 0, 0], [0, 1, 0], [0, 0, 0]])
        let kernel = try hashed(9, [3, 3])
        #expect(try await convolution2D(impulse, kernel, mode: .same) == kernel)
        let mirrored = try await convolution2D(impulse, kernel, mode: .same, method: .crossCorrelation)
        #expect(mirrored.floats == kernel.floats.reversed())
    }

    @Test func batchesAndChannelsAreConvolvedOneByOne() async throws {
        let (images, kernel) = try (hashed(1, [2, 5, 4, 3]), hashed(2, [2, 3]))
        let result = try await convolution2D(images, kernel, mode: .same, stride: [2, 1], padding: [0, 1])
        #expect(result.shape == [2, 3, 6, 3])
        let signals = try hashed(1, [3, 7])
        let rows = try await convolution1D(signals, hashed(2, [4]), mode: .valid, boundary: .nearest)
        #expect(rows.shape == [3, 4])
        for n in 0..<2 {
            for c in 0..<3 {
                let plane = (0..<20).map { images.floats[(n * 20 + $0) * 3 + c] }
                let alone = try await convolution2D(
                    TensorValue(shape: [1, 5, 4], plane), kernel, mode: .same, stride: [2, 1],
                    padding: [0, 1]
                )
                #expect(alone.shape == [1, 3, 6])
                #expect((0..<18).map { result.floats[(n * 18 + $0) * 3 + c] } == alone.floats)
            }
        }
        for n in 0..<3 {
            let alone = try await convolution1D(
                TensorValue(Array(signals.floats[n * 7..<n * 7 + 7])), hashed(2, [4]), mode: .valid)
            #expect(Array(rows.floats[n * 4..<n * 4 + 4]) == alone.floats)
        }
    }

    private static let cases = [
        OperationCase("signals", [.batch([3, 9]), .fixed([4])]) {
            [try convolve1D($0[0], $0[1], mode: .same, stride: 2, padding: 1)]
        },
        OperationCase("kernel longer than signal", [.batch([2, 3]), .fixed([8])]) {
            [try convolve1D($0[0], $0[1], method: .crossCorrelation, boundary: .reflect)]
        },
        OperationCase("images", [.batch([2, 5, 7]), .fixed([2, 3])]) {
            [try convolve2D($0[0], $0[1], stride: [2, 1])]
        },
        OperationCase("colour images, wrapped", [.batch([2, 5, 4, 3]), .fixed([4, 3])]) {
            [try convolve2D($0[0], $0[1], mode: .same, padding: [1, 0], boundary: .wrap)]
        },
        OperationCase("one image, edge repeated", [.fixed([4, 6]), .fixed([3, 3])]) {
            [try convolve2D($0[0], $0[1], mode: .same, method: .crossCorrelation, boundary: .nearest)]
        },
        OperationCase("Gabor bank", [.batch([2, 6, 5], .uniform(0, 1))]) {
            let bank = try gaborBank(frequencies: [0.2], orientations: 2, sigmas: [0.8])
            return [try filterBankResponse($0[0], bank)]
        },
    ]

    @Test(arguments: cases) @Compute
    func batchesOfAnySizeAndGradientsAreThoseOfTheReference(operationCase: OperationCase) throws {
        let backend = OneDNNBackend(precision: .strict)
        try check(operationCase, on: backend, relativeTolerance: 1e-5)
        try checkGradient(operationCase)
        if operationCase.inputs[0].isBatched {
            try check(operationCase, on: backend, batch: 5, relativeTolerance: 1e-5)
        }
    }
}
