import FoveaGraph
import Testing

@testable import FoveaLayers

@Suite struct InitializerTests {
    static let shapes: [Shape] = [[3, 3, 32, 64], [784, 30]]

    private func floats(_ initializer: Initializer, _ shape: Shape, seed: UInt64 = 5, stream: UInt32 = 2)
        throws
        -> [Float]
    {
        try initializer.value(shape: shape, seed: seed, stream: stream).floats
    }

    private func statistics(_ values: [Float]) -> (mean: Double, deviation: Double, largest: Double) {
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        let variance =
            values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
        return (mean, variance.squareRoot(), Double(values.map(abs).max() ?? 0))
    }

    @Test(arguments: shapes) func varianceScaling(shape: Shape) throws {
        let fanIn = Double(shape.dimensions.dropLast().reduce(1, *))
        let fanOut = Double(shape.dimensions.dropLast(2).reduce(1, *) * shape.channels)
        let cases: [(Initializer, Double, Bool)] = [
            (.glorotUniform, 2 / (fanIn + fanOut), false), (.glorotNormal, 2 / (fanIn + fanOut), true),
            (.heUniform, 2 / fanIn, false), (.heNormal, 2 / fanIn, true),
            (.lecunUniform, 1 / fanIn, false), (.lecunNormal, 1 / fanIn, true),
        ]
        for (initializer, variance, isNormal) in cases {
            let (mean, deviation, largest) = statistics(try floats(initializer, shape))
            let expected = variance.squareRoot()
            #expect(abs(deviation / expected - 1) < 0.02, "\(initializer)")
            #expect(abs(mean) < 0.03 * expected, "\(initializer)")
            let limit = isNormal ? 2 * expected / 0.87962566103423978 : 3.0.squareRoot() * expected
            #expect(largest <= limit * 1.000001 && largest > 0.98 * limit, "\(initializer)")
        }
    }

    @Test func plainDistributions() throws {
        let shape: Shape = [200, 100]
        #expect(try floats(.zeros, shape) == [Float](repeating: 0, count: 20_000))
        #expect(try floats(.ones, [3]) == [1, 1, 1])
        #expect(try floats(.constant(-2.5), [2, 1]) == [-2.5, -2.5])

        let uniform = statistics(try floats(.randomUniform(min: 2, max: 4), shape).map { $0 - 3 })
        #expect(abs(uniform.mean) < 0.02 && abs(uniform.deviation - 1 / 3.0.squareRoot()) < 0.01)
        #expect(uniform.largest <= 1 && uniform.largest > 0.99)

        let normal = statistics(try floats(.randomNormal(mean: 1, stddev: 0.5), shape).map { $0 - 1 })
        #expect(abs(normal.mean) < 0.02 && abs(normal.deviation - 0.5) < 0.01 && normal.largest > 1.5)

        let truncated = statistics(try floats(.truncatedNormal(mean: 1, stddev: 0.5), shape).map { $0 - 1 })
        #expect(abs(truncated.mean) < 0.02 && abs(truncated.deviation - 0.5 * 0.8796) < 0.01)
        #expect(truncated.largest <= 1.000001 && truncated.largest > 0.98)
    }

    @Test func defaultsAreThoseOfKeras() {
        #expect(Initializer.randomUniform() == .randomUniform(min: -0.05, max: 0.05))
        #expect(Initializer.randomNormal() == .randomNormal(mean: 0, stddev: 0.05))
        #expect(Initializer.truncatedNormal() == .truncatedNormal(mean: 0, stddev: 0.05))
    }

    @Test func fans() {
        func fans(_ shape: Shape) -> [Double] { FanMode.allCases.map { $0.count(of: shape) } }
        #expect(fans([5, 3, 2, 7]) == [30, 105, 67.5])
        #expect(fans([4, 9]) == [4, 9, 6.5])
        #expect(fans([6]) == [6, 6, 6])
        #expect(fans(.scalar) == [1, 1, 1])
    }

    /// The one definition, also in ways that have no name of their own.
    @Test(arguments: shapes) func scales(shape: Shape) throws {
        for mode in FanMode.allCases {
            for (distribution, reach) in [
                (ScaledDistribution.truncatedNormal, 2 / 0.87962566103423978), (.untruncatedNormal, 6),
                (.uniform, 3.0.squareRoot()),
            ] {
                let initializer = Initializer.varianceScaling(
                    scale: 0.5, mode: mode, distribution: distribution)
                let (mean, deviation, largest) = statistics(try floats(initializer, shape))
                let expected = (0.5 / mode.count(of: shape)).squareRoot()
                #expect(abs(deviation / expected - 1) < 0.02 && abs(mean) < 0.03 * expected, "\(initializer)")
                #expect(largest <= reach * expected * 1.000001, "\(initializer)")
                // Normal numbers without an end go further than those with one.
                if distribution == .untruncatedNormal { #expect(largest > 3 * expected) }
            }
        }
        #expect(try floats(.varianceScaling(scale: 2), shape) == floats(.heNormal, shape))
        #expect(
            try floats(.varianceScaling(mode: .fanAvg, distribution: .uniform), shape)
                == floats(.glorotUniform, shape))
    }

