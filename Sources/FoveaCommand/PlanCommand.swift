import ArgumentParser
import Foundation
import Fovea

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show the kernel calls of a network's training step or inference.")

    @OptionGroup var work: MeasuredWorkOptions

    @Flag(help: "Run it and show each call's least time, share and rate of arithmetic.")
    var profile = false

    func run() async throws {
        let (work, backend) = try (work.makeWork(), work.makeBackend())
        say(
            profile
                ? try await work.executable(on: backend).table(timedRuns: 50)
                : try await backend.table(of: work.graph()))
    }
}
