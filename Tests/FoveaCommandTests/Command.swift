import Foundation

/// A folder of its own for runs of the `fovea` command, with data sets that need no network, gone after the test.
final class Workplace: Sendable {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "fovea-command-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    // MARK: - Files

    func path(_ name: String) -> String { folder + "/" + name }

    func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path(name))))
    }

    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    func write(_ bytes: [UInt8], to name: String) throws {
        let url = URL(filePath: path(name))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    /// The names of the files in a folder, hidden ones included.
    func names(in name: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
    }

    /// Puts a small data set in the place of MNIST: a bright bar for each digit, at its own height.
    func writeDigits(train: Int = 60, test: Int = 20) throws {
        for (name, count) in [("train", train), ("t10k", test)] {
            let labels = (0..<count).map { UInt8($0 % 10) }
            try write(Self.images(labels), to: "data/mnist/\(name)-images-idx3-ubyte")
            try write(Self.idx([count], labels), to: "data/mnist/\(name)-labels-idx1-ubyte")
        }
    }

    static func images(_ labels: [UInt8]) -> [UInt8] {
        let pixels = labels.enumerated().flatMap { index, label in
            (0..<28 * 28).map { place in
                let row = place / 28
                let isBar = row / 2 == Int(label) + 2
                return UInt8((isBar ? 180 : 10) + (place * 7 + index * 13) % 50)
            }
        }
        return idx([labels.count, 28, 28], pixels)
    }

    static func idx(_ extents: [Int], _ elements: [UInt8]) -> [UInt8] {
        [0, 0, 8, UInt8(extents.count)]
            + extents.flatMap { extent in
                stride(from: 24, through: 0, by: -8).map { UInt8(extent >> $0 & 255) }
            }
            + elements
    }

    // MARK: - Runs

    struct Result {
        /// The exit code, or minus the signal that ended the process.
        let code: Int
        let output: String
        let errors: String

        var lines: [Substring] { output.split(separator: "\n") }
    }

    /// The executable that was built beside the tests.
    static let executable =
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/fovea"

    /// Runs `fovea` with the arguments, separated by spaces.
    func fovea(_ arguments: String) async throws -> Result {
        try await start(arguments).result()
    }

    func start(_ arguments: String) throws -> Run {
        try Run(Self.executable, arguments.split(separator: " ").map(String.init), in: folder)
    }

    /// Runs a shell script in which `$fovea` is the command.
    func shell(_ script: String) async throws -> Result {
        try await self.script(script).result()
    }

    /// Starts a shell script as `shell` has it.
    func script(_ script: String) throws -> Run { try Run("/bin/sh", ["-c", script], in: folder) }

    /// A process that was started, its outputs going to files.
    final class Run: Sendable {
        private let process = Process()
        private let output: URL
        private let errors: URL
        private let ends: AsyncStream<Void>

        fileprivate init(_ executable: String, _ arguments: [String], in folder: String) throws {
            let name = folder + "/.run-" + UUID().uuidString
            (output, errors) = (URL(filePath: name + ".out"), URL(filePath: name + ".err"))
            process.executableURL = URL(filePath: executable)
            process.arguments = arguments
            process.currentDirectoryURL = URL(filePath: folder)
            // One thread, because two that wait for each other stand still when other tests use the processors.
            process.environment = [
                "PATH": "/usr/bin:/bin", "HOME": folder, "FOVEA_DATA": folder + "/data",
                "FOVEA_CACHE": folder + "/cache", "OMP_NUM_THREADS": "1", "fovea": Workplace.executable,
            ]
            try Data().write(to: output)
            try Data().write(to: errors)
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            let (ends, continuation) = AsyncStream<Void>.makeStream()
            self.ends = ends
            process.terminationHandler = { _ in continuation.finish() }
            try process.run()
        }

        /// Of a test that failed nobody waits for the process any more, which may train for ever.
        deinit {
            if process.isRunning { kill() }
        }

        var outputSoFar: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

        /// Waits until the text has been printed or the process has ended.
        func waitFor(_ text: String) async throws {
            while process.isRunning, !outputSoFar.contains(text) {
                try await Task.sleep(for: .milliseconds(10))
            }
        }

        func interrupt() { process.interrupt() }
        func signal(_ number: Int32) { _ = Foundation.kill(process.processIdentifier, number) }
        func kill() { signal(SIGKILL) }

        func result() async throws -> Result {
            for await _ in ends {}
            defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
            let status = Int(process.terminationStatus)
            return Result(
                code: process.terminationReason == .exit ? status : -status, output: outputSoFar,
                errors: try String(contentsOf: errors, encoding: .utf8))
        }
    }
}
