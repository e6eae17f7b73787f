import ArgumentParser
import Foundation
import Fovea

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show the kernel calls of a network's training step or inference.")

    @OptionGroup var work: MeasuredWorkOptions

    @Flag(help: "Run it and show each call's least time, share and rate of arithmetic.")
    var profile = false

    @Flag(
        help: "Show the step as accelerators' plugins get it: a program of StableHLO. No plugin is needed.")
    var stablehlo = false

    func validate() throws {
        if stablehlo, profile { throw ValidationError("--stablehlo runs nothing, so leave out --profile") }
    }

    func run() async throws {
        if stablehlo {
            let graph = try work.makeWork().graph()
            say(try XLABackend.stableHLO(of: graph, precision: work.chosenPrecision()), terminator: "")
            return
        }
        let (work, backend) = try (work.makeWork(), work.makeBackend())
        say(
            profile
                ? try await work.executable(on: backend).table(timedRuns: 50)
                : try await backend.table(of: work.graph()))
    }
}
