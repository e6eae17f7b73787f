import FoveaDatasets

/// What a loss takes as targets.
public enum TargetKind: Hashable, Sendable {
    /// A class number in `0..<C` for each row of C predictions; a class that is ignored may be any number.
    case classNumbers(ignoring: Int? = nil)
    /// A row with a number for each class, such as a one-hot row.
    case classProbabilities
    /// For each prediction 0, 1 or a probability between.
    case probabilities
    /// A finite number for each prediction.
    case numbers

    /// How data sets of classes give such targets.
    public var classMode: ClassMode {
        switch self {
        case .classNumbers, .numbers: .sparse
        case .classProbabilities: .categorical
        case .probabilities: .binary
        }
    }
}

/// What a loss takes as predictions.
public enum OutputKind: Hashable, Sendable {
    /// Any numbers.
    case numbers
    /// Probabilities, as a softmax or a sigmoid gives them.
    case probabilities
    /// Numbers whose softmax, or sigmoid, gives the probabilities.
    case logits
    /// Logarithms of probabilities, as a log-softmax gives them: logits of which the probabilities are the exponentials, too.
    case logProbabilities

    init(fromLogits: Bool) { self = fromLogits ? .logits : .probabilities }
}
