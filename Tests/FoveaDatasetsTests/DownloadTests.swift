import Foundation
import Synchronization
import TestSupport
import Testing

@testable import FoveaDatasets

/// A server in memory: answers each request with what `answer` makes of its URL and offset.
final class FakeTransport: DownloadTransport {
    struct Request: Equatable, Sendable { let url: String, offset: Int }
    typealias Answer = @Sendable (Request) throws -> DownloadResponse
    private let answer: Answer
    private let log = Mutex<[Request]>([])

    init(_ answer: @escaping Answer) { self.answer = answer }

    var requests: [Request] { log.withLock(\.self) }

    func get(_ url: String, from offset: Int) async throws -> DownloadResponse {
        let request = Request(url: url, offset: offset)
        log.withLock { $0.append(request) }
        return try answer(request)
    }
}

struct BrokenConnection: Error {}

/// A response whose body comes in chunks and, if `breaks`, ends in an error.
func response(
    _ status: Int, _ body: [UInt8], headers: [String: String] = [:], chunk: Int = 100, breaks: Bool = false
) -> DownloadResponse {
    let (stream, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
    for start in stride(from: 0, to: body.count, by: chunk) {
        continuation.yield(Array(body[start..<min(start + chunk, body.count)]))
    }
    continuation.finish(throwing: breaks ? BrokenConnection() : nil)
    return DownloadResponse(status: status, headers: headers, body: stream)
}

/// What a server that can continue downloads answers.
func ranged(_ file: [UInt8], offset: Int) -> DownloadResponse {
    if offset == 0 { return response(200, file, headers: ["Content-Length": "\(file.count)"]) }
    guard offset < file.count else { return response(416, Array("no such range".utf8)) }
    return response(
        206, Array(file[offset...]),
        headers: [
            "Content-Length": "\(file.count - offset)",
            "Content-Range": "bytes \(offset)-\(file.count - 1)/\(file.count)",
        ])
}

@Suite struct DownloadTests {
    let directory: TemporaryDirectory
    let packed: [UInt8]
    let file: DatasetFile
    let checksum: Checksum
    let url = "https://example.org/set/tiny-idx1-ubyte.gz"
    let name = "tiny-idx1-ubyte.gz"
    let partName = "tiny-idx1-ubyte.gz.part"

    init() throws {
        directory = try TemporaryDirectory()
        let unpacked = idx([1000], noise(1000))
        packed = try gzip(unpacked)
        checksum = try unpackedSHA256(of: directory.write(unpacked, to: "sum"), limit: 2000)
        try FileManager.default.removeItem(atPath: directory.path + "/sum")
        file = DatasetFile(
            name: "tiny-idx1-ubyte", byteCount: unpacked.count, checksum: checksum, isPacked: true)
    }

    @discardableResult
    func fetch(
        from sources: [String] = ["https://example.org/set/"], with transport: FakeTransport,
        progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
    ) async throws -> String {
        let download = Download(
            file: file, checksum: checksum, directory: directory.path, transport: transport,
            progress: progress)
        return try await download.fetch(from: sources.map { $0 + name })
    }

    /// The error of a download that must fail.
    func failure(_ answer: @escaping FakeTransport.Answer) async throws -> DatasetError {
        try await #require(throws: DatasetError.self) { try await fetch(with: FakeTransport(answer)) }
    }

    @Test func wholeFile() async throws {
        let transport = FakeTransport { [packed] in ranged(packed, offset: $0.offset) }
        let seen = Mutex<[DownloadProgress]>([])
        let path = try await fetch(with: transport) { progress in seen.withLock { $0.append(progress) } }
        #expect(path == directory.path + "/" + name)
        #expect(try directory.bytes(of: name) == packed)
        #expect(try directory.names() == [name])
        #expect(transport.requests == [.init(url: url, offset: 0)])
        let received = seen.withLock(\.self)
        #expect(received.count == (packed.count + 99) / 100)
        #expect(received.map(\.receivedBytes) == received.map(\.receivedBytes).sorted())
        #expect(
            received.last
                == DownloadProgress(
                    file: file.name, receivedBytes: packed.count, totalBytes: packed.count))
    }

    @Test func brokenConnectionsAreContinued() async throws {
        let error = try await failure { [packed] _ in
            response(200, Array(packed[..<350]), headers: ["content-length": "\(packed.count)"], breaks: true)
        }
        #expect(error.kind == .downloadIncomplete && error.message.contains("350 of \(packed.count) bytes"))
        #expect(try directory.bytes(of: partName) == Array(packed[..<350]))

        let transport = FakeTransport { [packed] in ranged(packed, offset: $0.offset) }
        let seen = Mutex<[DownloadProgress]>([])
        try await fetch(with: transport) { progress in seen.withLock { $0.append(progress) } }
        #expect(transport.requests == [.init(url: url, offset: 350)])
        #expect(
            seen.withLock { $0.first } == .init(file: file.name, receivedBytes: 450, totalBytes: packed.count)
        )
        #expect(try directory.bytes(of: name) == packed)
        #expect(try directory.names() == [name])
    }

    @Test func shortAnswersAreIncomplete() async throws {
        let error = try await failure { [packed] _ in
            response(200, Array(packed.dropLast()), headers: ["Content-Length": "\(packed.count)"])
        }
        #expect(error.kind == .downloadIncomplete)
        #expect(try directory.names() == [partName])
    }

    @Test func serversThatCannotContinueStartAgain() async throws {
        try directory.write(noise(300), to: partName)
        let transport = FakeTransport { [packed] _ in response(200, packed) }
        try await fetch(with: transport)
        #expect(transport.requests.map(\.offset) == [300])
        #expect(try directory.bytes(of: name) == packed)
    }

    @Test(arguments: [true, false]) func completePartsAreKept(isPacked: Bool) async throws {
        let bytes = isPacked ? packed : idx([1000], noise(1000))
        try directory.write(bytes, to: isPacked ? partName : "tiny-idx1-ubyte.part")
        let file = DatasetFile(
            name: "tiny-idx1-ubyte", byteCount: 1008, checksum: checksum, isPacked: isPacked)
        let transport = FakeTransport { _ in throw BrokenConnection() }
        let download = Download(
            file: file, checksum: checksum, directory: directory.path, transport: transport,
            progress: { _ in })
        let path = try await download.fetch(from: [url])
        #expect(transport.requests.isEmpty)
        #expect(path == directory.path + "/" + file.publishedName)
        #expect(try directory.names() == [file.publishedName])
        #expect(try directory.bytes(of: file.publishedName) == bytes)
    }

    @Test(arguments: [416, 206])
    func partsThatDoNotFitAreReplaced(status: Int) async throws {
        try directory.write([UInt8](repeating: 0x1F, count: 5000), to: partName)
        let transport = FakeTransport { [packed] request in
            request.offset == 0
                ? response(200, packed)
                : response(status, packed, headers: ["Content-Range": "bytes 50-99/100"])
        }
        try await fetch(with: transport)
        #expect(transport.requests.map(\.offset) == [5000, 0])
        #expect(try directory.bytes(of: name) == packed)
    }

    @Test func filesPackedOtherwiseAreTheSame() async throws {
        let plain = idx([1000], noise(1000))
        for bytes in [plain, try gzip(plain, level: 0)] {
            try await fetch(with: FakeTransport { _ in response(200, bytes) })
            #expect(try directory.bytes(of: name) == bytes)
            try FileManager.default.removeItem(atPath: directory.path + "/" + name)
        }
    }

    @Test func wrongChecksumsAreRefused() async throws {
        let other = try gzip(idx([1000], [UInt8](repeating: 3, count: 1000)))
        let error = try await failure { _ in response(200, other) }
        #expect(error.kind == .wrongChecksum && error.file == url)
        let found = try unpackedSHA256(of: directory.write(other, to: "other"), limit: 2000)
        #expect(error.message.contains(found.digits) && error.message.contains(checksum.digits))
        #expect(try directory.names() == ["other"])
    }

    @Test func staleBeginningsAreRefusedOnce() async throws {
        let other = try gzip(idx([1000], noise(1000).reversed()))
        try directory.write(Array(other[..<300]), to: partName)
        let answer: FakeTransport.Answer = { [packed] in ranged(packed, offset: $0.offset) }
        let error = try await failure(answer)
        #expect(error.kind == .corruptGzip)
        #expect(try directory.names() == [])
        try await fetch(with: FakeTransport(answer))
        #expect(try directory.names() == [name])
    }

    @Test(arguments: [301, 403, 404, 500])
    func refusals(status: Int) async throws {
        try directory.write(Array(packed[..<200]), to: partName)
        let error = try await failure { _ in response(status, Array("<html>".utf8)) }
        #expect(error.kind == .downloadFailed && error.message.contains("\(status)"))
        #expect(try directory.bytes(of: partName) == Array(packed[..<200]))
    }

    @Test(arguments: [["Content-Type": "text/html; charset=utf-8"], [:]], [0, 200])
    func webPagesAreNoData(headers: [String: String], kept: Int) async throws {
        if kept > 0 { try directory.write(Array(packed[..<kept]), to: partName) }
        let error = try await failure { _ in
            response(200, Array("<html>Sign in</html>".utf8), headers: headers)
        }
        #expect(error.kind == .downloadFailed && error.message.contains("web page"))
        #expect(try directory.names() == (kept > 0 ? [partName] : []))
    }

    @Test func endlessAnswersAreCut() async throws {
        let error = try await failure { _ in response(200, [0x1F] + noise(100_000)) }
        #expect(error.kind == .tooLarge)
        #expect(try directory.names() == [])
    }

    /// Nothing is read of what is stated to be too long, and what came before stays.
    @Test(arguments: [0, 200], [Int.max, Int.max - 200, 1 << 20])
    func statedLengthsAreChecked(kept: Int, length: Int) async throws {
        if kept > 0 { try directory.write(Array(packed[..<kept]), to: partName) }
        let error = try await failure { [packed] request in
            response(
                kept > 0 ? 206 : 200, Array(packed[kept...]),
                headers: ["Content-Length": "\(length)", "Content-Range": "bytes \(kept)-\(length)/*"])
        }
        #expect(error.kind == .tooLarge && error.file == url)
        #expect(try directory.names() == (kept > 0 ? [partName] : []))
        if kept > 0 { #expect(try directory.bytes(of: partName) == Array(packed[..<kept])) }
    }

    @Test func packedBombsAreCut() async throws {
        let bomb = try gzip([UInt8](repeating: 0, count: 1 << 20))
        let error = try await failure { _ in response(200, bomb) }
        #expect(error.kind == .tooLarge)
        #expect(try directory.names() == [])
    }

    @Test func emptyAnswersAndUnreachableServers() async throws {
        #expect(try await failure { _ in response(200, []) }.kind == .downloadIncomplete)
        #expect(try await failure { _ in throw BrokenConnection() }.kind == .downloadFailed)
        #expect(try directory.names() == [])
    }

    @Test func otherSourcesAreTried() async throws {
        let transport = FakeTransport { [packed] request in
            request.url.hasPrefix("https://one/") ? response(404, []) : response(200, packed)
        }
        try await fetch(from: ["https://one/", "https://two/"], with: transport)
        #expect(transport.requests.map(\.url) == ["https://one/" + name, "https://two/" + name])
        #expect(try directory.names() == [name])
    }

    @Test func allFailuresAreTold() async throws {
        let transport = FakeTransport { request in
            if request.url.hasPrefix("https://one/") { return response(404, []) }
            throw BrokenConnection()
        }
        let error = try await #require(throws: DatasetError.self) {
            try await fetch(from: ["https://one/", "https://two/"], with: transport)
        }
        #expect(error.file == "https://two/" + name)
        #expect(error.message.contains("https://one/" + name) && error.message.contains("404"))
    }

    @Test func simultaneousDownloadsHappenOnce() async throws {
        let transport = FakeTransport { [packed] in ranged(packed, offset: $0.offset) }
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<6 { group.addTask { try await fetch(with: transport) } }
            for try await path in group { #expect(path == directory.path + "/" + name) }
        }
        #expect(transport.requests.count == 1)
        #expect(try directory.bytes(of: name) == packed)
        #expect(try directory.names() == [name])
    }

    @Test func cancelledDownloadsKeepWhatCame() async throws {
        let (stream, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        let (started, hasStarted) = AsyncStream<Void>.makeStream()
        let transport = FakeTransport { _ in DownloadResponse(status: 200, headers: [:], body: stream) }
        let task = Task { try await fetch(with: transport) { _ in hasStarted.yield() } }
        continuation.yield(Array(packed[..<123]))
        for await _ in started { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try directory.bytes(of: partName) == Array(packed[..<123]))
    }

    @Test func foldersThatCannotBeWritten() async throws {
        let download = Download(
            file: file, checksum: checksum, directory: "/proc/absent",
            transport: FakeTransport { _ in response(404, []) }, progress: { _ in })
        let error = try await #require(throws: DatasetError.self) {
            try await download.fetch(from: ["https://one/"])
        }
        #expect(error.kind == .fileAccess)
    }
}
