import Foundation
import FoundationNetworking
import Synchronization

/// Fetches files with Foundation's `URLSession`.
public struct URLSessionTransport: DownloadTransport {
    /// Seconds without a byte after which a connection counts as broken.
    public let timeout: Double

    /// The most parts of a body, of at most 16 KiB, that wait for who reads it.
    ///
    /// On Linux a session can neither pause a transfer nor waits for its delegate, so a transfer that is faster is ended.
    private let waitingLimit: Int

    public init(timeout: Double = 60) { self.init(timeout: timeout, waitingLimit: 1 << 14) }

    init(timeout: Double, waitingLimit: Int) {
        self.timeout = timeout
        self.waitingLimit = waitingLimit
    }

    public func get(_ url: String, from offset: Int) async throws -> DownloadResponse {
        guard let address = URL(string: url) else {
            throw DatasetError(.invalidArgument, file: url, "is not a URL")
        }
        var request = URLRequest(url: address, timeoutInterval: timeout)
        // Offsets count the bytes of the file itself, so the server must not pack it on the way.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }

        let receiver = Receiver(waitingLimit: waitingLimit)
        let configuration = URLSessionConfiguration.ephemeral
        // On Linux this one counts, not the request's.
        configuration.timeoutIntervalForRequest = timeout
        let session = URLSession(configuration: configuration, delegate: receiver, delegateQueue: nil)
        let task = session.dataTask(with: request)
        session.finishTasksAndInvalidate()
        return try await withTaskCancellationHandler {
            try await receiver.response(of: task)
        } onCancel: {
            task.cancel()
        }
    }
}

/// Turns the calls that a session makes into one response with a stream of bytes.
///
/// The session keeps this object until the task ends. So it must not keep the stream: only when nobody has the stream any more is
/// a task stopped whose bytes nobody wants.
private final class Receiver: NSObject, URLSessionDataDelegate, Sendable {
    private typealias Body = AsyncThrowingStream<[UInt8], any Error>

    private let waitingLimit: Int
    private let waiting = Mutex<CheckedContinuation<DownloadResponse, any Error>?>(nil)
    private let body = Mutex<Body.Continuation?>(nil)

    init(waitingLimit: Int) { self.waitingLimit = waitingLimit }

    func response(of task: URLSessionDataTask) async throws -> DownloadResponse {
        try await withCheckedThrowingContinuation { continuation in
            waiting.withLock { $0 = continuation }
            task.resume()
        }
    }

    private func takeWaiting() -> CheckedContinuation<DownloadResponse, any Error>? {
        waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        completionHandler(.allow)
        guard let answer = response as? HTTPURLResponse else { return }
        var headers: [String: String] = [:]
        for case (let name as String, let value as String) in answer.allHeaderFields { headers[name] = value }
        let (stream, continuation) = Body.makeStream(bufferingPolicy: .bufferingOldest(waitingLimit))
        continuation.onTermination = { _ in dataTask.cancel() }
        body.withLock { $0 = continuation }
        takeWaiting()?.resume(
            returning: DownloadResponse(status: answer.statusCode, headers: headers, body: stream))
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        guard let body = body.withLock(\.self), case .dropped = body.yield([UInt8](data)) else { return }
        // What waits can still be read. Ending the stream cancels the task.
        body.finish(throwing: ReaderTooSlow())
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        takeWaiting()?.resume(throwing: error ?? URLError(.badServerResponse))
        body.withLock { $0 }?.finish(throwing: error)
    }
}

private struct ReaderTooSlow: LocalizedError {
    var errorDescription: String? { "they came faster than they could be written" }
}
