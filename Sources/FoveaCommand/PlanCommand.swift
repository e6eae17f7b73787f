import ArgumentParser
import Foundation
import Fovea

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show the kernel calls of a network's training step.")

    @OptionGroup var step: TrainingStepOptions

    @Flag(help: "Run the step and show each call's least time in microseconds, in front.")
    var profile = false

    func run() async throws {
        let step = try step.makeStep()
        guard profile else {
            print(try await OneDNNBackend().plan(step.graph()))
            return
        }
        let (plan, seconds) = try await timedPlan(of: step)
        let lines = plan.description.split(separator: "\n")
        for (line, seconds) in zip(lines, seconds) {
            print(String(format: "%8.1f", seconds * 1_000_000) + "\t" + line)
        }
        print(String(format: "%8.1f", seconds.reduce(0, +) * 1_000_000) + "\tsum")
        print(lines.dropFirst(seconds.count).joined(separator: "\n"))
    }

    @Compute
    private func timedPlan(of step: TrainingStep) throws -> (Plan, [Double]) {
        guard let executable = try step.executable(on: OneDNNBackend()) as? OneDNNExecutable else {
            throw CommandError("only the CPU backend's plans can be timed")
        }
        try executable.run(step: 0)
        return (executable.plan, try executable.callTimes(runs: 50))
    }
}
