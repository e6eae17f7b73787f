import FoveaGraph
import FoveaPlanner
import FoveaRuntime
import TestSupport
import Testing

/// Plans of random graphs, interpreted, against the graphs: for layouts that no library offers as well.
@Suite struct RandomPlanTests {
    static let catalogs: [FakeCatalog] = {
        // Blocks that do not divide each other.
        let odd = FakeCatalog(forward: 6, inputGradient: 4, kernelGradient: 5)
        var merging = FakeCatalog(forward: 4, inputGradient: 8, kernelGradient: 4)
        merging.leastMerged = 0
        var pooling = FakeCatalog(forward: 4, inputGradient: 4, kernelGradient: 4)
        (pooling.pools, pooling.expands) = (true, true)
        return [FakeCatalog(16), merging, odd, pooling]
    }()

    @Test(arguments: catalogs.indices)
    @Compute func computeWhatTheGraphSays(catalog: Int) {
        for seed in RandomGraph.seeds(usual: 25) {
            RandomGraph.check(seed: seed) {
                try PlanInterpreter($0, catalog: Self.catalogs[catalog])
            }
        }
    }
}
