import FoveaDatasets
import FoveaTraining

extension ClassificationReport {
    /// A grid of the examples whose answers were the most wrong, by the loss, with what they were taken for, its probability and
    /// the true class.
    ///
    /// - Parameters:
    ///   - count: how many; fewer when there are fewer.
    ///   - examples: the data set that the report is on, with an image as the first input.
    ///   - columns: how many stand beside each other; what makes the grid about square when nil.
    ///   - title: what stands above all.
    ///   - theme: which colours there are.
    /// - Throws: `VisualizationError` when no example was answered or inputs are no images; `DatasetError` when the data set is
    ///   another one, with fewer examples; what computing an example throws.
    public func plotWorst(
        _ count: Int = 25, of examples: Dataset<Example>, columns: Int? = nil, title: String = "",
        theme: Figure.Theme = .light
    ) throws -> Figure {
        let worst = worst(count)
        let images = try worst.map { answer -> any FigureData in
            try examples.element(at: answer.index).inputs[0]
        }
        return try Figure.predictions(
            images, answers: worst, classNames: confusion.classNames, columns: columns, title: title,
            theme: theme)
    }
}
