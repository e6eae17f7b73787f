import Foundation

/// How far the download of a file has come.
public struct DownloadProgress: Equatable, Sendable {
    /// The name of the file.
    public let file: String
    /// Bytes on disk, those of an earlier attempt included.
    public let receivedBytes: Int
    /// The size of the whole file, if the server told it.
    public let totalBytes: Int?
}

/// A server's answer to a request for a file.
public struct DownloadResponse: Sendable {
    public let status: Int
    /// Header fields; the names in small letters.
    public let headers: [String: String]
    public let body: AsyncThrowingStream<[UInt8], any Error>

    public init(status: Int, headers: [String: String], body: AsyncThrowingStream<[UInt8], any Error>) {
        self.status = status
        self.headers = Dictionary(
            headers.map { ($0.lowercased(), $1) }, uniquingKeysWith: { first, _ in first })
        self.body = body
    }
}

/// Fetches files over a network.
public protocol DownloadTransport: Sendable {
    /// Asks for the bytes of `url` from `offset` on; with an offset of 0, for the whole file.
    ///
    /// The answer may be of any status. It comes when its headers are there; the body follows as it arrives.
    func get(_ url: String, from offset: Int) async throws -> DownloadResponse
}

/// The download of one published file into a folder.
///
/// The bytes go to a file whose name ends in `.part`, which is kept when the connection breaks and continued
/// next time. Only a complete file with the right checksum gets the final name.
package struct Download: Sendable {
    let file: DatasetFile
    /// Nil where the publisher tells none.
    let checksum: Checksum?
    let directory: String
    let transport: any DownloadTransport
    let progress: @Sendable (DownloadProgress) -> Void

    package init(
        file: DatasetFile, checksum: Checksum?, directory: String, transport: any DownloadTransport,
        progress: @escaping @Sendable (DownloadProgress) -> Void
    ) {
        self.file = file
        self.checksum = checksum
        self.directory = directory
        self.transport = transport
        self.progress = progress
    }

    private var path: String { directory + "/" + file.publishedName }
    /// Deflate never adds more than this to data that it cannot make smaller.
    private var greatestByteCount: Int {
        file.isPacked ? file.byteCount + file.byteCount / 100 + 4096 : file.byteCount
    }

    /// Tries one URL after the other.
    ///
    /// - Returns: The path of the verified file.
    /// - Throws: `DatasetError` of the last URL when all fail; `CancellationError`.
    package func fetch(from urls: [String]) async throws -> String {
        var failures: [DatasetError] = []
        for url in urls {
            do {
                try await fetch(url, number: failures.count)
                return path
            } catch let error as DatasetError {
                failures.append(error)
            }
        }
        guard let last = failures.popLast() else {
            throw DatasetError(.downloadFailed, file: path, "is published nowhere")
        }
        let earlier = failures.map { "; before that, \($0)" }.joined()
        throw DatasetError(last.kind, file: last.file, last.message + earlier)
    }

    /// Sources may pack the same data differently, so each has its own partial file.
    private func fetch(_ url: String, number: Int) async throws {
        guard
            let part = try await PartialFile(path + (number == 0 ? "" : ".\(number)") + ".part", target: path)
        else { return }
        defer { if part.byteCount == 0 { part.remove() } }
        // An earlier process may have been ended between the last byte and the renaming.
        if isComplete(part) {
            try part.synchronize()
            return try part.rename(to: path)
        }
        var response = try await transport.response(url, from: part.byteCount)
        if part.byteCount > 0, !canContinue(response, at: part.byteCount) {
            try part.truncate()
            response = try await transport.response(url, from: 0)
        }
        try response.check(url)
        let start = response.status == 206 ? part.byteCount : 0
        let total = try totalByteCount(response, start: start, url)
        try await receive(response.body, from: url, into: part, start: start, total: total)
        try finish(part, from: url)
    }

    private func isComplete(_ part: PartialFile) -> Bool {
        // How many bytes a packed file has nobody says.
        guard part.byteCount > 0, file.isPacked || part.byteCount == file.byteCount else { return false }
        guard let checksum else { return true }
        return (try? file.checksum(ofCopy: part.path, as: checksum)) == checksum
    }

    /// Whether what is on disk can stay: a whole file replaces it anyway, and an error says nothing about it.
    private func canContinue(_ response: DownloadResponse, at offset: Int) -> Bool {
        switch response.status {
        case 206: response.headers["content-range"]?.hasPrefix("bytes \(offset)-") == true
        case 416: false
        default: true
        }
    }

    /// The size of the whole file as the server states it.
    private func totalByteCount(
        _ response: DownloadResponse, start: Int, _ url: String
    ) throws(DatasetError) -> Int? {
        guard let length = response.headers["content-length"].flatMap({ Int($0) }) else { return nil }
        guard length <= greatestByteCount - start else { throw tooLarge(url) }
        return start + max(0, length)
    }

    private func receive(
        _ body: AsyncThrowingStream<[UInt8], any Error>, from url: String, into part: PartialFile, start: Int,
        total: Int?
    ) async throws {
        var received = start
        do {
            for try await bytes in body {
                guard let first = bytes.first else { continue }
                if received == 0 {
                    // No data set starts like a page.
                    guard first != UInt8(ascii: "<") else { throw pageInstead(of: url) }
                    try part.truncate()
                }
                guard received + bytes.count <= greatestByteCount else {
                    part.remove()
                    throw tooLarge(url)
                }
                try part.append(bytes)
                received += bytes.count
                progress(DownloadProgress(file: file.name, receivedBytes: received, totalBytes: total))
            }
        } catch let error as DatasetError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw incomplete(url, received, total, error.localizedDescription)
        }
        try Task.checkCancellation()
        if received == 0 { throw incomplete(url, received, total, "nothing was sent") }
        if let total, received < total { throw incomplete(url, received, total, "the connection ended") }
    }

    private func tooLarge(_ url: String) -> DatasetError {
        DatasetError(
            .tooLarge, file: url,
            "the server has more than the \(file.byteCount) bytes published, so it is another file; try again later"
        )
    }

    private func incomplete(_ url: String, _ received: Int, _ total: Int?, _ reason: String) -> DatasetError {
        DatasetError(
            .downloadIncomplete, file: url,
            "\(received) of \(total.map(String.init) ?? "unknown") bytes came (\(reason)); try again to continue"
        )
    }

    private func finish(_ part: PartialFile, from url: String) throws(DatasetError) {
        let found: Checksum?
        do throws(DatasetError) {
            try part.synchronize()
            found = try checksum.map { expected throws(DatasetError) in
                try file.checksum(ofCopy: part.path, as: expected)
            }
        } catch {
            if error.kind == .fileAccess { throw error }
            part.remove()
            throw DatasetError(
                error.kind, file: url, "the download is unusable and has been removed: \(error.message)")
        }
        if let found, let checksum, found != checksum {
            part.remove()
            throw DatasetError(
                .wrongChecksum, file: url,
                "the \(found.method) of the \(file.isPacked ? "unpacked " : "")download is \(found.digits), expected "
                    + "\(checksum.digits); it has been removed")
        }
        try part.rename(to: path)
    }
}

