import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@Suite struct BatchNormalizationTests {
    private static let backends: [any Backend] = [ReferenceBackend(), OneDNNBackend()]

    /// Output, input gradient (for Σ output · upstream) and the parameters after `steps` runs.
    @Compute
    private func run(
        _ layer: BatchNormalization, _ model: Sequential, x: TensorValue, on backend: any Backend,
        mode: Mode, steps: Int = 1
    ) throws -> [[Float]] {
        let input = Tensor.input("x", try model.inputShape)
        let y = try model(input)
        let upstream = Tensor.input("upstream", try model.outputShape)
        let loss = try (y * upstream).sum()
        let slope = try gradient(of: loss, withRespectTo: [input])
        let executable = try backend.compile(outputs: [y] + slope, mode: mode, batch: x.shape[0])
        var results: [TensorValue] = []
        for _ in 0..<steps {
            results = try executable.run(["x": x, "upstream": hashed(0, x.shape)])
        }
        return try results.map(\.floats)
            + [layer.movingMean, layer.movingVariance].map {
                try $0.variable?.value().floats ?? []
            }
    }

    /// Mean and biased variance of a channel, in float64.
    private func moments(_ x: TensorValue, channel: Int, axis: Int) -> (mean: Double, variance: Double) {
        let stride = x.shape.rowMajorStrides[axis]
        let values = x.doubles.enumerated().filter { $0.offset / stride % x.shape[axis] == channel }.map(
            \.element)
        let mean = values.reduce(0, +) / Double(values.count)
        return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
    }

    @Test(arguments: [(-1, [3, 5, 2, 4]), (1, [3, 4, 5, 2]), (3, [1, 1, 3, 4]), (-1, [7, 4])])
    func trainingFollowsTheBatchAndInferenceDoesNot(axis: Int, extents: [Int]) async throws {
        let shape = Shape(extents)
        let place = axis < 0 ? axis + extents.count : axis
        let x = try hashed(1, shape)
        for backend in Self.backends {
            let layer = BatchNormalization(axis: axis, momentum: 0.75)
            let built = try model(layer, input: Shape(Array(extents.dropFirst())))
            try await set(layer.gamma, [1, -2, 0.5, 3])
            try await set(layer.beta, [0, 1, -1, 0.25])
            let training = try await run(layer, built, x: x, on: backend, mode: .training, steps: 2)
            let inference = try await run(layer, built, x: x, on: backend, mode: .inference)
            // Inference changes nothing.
            #expect(inference[2...] == training[2...])
            let (gamma, beta) = ([1, -2, 0.5, 3], [0, 1, -1, 0.25])
            var moving: [(mean: Double, variance: Double)] = []
            for channel in 0..<4 {
                let batch = moments(x, channel: channel, axis: place)
                let kept = 0.75 * 0.75
                moving.append((batch.mean * (1 - kept), kept + batch.variance * (1 - kept)))
                #expect(abs(Double(training[2][channel]) - moving[channel].mean) < 1e-6)
                #expect(abs(Double(training[3][channel]) - moving[channel].variance) < 1e-6)
            }
            let stride = shape.rowMajorStrides[place]
            func expected(_ statistics: (Int) -> (mean: Double, variance: Double)) -> [Double] {
                x.doubles.enumerated().map { index, value in
                    let channel = index / stride % 4
                    let (mean, variance) = statistics(channel)
                    return (value - mean) / (variance + 1e-3).squareRoot() * gamma[channel] + beta[channel]
                }
            }
            let ofBatch = expected { moments(x, channel: $0, axis: place) }
            #expect(difference(training[0], ofBatch) < 2e-6, "\(backend.name)")
            #expect(difference(inference[0], expected { moving[$0] }) < 2e-6, "\(backend.name)")
        }
    }

    @Test func frozenItWorksAsInInference() async throws {
        let x = try hashed(1, [4, 3, 2])
        for backend in Self.backends {
            let layer = BatchNormalization()
            let built = try model(layer, input: [3, 2])
            try await set(layer.movingMean, [0.5, -0.25])
            try await set(layer.movingVariance, [2, 0.125])
            let inference = try await run(layer, built, x: x, on: backend, mode: .inference)
            layer.isTrainable = false
            let frozen = try await run(layer, built, x: x, on: backend, mode: .training, steps: 3)
            #expect(frozen == inference)
            #expect(frozen[2] == [0.5, -0.25] && frozen[3] == [2, 0.125])
            layer.isTrainable = true
            #expect(try await run(layer, built, x: x, on: backend, mode: .training)[2] != [0.5, -0.25])
        }
    }

    /// What the mode does not need is not in the graph that is run.
    @Test func eachModeHasItsOwnStatistics() async throws {
        let layer = BatchNormalization()
        let built = try model(layer, input: [6, 5, 3])
        let x = Tensor.input("x", [6, 5, 3])
        let y = try built(x)
        let slopes = try gradient(of: (y * y).sum(), withRespectTo: [x])
        let inference = try BoundGraph(outputs: [y] + slopes, mode: .inference, batch: 2).simplified()
        #expect(
            !topologicalOrder(of: inference.roots).contains {
                switch $0.operation {
                case .reduction, .batchNorm, .batchNormGradient: true
                default: false
                }
            })
        #expect(inference.updates.isEmpty)
        let training = try BoundGraph(outputs: [y] + slopes, mode: .training, batch: 2).simplified()
        let read = topologicalOrder(of: training.outputs).compactMap { tensor -> Variable? in
            if case .source(.variable(let variable)) = tensor.operation { variable } else { nil }
        }
        #expect(Set(read) == Set([layer.gamma, layer.beta].compactMap { $0?.variable }))
        #expect(
            Set(training.updates.map(\.variable))
                == Set([layer.movingMean, layer.movingVariance].compactMap(\.variable)))
    }

    /// Two runs of one call differ from one run of two calls, in which the second follows the first.
    @Test func calledTwiceItFollowsTwice() async throws {
        let layer = BatchNormalization(momentum: 0.5, center: false, scale: false)
        let x = LayerOutput.input("x", [2])
        let built = try Model(inputs: [x], outputs: [Add()([layer(x), layer(layer(x))])])
        #expect(
            built.parameters.map(\.path) == [
                "batch_normalization/moving_mean", "batch_normalization/moving_variance",
            ])
        #expect(built.trainableParameters.isEmpty)
        let input = Tensor.input("x", [2])
        let y = try built(input)
        let values = try TensorValue(shape: [2, 2], [1, 3, 3, 7])
        try await Compute.run {
            _ = try OneDNNBackend().compile(outputs: [y], mode: .training, batch: 2).run(["x": values])
        }
        // Means 2, 2 and 0 (or 5, 5 and 0), in the order of the calls.
        let mean = try await Compute.run { try layer.movingMean.variable?.value().floats ?? [] }
        #expect(mean.count == 2)
        #expect(abs(mean[0] - 0.75) < 1e-6 && abs(mean[1] - 1.875) < 1e-6, "\(mean)")
    }

    @Test func badArguments() throws {
        let cases: [(BatchNormalization, Shape, String)] = [
            (BatchNormalization(axis: 0), [3, 2], "axis 0 is none of an example"),
            (BatchNormalization(axis: 3), [3, 2], "1 to 2"),
            (BatchNormalization(axis: -3), [3, 2], "axis -3"),
            (BatchNormalization(axis: .min), [3, 2], "axis"),
            (BatchNormalization(), .scalar, "axis -1"),
            (BatchNormalization(momentum: -0.1), [2], "momentum must be from 0 to 1, not -0.1"),
            (BatchNormalization(momentum: .nan), [2], "momentum"),
            (BatchNormalization(epsilon: 0), [2], "epsilon must be positive"),
            (BatchNormalization(epsilon: 1e-60), [2], "epsilon must be positive"),
        ]
        for (layer, input, text) in cases {
            let error = #expect(throws: ShapeError.self) { try model(layer, input: input) }
            #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
        }
    }
}
