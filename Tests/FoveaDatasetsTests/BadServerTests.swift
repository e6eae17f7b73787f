import Foundation
import Synchronization
import TestSupport
import Testing

@testable import FoveaDatasets

/// The kinds of files that data sets are published as.
enum PublishedKind: CaseIterable {
    case mnist, archive, mat, arff

    var bytes: [UInt8] {
        get throws {
            switch self {
            case .mnist: try gzip(idx([20_000], noise(20_000)))
            case .archive:
                try gzip(UnpackedFile(cifarArchive(.ten), named: "tar").readBytes(count: 1 << 20), level: 0)
            case .mat: try GoldenFiles.bytes("digits.mat") + noise(10_000)
            case .arff: try Array(GoldenFiles.bytes("dense.arff")) + Array(repeating: 37, count: 10_000)
            }
        }
    }

    /// The file as a data set describes it.
    func file(_ bytes: [UInt8]) throws -> (DatasetFile, Checksum) {
        let folder = try TemporaryDirectory()
        let path = try folder.write(bytes, to: "file")
        let method: Checksum = self == .arff ? .md5("") : .sha256("")
        let sum = try method.ofFile(path, unpacking: self == .mnist, limit: 1 << 20)
        let file = DatasetFile(
            name: "data", byteCount: self == .mnist ? 20_008 : bytes.count, checksum: sum,
            isPacked: self == .mnist)
        return (file, sum)
    }
}

