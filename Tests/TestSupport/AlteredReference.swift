import FoveaGraph
import FoveaRuntime

/// A backend that does what the reference interpreter does, but for what a test changes.
public protocol AlteredReference: Backend {}

extension AlteredReference {
    public var precision: Precision { .strict }
    public var summary: String { name }
    public var versions: [String: String] { [:] }
    public var threadCount: Int { 1 }
    public var threadShortage: String? { nil }
    @Compute public func makeWorkspace() -> any Workspace { ReferenceBackend().makeWorkspace() }
    @Compute public func table(of graph: BoundGraph) throws -> String { ReferenceBackend().table(of: graph) }
}
