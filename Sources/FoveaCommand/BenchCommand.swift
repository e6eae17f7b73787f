import ArgumentParser
import Foundation
import Fovea

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Time training steps or inference on random images in memory.")

    @OptionGroup var work: MeasuredWorkOptions

    @Option(parsing: .unconditional, help: ArgumentHelp("Steps to time.", valueName: "count"))
    var steps = 50

    @Flag(help: "Print one line of JSON.")
    var json = false

    @Flag(help: "Time a round of N steps for each line 'go N' on standard input, until it ends.")
    var roundsFromStdin = false

    func validate() throws {
        try checkPositive("--steps", steps)
    }

    func run() async throws {
        let backend = try work.makeBackend()
        let work = try work.makeWork()
        let executable = try await work.executable(on: backend)
        if roundsFromStdin {
            while let line = readLine() {
                let words = line.split(separator: " ")
                guard words.count == 2, words[0] == "go", let count = Int(words[1]), count > 0 else {
                    throw CommandError("standard input: expected a line like 'go 50', not '\(line)'")
                }
                print(try await round(of: count, executable, work).json())
                // The driver waits for this line.
                fflush(nil)
            }
            return
        }
        _ = try await round(of: min(steps, 10), executable, work)
        let result = try await round(of: steps, executable, work)
        if json {
            print(try result.json())
        } else {
            print(
                String(
                    format:
                        "%@, batch %d: median %.3f ms, minimum %.3f ms, %.0f images/s, peak memory %.1f MiB",
                    work.network.rawValue, work.batch, result.medianMs, result.minMs, result.imagesPerSecond,
                    result.peakRssMib))
        }
    }

    @Compute
    private func round(of steps: Int, _ executable: any Executable, _ work: MeasuredWork) throws -> Round {
        var times: [Double] = []
        let clock = ContinuousClock()
        for number in 0..<steps {
            let time = try clock.measure {
                try executable.run(step: UInt64(number))
                _ = try executable.output(0)
            }
            times.append(time / .milliseconds(1))
        }
        guard try executable.output(0).scalar.isFinite else {
            throw CommandError("the loss is not a number any more")
        }
        times.sort()
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
