import Foundation
import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaOneDNN

/// Random graphs on oneDNN against the reference: finds what nobody thought of testing.
@Suite struct RandomGraphTests {
    @Test @Compute func equalsReference() {
        for seed in RandomGraph.seeds(usual: 200) {
            RandomGraph.check(seed: seed) { try OneDNNBackend(precision: .strict).compile($0) }
        }
    }

    /// Memory in which others have computed holds anything, also where images are padded to whole blocks of channels.
    @Test @Compute func whatWasInMemoryDoesNotMatter() {
        let arena = Arena()
        for seed in RandomGraph.seeds(usual: 60) {
            RandomGraph.check(seed: seed) { graph in
                let executable = try OneDNNBackend(precision: .strict).compile(graph, in: arena)
                // NaN as float32 and bfloat16.
                if let memory = arena.memory { memset(memory.start, 0xFF, memory.byteCount) }
                return executable
            }
        }
    }

    /// The same for networks whose channels do not fill blocks, in training and inference.
    @Test(arguments: [[5, 17], [20, 40], [3, 33]], Precision.allCases)
    @Compute func networksDoNotDependOnMemory(channels: [Int], precision: Precision) throws {
        let image: Shape = [11, 9, 3]
        let results = try [false, true].map { isFilled -> [TensorValue] in
            let network = try ResidualNetwork(image: image, channels: channels, poolsStem: true)
            let arena = Arena()
            let graph = try BoundGraph(
                outputs: [network.loss], updates: network.updates, mode: .training, batch: 3)
            let executable = try OneDNNBackend(precision: precision).compile(graph, in: arena)
            if isFilled, let memory = arena.memory { memset(memory.start, 0xFF, memory.byteCount) }
            let values = ResidualNetwork.values(image: image, batch: 3)
            var results: [TensorValue] = []
            for step in 0..<2 as Range<UInt64> { results += try executable.run(values, step: step) }
            return try results + network.updates.map { try $0.variable.value() }
        }
        #expect(results[0] == results[1])
    }
}
