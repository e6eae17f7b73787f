import ArgumentParser
import Fovea

@main
struct FoveaCommand: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "fovea",
        abstract: "Build, train and use convolutional networks.",
        version: version,
        subcommands: [
            DatasetsCommand.self, SummaryCommand.self, TrainCommand.self, EvaluateCommand.self,
            PredictCommand.self,
            PlanCommand.self, BenchCommand.self,
        ])
}
