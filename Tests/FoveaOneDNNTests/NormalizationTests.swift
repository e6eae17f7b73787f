import CKernels
import FoveaGraph
import FoveaOneDNN
import FoveaPlanner
import FoveaRuntime
import TestSupport
import Testing

/// Batch normalisation and residual networks on oneDNN against the reference.
@Suite(.serialized) struct NormalizationTests {
    @Compute
    private func train(
        _ image: Shape, _ channels: [Int], batch: Int, poolsStem: Bool, on backend: any Backend
    ) throws -> [TensorValue] {
        let network = try ResidualNetwork(image: image, channels: channels, poolsStem: poolsStem)
        let executable = try backend.compile(
            outputs: [network.loss], updates: network.updates, mode: .training, batch: batch)
        let values = ResidualNetwork.values(image: image, batch: batch)
        var results: [TensorValue] = []
        for step in 0..<2 as Range<UInt64> { results += try executable.run(values, step: step) }
        return try results + network.updates.map { try $0.variable.value() }
    }

    @Test(arguments: [
        ([16, 32, 64], Shape([16, 16, 3]), 4, false), ([64, 128], Shape([15, 18, 3]), 2, true),
        ([5, 17], Shape([11, 9, 3]), 3, false), ([3, 16], Shape([12, 9, 1]), 1, false),
        ([20, 40], Shape([14, 21, 2]), 2, true),
    ])
    @Compute func networksEqualReference(
        channels: [Int], image: Shape, batch: Int, poolsStem: Bool
    ) throws {
        let expected = try train(
            image, channels, batch: batch, poolsStem: poolsStem, on: ReferenceBackend())
        for precision in [Precision.strict, .float32] {
            let actual = try train(
                image, channels, batch: batch, poolsStem: poolsStem,
                on: OneDNNBackend(precision: precision))
            for (place, (actual, expected)) in zip(actual, expected).enumerated() {
                expectClose(
                    actual, expected, relativeTolerance: precision == .strict ? 2e-4 : 1e-3,
                    "result \(place) of \(channels) in \(precision)")
            }
        }
    }

    /// A mean that is large beside the deviations costs no more than the rounding of the input's elements and of the mean,
    /// 6e-5 each at 1000.
    @Test(
        arguments: [[64, 10, 9, 16], [5, 7, 9, 17], [2, 31, 17, 48], [1, 20, 20, 3]] as [Shape],
        [false, true])
    @Compute func largeMeansCostNoPrecision(shape: Shape, isBlocked: Bool) throws {
        var generator = PhiloxGenerator(seed: 4, stream: 0, step: 0)
        let numbers = (0..<shape.elementCount).map { _ in generator.uniform() + generator.uniform() - 1 }
        // Uniform numbers in 0...1 have the variance 1 / 12.
        let images = TensorValue(
            shape: shape, dtype: .float32, doubles: numbers.map { $0 * 6.0.squareRoot() + 1000 })
        let channels = shape.channels
        let identity = TensorValue(
            shape: [1, 1, channels, channels], dtype: .float32,
            doubles: (0..<channels * channels).map { $0 % (channels + 1) == 0 ? 1 : 0 })
        let input = Tensor.argument("x", shape)
        // A convolution that copies puts the images into blocks.
        let x = try isBlocked ? input.convolved(with: .constant(identity)) : input
        let (mean, variance) = try x.moments(axes: [0, 1, 2])
        let y = try (x - mean) * (variance + 1e-3).unary(.rsqrt)
        let results = try [ReferenceBackend() as any Backend, OneDNNBackend(precision: .strict)].map {
            try $0.compile(outputs: [y, variance], mode: .training, batch: 1)
                .run(["x": images], step: 0)
        }
        #expect(results[0][1].doubles.allSatisfy { (0.7...1.3).contains($0) })
        for (place, tolerance) in [6e-5, 1e-5].enumerated() {
            expectClose(results[1][place], results[0][place], relativeTolerance: tolerance, "result \(place)")
        }
    }

