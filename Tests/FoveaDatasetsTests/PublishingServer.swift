import Foundation
import Synchronization
import Testing

@testable import FoveaDatasets

/// Answers HTTP requests on 127.0.0.1 as it is told, badly if so, until the test ends.
final class PublishingServer: Sendable {
    struct Request: Equatable, Sendable {
        let path: String
        /// Where the range that was asked for begins.
        let offset: Int?
        /// The last byte of the range, where it has one.
        var last: Int?
    }

    struct Answer: Sendable {
        var status = "200 OK"
        var headers: [String] = []
        var body: [UInt8] = []
        /// How much of the body is sent before the connection is closed.
        var cut: Int?
        /// Seconds before each part of the body.
        var delay = 0.0
        /// How often the body is sent.
        var repetitions = 1
    }

    let port: UInt16
    private let listener: Int32
    private let log = Mutex<[Request]>([])
    private let refused = Mutex(0)

    /// How many answers nobody wanted to the end.
    var refusedCount: Int { refused.withLock(\.self) }

    var requests: [Request] { log.withLock(\.self) }

    init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
        let (listener, port) = try listeningSocket()
        (self.listener, self.port) = (listener, port)
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                // A slow answer must not hold up the next one.
                Thread.detachNewThread { [weak self] in
                    if let request = Self.request(on: connection) {
                        self?.log.withLock { $0.append(request) }
                        let isWanted = Self.send(answer(request), on: connection)
                        if !isWanted { self?.refused.withLock { $0 += 1 } }
                    }
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

    private static func request(on connection: Int32) -> Request? {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            var byte: UInt8 = 0
            guard recv(connection, &byte, 1, 0) == 1, head.count < 1 << 16 else { return nil }
            head.append(byte)
        }
        let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
        let ends = range?.split(whereSeparator: { "=-".contains($0) }).dropFirst().map { Int($0) }
        return Request(
            path: lines[0].split(separator: " ").dropFirst().first.map { String($0.dropFirst()) } ?? "",
            offset: ends?.first ?? nil, last: ends?.dropFirst().first ?? nil)
    }

    /// - Returns: whether the other side took all of it.
    private static func send(_ answer: Answer, on connection: Int32) -> Bool {
        let head = ["HTTP/1.1 \(answer.status)"] + answer.headers + ["Connection: close", "", ""]
        guard send(Array(head.joined(separator: "\r\n").utf8)[...], on: connection) else { return false }
        for _ in 0..<answer.repetitions {
            var rest = answer.body.prefix(answer.cut ?? .max)
            while !rest.isEmpty {
                if answer.delay > 0 { Thread.sleep(forTimeInterval: answer.delay) }
                guard send(rest.prefix(4096), on: connection) else { return false }
                rest = rest.dropFirst(4096)
            }
        }
        return true
    }

    private static func send(_ bytes: ArraySlice<UInt8>, on connection: Int32) -> Bool {
        bytes.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            == bytes.count
    }
}

extension PublishingServer.Answer {
    /// A file from `offset` on, or up to `last`, as servers send it that can continue.
    static func file(_ bytes: [UInt8], from offset: Int?, to last: Int? = nil) -> Self {
        guard let offset else { return Self(headers: ["Content-Length: \(bytes.count)"], body: bytes) }
        guard offset < bytes.count else { return Self(status: "416 Range Not Satisfiable") }
        let last = min(last ?? .max, bytes.count - 1)
        return Self(
            status: "206 Partial Content",
            headers: [
                "Content-Length: \(last + 1 - offset)",
                "Content-Range: bytes \(offset)-\(last)/\(bytes.count)",
            ], body: Array(bytes[offset...last]))
    }

    static func redirect(to place: String) -> Self {
        Self(status: "302 Found", headers: ["Location: \(place)", "Content-Length: 0"])
    }
}

/// A socket that waits for connections to 127.0.0.1, and its port.
func listeningSocket() throws -> (socket: Int32, port: UInt16) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let ready = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                && getsockname(listener, $0, &length) == 0
        }
    }
    try #require(ready)
    return (listener, UInt16(bigEndian: address.sin_port))
}

/// A proxy would be asked for local addresses too.
let hasProxy = ProcessInfo.processInfo.environment.keys.contains { $0.lowercased().hasSuffix("_proxy") }
