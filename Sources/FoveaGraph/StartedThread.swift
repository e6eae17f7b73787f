import Dispatch
import Glibc

/// The system does not let this process start a thread.
package struct ThreadError: Error, Hashable, CustomStringConvertible {
    /// The system's error number: `EAGAIN` when a limit is reached.
    package let code: Int32

    package var description: String {
        "no thread can be started: \(String(cString: strerror(code))); raise the limits on processes (ulimit -u, or those of "
            + "the container) and on address space (ulimit -v), or end other programs"
    }
}

/// Runs `body` on a new thread, which is gone when `body` has returned. Foundation's `Thread` does not tell when there is none.
///
/// - Parameters:
///   - name: what debuggers and `top -H` call it; at most 15 bytes.
///   - stackSize: in bytes.
/// - Throws: `ThreadError` when the system refuses; `body` is not called then.
package func startThread(
    named name: String, stackSize: Int = 8 << 20, _ body: @escaping @Sendable () -> Void
) throws(ThreadError) {
    let thread = try createThread(stackSize: stackSize) {
        nameThread(name)
        body()
    }
    pthread_detach(thread)
}

/// Finds out whether the system lets this process start so many threads more, by starting them: for where the runtimes of
/// Swift and Dispatch will need some, which wait for ever for a thread that they do not get.
///
/// - Throws: `ThreadError` when it does not.
package func checkThreads(_ count: Int) throws(ThreadError) {
    // Each waits until all are there.
    let gate = DispatchSemaphore(value: 0)
    var threads: [pthread_t] = []
    defer {
        for _ in threads { gate.signal() }
        for thread in threads { pthread_join(thread, nil) }
    }
    for _ in 0..<count { threads.append(try createThread(stackSize: nil) { gate.wait() }) }
}

/// - Parameter stackSize: in bytes; the system's when nil.
private func createThread(
    stackSize: Int?, _ body: @escaping @Sendable () -> Void
) throws(ThreadError) -> pthread_t {
    var attributes = pthread_attr_t()
    var code = pthread_attr_init(&attributes)
    guard code == 0 else { throw ThreadError(code: code) }
    defer { pthread_attr_destroy(&attributes) }
    if let stackSize { code = pthread_attr_setstacksize(&attributes, stackSize) }
    guard code == 0 else { throw ThreadError(code: code) }

    var thread = pthread_t()
    let start = Unmanaged.passRetained(ThreadBody(body))
    code = pthread_create(
        &thread, &attributes,
        { context in
            if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().body() }
            return nil
        }, start.toOpaque())
    guard code == 0 else {
        start.release()
        throw ThreadError(code: code)
    }
    return thread
}

private final class ThreadBody {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Names the calling thread. Where the system does not show threads as files, it has no name.
private func nameThread(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, name, name.utf8.count)
    close(file)
}