    /// Neither forward nor backward do images change their layout between the first convolution and the global pooling.
    @Test(
        .enabled(
            if: OneDNNBackend.vectorKind == "avx512",
            "for fewer than 16 lanes the library's kernels have blocks of 8 channels, and ours of 16"),
        arguments: [[16, 32, 64], [64, 128, 256, 512]], [false, true])
    @Compute func imagesKeepTheirLayout(channels: [Int], poolsStem: Bool) throws {
        let network = try ResidualNetwork(image: [64, 64, 3], channels: channels, poolsStem: poolsStem)
        let graph = try BoundGraph(
            outputs: [network.loss], updates: network.updates, mode: .training, batch: 4)
        for precision in Precision.allCases {
            let plan = try OneDNNBackend(precision: precision).plan(graph)
            #expect(network.changedImages(in: plan, batch: 4) == [], "\(precision)")
        }
    }

    /// The same bits whatever the number of threads and however often it runs.
    @Test @Compute func threadsDoNotChangeMoments() throws {
        let present = fovea_thread_count()
        defer { fovea_set_thread_count(present) }
        let x = Tensor.argument("x", [7, 20, 13, 24])
        let (mean, variance) = try (x * x).moments(axes: [0, 1, 2])
        let values = TensorValue(
            shape: x.shape, dtype: .float32,
            doubles: (0..<x.shape.elementCount).map { Double($0 * 7919 % 1000) / 300 })
        let results = try ([1, 2, 3, 2] as [Int32]).map { threads -> [[Double]] in
            fovea_set_thread_count(threads)
            let executable = try OneDNNBackend().compile(
                outputs: [mean, variance], mode: .training, batch: 1)
            return try executable.run(["x": values], step: 0).map(\.doubles)
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    /// A kernel of its own normalizes in training, whether or not channels fill vectors.
    @Test(arguments: [[16, 32], [64, 128], [5, 17]])
    @Compute func kernelNormalizes(channels: [Int]) throws {
        let network = try ResidualNetwork(image: [16, 16, 3], channels: channels)
        let graph = try BoundGraph(
            outputs: [network.loss], updates: network.updates, mode: .training, batch: 4)
        let plan = try OneDNNBackend().plan(graph)
        let kernels = plan.calls.filter { $0.request is NormalizationRequest }
        // A stem, two in each block, and a projection.
        #expect(kernels.count == 2 * (1 + 2 * 2 + 1))
        #expect(kernels.allSatisfy { $0.note.hasPrefix("normalization:") })
    }

    /// What is not a number stays so, also behind ReLU, in the channels where it is and in no other.
    @Test(arguments: [[4, 3, 5, 16], [2, 4, 4, 32], [5, 16]] as [Shape], [false, true])
    @Compute func notANumberIsSeen(shape: Shape, isBlocked: Bool) throws {
        let isBlocked = isBlocked && shape.rank == 4
        let channels = shape.channels
        var images = (0..<shape.elementCount).map { Float($0 * 7919 % 1000) / 300 }
        // A convolution would bring these into all channels.
        if !isBlocked { (images[channels + 3], images[5]) = (.nan, .infinity) }
        var scale = [Float](repeating: 1, count: channels)
        scale[1] = .nan
        var offset = [Float](repeating: 1, count: channels)
        offset[9] = .nan
        let input = Tensor.argument("x", shape)
        let identity = TensorValue(
            shape: [1, 1, channels, channels], dtype: .float32,
            doubles: (0..<channels * channels).map { $0 % (channels + 1) == 0 ? 1 : 0 })
        // A convolution that copies puts the images into blocks.
        let x = try isBlocked ? input.convolved(with: .constant(identity)) : input
        let y = try x.batchNormalized(
            scale: .constant(TensorValue(scale)), offset: .constant(TensorValue(offset)), epsilon: 0.1
        ).normalized.relu()
        let values = ["x": try TensorValue(shape: shape, images)]
        let results = try [ReferenceBackend() as any Backend, OneDNNBackend(precision: .strict)].map {
            try $0.compile(outputs: [y], mode: .training, batch: 1).run(values, step: 0)[0]
        }
        let isNaN = results.map { $0.floats.map(\.isNaN) }
        #expect(isNaN[0] == isNaN[1])
        #expect(isNaN[0].contains(true) && isNaN[0].contains(false))
    }
}
