import FoveaGraph
import FoveaSignal
import Testing

@Suite struct KernelTests {
    /// A plane that grows by `down` per row and `right` per column.
    private func ramp(down: Float, right: Float) throws -> TensorValue {
        try TensorValue(rows: (0..<5).map { y in (0..<5).map { x in Float(y) * down + Float(x) * right } })
    }

    private func middle(_ image: TensorValue, _ kernel: TensorValue) async throws -> Float {
        try await convolution2D(image, kernel, mode: .same).floats[12]
    }

    @Test func signsAreThoseStated() async throws {
        let (down, right) = try (ramp(down: 1, right: 0), ramp(down: 0, right: 1))
        for (horizontal, vertical, gain) in [
            (Kernels.sobelHorizontal, Kernels.sobelVertical, 8),
            (Kernels.prewittHorizontal, Kernels.prewittVertical, 6),
            (Kernels.scharrHorizontal, Kernels.scharrVertical, 32),
        ] as [(TensorValue, TensorValue, Float)] {
            #expect(try await middle(down, horizontal) == gain)
            #expect(try await middle(right, horizontal) == 0)
            #expect(try await middle(right, vertical) == gain)
            #expect(try await middle(down, vertical) == 0)
        }
        let (lowerRight, lowerLeft) = try (ramp(down: 1, right: 1), ramp(down: 1, right: -1))
        #expect(try await middle(lowerRight, Kernels.diagonalRising) > 0)
        #expect(try await middle(lowerLeft, Kernels.diagonalRising) == 0)
        #expect(try await middle(lowerLeft, Kernels.diagonalFalling) > 0)
        #expect(try await middle(lowerRight, Kernels.diagonalFalling) == 0)
    }

    @Test func sumsAreZeroForEdgesAndOneForLooks() throws {
        for kernel in [
            Kernels.sobelHorizontal, Kernels.sobelVertical, Kernels.prewittHorizontal,
            Kernels.prewittVertical, Kernels.scharrHorizontal, Kernels.scharrVertical,
            Kernels.diagonalRising, Kernels.diagonalFalling, Kernels.laplacian, Kernels.edgeDetection,
            Kernels.difference, Kernels.centralDifference, Kernels.secondDifference,
        ] {
            #expect(kernel.floats.reduce(0, +) == 0)
            #expect(kernel.floats.contains { $0 > 0 })
        }
        for kernel in [
            Kernels.sharpen, Kernels.emboss, try Kernels.boxBlur(size: [2, 5]),
            try Kernels.gaussian(size: [5, 4], sigma: 1.3), try Kernels.gaussian(length: 6, sigma: 1e-200),
            try Kernels.gaussian(size: 3, sigma: 1e300), try Kernels.movingAverage(7),
        ] {
            #expect(abs(kernel.floats.reduce(0, +) - 1) < 1e-6)
        }
        // A tiny bell lies in the middle, or on the two samples around it.
        #expect(try Kernels.gaussian(length: 3, sigma: 1e-300).floats == [0, 1, 0])
        #expect(try Kernels.gaussian(length: 4, sigma: 1e-300).floats == [0, 0.5, 0.5, 0])
    }

    @Test func differencesOfAParabola() async throws {
        let squares = TensorValue((0..<6).map { Float($0 * $0) })
        func inside(_ kernel: TensorValue) async throws -> [Float] {
            try await convolution1D(squares, kernel, mode: .valid).floats
        }
        #expect(try await inside(Kernels.difference) == [1, 3, 5, 7, 9])
        #expect(try await inside(Kernels.centralDifference) == [2, 4, 6, 8])
        #expect(try await inside(Kernels.secondDifference) == [2, 2, 2, 2])
    }

    @Test func badSizesAndDeviationsAreRefused() {
        for size: Size2D in [0, [-1, 3], [3, 0], Size2D(.max, .max), Size2D(.min, 1), [1 << 13, 1 << 12]] {
            #expect(throws: ShapeError.self) { try Kernels.boxBlur(size: size) }
            #expect(throws: ShapeError.self) { try Kernels.gaussian(size: size, sigma: 1) }
        }
        for length in [0, -3, .max, .min] {
            #expect(throws: ShapeError.self) { try Kernels.movingAverage(length) }
            #expect(throws: ShapeError.self) { try Kernels.gaussian(length: length, sigma: 1) }
        }
        for sigma in [0, -1, Double.nan, .infinity, -.infinity] {
            #expect(throws: ShapeError.self) { try Kernels.gaussian(size: 3, sigma: sigma) }
            #expect(throws: ShapeError.self) { try Kernels.gaussian(length: 3, sigma: sigma) }
        }
    }