    @Test(arguments: [[5, 5], [9, 4], [4, 9], [3, 2, 5, 7], [2, 2, 3, 40], [1, 6], [6, 1]] as [Shape])
    func orthogonal(shape: Shape) throws {
        let matrix = try floats(.orthogonal(gain: 3), shape).map(Double.init)
        let columns = shape.channels
        let rows = matrix.count / columns
        // Products of the rows, or of the columns where these are fewer.
        let count = min(rows, columns)
        func element(_ vector: Int, _ place: Int) -> Double {
            rows < columns ? matrix[vector * columns + place] : matrix[place * columns + vector]
        }
        for a in 0..<count {
            for b in 0..<count {
                let product = (0..<max(rows, columns)).reduce(0) { $0 + element(a, $1) * element(b, $1) }
                #expect(abs(product - (a == b ? 9 : 0)) < 1e-5, "\(a), \(b)")
            }
        }
        #expect(try floats(.orthogonal(), shape, seed: 6) != floats(.orthogonal(), shape))
    }

    /// All orthogonal matrices are equally likely, so the elements' signs and sizes do not depend on their place.
    @Test func orthogonalMatricesAreEven() throws {
        var sums = [Double](repeating: 0, count: 9)
        var squares = sums
        for stream in 0..<2000 {
            for (place, x) in try floats(.orthogonal(), [3, 3], stream: UInt32(stream)).enumerated() {
                sums[place] += Double(x) / 2000
                squares[place] += Double(x * x) / 2000
            }
        }
        #expect(sums.allSatisfy { abs($0) < 0.06 }, "\(sums)")
        #expect(squares.allSatisfy { abs($0 - 1.0 / 3) < 0.03 }, "\(squares)")
    }

    @Test func identity() throws {
        #expect(try floats(.identity(), [2, 3]) == [1, 0, 0, 0, 1, 0])
        #expect(try floats(.identity(gain: -2), [3, 2]) == [-2, 0, 0, -2, 0, 0])
    }

    @Test func unfitShapes() {
        let cases: [(any Layer, String)] = [
            (Conv2D(filters: 2, kernelSize: 3, kernelInitializer: .identity()), "makes matrices only"),
            (Dense(units: 2, biasInitializer: .orthogonal()), "two or more axes"),
            (Dense(units: 1 << 16, kernelInitializer: .orthogonal()), "would take too long"),
        ]
        for (layer, text) in cases {
            let error = #expect(throws: ShapeError.self) { try model(layer, input: [5, 5, 1 << 12]) }
            #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
        }
    }

    /// A filter of a grouped convolution sums over its own group of channels only.
    @Test func groupsLessenTheFanIn() async throws {
        let layer = Conv2D(filters: 64, kernelSize: 3, groups: 4, kernelInitializer: .lecunNormal)
        let built = try model(layer, input: [8, 8, 64])
        #expect(
            try await abs(statistics(values(of: built)[0]).deviation / (1 / (9 * 16.0)).squareRoot() - 1)
                < 0.03)
    }

    @Test(arguments: [Initializer.glorotUniform, .heNormal, .randomNormal(), .orthogonal()])
    func seedAndStreamDecide(initializer: Initializer) throws {
        let first = try floats(initializer, [64, 10])
        #expect(try floats(initializer, [64, 10]) == first)
        #expect(try floats(initializer, [64, 10], seed: 6) != first)
        #expect(try floats(initializer, [64, 10], stream: 3) != first)
    }

    @Test(arguments: [
        Initializer.constant(.nan), .constant(1e300), .randomUniform(min: 1, max: 0),
        .randomNormal(mean: 0, stddev: -1),
        .truncatedNormal(mean: .infinity, stddev: 1), .randomUniform(min: .nan, max: 1),
        .varianceScaling(scale: 0), .varianceScaling(scale: -1), .varianceScaling(scale: .nan),
        .orthogonal(gain: .infinity), .identity(gain: .nan),
    ])
    func senselessSettings(initializer: Initializer) throws {
        let layer = Dense(units: 2, kernelInitializer: initializer)
        let error = #expect(throws: ShapeError.self) { try model(layer, input: [3]) }
        #expect(error?.path == ["model", "dense"])
    }
}
