import Foundation
import FoveaGraph
import FoveaLayers
import Testing

@Suite struct ActivationTests {
    private func expected(_ function: ActivationFunction, _ x: Double) -> Double? {
        switch function {
        case .linear: x
        case .relu: max(x, 0)
        case .relu6: min(max(x, 0), 6)
        case .leakyRelu: x > 0 ? x : 0.2 * x
        case .elu, .celu: x > 0 ? x : expm1(x)
        case .selu: 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x))
        case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
        case .geluTanh:
            x / 2 * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .swish: x / (1 + exp(-x))
        case .softplus: softplus(x)
        case .softsign: x / (1 + abs(x))
        case .sigmoid: 1 / (1 + exp(-x))
        case .logSigmoid: -softplus(-x)
        case .hardSigmoid: min(max(x + 3, 0), 6) / 6
        case .hardSwish: x * (min(max(x + 3, 0), 6) / 6)
        case .tanh: Foundation.tanh(x)
        case .hardTanh: min(max(x, -1), 1)
        case .exponential: exp(x)
        case .mish: x * Foundation.tanh(softplus(x))
        case .softmax, .logSoftmax: nil
        }
    }

    private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

    /// Value and gradient (of the sum weighted with `upstream`) at each point.
    private func run(_ function: ActivationFunction, _ points: [Float], upstream: [Float]) async throws -> (
        [Float], [Float]
    ) {
        let x = Tensor.argument("x", [points.count])
        let y = try function(x)
        let slope = try gradient(of: (y * .constant(TensorValue(upstream))).sum(), withRespectTo: [x])[0]
        let feeds = ["x": TensorValue(points)]
        return (
            try await evaluate(y, feeds: feeds, batch: 1).floats,
            try await evaluate(slope, feeds: feeds, batch: 1).floats
        )
    }

    @Test(arguments: ActivationFunction.allCases) func keepsNaN(function: ActivationFunction) async throws {
        let (values, _) = try await run(function, [-1, .nan, 2], upstream: [1, 1, 1])
        #expect(values[1].isNaN)
    }

    @Test(arguments: ActivationFunction.allCases.filter { ![.softmax, .logSoftmax].contains($0) })
    func valuesAndGradients(function: ActivationFunction) async throws {
        let points: [Float] = [-9.5, -4, -2.25, -1.25, -0.5, -0.0625, 0.0625, 0.5, 1.25, 2.25, 4, 9.5]
        let upstream = points.indices.map { Float($0) / 4 - 1.3 }
        let (values, slopes) = try await run(function, points, upstream: upstream)
        let step = 1e-4
        for (index, point) in points.enumerated() {
            let x = Double(point)
            let value = try #require(expected(function, x))
            #expect(abs(Double(values[index]) - value) < 1e-6 * max(1, abs(value)), "at \(x)")
            let above = try #require(expected(function, x + step))
            let below = try #require(expected(function, x - step))
            let slope = (above - below) / (2 * step) * Double(upstream[index])
            #expect(abs(Double(slopes[index]) - slope) < 2e-6 * max(1, abs(slope)), "slope at \(x)")
        }
    }

    @Test(arguments: ActivationFunction.allCases)
    func finiteFarOut(function: ActivationFunction) async throws {
        var points: [Float] = [-1e30, -1e4, -100, -88, -20, 0, 20, 88, 100, 1e4, 1e30]
        // Beyond, float32 cannot hold it.
        if function == .exponential { points.removeAll { $0 > 88.7 } }
        let (values, slopes) = try await run(
            function, points, upstream: [Float](repeating: 1, count: points.count))
        for (index, point) in points.enumerated() {
            #expect(values[index].isFinite && slopes[index].isFinite, "at \(point)")
            if let value = expected(function, Double(point)) {
                #expect(abs(Double(values[index]) - value) <= 1e-6 * abs(value) + 1e-30, "at \(point)")
            }
        }
    }

    /// Where both sides agree on the slope, zero is no exception.
    @Test func slopesAtZero() async throws {
        for (function, slope) in [
            (ActivationFunction.softplus, 0.5), (.elu, 1), (.gelu, 0.5), (.swish, 0.5), (.sigmoid, 0.25),
            (.tanh, 1), (.geluTanh, 0.5), (.softsign, 1), (.logSigmoid, 0.5), (.mish, 0.6),
            (.hardSigmoid, 1.0 / 6), (.celu, 1), (.relu, 0), (.relu6, 0), (.selu, 1.050_700_987_355_480_5),
        ] {
            #expect(try await run(function, [0], upstream: [1]).1 == [Float(slope)], "\(function)")
        }
    }

    /// `exp(x) - 1` would have no digits left.
    @Test func smallNegativeNumbersKeepTheirDigits() async throws {
        let points = (-30..<0).map { -exp2(Float($0)) }
        for function in [ActivationFunction.elu, .celu, .selu] {
            let (values, slopes) = try await run(
                function, points, upstream: [Float](repeating: 1, count: points.count))
            for (index, point) in points.enumerated() {
                let value = try #require(expected(function, Double(point)))
                #expect(abs(Double(values[index]) - value) < 2e-7 * abs(value), "\(function) at \(point)")
            }
            #expect(slopes.allSatisfy { $0 > 0 })
        }
        // Nor has 1 + (exp(x) - 1) where it is small.
        let far = try await run(.elu, [-20, -50], upstream: [1, 1]).1
        #expect(abs(Double(far[0]) / exp(-20) - 1) < 1e-6 && abs(Double(far[1]) / exp(-50) - 1) < 1e-6)
    }

    @Test func softmaxOverTheLastAxis() async throws {
        let x = Tensor.input("x", [2, 3])
        let value = try hashed(3, [2, 2, 3])
        let y = try await evaluate(ActivationFunction.softmax(x), feeds: ["x": value], batch: 2).floats
        for row in 0..<4 {
            let powers = value.floats[row * 3..<row * 3 + 3].map { exp(Double($0)) }
            let shares = powers.map { $0 / powers.reduce(0, +) }
            #expect(difference(Array(y[row * 3..<row * 3 + 3]), shares) < 1e-6)
        }
    }
}
