import FoveaFiles
import FoveaGraph

/// Training, evaluation or prediction cannot start with what it was given, or had to stop.
public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which examples an error is about.
    public enum Data: String, Hashable, Sendable {
        case training, validation, evaluation, prediction
    }

    /// An argument or setting outside its range.
    case invalidArgument(_ name: String, _ value: String, expected: String)
    case noExamples(Data)
    /// None of the examples could be computed and all batches were left out, as `ElementErrorPolicy.skip` has it: once through
    /// the data set, or an epoch of an endless one.
    case everyBatchLeftOut(Data, _ firstReason: String)
    case wrongInputShape(expected: Shape, received: Shape, in: Data)
    case wrongInputType(DType, in: Data)
    case labelOutOfRange(_ label: Int, example: Int, classes: Int, in: Data)
    /// A target that is NaN or infinite, or outside `0...1` where the loss is a binary cross-entropy.
    case targetOutOfRange(_ target: Float, example: Int, expected: String, in: Data)
    /// Examples have another number of inputs or targets than the model has inputs or trained outputs.
    case wrongCount(_ what: String, expected: [String], received: Int, in: Data)
    /// A loss or metric was stated for an output that the model does not have.
    case unknownOutput(_ name: String, known: [String])
    /// A learning rate was stated for a layer or parameter that the model does not have.
    case unknownPath(_ path: String, known: [String])
    /// No output has a loss.
    case noLoss
    /// A checkpoint was made with another network, optimizer or way of training.
    case checkpointDoesNotFit(_ file: String, _ reason: String)
    /// What an optimizer remembers is of another model or another optimizer.
    case optimizerMemoryDoesNotFit(_ reason: String)
    /// A callback watches a number that this training does not report.
    case notReported(_ name: String, callback: String, reported: [String])
    /// The batches of a sequence came to an end before training did.
    case outOfBatches(epoch: Int, step: Int)
    /// No parameter of the model is trainable.
    case nothingToTrain
    /// Another process of a group cannot go on, and says why.
    case otherProcessFailed
    /// A process cannot join others that train, because it does not train the same.
    case processDiffers(rank: Int, _ reason: String)
    /// The loss became NaN or infinite. The model and the optimizer are as they were at the end of the last whole epoch
    /// of this training, or before it. Epochs and steps count from 1.
    case lossNotFinite(_ loss: Float, epoch: Int, step: Int)
    /// A variable contains NaN or infinity at the end of an epoch. The model and the optimizer are as for
    /// `lossNotFinite`.
    case variableNotFinite(_ name: String, epoch: Int)

    public var description: String { visible(text) }

    private var text: String {
        switch self {
        case .invalidArgument(let name, let value, let expected):
            "\(name) is \(value), but must be \(expected)"
        case .noExamples(let data):
            "the \(data.rawValue) data has no examples; at least one is needed"
        case .everyBatchLeftOut(let data, let firstReason):
            "every batch of the \(data.rawValue) data was left out, because none of its examples could be computed; "
                + "the first error is: \(firstReason)"
        case .wrongInputShape(let expected, let received, let data):
            "the model takes inputs of shape \(expected), but the \(data.rawValue) data has \(received) for each example"
        case .wrongInputType(let dtype, let data):
            "the \(data.rawValue) inputs are \(dtype.rawValue); they must be float32, or uint8 for images whose "
                + "0...255 stand for 0...1"
        case .labelOutOfRange(let label, let example, let classes, let data):
            "example \(example) of the \(data.rawValue) data has the label \(label), but the model has \(classes) "
                + "outputs, for the labels 0...\(classes - 1); correct the labels or give the last layer more units"
        case .targetOutOfRange(let target, let example, let expected, let data):
            "example \(example) of the \(data.rawValue) data has the target \(target), but targets must be \(expected)"
        case .wrongCount(let what, let expected, let received, let data):
            "the \(data.rawValue) data has \(received) \(what), but the model needs \(expected.count): "
                + expected.joined(separator: ", ")
        case .unknownOutput(let name, let known):
            "the model has no output '\(name)'; "
                + adviceOnName(name, among: known, heading: "its outputs are")
        case .unknownPath(let path, let known):
            "the model has no layer or parameter '\(path)' that a learning rate could be for; "
                + adviceOnName(path, among: known, heading: "its layers with parameters are")
        case .noLoss:
            "no output has a loss; state at least one, such as .meanSquaredError"
        case .checkpointDoesNotFit(let file, let reason):
            "\(file): the checkpoint does not fit: \(reason); train as it was begun, with the "
                + "data as it was, or remove the file to begin anew"
        case .optimizerMemoryDoesNotFit(let reason):
            "what the optimizer remembers does not fit: \(reason); train with what it was of, or begin anew"
        case .notReported(let name, let callback, let reported):
            "\(callback) asks for '\(name)', which this training does not report; "
                + (name.hasPrefix("val_") && reported.contains(String(name.dropFirst(4)))
                    ? "give validation data"
                    : adviceOnName(name, among: reported, heading: "reported are"))
        case .outOfBatches(let epoch, let step):
            "the batches ended before step \(step) of epoch \(epoch); give a sequence without end, fewer epochs or a "
                + "smaller stepsPerEpoch"
        case .nothingToTrain:
            "every parameter of the model is frozen; make at least one trainable before compiling"
        case .otherProcessFailed:
            "another process of this training failed; what it says tells why"
        case .processDiffers(let rank, let reason):
            "process \(rank) does not train what process 0 trains: \(reason); start all with the same program, data and options"
        case .lossNotFinite(let loss, let epoch, let step):
            "the loss is \(loss) at step \(step) of epoch \(epoch); the parameters were set back to where they were "
                + "before that epoch. Try a smaller learning rate, and look for NaN or very large inputs"
        case .variableNotFinite(let name, let epoch):
            "'\(name)' contains NaN or infinity after epoch \(epoch); the parameters were set back to where they "
                + "were before that epoch. Try a smaller learning rate"
        }
    }
}
