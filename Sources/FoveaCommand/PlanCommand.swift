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
            profile ? try await timedTable(of: work, backend) : try await backend.plan(work.graph()).table())
    }

    @Compute
    private func timedTable(of work: MeasuredWork, _ backend: OneDNNBackend) throws -> String {
        guard let executable = try work.executable(on: backend) as? OneDNNExecutable else {
            throw CommandError("only the CPU backend's plans can be timed")
        }
        try executable.run(step: 0)
        return executable.plan.table(seconds: try executable.callTimes(runs: 50))
    }
}
