import ArgumentParser
import Fovea

extension TrainCommand {
    #if ProtocolBuffers
        func checkTensorBoard() throws {}

        /// - Returns: what writes for TensorBoard, if it is asked for.
        func tensorBoard(network: String, precision: Precision) -> [any Callback] {
            guard let tensorboard else { return [] }
            var hyperparameters: Configuration = [
                "dataset": .string(dataset), "network": .string(network), "batch_size": .integer(batchSize),
                "seed": .string("\(seed)"), "precision": .string(precision.rawValue),
            ]
            hyperparameters["schedule"] = training.schedule.map(ConfigurationValue.string)
            hyperparameters["dropout"] = dropout.map(ConfigurationValue.number)
            hyperparameters["weight_decay"] = training.weightDecay.map(ConfigurationValue.number)
            return [
                TensorBoard(
                    tensorboard, histogramFrequency: 1, writeImages: true, hyperparameters: hyperparameters,
                    texts: ["command": CommandLine.arguments.joined(separator: " ")])
            ]
        }
    #else
        func checkTensorBoard() throws {
            guard tensorboard != nil else { return }
            throw ValidationError(
                "--tensorboard needs SwiftProtobuf: this command was built without the package trait ProtocolBuffers"
            )
        }

        func tensorBoard(network: String, precision: Precision) -> [any Callback] { [] }
    #endif
}
