import Foundation
import FoveaFiles

/// A tar file of labelled pictures, on this machine or on a server.
package final class Shard: Sendable, Equatable {
    /// The path, or the address.
    let path: String
    /// What gets parts of it from a server; nil for a file here.
    let server: ServedFiles?

    init(_ path: String, on server: ServedFiles?) {
        self.path = path
        self.server = server
    }

    package static func == (first: Shard, second: Shard) -> Bool { first.path == second.path }

    static func isServed(_ path: String) -> Bool {
        path.hasPrefix("http://") || path.hasPrefix("https://")
    }

    /// - Throws: `DatasetError` also when it ends before.
    func bytes(at offset: Int, count: Int) throws(DatasetError) -> [UInt8] {
        if count == 0 { return [] }
        guard let server else { return try ReadableFile(path).bytes(at: offset, count: count) }
        let bytes = try server.part(of: path, at: offset, count: count).bytes
        guard bytes.count == count else {
            throw DatasetError(.truncated, file: path, "ends before a picture that it had; was it replaced?")
        }
        return bytes
    }

    /// Its bytes one after the other, of which those that are passed over are not fetched.
    func source() throws(DatasetError) -> ByteSource {
        guard let server else { return try ByteSource(path) }
        return ByteSource(
            named: path, byteCount: try servedSize(),
            reader: FetchedBlocks(path: path, server: server).read)
    }

    /// - Throws: `DatasetError` also when the server does not tell.
    func servedSize() throws(DatasetError) -> Int {
        guard let size = try server?.part(of: path, at: 0, count: 512).total else {
            throw DatasetError(.wrongFormat, file: path, "the server does not say how large the file is")
        }
        return size
    }
}

/// A file on a server that is read from its beginning in small pieces.
private final class FetchedBlocks {
    private static let blockSize = 1 << 16
    private let path: String
    private let server: ServedFiles
    /// What was fetched last, and where it begins.
    private var block: (start: Int, bytes: [UInt8]) = (0, [])

    init(path: String, server: ServedFiles) {
        self.path = path
        self.server = server
    }

    func read(_ position: Int, _ memory: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
        var done = 0
        while done < memory.count {
            let place = position + done
            if !(block.start..<(block.start + block.bytes.count)).contains(place) {
                let count = max(Self.blockSize, memory.count - done)
                block = (place, try server.part(of: path, at: place, count: count).bytes)
            }
            let part = block.bytes[(place - block.start)...].prefix(memory.count - done)
            if part.isEmpty { break }
            UnsafeMutableRawBufferPointer(rebasing: memory[done...]).copyBytes(from: part)
            done += part.count
        }
        return done
    }
}

/// The shards that a path, a pattern or an address names.
struct ShardList {
    /// What all names begin with.
    let folder: String
    let shards: [Shard]

    /// - Returns: nil when the path names none, as that of a folder of classes.
    /// - Throws: `DatasetError` for a pattern that makes no sense, and when there is no such file.
    init?(_ path: String) throws(DatasetError) {
        guard Self.isNamed(path) else {
            var walk = try FolderWalk(path, limit: ImageFolder.defaultLimit).entries(of: path)[...]
            guard !walk.contains(where: \.isFolder) else { return nil }
            walk = walk.filter { $0.path.hasSuffix(".tar") }[...]
            guard !walk.isEmpty else { return nil }
            (folder, shards) = (path, walk.map { Shard($0.path, on: nil) })
            return
        }
        let names = try ShardNames.expanded(path)
        if let other = names.first(where: { !$0.hasSuffix(".tar") }) {
            throw DatasetError(
                .invalidArgument, file: other,
                "is no shard: their names end in .tar, such as https://example.org/pets/shard-{000..009}.tar; packed ones "
                    + "(.tar.gz) cannot be read in parts")
        }
        let server = Shard.isServed(path) ? ServedFiles() : nil
        shards = names.map { Shard($0, on: server) }
        folder = names[0].lastIndex(of: "/").map { String(names[0][..<$0]) } ?? "."
    }

    /// Whether a text names shards by itself, without being the path of a folder that holds them.
    static func isNamed(_ path: String) -> Bool {
        if Shard.isServed(path) { return true }
        var isFolder = ObjCBool(false)
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return exists ? !isFolder.boolValue && path.hasSuffix(".tar") : path.contains("{")
    }

    /// The names of the classes, one on a line; nil where no file `classes.txt` lies beside the shards.
    func classNames() throws(DatasetError) -> [String]? {
        guard let text = try companion("classes.txt", limit: 1 << 24) else { return nil }
        let names = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            String($0).normalForm
        }
        let lines = names.last == "" ? names.dropLast() : names[...]
        guard !lines.isEmpty, !lines.contains(""), Set(lines).count == lines.count else {
            throw DatasetError(
                .wrongFormat, file: folder + "/classes.txt",
                "must have the name of a class on each line, each once, in the order of their numbers")
        }
        return Array(lines)
    }

    /// A text that lies beside the shards; nil where there is none.
    func companion(_ name: String, limit: Int) throws(DatasetError) -> String? {
        let path = folder + "/" + name
        let bytes: [UInt8]
        if let server = shards.first?.server {
            do throws(DatasetError) {
                bytes = try server.part(of: path, at: 0, count: limit).bytes
            } catch {
                guard error.kind == .missingFile else { throw error }
                return nil
            }
        } else {
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            let file = try UnpackedFile(path)
            guard file.storedByteCount <= limit else {
                throw DatasetError(.tooLarge, file: path, "has more than \(limit) bytes")
            }
            bytes = try file.readBytes(count: limit)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DatasetError(.wrongFormat, file: path, "is not UTF-8")
        }
        return text
    }
}
