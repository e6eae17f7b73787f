import FoveaFiles
import FoveaGraph

/// A run was given something that the compiled graph cannot take.
public enum RunError: Error, Hashable, CustomStringConvertible {
    case unknownInput(String, known: [String])
    case missingInput(String)
    case wrongType(input: String, expected: TensorType, received: TensorType)
    case noOutput(Int, count: Int)
    case outputGone
    case notLinked(device: String, target: String)
    case unknownDevice(String, known: [String])
    case unknownSetting(String, value: String, known: [String])
    case kernel(String)

    public var description: String { visible(text) }

    private var text: String {
        switch self {
        case .unknownInput(let name, let known):
            "the compiled graph has no input '\(name)'; its inputs are \(known.joined(separator: ", "))"
        case .missingInput(let name):
            "input '\(name)' was never set, or not since another graph was computed in the same memory"
        case .wrongType(let input, let expected, let received):
            "input '\(input)' was compiled for \(expected), not \(received); compile again for another batch size"
        case .noOutput(let index, let count):
            "there is no output \(index): the compiled graph has \(count), once it has run"
        case .outputGone:
            "an output was asked for its value after another run in the same memory; ask before the next run"
        case .notLinked(let device, let target):
            "this program has no backend for the device '\(device)'; add \(target) to the dependencies of its target"
        case .unknownDevice(let name, let known):
            "there is no device '\(name)'; it may be \(known.joined(separator: ", "))"
        case .unknownSetting(let name, let value, let known):
            "the environment's \(name) is '\(value)', which is none of \(known.joined(separator: ", "))"
        case .kernel(let message): message
        }
    }
}
