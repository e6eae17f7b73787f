import Foundation
import FoveaGraph
import Synchronization

extension Dataset {
    /// The elements one after the other, computed ahead on threads of their own.
    ///
    /// ```swift
    /// for try await batch in try batches.loaded(epoch: 3) { … }
    /// ```
    ///
    /// What comes does not depend on the number of threads. The first element that cannot be computed ends the loop with its
    /// error when its turn comes; batches of which nothing is left (`ElementErrorPolicy.skip`) are passed over. Threads end
    /// with the last element or with the loop, whichever is first.
    ///
    /// - Parameters:
    ///   - threads: how many compute; each computes an element, or an element of a batch, at a time. With 0 there are none,
    ///     and an element is computed when it is asked for. When nil one for each processor, at most 4. Where the system lets
    ///     this process start fewer, there are fewer.
    ///   - ahead: how many elements may be computed or under way beyond the one that was asked for last; 1 to 65,536.
    ///   - epoch: which epoch.
    ///   - start: the number of the first element.
    /// - Throws: `DatasetError` when a number is outside its range: more than 256 threads, say, or a negative one.
    public func loaded(
        threads: Int? = nil, ahead: Int = 2, epoch: Int = 0, from start: Int = 0
    ) throws(DatasetError) -> LoadedDataset<Element> {
        let threads = threads ?? min(4, ProcessInfo.processInfo.activeProcessorCount)
        guard (0...256).contains(threads), (1...65_536).contains(ahead), epoch >= 0, start >= 0 else {
            throw DatasetError(
                .invalidArgument,
                "\(threads) threads, \(ahead) elements ahead, epoch \(epoch), from element \(start): there may be 0 to "
                    + "256 threads, 1 to 65,536 elements ahead, and neither epoch nor element may be negative"
            )
        }
        return LoadedDataset(dataset: self, threads: threads, ahead: ahead, epoch: epoch, start: start)
    }
}

/// The elements of one epoch, computed ahead.
public struct LoadedDataset<Element: Sendable>: AsyncSequence, Sendable {
    fileprivate let dataset: Dataset<Element>
    fileprivate let threads: Int
    fileprivate let ahead: Int
    fileprivate let epoch: Int
    fileprivate let start: Int
    /// What a thread that waits for an element (`nextBlocking`) looks at now and then: whether it still has to. If not, the
    /// wait ends with `CancellationError`.
    package var isUnwanted: (@Sendable () -> Bool)?

    /// Begins to load.
    public func makeAsyncIterator() -> Iterator { Iterator(Loader(self)) }

    /// Gives one element after the other; with the last copy of it loading ends. Copies share the elements: each comes to
    /// the one that asks first. When one gets an error, others that wait for later elements get `CancellationError`.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        private let loader: Loader<Element>

        fileprivate init(_ loader: Loader<Element>) { self.loader = loader }

        /// The next element, when it is ready; nil behind the last one and behind an error.
        ///
        /// - Throws: what computing it threw.
        public mutating func next() async throws -> Element? {
            while let task = loader.nextTask() {
                await withCheckedContinuation { continuation in task.whenDone { continuation.resume() } }
                if case .success(let element) = try loader.result(of: task) { return element }
            }
            return nil
        }

        /// `next()` for where nothing can be awaited: the thread waits.
        public mutating func nextBlocking() throws -> Element? {
            while let turn = try nextBlockingTurn() {
                if case .success(let element) = turn { return element }
            }
            return nil
        }

        /// `nextBlocking()` for those who count elements: one that is left out has its turn, too.
        package mutating func nextBlockingTurn() throws -> Result<Element, LeftOut>? {
            guard let task = loader.nextTask() else { return nil }
            let isDone = DispatchSemaphore(value: 0)
            task.whenDone { isDone.signal() }
            while isDone.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
                if loader.source.isUnwanted?() == true { throw CancellationError() }
            }
            return try loader.result(of: task)
        }
    }
}

/// Hands the elements of a data set to threads, ahead of the one who asks for them in turn.
private final class Loader<Element: Sendable>: Sendable {
    private struct State {
        /// The number of the next element to hand to the threads.
        var next: Int
        /// Elements that are on their way, in order.
        var tasks: [LoadingTask<Element>] = []
    }

    let source: LoadedDataset<Element>
    private let state: Mutex<State>
    private let queue: PieceQueue?

    init(_ source: LoadedDataset<Element>) {
        self.source = source
        state = Mutex(State(next: source.start))
        let rest = source.dataset.extent - min(source.start, source.dataset.extent)
        queue = source.threads > 0 && rest > 0 ? PieceQueue(threads: source.threads) : nil
        if queue != nil { state.withLock { fill(&$0, to: source.ahead) } }
    }

    deinit { queue?.close() }

    /// The element whose turn it is; nil when there is no more.
    func nextTask() -> LoadingTask<Element>? {
        state.withLock { state in
            // One more than may be ahead, because the first of them is asked for.
            fill(&state, to: queue == nil ? 1 : source.ahead + 1)
            return state.tasks.isEmpty ? nil : state.tasks.removeFirst()
        }
    }

