import FoveaGraph

/// Which number of a class is explained.
public enum ClassScore: String, Hashable, Sendable, CaseIterable {
    /// What a softmax or sigmoid makes probabilities of, as Selvaraju et al. have it for Grad-CAM and as is usual in the
    /// literature: other classes do not matter. Of a single output `z`, class 1 has `z` and class 0 has `-z`.
    case logit
    /// The probability itself, as in Chollet's lesson and as Sundararajan et al. have it for integrated gradients.
    case probability
}

/// A model's output as numbers of classes.
struct ClassScores: Sendable {
    /// How many classes there are; 2 for an output of one number.
    let count: Int
    /// `[batch, classes]`.
    let logits: Tensor
    /// `[batch, classes]`.
    let probabilities: Tensor

    /// - Throws: `InsightError` when the output has not one number for each class.
    init(of output: Tensor, named name: String) throws {
        let shape = output.shape
        guard shape.rank >= 2, shape.dimensions.dropFirst().dropLast().allSatisfy({ $0 == 1 }),
            shape.channels > 0
        else {
            throw InsightError.wrongShape(
                "the output '\(name)'", shape, expected: "[batch, classes], a number for each class")
        }
        let width = shape.channels
        let (source, kind) = Self.source(of: output, count: width)
        let numbers = try source.reshaped(to: [shape[0], width])
        if width == 1 {
            count = 2
            logits = try .concatenate([numbers.negated(), numbers])
            probabilities = try logits.sigmoid()
        } else {
            count = width
            logits = numbers
            probabilities = kind == .sigmoid ? try numbers.sigmoid() : try numbers.softmax()
        }
    }

    private enum Kind { case softmax, sigmoid, none }

    /// What probabilities were made of; the output itself if it is none.
    private static func source(of output: Tensor, count: Int) -> (tensor: Tensor, kind: Kind) {
        var tensor = output
        while true {
            switch tensor.operation {
            case .reshape, .attachment: tensor = tensor.inputs[0]
            case .softmax(let rule) where tensor.shape.rank > rule.axis && tensor.shape[rule.axis] == count:
                return (tensor.inputs[0], .softmax)
            case .unary(.sigmoid): return (tensor.inputs[0], .sigmoid)
            default: return (output, .none)
            }
        }
    }

    /// The score of a class for each example `[batch]`, and which class that is.
    ///
    /// - Parameter chosen: int32 `[batch]`, the class; the most probable one where it is negative.
    func selected(
        _ score: ClassScore, _ chosen: Tensor
    ) throws -> (score: Tensor, probability: Tensor, chosen: Tensor) {
        let isOpen = try Tensor.compare(.less, chosen, .filled(0, chosen.shape, .int32))
        let chosen = try Tensor.select(isOpen, logits.argMax(), chosen)
        let mask = try chosen.oneHot(depth: count)
        func picked(_ numbers: Tensor) throws -> Tensor {
            // Not a product, in which infinite scores of other classes would become NaN.
            try Tensor.select(mask.greater(0), numbers, .filled(0, numbers.shape)).sum(axes: [1])
        }
        let probability = try picked(probabilities)
        return (score == .logit ? try picked(logits) : probability, probability, chosen)
    }
}
