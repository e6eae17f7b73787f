import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import TestSupport
import Testing

/// Random graphs on oneDNN against the reference: finds what nobody thought of testing.
@Suite struct RandomGraphTests {
    @Test @Compute func equalsReference() {
        for seed in RandomGraph.seeds(usual: 200) {
            RandomGraph.check(seed: seed) { try OneDNNBackend(precision: .strict).compile($0) }
        }
    }
}