    /// Behind any other error than that an element is left out nothing more comes.
    func result(of task: LoadingTask<Element>) throws -> Result<Element, LeftOut> {
        do { return .success(try task.result()) } catch let leftOut as LeftOut {
            return .failure(leftOut)
        } catch {
            close()
            throw error
        }
    }

    private func fill(_ state: inout State, to count: Int) {
        while state.tasks.count < count, state.next < source.dataset.extent {
            let work = source.dataset.work(at: Place(index: state.next, epoch: source.epoch))
            let task = LoadingTask(work)
            state.next += 1
            state.tasks.append(task)
            if let queue { queue.add(task.pieces) } else { for piece in task.pieces { piece(false) } }
        }
        if state.next >= source.dataset.extent { queue?.end() }
    }

    private func close() {
        queue?.close()
        state.withLock { state in
            state.next = source.dataset.extent
            state.tasks = []
        }
    }
}

/// An element on its way.
private final class LoadingTask<Element: Sendable>: Sendable {
    private struct State {
        var remaining: Int
        var isCancelled = false
        var result: Result<Element, any Error>?
        var whenDone: (@Sendable () -> Void)?
    }

    private let work: Work<Element>
    private let state: Mutex<State>

    init(_ work: Work<Element>) {
        self.work = work
        state = Mutex(State(remaining: work.pieces.count))
    }

    /// What has to be done; whoever does the last of it puts all together.
    var pieces: [Piece] {
        work.pieces.map { piece in
            { isCancelled in
                if !isCancelled { piece() }
                let (isLast, isComplete) = self.state.withLock { state in
                    state.remaining -= 1
                    state.isCancelled = state.isCancelled || isCancelled
                    return (state.remaining == 0, !state.isCancelled)
                }
                guard isLast else { return }
                self.finish(isComplete ? Result(catching: self.work.result) : .failure(CancellationError()))
            }
        }
    }

    private func finish(_ result: Result<Element, any Error>) {
        let whenDone = state.withLock { state in
            state.result = result
            defer { state.whenDone = nil }
            return state.whenDone
        }
        whenDone?()
    }

    /// Calls `body` once the element is there, on whatever thread.
    func whenDone(_ body: @escaping @Sendable () -> Void) {
        let isDone = state.withLock { state in
            if state.result == nil { state.whenDone = body }
            return state.result != nil
        }
        if isDone { body() }
    }

    func result() throws -> Element {
        let result = state.withLock { state in
            defer { state.result = nil }
            return state.result
        }
        return try (result ?? .failure(CancellationError())).get()
    }
}

/// Part of an element; when it is cancelled it is not computed, and whoever waits for the element is told.
private typealias Piece = @Sendable (_ isCancelled: Bool) -> Void

/// Work for threads, first in, first out.
private final class PieceQueue: Sendable {
    private struct State {
        var pieces: [Piece] = []
        /// How many of the pieces have been taken.
        var taken = 0
        var hasEnded = false

        /// Whether this is the first time.
        mutating func end() -> Bool {
            defer { hasEnded = true }
            return !hasEnded
        }
    }

    private let state = Mutex(State())
    private let threads: Int
    /// Counts pieces that nobody has taken; and behind the end, threads that have not noticed it.
    private let available = DispatchSemaphore(value: 0)

    /// With as many threads as the system lets this process start; nil when that is none.
    init?(threads: Int) {
        self.threads = threads
        var started = 0
        do throws(ThreadError) {
            while started < threads {
                // Two are left to Swift and Dispatch, which wait for ever for a thread that they do not get.
                try checkThreads(3)
                try startThread(named: "fovea-dataset") { [self] in
                    while let piece = take() { piece(false) }
                }
                started += 1
            }
        } catch {
            if started == 0 { return nil }
        }
    }

    /// Behind the end they are cancelled at once.
    func add(_ pieces: [Piece]) {
        let isOpen = state.withLock { state in
            if state.hasEnded { return false }
            state.pieces.removeFirst(state.taken)
            state.taken = 0
            state.pieces += pieces
            return true
        }
        for piece in pieces { if isOpen { available.signal() } else { piece(true) } }
    }

    private func take() -> Piece? {
        available.wait()
        return state.withLock { state in
            guard state.taken < state.pieces.count else { return nil }
            defer { state.taken += 1 }
            return state.pieces[state.taken]
        }
    }

    private func wakeAll() { for _ in 0..<threads { available.signal() } }

    /// Threads end when nothing is left to do.
    func end() {
        if state.withLock({ $0.end() }) { wakeAll() }
    }

    /// Threads end when they have done what they are at; what is left is cancelled.
    func close() {
        let (isNew, left) = state.withLock { state in
            defer { (state.pieces, state.taken) = ([], 0) }
            return (state.end(), state.pieces[state.taken...])
        }
        if isNew { wakeAll() }
        for piece in left { piece(true) }
    }
}