extension DownloadTransport {
    /// As `get`, with what went wrong as a `DatasetError`.
    func response(_ url: String, from offset: Int) async throws -> DownloadResponse {
        do {
            return try await get(url, from: offset)
        } catch let error as DatasetError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw DatasetError(
                .downloadFailed, file: url, "the server cannot be reached: \(error.localizedDescription)")
        }
    }

    /// A small file as a whole.
    ///
    /// - Parameter limit: the most bytes accepted.
    func bytes(_ url: String, limit: Int) async throws -> [UInt8] {
        let response = try await response(url, from: 0)
        try response.check(url)
        var all: [UInt8] = []
        do {
            for try await part in response.body {
                all += part
                guard all.count <= limit else {
                    throw DatasetError(
                        .tooLarge, file: url, "the server sends more than the \(limit) bytes expected")
                }
            }
        } catch let error as DatasetError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw DatasetError(
                .downloadIncomplete, file: url,
                "the connection ended after \(all.count) bytes (\(error.localizedDescription)); try again")
        }
        try Task.checkCancellation()
        return all
    }
}

extension DownloadResponse {
    /// - Throws: `DatasetError` when the server refuses or answers with a page.
    fileprivate func check(_ url: String) throws(DatasetError) {
        switch status {
        case 200, 206: break
        case 404: throw DatasetError(.downloadFailed, file: url, "the server has no such file (status 404)")
        default: throw DatasetError(.downloadFailed, file: url, "the server answered with status \(status)")
        }
        if headers["content-type"]?.lowercased().hasPrefix("text/html") == true { throw pageInstead(of: url) }
    }
}

private func pageInstead(of url: String) -> DatasetError {
    DatasetError(
        .downloadFailed, file: url,
        "the server sent something else than the data, such as a web page; check the network's sign-in page")
}