    @Test func aBankHasEveryCombination() throws {
        let bank = try gaborBank(frequencies: [0.1, 0.2, 0.3], orientations: 4, sigmas: [1, 2], nStds: 2)
        #expect(bank.count == 24)
        #expect(bank.prefix(4).map(\.frequency) == [0.1, 0.2, 0.3, 0.1])
        #expect(bank.prefix(4).map(\.sigmaX) == [1, 1, 1, 2])
        #expect(bank.map(\.theta)[6] == .pi / 4 && bank.map(\.theta)[23] == .pi * 3 / 4)
        #expect(bank[0].real.shape == [5, 5] && bank[3].real.shape == [9, 9])
        // Turned by a quarter, the kernel is transposed.
        let (first, turned) = (bank[0].imaginary.floats, bank[12].imaginary.floats)
        #expect((0..<25).allSatisfy { abs(first[$0] - turned[$0 % 5 * 5 + $0 / 5]) < 1e-7 })
        #expect(first.contains { abs($0) > 0.01 })
    }

    @Test func badGaborArgumentsAreNamed() {
        func expectError(_ named: String, _ body: () throws -> Void) {
            let error = #expect(throws: ShapeError.self, performing: body)
            #expect(error?.description.contains(named) == true)
        }
        for bad in [0, -0.1, Double.nan, .infinity] {
            expectError("frequency") { _ = try gaborKernel(frequency: bad) }
            expectError("bandwidth") { _ = try gaborKernel(frequency: 0.1, bandwidth: bad) }
            expectError("sigmaX") { _ = try gaborKernel(frequency: 0.1, sigmaX: bad) }
            expectError("sigmaY") { _ = try gaborKernel(frequency: 0.1, sigmaY: bad) }
            expectError("nStds") { _ = try gaborKernel(frequency: 0.1, nStds: bad) }
        }
        expectError("theta") { _ = try gaborKernel(frequency: 0.1, theta: .nan) }
        expectError("offset") { _ = try gaborKernel(frequency: 0.1, offset: .infinity) }
        expectError("2²⁴") { _ = try gaborKernel(frequency: 1e-300) }
        expectError("2²⁴") { _ = try gaborKernel(frequency: 0.1, sigmaX: 1e308, sigmaY: 1e308) }
        expectError("too large") { _ = try gaborKernel(frequency: 0.1, sigmaX: 1e-200, sigmaY: 1e-200) }
        expectError("too large") { _ = try gaborKernel(frequency: 1e308, sigmaX: 1, sigmaY: 1) }
        expectError("0 frequencies") { _ = try gaborBank(frequencies: [], orientations: 1, sigmas: [1]) }
        expectError("-4") { _ = try gaborBank(frequencies: [0.1], orientations: -4, sigmas: [1]) }
        expectError("4096") { _ = try gaborBank(frequencies: [0.1], orientations: .max, sigmas: [1]) }
    }

    @Test func aBankAnswersToItsStripesAndNotToBrightness() async throws {
        let stripes = try TensorValue(
            rows: (0..<12).map { _ in (0..<12).map { $0 % 4 < 2 ? Float(1) : 0 } })
        let bank = try gaborBank(frequencies: [0.25], orientations: 2, sigmas: [2])
        let response = try await filterBankResponse(.constant(stripes), bank).evaluated().floats
        let along = response.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        let across = response.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        #expect(along.allSatisfy { $0 > 0.4 } && across.allSatisfy { $0 < 0.05 })

        let brighter = try TensorValue(shape: [12, 12], stripes.floats.map { 50 + 3 * $0 })
        let same = try await filterBankResponse(.constant(brighter), bank).evaluated()
        #expect(difference(same, response.map(Double.init)) < 1e-5)

        // One brightness and images of zeros stay finite, a NaN stays visible.
        for brightness: Float in [0, 0.1, 1e6] {
            let flat = Tensor.constant(TensorValue(repeating: brightness, shape: [6, 6]))
            let answers = try await filterBankResponse(flat, bank).evaluated().floats
            #expect(answers.allSatisfy { $0 < 0.2 })
        }
        let broken = Tensor.constant(TensorValue(repeating: .nan, shape: [6, 6]))
        #expect(try await filterBankResponse(broken, bank).evaluated().floats.allSatisfy(\.isNaN))
    }

    @Test func aZeroAnswerHasAZeroSlope() async throws {
        let bank = try gaborBank(frequencies: [0.25], orientations: 1, sigmas: [1])
        let image = Tensor.argument("x", [4, 4])
        let response = try filterBankResponse(image, bank, normalizesImage: false)
        let slope = try gradient(of: response.sum(), withRespectTo: [image])[0]
        let zeros = TensorValue(repeating: 0, shape: [4, 4])
        #expect(try await slope.evaluated(["x": zeros]) == zeros)
    }
}
