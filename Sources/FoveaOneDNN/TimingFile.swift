import Foundation
import FoveaFiles
import FoveaGraph
import FoveaRuntime
import Glibc

/// A file of times that were measured, as JSON, which several processes may read and add to at once.
struct TimingFile: Sendable {
    let path: String

    /// Microseconds by machine, request and algorithm.
    typealias Times = [String: [String: [String: Double]]]

    private static let largestByteCount = 64 << 20

    /// What the file holds; nothing when there is none.
    ///
    /// - Throws: `TimingFileError` when it cannot be read or holds something else.
    func read() throws(TimingFileError) -> Times {
        // Opened before it is looked at, because another process may replace it at any time; without waiting for a pipe's writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return [:] }
            throw TimingFileError(path, "could not be read: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= Self.largestByteCount
        else {
            close(descriptor)
            throw TimingFileError(path, "is no file of measured times")
        }
        guard let file = fdopen(descriptor, "rb") else {
            let code = errno
            close(descriptor)
            throw TimingFileError(path, "could not be read: \(String(cString: strerror(code)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = fread(&bytes, 1, bytes.count, file)
        guard ferror(file) == 0 else {
            throw TimingFileError(path, "could not be read: \(String(cString: strerror(errno)))")
        }
        do {
            return try JSONDecoder().decode(Times.self, from: Data(bytes.prefix(count)))
        } catch {
            throw TimingFileError(path, "is damaged: it should hold measured times as JSON")
        }
    }

    /// Adds times to those in the file, making it and its folder if needed. A damaged file is replaced.
    ///
    /// The file is replaced as a whole, so no reader ever finds a part of it; the folder is locked from reading to
    /// writing, so that no process undoes what another one adds.
    ///
    /// - Throws: `TimingFileError` when it cannot be written.
    func add(_ times: Times) throws(TimingFileError) {
        let folder = FoveaFiles.folder(of: path)
        do throws(SystemError) { try makeFolder(folder) } catch {
            throw TimingFileError(
                path,
                "could not be written: its folder cannot be made: \(error); set FOVEA_CACHE to a folder that can be "
                    + "written to")
        }
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // Where folders cannot be locked, times that two processes add at once may be lost, which costs measuring.
        if descriptor >= 0 { flock(descriptor, LOCK_EX) }
        defer { if descriptor >= 0 { close(descriptor) } }
        let all = ((try? read()) ?? [:]).adding(times)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(all) else {
            throw TimingFileError(path, "could not be written: a time is no number")
        }
        do throws(FileError) { try AtomicFile.write([UInt8](json), to: path) } catch {
            throw TimingFileError(path, "could not be written: \(SystemError(code: error.code))")
        }
    }
}

extension TimingFile.Times {
    /// Both; of the same entry the added times.
    func adding(_ times: Self) -> Self {
        merging(times) { entries, added in entries.merging(added) { $1 } }
    }
}

struct TimingFileError: Error, CustomStringConvertible {
    let description: String

    init(_ path: String, _ problem: String) { description = visible("\(path) \(problem)") }
}

/// The machine as far as times depend on it.
enum Machine {
    static func description(threads: Int, version: String) -> String {
        "\(cpu), \(OneDNNBackend.vectorKind), bfloat16 unit \(OneDNNBackend.bfloat16Unit), threads \(threads), "
            + "oneDNN \(OneDNNBackend.libraryVersion), Fovea \(version)"
    }

    /// The CPU's model, as Linux describes the first one.
    private static let cpu: String = {
        let names = [
            "model name", "cpu family", "model", "stepping", "CPU implementer", "CPU part", "CPU revision",
        ]
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
        let fields = lines.compactMap { line -> String? in
            let parts = line.split(separator: ":", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            return parts.count == 2 && names.contains(parts[0]) ? "\(parts[0]) \(parts[1])" : nil
        }
        return fields.joined(separator: " ")
    }()
}
