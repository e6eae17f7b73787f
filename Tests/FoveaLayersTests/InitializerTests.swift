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
        #expect(Initializer.fans(of: [5, 3, 2, 7]) == (30, 105))
        #expect(Initializer.fans(of: [4, 9]) == (4, 9))
        #expect(Initializer.fans(of: [6]) == (6, 6))
        #expect(Initializer.fans(of: .scalar) == (1, 1))
    }

    /// A filter of a grouped convolution sums over its own group of channels only.
    @Test func groupsLessenTheFanIn() async throws {
        let layer = Conv2D(filters: 64, kernelSize: 3, groups: 4, kernelInitializer: .lecunNormal)
        let built = try model(layer, input: [8, 8, 64])
        #expect(
            try await abs(statistics(values(of: built)[0]).deviation / (1 / (9 * 16.0)).squareRoot() - 1)
                < 0.03)
    }

    @Test(arguments: [Initializer.glorotUniform, .heNormal, .randomNormal()])
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
    ])
    func senselessSettings(initializer: Initializer) throws {
        let layer = Dense(units: 2, kernelInitializer: initializer)
        let error = #expect(throws: ShapeError.self) { try model(layer, input: [3]) }
        #expect(error?.path == ["model", "dense"])
    }
}
