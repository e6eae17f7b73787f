import ArgumentParser
import Foundation
import Fovea

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Time training steps or inference on random images in memory.",
        discussion: """
            With --pictures FOLDER what is timed is how fast the pictures of a folder come to training: read, brought to \
            the network's size, changed as --augment says and put into batches.
            """)

    @OptionGroup var work: MeasuredWorkOptions

    @Option(
        help: ArgumentHelp("Time loading the pictures of this folder instead of steps.", valueName: "folder"),
        transform: filePath)
    var pictures: String?

    @Option(help: ArgumentHelp("Change pictures as 'fovea train' does.", valueName: "changes"))
    var augment: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Threads that load (default: one for each processor, at most 4).", valueName: "count"))
    var loaderThreads: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Steps to time.", valueName: "count"))
    var steps = 50

    @Flag(help: "Print one line of JSON.")
    var json = false

    @Flag(help: "Time a round of N steps for each line 'go N' on standard input, until it ends.")
    var roundsFromStdin = false

    func validate() throws {
        try checkPositive("--steps", steps)
        try checkLoaderThreads(loaderThreads)
        if pictures == nil, augment != nil || loaderThreads != nil {
            throw ValidationError("--augment and --loader-threads need --pictures FOLDER")
        }
        _ = try augment.map(parsedAugmentation)
    }

    func run() async throws {
        let round = try await makeRound()
        if roundsFromStdin {
            while let line = readLine() {
                let words = line.split(separator: " ")
                guard words.count == 2, words[0] == "go", let count = Int(words[1]), count > 0 else {
                    throw CommandError("standard input: expected a line like 'go 50', not '\(line)'")
                }
                say(try await round(count).json())
            }
            return
        }
        _ = try await round(min(steps, 10))
        let result = try await round(steps)
        if json {
            say(try result.json())
        } else {
            say(
                String(
                    format:
                        "%@, batch %d: median %.3f ms, minimum %.3f ms, %.0f images/s, peak memory %.1f MiB",
                    result.network, result.batch, result.medianMs, result.minMs, result.imagesPerSecond,
                    result.peakRssMib))
        }
    }

    /// What does the given number of steps, or loads as many batches, and times them.
    private func makeRound() async throws -> @Compute (Int) throws -> Round {
        let backend = try work.makeBackend()
        let work = try work.makeWork()
        if let pictures {
            let batches = try LoadedPictures(
                of: pictures, for: work, augmentation: augment.map(parsedAugmentation), threads: loaderThreads
            )
            return { try round(of: $0, batches, work) }
        }
        let executable = try await work.executable(on: backend)
        return { try round(of: $0, executable, work) }
    }

    /// Batches are made ahead, so the time of one says nothing: all have the mean.
    @Compute
    private func round(of count: Int, _ batches: LoadedPictures, _ work: MeasuredWork) throws -> Round {
        let time = try ContinuousClock().measure {
            for _ in 0..<count { try batches.next() }
        }
        return result([time / .milliseconds(Double(count))], count, work)
    }

    @Compute
    private func round(of steps: Int, _ executable: any Executable, _ work: MeasuredWork) throws -> Round {
        var times: [Double] = []
        let clock = ContinuousClock()
        for number in 0..<steps {
            let time = try clock.measure {
                try executable.run(step: UInt64(number), seed: 0)
                _ = try executable.output(0).value()
            }
            times.append(time / .milliseconds(1))
        }
        guard try executable.output(0).value().scalar.isFinite else {
            throw CommandError("the loss is not a number any more")
        }
        return result(times, steps, work)
    }

    private func result(_ times: [Double], _ steps: Int, _ work: MeasuredWork) -> Round {
        let times = times.sorted()
        let median = (times[(times.count - 1) / 2] + times[times.count / 2]) / 2
        return Round(
            framework: "fovea", version: FoveaCommand.version, network: work.network.rawValue,
            batch: work.batch,
            optimizer: type(of: work.optimizer).name, steps: steps, medianMs: median, minMs: times[0],
            imagesPerSecond: Double(work.batch) / median * 1000,
            peakRssMib: Double(peakResidentKibibytes()) / 1024)
    }

    private func peakResidentKibibytes() -> Int {
        var usage = rusage()
        return getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? usage.ru_maxrss : 0
    }

    /// Times of one round, under the names that the comparison with other frameworks uses.
    private struct Round: Codable {
        var framework: String
        var version: String
        var network: String
        var batch: Int
        var optimizer: String
        var steps: Int
        var medianMs: Double
        var minMs: Double
        var imagesPerSecond: Double
        var peakRssMib: Double

        func json() throws -> String {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
