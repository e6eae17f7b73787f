import FoveaGraph
import FoveaRuntime
import FoveaXLA
import TestSupport
import Testing

/// Random graphs by a plugin against the reference: finds what nobody thought of testing.
@Suite(.serialized, .needsPlugin) struct RandomGraphTests {
    @Test @Compute func equalsReference() throws {
        let backend = try PluginForTests.backend()
        for seed in RandomGraph.seeds(usual: 24) { RandomGraph.check(seed: seed) { try backend.compile($0) } }
    }
}
