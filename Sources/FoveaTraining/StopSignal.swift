import Synchronization

/// A request to stop training after the step under way.
///
/// Any thread may make it. Setting an atomic flag is also all that it does, so a handler of a signal such as SIGINT may
/// make it too.
public final class StopSignal: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    public var isRequested: Bool { flag.load(ordering: .relaxed) }
    public func request() { flag.store(true, ordering: .relaxed) }
}