/// Downloads of every kind of file from servers that do not behave.
@Suite(.enabled(if: !hasProxy)) struct BadServerTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func fetch(
        _ kind: PublishedKind, _ path: String = "set/data", from server: PublishingServer,
        timeout: Double = 20
    ) async throws {
        let (file, sum) = try kind.file(kind.bytes)
        let download = Download(
            file: file, checksum: sum, directory: directory.path,
            transport: URLSessionTransport(timeout: timeout), progress: { _ in })
        _ = try await download.fetch(from: [server.url(path)])
    }

    private func refusal(
        _ kind: PublishedKind, timeout: Double = 20,
        _ answer: @escaping @Sendable (PublishingServer.Request) -> PublishingServer.Answer
    ) async throws -> DatasetError {
        let server = try PublishingServer(answer)
        return try await #require(throws: DatasetError.self) {
            try await fetch(kind, from: server, timeout: timeout)
        }
    }

    private func expectComplete(_ kind: PublishedKind) throws {
        let name = kind == .mnist ? "data.gz" : "data"
        #expect(try directory.names() == [name])
        #expect(try directory.bytes(of: name) == kind.bytes)
    }

    @Test(arguments: PublishedKind.allCases) func slowServers(kind: PublishedKind) async throws {
        let bytes = try kind.bytes
        let server = try PublishingServer { request in
            var answer = PublishingServer.Answer.file(bytes, from: request.offset)
            answer.delay = 0.05
            return answer
        }
        try await fetch(kind, from: server)
        try expectComplete(kind)
    }

    @Test(arguments: PublishedKind.allCases) func cutsAreContinued(kind: PublishedKind) async throws {
        let bytes = try kind.bytes
        let server = try PublishingServer { request in
            var answer = PublishingServer.Answer.file(bytes, from: request.offset)
            if (request.offset ?? 0) < 8000 { answer.cut = 5000 }
            return answer
        }
        for _ in 0..<2 {
            let error = try await #require(throws: DatasetError.self) { try await fetch(kind, from: server) }
            #expect(error.kind == .downloadIncomplete)
        }
        try await fetch(kind, from: server)
        #expect(server.requests.map(\.offset) == [nil, 5000, 10_000])
        try expectComplete(kind)
    }

    @Test(arguments: PublishedKind.allCases) func serversWithoutRanges(kind: PublishedKind) async throws {
        let bytes = try kind.bytes
        let name = kind == .mnist ? "data.gz" : "data"
        try directory.write(Array(bytes[..<100]), to: name + ".part")
        let server = try PublishingServer { _ in .file(bytes, from: nil) }
        try await fetch(kind, from: server)
        #expect(server.requests.map(\.offset) == [100])
        try expectComplete(kind)
    }

    @Test(arguments: PublishedKind.allCases) func redirections(kind: PublishedKind) async throws {
        let bytes = try kind.bytes
        let server = try PublishingServer { request in
            switch request.path {
            case "set/data": .redirect(to: "/second")
            case "second": .redirect(to: "third/x")
            default: .file(bytes, from: request.offset)
            }
        }
        let name = kind == .mnist ? "data.gz" : "data"
        try directory.write(Array(bytes[..<100]), to: name + ".part")
        try await fetch(kind, from: server)
        #expect(server.requests.map(\.path) == ["set/data", "second", "third/x"])
        try expectComplete(kind)
    }

    @Test func redirectionsWithoutEnd() async throws {
        let server = try PublishingServer { .redirect(to: "/\($0.path)x") }
        let error = try await #require(throws: DatasetError.self) { try await fetch(.mat, from: server) }
        #expect(error.kind == .downloadFailed && error.file == server.url("set/data"))
        #expect(server.requests.count <= 50)
        #expect(try directory.names() == [])
    }

    @Test(
        arguments: PublishedKind.allCases,
        ["404 Not Found", "403 Forbidden", "500 Oops", "503 Busy", "204 Nothing"])
    func refusals(kind: PublishedKind, status: String) async throws {
        let error = try await refusal(kind) { _ in
            .init(status: status, headers: ["Content-Length: 0"])
        }
        #expect(error.kind == .downloadFailed && error.message.contains(status.prefix(3)))
        #expect(try directory.names() == [])
    }

    @Test(arguments: PublishedKind.allCases, [["Content-Type: text/html"], []])
    func pagesInstead(kind: PublishedKind, headers: [String]) async throws {
        let error = try await refusal(kind) { _ in
            .init(headers: headers, body: Array("<!DOCTYPE html><p>Sign in".utf8))
        }
        #expect(error.kind == .downloadFailed && error.message.contains("page"))
        #expect(try directory.names() == [])
    }

    @Test(arguments: PublishedKind.allCases) func otherFiles(kind: PublishedKind) async throws {
        var bytes = try kind.bytes
        bytes[bytes.count / 2] ^= 1
        let other = bytes
        let error = try await refusal(kind) { _ in .file(other, from: nil) }
        #expect(error.kind == (kind == .mnist ? .corruptGzip : .wrongChecksum))
        #expect(try directory.names() == [])
    }

    /// The rest is not fetched, or it would fill the memory.
    @Test(arguments: PublishedKind.allCases) func endlessAnswers(kind: PublishedKind) async throws {
        let bytes = try kind.bytes
        // For longer than a busy machine may take to look at what has come.
        let server = try PublishingServer { _ in .init(body: bytes, delay: 0.001, repetitions: 500_000) }
        let error = try await #require(throws: DatasetError.self) { try await fetch(kind, from: server) }
        #expect(error.kind == .tooLarge)
        #expect(try directory.names() == [])
        for _ in 0..<2000 where server.refusedCount == 0 { try await Task.sleep(for: .milliseconds(50)) }
        #expect(server.refusedCount == 1)
    }

    @Test func bombs() async throws {
        let bomb = try gzip([UInt8](repeating: 0, count: 1 << 22))
        let error = try await refusal(.mnist) { _ in .file(bomb, from: nil) }
        #expect(error.kind == .tooLarge)
        #expect(try directory.names() == [])
    }

    @Test(arguments: PublishedKind.allCases) func silence(kind: PublishedKind) async throws {
        let bytes = try kind.bytes
        let error = try await refusal(kind, timeout: 1) { _ in
            var answer = PublishingServer.Answer.file(bytes, from: nil)
            answer.delay = 4
            return answer
        }
        #expect([.downloadIncomplete, .downloadFailed].contains(error.kind))
    }

    // MARK: - A whole data set

    /// OpenML's two steps: the description, then the file that it names.
    @Test func descriptionsLeadToFiles() async throws {
        let rows = (0..<3).map { _ in "1,2\n" }.joined()
        let arff = Array("@relation r\n@attribute a numeric\n@attribute class {1,2}\n@data\n\(rows)".utf8)
        let sum = try Checksum.md5("").ofFile(directory.write(arff, to: "sum"), unpacking: false, limit: 1000)
        let address = Mutex("")
        let server = try PublishingServer { request in
            if request.path.hasSuffix("SVHN.arff") { return .file(arff, from: request.offset) }
            let body = """
                {"data_set_description": {"id": "41081", "format": "ARFF", "md5_checksum": "\(sum.digits)",
                "url": "\(address.withLock(\.self))"}}
                """
            return .file(Array(body.utf8), from: nil)
        }
        address.withLock { $0 = server.url("data/SVHN.arff") }
        let library = DatasetLibrary(
            environment: ["FOVEA_CACHE": directory.path], systemDirectory: directory.path + "/none",
            transport: Redirected(to: server))
        // The file arrives and is kept; it is not SVHN.
        let error = try await #require(throws: DatasetError.self) { try await library.load(.svhn) }
        #expect(error.kind == .wrongShape && error.file == directory.path + "/svhn/svhn.arff")
        #expect(server.requests.map(\.path) == ["api/v1/json/data/41081", "data/SVHN.arff"])
        #expect(
            try await library.verify(.svhn)
                == [FileCheck(path: directory.path + "/svhn/svhn.arff", result: .asPublished(sum))])
        // Once it is there, nobody is asked again.
        await #expect(throws: DatasetError.self) { try await library.load(.svhn) }
        #expect(server.requests.count == 3)
    }

    @Test(arguments: DatasetName.allCases.filter { $0 != .shapes }, ["404 Not Found", "200 OK"])
    func everyDataSet(name: DatasetName, status: String) async throws {
        let server = try PublishingServer { _ in .init(status: status, body: Array("<html>".utf8)) }
        let library = DatasetLibrary(
            environment: ["FOVEA_CACHE": directory.path], systemDirectory: directory.path + "/none",
            transport: Redirected(to: server))
        let error = try await #require(throws: DatasetError.self) { try await library.load(name) }
        #expect([.downloadFailed, .wrongFormat].contains(error.kind) && error.message.contains("FOVEA_DATA"))
        #expect(!server.requests.isEmpty)
        #expect(try directory.names() == [name.folder])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/\(name.folder)").isEmpty)
    }
}

/// Asks a local server for what is published elsewhere.
private struct Redirected: DownloadTransport {
    let server: PublishingServer

    init(to server: PublishingServer) { self.server = server }

    func get(_ url: String, from offset: Int) async throws -> DownloadResponse {
        // Behind the scheme and the host.
        let path = url.split(separator: "/", maxSplits: 2).last.map(String.init) ?? ""
        return try await URLSessionTransport(timeout: 20).get(server.url(path), from: offset)
    }
}
