import ArgumentParser
import Fovea

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show the kernel calls of a network's training step.")

    @Argument(help: "The network's name.")
    var network: String

    @Option(help: "Images per step (default: the size that the network is measured with).")
    var batchSize: Int?

    func run() async throws {
        let network = try NamedNetwork.named(network)
        let step = try TrainingStep(network, batch: batchSize ?? network.measuredBatchSize)
        print(try await OneDNNBackend().plan(step.graph()))
    }
}
