import Fovea
import Synchronization

/// How far training has come, as its callbacks see it.
final class TrainingProgress: Sendable {
    /// What was done before this run, parts of epochs included.
    let epochsBefore = Mutex(0.0)
    let completeEpochs = Mutex(0)
}

extension TrainingPosition {
    /// How many epochs are done, parts included.
    var epochs: Double {
        Double(completeEpochs) + Double(completeSteps) / Double(stepsPerEpoch)
    }
}

extension TrainingError {
    /// Whether training came to numbers that are not finite.
    var isOfNumbers: Bool {
        switch self {
        case .lossNotFinite, .variableNotFinite: true
        default: false
        }
    }

    /// Whether all processes that train together have it, or one that says more.
    var isOfAllProcesses: Bool { self == .otherProcessFailed || isOfNumbers }
}
