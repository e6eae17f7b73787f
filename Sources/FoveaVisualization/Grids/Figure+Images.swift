import FoveaDatasets
import FoveaGraph
import FoveaPictures
import FoveaTraining

extension Figure {
    /// Images in rows, each with a text above.
    ///
    /// - Parameters:
    ///   - images: as ``Mark/image(_:colorMap:limits:isSmooth:opacity:x:y:)`` takes them: pictures, tensors, arrays.
    ///   - titles: a text for each, or none at all.
    ///   - columns: how many stand beside each other; what makes the grid about square when nil.
    ///   - colorMap: for images of one channel; grey for pictures and `[height, width, 1]`, else viridis, when nil.
    ///   - title: what stands above all.
    ///   - theme: which colours there are.
    /// - Throws: `VisualizationError` when there are no images, more than 10,000, or another number of titles.
    public static func images(
        _ images: [any FigureData], titles: [String] = [], columns: Int? = nil, colorMap: ColorMap? = nil,
        title: String = "", theme: Theme = .light
    ) throws(VisualizationError) -> Figure {
        guard titles.isEmpty || titles.count == images.count else {
            throw VisualizationError(
                .wrongShape, "\(titles.count) titles for \(images.count) images; give each one, or none")
        }
        let panels = images.enumerated().map { index, image in
            imagePanel(image, title: titles.isEmpty ? "" : titles[index], colorMap)
        }
        return try grid(panels, columns: columns, title: title, theme: theme)
    }

    /// A grid of images with what a model took them for: the title is in one colour where it was right and in another where not,
    /// with the probability.
    ///
    /// - Parameters:
    ///   - images: as ``images(_:titles:columns:colorMap:title:theme:)`` takes them.
    ///   - answers: what was said of each, in their order, such as `report.worst(25)`.
    ///   - classNames: what each class is called, or empty.
    ///   - columns: how many stand beside each other; what makes the grid about square when nil.
    ///   - title: what stands above all.
    ///   - theme: which colours there are.
    /// - Throws: `VisualizationError` for another number of answers, and as for images.
    public static func predictions(
        _ images: [any FigureData], answers: [ClassificationReport.Answer], classNames: [String] = [],
        columns: Int? = nil, title: String = "", theme: Theme = .light
    ) throws(VisualizationError) -> Figure {
        guard answers.count == images.count else {
            throw VisualizationError(
                .wrongShape, "\(answers.count) answers for \(images.count) images; each needs one")
        }
        func name(_ number: Int) -> String {
            classNames.indices.contains(number) ? classNames[number] : "\(number)"
        }
        let panels = zip(images, answers).map { image, answer in
            let share = fixedPoint(answer.probability * 100, decimals: answer.probability > 0.9995 ? 0 : 1)
            var panel = imagePanel(
                image,
                title: "\(name(answer.predicted)) (\(share)\u{a0}%)"
                    + (answer.isRight ? "" : "\ntrue: \(name(answer.label))"),
                nil)
            panel.accent = answer.isRight ? theme.right : theme.wrong
            return panel
        }
        return try grid(panels, columns: columns, title: title, theme: theme)
    }

    /// A grid of the first images of examples with the names of their classes.
    ///
    /// - Parameters:
    ///   - examples: with images `[count, height, width, channels]` or `[count, height, width]` as their first input.
    ///   - count: how many; fewer when there are fewer.
    ///   - classNames: what each class is called, or empty; the class is the first target, a number or a one-hot row.
    ///   - columns: how many stand beside each other; what makes the grid about square when nil.
    ///   - title: what stands above all.
    ///   - theme: which colours there are.
    /// - Throws: `VisualizationError` for examples that are no images, and when there are none.
    public static func images(
        of examples: Examples, count: Int = 25, classNames: [String] = [], columns: Int? = nil,
        title: String = "", theme: Theme = .light
    ) throws -> Figure {
        let inputs = examples.inputs[0]
        guard inputs.shape.rank == 3 || inputs.shape.rank == 4 else {
            throw VisualizationError(
                .wrongShape,
                "inputs of shape \(inputs.shape) are no images; expected [count, height, width, channels]")
        }
        let part = try examples[0..<max(0, min(count, examples.count))]
        let titles = (0..<part.count).map { index in
            part.targets.first.map { className(of: $0, index, classNames) } ?? ""
        }
        return try images(
            images(of: part.inputs[0]), titles: titles, columns: columns, title: title, theme: theme)
    }

    /// The images of a batch, one by one.
    private static func images(of batch: TensorValue) -> [TensorValue] {
        let rest = Shape(batch.shape.dimensions.dropFirst().map { $0 })
        let size = rest.elementCount
        return (0..<batch.shape[0]).compactMap { index in
            let range = index * size..<(index + 1) * size
            let storage: TensorValue.Storage =
                switch batch.storage {
                case .uint8(let elements): .uint8(Array(elements[range]))
                default: .float32(Array(batch.floats[range]))
                }
            return try? TensorValue(shape: rest, storage: storage)
        }
    }

    /// The class that row `index` of targets says; empty for targets that say none.
    private static func className(of targets: TensorValue, _ index: Int, _ classNames: [String]) -> String {
        let count = targets.shape.elementCount / max(targets.shape[0], 1)
        let row = targets.floats[index * count..<(index + 1) * count].map(Double.init)
        guard let largest = row.max() else { return "" }
        let number = row.count == 1 ? Int(exactly: largest.rounded()) ?? -1 : row.firstIndex(of: largest) ?? 0
        return classNames.indices.contains(number) ? classNames[number] : "\(number)"
    }

    static func imagePanel(_ image: any FigureData, title: String, _ colorMap: ColorMap?) -> Panel {
        var panel = Panel(title: title, [.image(image, colorMap: colorMap)])
        panel.hasAxes = false
        return panel
    }

    /// Panels of images in a grid that is about square.
    static func grid(
        _ panels: [Panel], columns: Int?, title: String, theme: Theme
    ) throws(VisualizationError) -> Figure {
        guard !panels.isEmpty else {
            throw VisualizationError(.noData, "there are no images to show; give at least one")
        }
        guard panels.count <= 10_000 else {
            throw VisualizationError(
                .tooLarge,
                "\(panels.count) images are more than the 10,000 of one figure; show a part of them")
        }
        let chosen = columns ?? Int(Double(panels.count).squareRoot().rounded(.up))
        let rows = (panels.count + max(chosen, 1) - 1) / max(chosen, 1)
        let lines = panels.map { $0.title.isEmpty ? 0 : $0.title.split(separator: "\n").count }.max() ?? 0
        // An inch and a half for each, less where there are many.
        let side = max(0.5, min(1.5, 16 / Double(max(chosen, rows))))
        // As high as the highest image needs.
        let aspect =
            panels.map { panel -> Double in
                guard let extents = panel.marks.first?.content.extents(.linear, .linear) else { return 1 }
                return (extents.y.high - extents.y.low) / (extents.x.high - extents.x.low)
            }.filter { $0 > 0 && $0.isFinite }.max() ?? 1
        let cell = side * max(0.25, min(aspect, 2)) + 0.2 * Double(lines)
        let size = (
            width: max(2, side * Double(max(chosen, 1))),
            height: max(1, cell * Double(rows)) + (title.isEmpty ? 0 : 0.3)
        )
        return Figure(panels, columns: chosen, title: title, size: size, theme: theme)
    }
}
