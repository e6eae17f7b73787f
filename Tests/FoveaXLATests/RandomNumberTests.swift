import FoveaGraph
import FoveaRuntime
import FoveaXLA
import TestSupport
import Testing

/// The plugin's generator of random numbers gives Fovea's bits.
@Suite(.serialized, .needsPlugin) struct RandomNumberTests {
    @Test @Compute func uniformNumbersHaveTheReferencesBits() throws {
        // Two streams, an odd count, and one whose count is only known with the batch.
        let outputs = [
            Tensor.randomUniform([3, 7]), Tensor.randomUniform([Shape.batch, 5, 4]),
            Tensor.randomUniform([1]),
        ]
        let keys: [(step: UInt64, seed: UInt64)] = [
            (0, 0), (1, 1), (1 << 40 + 3, 1 << 33 + 5), (.max, .max),
        ]
        let executables = try [ReferenceBackend() as any Backend, PluginForTests.backend()].map {
            try $0.compile(outputs: outputs, mode: .training, batch: 3)
        }
        for key in keys {
            let results = try executables.map { try $0.run([:], step: key.step, seed: key.seed) }
            #expect(results[0] == results[1], "seed \(key.seed), step \(key.step)")
        }
    }

    @Test @Compute func dropoutMasksAreTheReferences() throws {
        let x = Tensor.input("x", [33])
        let keep = try Tensor.randomUniform(x.shape).greaterOrEqual(0.5)
        let dropped = try Tensor.select(keep, x, .filled(0, x.shape))
        let value = TensorValue(repeating: 1, shape: [9, 33])
        let results = try [ReferenceBackend() as any Backend, PluginForTests.backend(.float32)].map {
            try $0.compile(outputs: [dropped], mode: .training, batch: 9).run(
                ["x": value], step: 12, seed: 34)
        }
        #expect(results[0] == results[1])
        #expect(Set(results[1][0].floats) == [0, 1])
    }
}
