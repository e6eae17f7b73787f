import Foundation
import Synchronization
import Testing

@testable import FoveaDatasets

/// Answers HTTP requests on 127.0.0.1 one after the other, each with the next of some texts.
final class LocalServer: Sendable {
    let port: UInt16
    private let received = Mutex<[String]>([])

    /// The requests so far, as sent.
    var requests: [String] { received.withLock(\.self) }

    init(answers: [[UInt8]]) throws {
        let (listener, port) = try listeningSocket()
        self.port = port
        Thread.detachNewThread { [self] in
            for answer in answers {
                let connection = accept(listener, nil, nil)
                var request: [UInt8] = []
                while !request.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                    var byte: UInt8 = 0
                    guard recv(connection, &byte, 1, 0) == 1 else { break }
                    request.append(byte)
                }
                received.withLock { $0.append(String(decoding: request, as: UTF8.self)) }
                _ = answer.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                close(connection)
            }
            close(listener)
        }
    }
}

@Suite(.enabled(if: !hasProxy)) struct URLSessionTransportTests {
    func answer(_ head: String, _ body: [UInt8]) -> [UInt8] {
        Array("HTTP/1.1 \(head)\r\nConnection: close\r\n\r\n".utf8) + body
    }

    func bytes(of response: DownloadResponse) async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await part in response.body { all += part }
        return all
    }

    @Test func wholeFilesAndParts() async throws {
        let file = noise(200_000)
        let server = try LocalServer(answers: [
            answer("200 OK\r\nContent-Length: 200000", file),
            answer("206 Partial Content\r\nContent-Length: 10\r\nContent-Range: bytes 5-14/15", noise(10)),
            answer("404 Not Found\r\nContent-Length: 2\r\nContent-Type: text/html", [1, 2]),
        ])
        let url = "http://127.0.0.1:\(server.port)/a/b.gz"
        let transport = URLSessionTransport(timeout: 20)

        let whole = try await transport.get(url, from: 0)
        #expect(whole.status == 200 && whole.headers["content-length"] == "200000")
        #expect(try await bytes(of: whole) == file)

        let part = try await transport.get(url, from: 5)
        #expect(part.status == 206 && part.headers["content-range"] == "bytes 5-14/15")
        #expect(try await bytes(of: part) == noise(10))

        let absent = try await transport.get(url, from: 0)
        #expect(absent.status == 404 && absent.headers["content-type"] == "text/html")

        #expect(server.requests.count == 3 && server.requests.allSatisfy { $0.hasPrefix("GET /a/b.gz HTTP") })
        #expect(server.requests.map { $0.contains("Range: bytes=5-\r\n") } == [false, true, false])
    }

    @Test func brokenConnectionsThrow() async throws {
        let server = try LocalServer(answers: [answer("200 OK\r\nContent-Length: 1000", noise(10)), []])
        let transport = URLSessionTransport(timeout: 20)
        let response = try await transport.get("http://127.0.0.1:\(server.port)/", from: 0)
        await #expect(throws: (any Error).self) { try await bytes(of: response) }
        // No header at all, then no server.
        for _ in 0..<2 {
            await #expect(throws: (any Error).self) {
                try await transport.get("http://127.0.0.1:\(server.port)/", from: 0)
            }
        }
    }

    /// What comes faster than it is read must not fill the memory; what had room is still there.
    @Test func unreadBodiesAreLimited() async throws {
        let part = noise(1 << 20)
        let server = try PublishingServer { _ in .init(body: part, repetitions: 64) }
        let transport = URLSessionTransport(timeout: 20, waitingLimit: 16)
        let response = try await transport.get(server.url("a"), from: 0)
        try await Task.sleep(for: .seconds(1))
        var received: [UInt8] = []
        let error = try await #require(throws: (any Error).self) {
            for try await bytes in response.body { received += bytes }
        }
        #expect(error.localizedDescription.contains("faster"))
        #expect(!received.isEmpty && received.count <= 16 << 14)
        #expect(received == Array(part.prefix(received.count)))
    }

    @Test func whatIsNoURL() async {
        await #expect(throws: (any Error).self) { try await URLSessionTransport().get("", from: 0) }
        await #expect(throws: (any Error).self) {
            try await URLSessionTransport().get("nothing://x", from: 0)
        }
    }
}
