import Synchronization

/// How one element is computed: pieces that may run at the same time, on any threads, and then what they amount to.
struct Work<Element: Sendable>: Sendable {
    let pieces: [@Sendable () -> Void]
    /// To be called once, when all pieces have run.
    let result: @Sendable () throws -> Element

    init(pieces: [@Sendable () -> Void], result: @escaping @Sendable () throws -> Element) {
        self.pieces = pieces
        self.result = result
    }

    /// One piece that does it all.
    init(_ compute: @escaping @Sendable () throws -> Element) {
        let slot = Slot<Element>()
        pieces = [{ slot.value.withLock { $0 = Result(catching: compute) } }]
        result = { try slot.take().get() }
    }
}

/// Where a thread leaves what another one takes.
private final class Slot<Element: Sendable>: Sendable {
    let value = Mutex<Result<Element, any Error>?>(nil)

    func take() -> Result<Element, any Error> {
        value.withLock { value in
            defer { value = nil }
            return value ?? .failure(CancellationError())
        }
    }
}
