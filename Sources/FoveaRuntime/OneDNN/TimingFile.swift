import Foundation
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
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return [:] }
            throw TimingFileError(path, "could not be read: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.largestByteCount else {
            throw TimingFileError(path, "is no file of measured times")
        }
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw TimingFileError(path, "could not be read: \(error.localizedDescription)")
        }
        do {
            return try JSONDecoder().decode(Times.self, from: bytes)
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
        let url = URL(filePath: path)
        let folder = url.deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            // Where folders cannot be locked, times that two processes add at once may be lost, which costs measuring.
            if descriptor >= 0 { flock(descriptor, LOCK_EX) }
            defer { if descriptor >= 0 { close(descriptor) } }
            let all = ((try? read()) ?? [:]).adding(times)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try encoder.encode(all).write(to: url, options: .atomic)
        } catch {
            throw TimingFileError(path, "could not be written: \(error.localizedDescription)")
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

    init(_ path: String, _ problem: String) { description = "\(path) \(problem)" }
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
