import Foundation
import FoveaGraph

extension TensorValue {
    /// The class of each example, of targets in any of the forms that losses take.
    ///
    /// - Parameters:
    ///   - count: how many examples there are.
    ///   - outputs: how many numbers the model gives for each; 1 for the probability of the second of two classes.
    /// - Throws: `TrainingError` for another form.
    func classLabels(count: Int, outputs: Int) throws -> [Int] {
        let isColumn = shape.dimensions == [count] || shape.dimensions == [count, 1]
        if isColumn, !dtype.isFloatingPoint { return integers.map { Int($0) } }
        if isColumn, outputs == 1 { return floats.map { $0 > 0.5 ? 1 : 0 } }
        guard shape.dimensions == [count, outputs], outputs > 1 else {
            throw TrainingError.invalidArgument(
                "the shape of the targets", "\(dtype.rawValue)\(shape)",
                expected:
                    "class numbers [\(count)] that are integers, or rows [\(count), \(outputs)], for predictions "
                    + "[\(count), \(outputs)]")
        }
        let values = floats.map(Double.init)
        return (0..<count).map { values[$0 * outputs..<($0 + 1) * outputs].map(\.self).largestIndex }
    }
}

extension [Double] {
    /// The place of the first of the largest elements.
    var largestIndex: Int {
        var best = 0
        for index in indices where self[index] > self[best] { best = index }
        return best
    }
}

/// Foundation's, by a name that `Tensor` has not taken.
func exponential(_ x: Double) -> Double { exp(x) }
func logarithm(_ x: Double) -> Double { log(x) }
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
