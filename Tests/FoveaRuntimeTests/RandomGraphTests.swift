import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

/// Random graphs on oneDNN against the reference: finds what nobody thought of testing.
@Suite struct RandomGraphTests {
    @Test @Compute func equalsReference() {
        for seed in RandomGraph.seeds(usual: 200) {
            do {
                let expected = try RandomGraph.results(seed: seed) {
                    try ReferenceBackend().compile($0, seed: seed)
                }
                let actual = try RandomGraph.results(seed: seed) {
                    try OneDNNBackend(precision: .strict).compile($0, seed: seed)
                }
                for (actual, expected) in zip(actual, expected) {
                    expectClose(
                        actual.value, expected.value, relativeTolerance: 1e-4,
                        "seed \(seed), \(expected.name)")
                }
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }
}
