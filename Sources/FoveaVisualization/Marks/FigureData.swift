import FoveaFiles
import FoveaGraph
import FoveaPictures

/// Numbers that a figure can show as they are: arrays of numbers of any depth, tensors, pictures and ranges of whole numbers.
public protocol FigureData {
    /// What figures draw of it.
    var figureNumbers: FigureNumbers { get }
}

/// Numbers in rows, as a figure draws them.
public struct FigureNumbers: Sendable {
    /// How many there are along each axis.
    public let extents: [Int]
    /// In row-major order.
    public var numbers: [Double] { bytes?.map(Double.init) ?? doubles }
    /// Samples from 0 to 255, as of pictures, where that is what they are.
    let bytes: [UInt8]?
    private let doubles: [Double]
    /// What is wrong with the data; nil when nothing is.
    let problem: String?

    init(_ extents: [Int], _ numbers: [Double], problem: String? = nil) {
        self.extents = extents
        bytes = nil
        doubles = numbers
        self.problem = problem
    }

    init(_ extents: [Int], bytes: [UInt8]) {
        self.extents = extents
        self.bytes = bytes
        doubles = []
        problem = nil
    }

    /// How many numbers there are.
    var count: Int { bytes?.count ?? doubles.count }

    /// As errors say it: `[28, 28]`.
    var shapeText: String { "[\(extents.map(String.init).joined(separator: ", "))]" }

    /// - Parameters:
    ///   - name: what errors call it.
    ///   - panel: what errors call the panel.
    /// - Throws: `VisualizationError` when the numbers are no list of at least one.
    func checkList(_ name: String, _ panel: String) throws(VisualizationError) {
        if let problem { throw VisualizationError(.wrongShape, "\(panel): \(name): \(problem)") }
        guard extents.count == 1 || extents.filter({ $0 != 1 }).count < 2 else {
            throw VisualizationError(
                .wrongShape,
                "\(panel): \(name) must be a list of numbers, but there are numbers of shape \(shapeText); take a row of them"
            )
        }
        guard count > 0 else {
            throw VisualizationError(
                .noData, "\(panel): \(name) has no numbers; give it at least one, or leave it out")
        }
    }
}

extension Array: FigureData where Element: NestedArray {
    public var figureNumbers: FigureNumbers {
        var numbers: [Double] = []
        let extents = extents
        guard append(to: &numbers, extents: extents[...]) else {
            return FigureNumbers(extents, [], problem: "its rows have different lengths")
        }
        return FigureNumbers(extents, numbers)
    }
}

extension TensorValue: FigureData {
    public var figureNumbers: FigureNumbers {
        if case .uint8(let elements) = storage { return FigureNumbers(shape.dimensions, bytes: elements) }
        return FigureNumbers(shape.dimensions, floats.map(Double.init))
    }
}

extension Picture: FigureData {
    public var figureNumbers: FigureNumbers {
        FigureNumbers([height, width, channels], bytes: pixels)
    }
}

extension Range: FigureData where Bound == Int {
    public var figureNumbers: FigureNumbers { FigureNumbers([count], map(Double.init)) }
}

extension ClosedRange: FigureData where Bound == Int {
    public var figureNumbers: FigureNumbers { FigureNumbers([count], map(Double.init)) }
}
