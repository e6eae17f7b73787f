import Foundation
import FoundationNetworking
import FoveaFiles
import Synchronization

/// Parts of files on HTTP servers, for threads that wait: those that load examples are not Swift's, so nothing is awaited.
///
/// One for many files keeps connections open between requests.
final class ServedFiles: Sendable {
    struct Part {
        let bytes: [UInt8]
        /// The size of the whole file, where the server tells it.
        let total: Int?
    }

    private let receiver: Receiver
    private let session: URLSession
    /// Before each new try, in seconds.
    private let pauses: [Double]

    /// - Parameters:
    ///   - timeout: seconds without a byte after which a connection counts as broken.
    ///   - pauses: seconds before each new try after a failure that may pass.
    init(timeout: Double = 60, pauses: [Double] = [0.2, 1, 5]) {
        self.pauses = pauses
        receiver = Receiver()
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = timeout
        configuration.httpMaximumConnectionsPerHost = 64
        session = URLSession(configuration: configuration, delegate: receiver, delegateQueue: nil)
    }

    deinit { session.invalidateAndCancel() }

    /// Up to `count` bytes from `offset` on, fewer only where the file ends.
    ///
    /// - Throws: `DatasetError` when there is no such file, when the server cannot be reached or fails, also after some tries
    ///   more, and when it sends no parts of files.
    func part(of url: String, at offset: Int, count: Int) throws(DatasetError) -> Part {
        var pauses = pauses[...]
        while true {
            do throws(DatasetError) {
                return try attempt(url, at: offset, count: count)
            } catch {
                guard error.kind == .downloadFailed, let pause = pauses.popFirst() else { throw error }
                Thread.sleep(forTimeInterval: pause)
            }
        }
    }

    private func attempt(_ url: String, at offset: Int, count: Int) throws(DatasetError) -> Part {
        guard let address = URL(string: url) else {
            throw DatasetError(.invalidArgument, file: url, "is not a URL")
        }
        var request = URLRequest(url: address)
        // Offsets count the bytes of the file itself, so the server must not pack it on the way.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        request.setValue("bytes=\(offset)-\(offset + count - 1)", forHTTPHeaderField: "Range")
        let task = session.dataTask(with: request)
        let answer = receiver.answer(to: task, limit: count)
        func failed(_ reason: String) -> DatasetError {
            DatasetError(.downloadFailed, file: url, "\(reason); check the network and the address")
        }
        let ranges = answer.headers["content-range"]
        switch answer.status {
        case 206:
            guard ranges?.hasPrefix("bytes \(offset)-") == true else {
                throw DatasetError(
                    .wrongFormat, file: url, "the server sends another part than was asked for")
            }
        // A whole file is as good where it is no longer than what was asked for.
        case 200 where offset == 0 && !answer.isLonger: break
        case 200:
            throw DatasetError(
                .wrongFormat, file: url,
                "the server does not send parts of files (Range requests); use another one, or download the files"
            )
        case 404, 410:
            throw DatasetError(
                .missingFile, file: url, "the server has no such file; check the address")
        case 416: return Part(bytes: [], total: nil)
        case let status? where status < 500 && status != 429:
            throw DatasetError(
                .fileAccess, file: url, "the server answers with status \(status)")
        case let status?: throw failed("the server answers with status \(status)")
        case nil: throw failed("cannot be reached: \(answer.failure ?? "no answer")")
        }
        guard !answer.isLonger else {
            throw DatasetError(.wrongFormat, file: url, "the server sends more than was asked for")
        }
        let total =
            answer.status == 200
            ? answer.bytes.count : ranges?.split(separator: "/").last.flatMap { Int($0) }
        let end = min(offset + count, total ?? .max)
        guard answer.failure == nil, total == nil || answer.bytes.count == end - offset else {
            throw failed("the connection ended early\(answer.failure.map { ": " + $0 } ?? "")")
        }
        return Part(bytes: answer.bytes, total: total)
    }
}

private struct Answer {
    var status: Int?
    var headers: [String: String] = [:]
    var bytes: [UInt8] = []
    /// Whether more came than was asked for.
    var isLonger = false
    /// Why the answer is not complete.
    var failure: String?
}

/// Puts together what a session's tasks receive.
private final class Receiver: NSObject, URLSessionDataDelegate, Sendable {
    private final class Waiting: Sendable {
        let limit: Int
        let answer = Mutex(Answer())
        let isDone = DispatchSemaphore(value: 0)

        init(limit: Int) { self.limit = limit }
    }

    private let tasks = Mutex<[Int: Waiting]>([:])

    /// Starts a task and waits for its end.
    func answer(to task: URLSessionDataTask, limit: Int) -> Answer {
        let waiting = Waiting(limit: limit)
        tasks.withLock { $0[task.taskIdentifier] = waiting }
        task.resume()
        waiting.isDone.wait()
        return waiting.answer.withLock(\.self)
    }

    private func waiting(_ task: URLSessionTask) -> Waiting? {
        tasks.withLock { $0[task.taskIdentifier] }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        if let http = response as? HTTPURLResponse {
            waiting(dataTask)?.answer.withLock { answer in
                answer.status = http.statusCode
                for case (let name as String, let value as String) in http.allHeaderFields {
                    answer.headers[name.lowercased()] = value
                }
            }
        }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        guard let waiting = waiting(dataTask) else { return }
        let isLonger = waiting.answer.withLock { answer in
            answer.isLonger = answer.isLonger || answer.bytes.count + data.count > waiting.limit
            if !answer.isLonger { answer.bytes += data }
            return answer.isLonger
        }
        if isLonger { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let waiting = tasks.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        waiting.answer.withLock { $0.failure = $0.isLonger ? nil : error?.localizedDescription }
        waiting.isDone.signal()
    }
}
