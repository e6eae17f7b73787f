/// One pair of axes of a figure, with what is drawn in it.
///
/// ```swift
/// var panel = Panel(title: "Loss", xLabel: "epoch", [.line(losses, label: "training")])
/// panel.yScale = .log
/// ```
///
/// Axes without limits show everything, as in matplotlib with a twentieth more at each end; images and bars end at the edge.
public struct Panel: Sendable {
    /// How numbers are spread along an axis.
    public enum Scale: String, CaseIterable, Hashable, Sendable {
        case linear
        /// By their logarithms. Numbers that are not positive have no place and are gaps.
        case log
    }

    /// Which numbers of an axis are written beside it.
    public enum Ticks: Hashable, Sendable {
        /// Round numbers.
        case automatic
        /// Whole numbers only, as for epochs.
        case integers
        case none
        /// These places with these texts, as many of each.
        case labels([String], at: [Double])

        /// Texts at 0, 1, 2 …, as the names of classes.
        public static func names(_ names: [String]) -> Ticks {
            .labels(names, at: names.indices.map(Double.init))
        }
    }

    /// Where the labels of marks are explained.
    public enum Legend: String, CaseIterable, Hashable, Sendable {
        /// In the corner that hides least, if a mark has a label.
        case automatic
        case none
        case upperRight, upperLeft, lowerRight, lowerLeft
        /// To the right of the panel, for many.
        case outside
    }

    /// What stands above; of several lines if it has line breaks or is too long for one.
    public var title: String
    public var xLabel: String
    public var yLabel: String
    /// The numbers at the ends of the axes; chosen when nil.
    public var xLimits: ClosedRange<Double>?
    public var yLimits: ClosedRange<Double>?
    public var xScale = Scale.linear
    public var yScale = Scale.linear
    public var xTicks = Ticks.automatic
    public var yTicks = Ticks.automatic
    /// Whether numbers grow downwards; they do where there is an image or a matrix, if nil.
    public var yIsInverted: Bool?
    /// Whether a unit has the same length on both axes; it has where there is an image or a matrix, if nil.
    public var hasEqualAxes: Bool?
    /// Whether lines lead from the ticks across the panel.
    public var hasGrid = false
    /// Whether there are a frame and ticks.
    public var hasAxes = true
    public var legend = Legend.automatic
    /// Explains the colours of the last image or matrix with a colour map: a bar beside the panel, with this text along it.
    public var colorBar: ColorBar?
    /// The colour of the title and the frame, such as for right and wrong answers; the theme's when nil.
    public var accent: Figure.Color?
    /// What is drawn, one on top of the other.
    public var marks: [Mark]

    /// A bar that explains colours.
    public struct ColorBar: Hashable, Sendable {
        /// What stands along it.
        public var label: String

        public init(label: String = "") { self.label = label }
    }

    /// - Parameters:
    ///   - title: what stands above.
    ///   - xLabel: what stands along the axis below.
    ///   - yLabel: what stands along the axis at the left.
    ///   - marks: what is drawn, one on top of the other.
    public init(title: String = "", xLabel: String = "", yLabel: String = "", _ marks: [Mark] = []) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.marks = marks
    }
}

extension Panel {
    /// - Parameter name: what errors call the panel.
    func check(_ name: String) throws(VisualizationError) {
        func check(_ limits: ClosedRange<Double>?, _ scale: Scale, _ axis: String) throws(VisualizationError)
        {
            guard let limits else { return }
            guard limits.lowerBound.isFinite, limits.upperBound.isFinite,
                limits.lowerBound < limits.upperBound
            else {
                throw VisualizationError(
                    .invalidArgument,
                    "\(name): the limits \(limits) of the \(axis) axis must be two different finite numbers")
            }
            if scale == .log, limits.lowerBound <= 0 {
                throw VisualizationError(
                    .invalidArgument,
                    "\(name): the limits \(limits) of the \(axis) axis must be positive, because its scale is logarithmic"
                )
            }
        }
        try check(xLimits, xScale, "x")
        try check(yLimits, yScale, "y")
        for case (.labels(let texts, let places), let axis) in [(xTicks, "x"), (yTicks, "y")] {
            guard texts.count == places.count, places.allSatisfy(\.isFinite) else {
                throw VisualizationError(
                    .invalidArgument,
                    "\(name): the \(axis) axis has \(texts.count) texts for \(places.count) ticks; each tick needs one, and a "
                        + "finite place")
            }
        }
        for mark in marks { try mark.content.check(name, xScale, yScale) }
    }
}
