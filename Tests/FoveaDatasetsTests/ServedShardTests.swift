import Foundation
import FoveaGraph
import FoveaPictures
import Synchronization
import TestSupport
import Testing

@testable import FoveaDatasets

/// Shards on an HTTP server, of which parts are fetched.
@Suite(.disabled(if: hasProxy, "a proxy would be asked for local addresses"))
struct ServedShardTests {
    private let directory: TemporaryDirectory
    private let local: ImageFolder

    init() throws {
        directory = try TemporaryDirectory()
        for number in 0..<12 {
            let pixels = [UInt8](repeating: UInt8(number), count: 3 * 40_000)
            try directory.write(
                Array("P6 200 200 255\n".utf8) + pixels, to: "pictures/\(number % 2)/\(number).ppm")
        }
        try ImageFolder(directory.path + "/pictures").writeShards(
            to: directory.path + "/shards", byteCount: 800_000)
        local = try ImageFolder(directory.path + "/shards")
    }

    private func server(
        without missing: String = "nothing",
        _ change: @escaping @Sendable (PublishingServer.Request, inout PublishingServer.Answer) -> Void = {
            _, _ in
        }
    ) throws -> PublishingServer {
        let folder = directory.path
        return try PublishingServer { request in
            guard !request.path.hasSuffix(missing),
                let bytes = FileManager.default.contents(atPath: folder + "/" + request.path)
            else { return .init(status: "404 Not Found", headers: ["Content-Length: 0"]) }
            var answer = PublishingServer.Answer.file([UInt8](bytes), from: request.offset, to: request.last)
            change(request, &answer)
            return answer
        }
    }

    private func shards(_ server: PublishingServer) throws -> ImageFolder {
        try ImageFolder(server.url("shards/shard-{000..001}.tar"))
    }

    /// With an index beside each shard, without, and without class names.
    @Test(arguments: ["nothing", ".tsv", "classes.txt"]) func sameAsHere(_ missing: String) throws {
        let server = try server(without: missing)
        let served = try shards(server)
        #expect(served.items.map(\.label) == local.items.map(\.label))
        #expect(served.items.map(\.byteCount) == local.items.map(\.byteCount))
        #expect(served.classNames == ["0", "1"])
        // Whole pictures are not fetched to find out where they are.
        let fetched = server.requests.reduce(0) { sum, request in
            request.path.hasSuffix(".tar") ? sum + (request.last ?? 0) - (request.offset ?? 0) + 1 : sum
        }
        #expect(fetched < (missing == ".tsv" ? 1_100_000 : 1100))
        #expect(DataFingerprint(served) == DataFingerprint(local))
        for (item, other) in zip(served.items, local.items) {
            #expect(try item.picture() == other.picture())
        }
    }

    @Test func picturesAreLoadedByThreads() async throws {
        let server = try server()
        let examples = try Dataset(shards(server), size: 8).shuffled(seed: 1).batched(5)
        let here = try Dataset(local, size: 8).shuffled(seed: 1).batched(5)
        var batches = try here.loaded(threads: 3).makeAsyncIterator()
        for try await batch in try examples.loaded(threads: 3) { #expect(try await batches.next() == batch) }
        #expect(try await batches.next() == nil && server.requests.count > 12)
    }

    /// An index that is not that of the shard is not used.
    @Test func indexesOfOtherShards() throws {
        for text in ["", "5\n", "no number\n", "\(1 << 62)\n512\t1\t0\ta.ppm\n"] {
            try directory.write(Array(text.utf8), to: "shards/shard-000.tsv")
            #expect(try shards(server()).items.count == 12)
        }
        let size = try #require(
            FileManager.default.contents(atPath: directory.path + "/shards/shard-000.tar")?.count)
        for line in [
            "512\t\(size)\t0\ta.ppm", "-1\t1\t0\ta.ppm", "512\t-1\t0\ta.ppm", "512\t1\t0", "512\t1\t-1\ta",
        ] {
            try directory.write(Array("\(size)\n\(line)\n".utf8), to: "shards/shard-000.tsv")
            #expect(try shards(server()).items.count == 12, "\(line)")
        }
    }

    @Test func aServerThatFailsForAMoment() throws {
        let count = Mutex(0)
        let server = try server { _, answer in
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number % 9 == 0 { answer = .init(status: "503 Busy", headers: ["Content-Length: 0"]) }
            if number % 9 == 1 { answer.cut = answer.body.count / 2 }
        }
        let served = try shards(server)
        #expect(try served.items.map { try $0.picture() } == local.items.map { try $0.picture() })
        #expect(server.requests.count > 16)
    }

    @Test func badServers() throws {
        func refusal(
            _ change: @escaping @Sendable (PublishingServer.Request, inout PublishingServer.Answer) -> Void
        ) throws -> DatasetError {
            let server = try server(without: ".tsv", change)
            return try #require(throws: DatasetError.self) { try shards(server) }
        }
        // Sends the whole file, more than asked for, another part, an end without an end.
        let whole = try refusal { request, answer in
            answer = .init(
                headers: ["Content-Length: 9999999"], body: [UInt8](repeating: 0, count: 9_999_999))
        }
        #expect(whole.message.contains("Range"))
        let more = try refusal { request, answer in
            guard request.path.hasSuffix(".tar") else { return }
            answer.headers = ["Content-Range: bytes 0-9/10"]
            answer.repetitions = 900
        }
        #expect(more.message.contains("more than was asked for"))
        let other = try refusal { _, answer in
            if answer.status.hasPrefix("206") { answer.headers[1] = "Content-Range: bytes 7-99/100" }
        }
        #expect(other.message.contains("another part"))
        let forbidden = try refusal { _, answer in
            answer = .init(status: "403 Forbidden", headers: ["Content-Length: 0"])
        }
        #expect(forbidden.message.contains("403"))
        #expect(
            try refusal { request, answer in
                if request.path.hasSuffix(".tar") {
                    answer = .init(status: "404 Not Found", headers: ["Content-Length: 0"])
                }
            }.kind == .missingFile)
        let nobody = try #require(throws: DatasetError.self) {
            try ServedFiles(timeout: 5, pauses: [0.01]).part(of: "http://127.0.0.1:1/a.tar", at: 0, count: 5)
        }
        #expect(nobody.kind == .downloadFailed)
        #expect(throws: DatasetError.self) { try ImageFolder("http://127.0.0.1/folder/") }
    }
}
