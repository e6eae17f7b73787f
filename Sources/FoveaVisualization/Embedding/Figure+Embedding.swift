import FoveaGraph
import FoveaPictures

extension Figure {
    /// Points in a plane, such as those of `TSNE` or of two `PrincipalComponents`, in a colour for each class.
    ///
    /// - Parameters:
    ///   - points: `[count, 2]`; those with a number that is not finite are left out.
    ///   - labels: the class of each, from 0.
    ///   - classNames: what each class is called, or empty. Classes without points are not in the legend.
    ///   - axes: what stands along the axes; without any they have no numbers either, because those of t-SNE mean nothing.
    ///   - title: what stands above.
    ///   - theme: which colours there are.
    /// - Throws: `VisualizationError` for points of another shape, another number of labels, and labels that are no class.
    public static func embedding(
        _ points: TensorValue, labels: [Int], classNames: [String] = [], axes: (x: String, y: String)? = nil,
        title: String = "", theme: Theme = .light
    ) throws(VisualizationError) -> Figure {
        guard points.shape.rank == 2, points.shape[1] == 2, points.shape[0] == labels.count, !labels.isEmpty
        else {
            throw VisualizationError(
                labels.isEmpty ? .noData : .wrongShape,
                "points of shape \(points.shape) for \(labels.count) labels; expected [\(labels.count), 2], and at least one"
            )
        }
        if let wrong = labels.first(where: { $0 < 0 || (!classNames.isEmpty && $0 >= classNames.count) }) {
            throw VisualizationError(
                .invalidArgument, "the label \(wrong) is none of the classes 0...\(classNames.count - 1)")
        }
        let numbers = points.floats
        let classes = Set(labels).sorted()
        let colors = colors(classes.count, theme)
        var panel = Panel(title: title, xLabel: axes?.x ?? "", yLabel: axes?.y ?? "")
        // Fewer points are larger.
        let size = max(3, min(7, 90 / Double(labels.count).squareRoot()))
        for (place, label) in classes.enumerated() {
            let members = labels.indices.filter {
                labels[$0] == label && numbers[2 * $0].isFinite && numbers[2 * $0 + 1].isFinite
            }
            guard !members.isEmpty else { continue }
            panel.marks.append(
                .scatter(
                    members.map { Double(numbers[2 * $0 + 1]) }, x: members.map { Double(numbers[2 * $0]) },
                    label: classNames.isEmpty ? "\(label)" : classNames[label], color: colors[place],
                    size: size,
                    opacity: 0.8))
        }
        guard !panel.marks.isEmpty else {
            throw VisualizationError(.noData, "no point can be drawn: all are NaN or infinite")
        }
        panel.legend = .outside
        panel.hasEqualAxes = true
        if axes == nil { (panel.xTicks, panel.yTicks) = (.none, .none) }
        return Figure([panel], size: (8.5, 6.4), theme: theme)
    }

    /// The theme's as far as they go, else as different as that many can be.
    private static func colors(_ count: Int, _ theme: Theme) -> [Color] {
        let cycle = theme.cycle
        if count <= cycle.count { return Array(cycle.prefix(count)) }
        let table = ColorMap.turbo.samples
        return (0..<count).map { place in
            // The darkest ends are not told apart.
            let index = 3 * (20 + place * 215 / max(1, count - 1))
            return Color(
                Picture.Color(red: table[index], green: table[index + 1], blue: table[index + 2]))
        }
    }
}
